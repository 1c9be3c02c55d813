"""What the engine says of actions in force, and of programs by which no event is told."""

from plain_configuration import action, configuration
from stayalived.child.events import Abort, Commit, Prepare, Received, Stop, Tell
from stayalived.child.programs import Answer, Withdrawn
from stayalived.config.model import BUNDLED
from stayalived.messages.control import Start
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.messages.routes import RUNNER
from stayalived.notify.engine import NotifyEngine
from stayalived.notify.events import OF_ITS_OWN, Asked, Loaded, Use
from stayalived.plugin.programs import Program
from stayalived.timing import Instant

NOW = Instant(1_000)
READER = Program(argv=("/bin/read", "/run/events"))


def test_the_actions_of_this_process_are_in_force_at_commit_and_not_before() -> None:
    mine, other = action(), action(distribution="acme")
    wanted = configuration(mine, other, mine)
    engine = NotifyEngine(BUNDLED)

    before = [*engine.handle(Prepare(generation=1, configuration=wanted), NOW)]
    before += engine.handle(Loaded(generation=1, problems=()), NOW)
    assert not [effect for effect in before if isinstance(effect, Use)]

    assert Use(actions=(mine,), configuration=wanted) in engine.handle(Commit(generation=1, start=Start.FIRST), NOW)


def test_what_is_aborted_is_never_in_force() -> None:
    engine = NotifyEngine(BUNDLED)
    engine.handle(Prepare(generation=1, configuration=configuration(action())), NOW)

    assert not [effect for effect in engine.handle(Abort(generation=1), NOW) if isinstance(effect, Use)]


def test_an_action_may_have_a_program_run_by_which_no_event_is_told() -> None:
    engine = NotifyEngine(BUNDLED)

    [asked] = engine.handle(Asked(call=5, token=OF_ITS_OWN, program=READER), NOW)

    assert isinstance(asked, Tell)
    assert isinstance(asked.message, Run)
    assert (asked.to, asked.message.argv, asked.message.lane) == (RUNNER, READER.argv, "for /run/events")
    ran = Ran(identifier=asked.message.identifier, status=0, signal=0, output=b"", problem="", duration=1)
    assert engine.handle(Received(topic="", key="", sender=RUNNER, message=ran), NOW) == [Answer(call=5, ran=ran)]


def test_such_a_program_may_be_withdrawn_and_holds_up_no_stop() -> None:
    engine = NotifyEngine(BUNDLED)
    [asked] = engine.handle(Asked(call=5, token=OF_ITS_OWN, program=READER), NOW)
    assert isinstance(asked, Tell)

    [withdrawn] = engine.handle(Withdrawn(call=5), NOW)

    assert isinstance(withdrawn, Tell)
    assert withdrawn.message == Cancel(identifier=asked.sequence)
    assert len(engine.handle(Stop(), NOW)) == 1


def test_a_program_for_an_event_that_is_told_no_more_is_not_run() -> None:
    assert NotifyEngine(BUNDLED).handle(Asked(call=5, token=77, program=READER), NOW) == []
