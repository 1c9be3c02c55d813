from hypothesis import given
from hypothesis import strategies as st

from stayalived.api.commands import BadCommand, Command, read_command
from stayalived.api.engine import AnswerClient, ApiEngine, Asked
from stayalived.child.events import Report, Tell
from stayalived.timing import Instant

WORDS = st.sampled_from(["verb", "force", "leave", "status", "reload", "stop", *'{}:",', "true", "\\u00"])
LINES = st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=20).map(lambda words: "".join(words).encode()))


@given(line=LINES)
def test_a_line_is_a_command_or_is_refused_with_the_one_error(line: bytes) -> None:
    try:
        outcome: object = read_command(line)
    except BadCommand as error:
        outcome = str(error)

    assert isinstance(outcome, Command) or outcome


@given(lines=st.lists(LINES, max_size=20))
def test_every_line_is_answered_or_passed_on_exactly_once(lines: list[bytes]) -> None:
    engine = ApiEngine(version="1", pid=1)

    for number, line in enumerate(lines):
        effects = engine.handle(Asked(client=number, line=line, may_change=True), Instant(number))
        answered = [effect for effect in effects if isinstance(effect, AnswerClient | Tell)]
        assert len(answered) == 1
        assert all(isinstance(effect, AnswerClient | Tell | Report) for effect in effects)
