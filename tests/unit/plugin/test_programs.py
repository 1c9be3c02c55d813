import pytest

from stayalived.plugin import Outcome
from stayalived.plugin.programs import MOST_SAID


def outcome(status: int = -1, signal: int = 0, output: bytes = b"", problem: str = "") -> Outcome:
    return Outcome(status=status, signal=signal, output=output, problem=problem)


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (outcome(status=0), "exit status 0"),
        (outcome(status=3, output=b"one\nno route to host\n\n"), "exit status 3: no route to host"),
        (outcome(signal=11), "ended by signal 11"),
        (outcome(signal=9, problem="ran longer than 5 s", output=b"half"), "ran longer than 5 s: half"),
        (outcome(status=1, output=b" \n\n"), "exit status 1"),
        (outcome(status=1, output=b"\xff\xfe"), "exit status 1: \ufffd\ufffd"),
        (outcome(status=2, output=b"\x1b[31mred"), "exit status 2: [31mred"),
        (outcome(status=2, output=b"\x1b"), "exit status 2"),
        (outcome(status=2, output=b"x" * 999), f"exit status 2: {'x' * MOST_SAID}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_how_a_program_ended_is_said_in_one_line_with_what_it_said_last(ended: Outcome, text: str) -> None:
    assert text == str(ended)
