import pytest

from plain_configuration import configuration
from stayalived.child.events import Abort, AnswerPrepared, Commit, Finished, Prepare, Stop
from stayalived.log.engine import LogEngine, Reopen, UseLevel
from stayalived.messages.control import Start
from stayalived.timing import Instant

NOW = Instant(0)


def commit(engine: LogEngine, **changed: str) -> None:
    engine.handle(Prepare(generation=1, configuration=configuration(**changed)), NOW)
    engine.handle(Commit(generation=1, start=Start.FIRST), NOW)


def test_the_level_is_used_and_the_file_opened_anew_at_commit() -> None:
    engine = LogEngine()
    answer = engine.handle(Prepare(generation=1, configuration=configuration(log_level="debug")), NOW)
    assert answer == [AnswerPrepared(generation=1)]
    assert engine.handle(Commit(generation=1, start=Start.FIRST), NOW) == [UseLevel(name="debug"), Reopen()]


def test_another_target_is_refused_with_the_key_and_the_remedy() -> None:
    engine = LogEngine()
    commit(engine, log="stderr")
    [answer] = engine.handle(Prepare(generation=2, configuration=configuration(log="syslog")), NOW)
    assert str(answer.problems[0]).startswith("global.log: found 'syslog'; 'stderr' until the daemon is restarted")


def test_the_first_configuration_may_say_anything_for_another_target_may_have_been_ordered() -> None:
    engine = LogEngine()
    commit(engine, log="syslog")
    answer = engine.handle(Prepare(generation=2, configuration=configuration(log="syslog")), NOW)
    assert answer == [AnswerPrepared(generation=2)]


def test_a_target_that_was_only_prepared_binds_nobody() -> None:
    engine = LogEngine()
    engine.handle(Prepare(generation=1, configuration=configuration(log="syslog")), NOW)
    engine.handle(Abort(generation=1), NOW)
    answer = engine.handle(Prepare(generation=2, configuration=configuration(log="stderr")), NOW)
    assert answer == [AnswerPrepared(generation=2)]


def test_an_aborted_generation_is_forgotten() -> None:
    engine = LogEngine()
    engine.handle(Prepare(generation=3, configuration=configuration()), NOW)
    assert engine.handle(Abort(generation=3), NOW) == []
    with pytest.raises(KeyError):
        engine.handle(Commit(generation=3, start=Start.RELOAD), NOW)


def test_it_ends_when_told_and_never_wants_to_be_woken() -> None:
    engine = LogEngine()
    assert engine.handle(Stop(), NOW) == [Finished()]
    assert engine.deadline is None
    assert engine.wake(NOW) == []
