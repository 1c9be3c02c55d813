import pytest

from plain_configuration import configuration
from stayalived.child.events import Abort, AnswerPrepared, Commit, Finished, Prepare, Stop
from stayalived.log.engine import LogEngine, Reopen, UseLevel
from stayalived.messages.control import Start
from stayalived.timing import Instant

NOW = Instant(0)


def test_the_level_is_used_and_the_file_opened_anew_at_commit() -> None:
    engine = LogEngine("stderr")
    answer = engine.handle(Prepare(generation=1, configuration=configuration(log_level="debug")), NOW)
    assert answer == [AnswerPrepared(generation=1)]
    assert engine.handle(Commit(generation=1, start=Start.FIRST), NOW) == [UseLevel(name="debug"), Reopen()]


def test_another_target_is_refused_with_the_key_and_the_remedy() -> None:
    engine = LogEngine("stderr")
    [answer] = engine.handle(Prepare(generation=2, configuration=configuration(log="syslog")), NOW)
    assert str(answer.problems[0]).startswith("global.log: found 'syslog'; 'stderr' until the daemon is restarted")


def test_an_aborted_generation_is_forgotten() -> None:
    engine = LogEngine("stderr")
    engine.handle(Prepare(generation=3, configuration=configuration()), NOW)
    assert engine.handle(Abort(generation=3), NOW) == []
    with pytest.raises(KeyError):
        engine.handle(Commit(generation=3, start=Start.RELOAD), NOW)


def test_it_ends_when_told_and_never_wants_to_be_woken() -> None:
    engine = LogEngine("stderr")
    assert engine.handle(Stop(), NOW) == [Finished()]
    assert engine.deadline is None
    assert engine.wake(NOW) == []
