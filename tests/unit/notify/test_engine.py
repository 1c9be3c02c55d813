from dataclasses import replace
from typing import Any

import msgspec
import pytest

from plain_configuration import action, configuration
from plain_event import plain_event
from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    Commit,
    Finished,
    Forget,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.child.programs import Answer, Withdrawn
from stayalived.config.model import Action
from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.notify import Cancel, Event, Ran, Run, Told
from stayalived.messages.routes import may_tell
from stayalived.messages.services import Override
from stayalived.notify.counts import TOLD_EVERY
from stayalived.notify.engine import STOP_GRACE, STOP_PATIENCE, NotifyEngine
from stayalived.notify.events import (
    Abandon,
    Asked,
    Holding,
    Invoke,
    Invoked,
    Load,
    Loaded,
    Observe,
    Observed,
    ObserverFailed,
    Releasing,
)
from stayalived.notify.queue import LANE_DEPTH
from stayalived.notify.receipts import GIVEN_EVERY
from stayalived.plugin.notifiers import Level
from stayalived.plugin.programs import Program
from stayalived.timing import Instant, after, seconds

NOW = Instant(1_000_000)
SCRIPT = action("instance tic", command=("/etc/stayalived/notify.sh",))
PROGRAM = Program(argv=("/etc/stayalived/notify.sh", "MASTER"), user="backup", input=b"{}", limit=seconds(5))


def happened(sequence: int, kind: str = "master", subject: str = "tic") -> Received:
    event = plain_event(sequence=sequence, kind=kind, subject=subject, old="", new=kind.upper())
    return Received(topic="event", key="", sender="vrrp", message=event)


def committed(*actions: Action, distribution: str = "stayalived") -> NotifyEngine:
    engine = NotifyEngine(distribution)
    engine.handle(Prepare(generation=1, configuration=configuration(*actions)), NOW)
    engine.handle(Commit(generation=1, start=control.Start.FIRST), NOW)
    return engine


@pytest.fixture
def engine() -> NotifyEngine:
    return committed(SCRIPT)


def invoked(effects: Any) -> list[tuple[int, int]]:
    """Return token and sequence number of what is being told."""
    return [(effect.token, effect.event.sequence) for effect in effects if isinstance(effect, Invoke)]


def only_token(effects: Any) -> int:
    [(token, _)] = invoked(effects)
    return token


def receipt(*numbers: int, sender: str = "vrrp") -> Tell:
    return Tell(message=Told(events=((sender, numbers),)))


def reports(effects: Any) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, Report)]


def test_an_event_is_shown_to_observers_and_told_to_its_action(engine: NotifyEngine) -> None:
    happening = happened(1)
    assert engine.handle(happening, NOW) == [
        Observe(event=happening.message),
        Invoke(token=1, action=SCRIPT, event=happening.message),
    ]


def test_the_events_of_a_subject_are_told_one_after_the_other_in_order(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    assert invoked(engine.handle(happened(2, "backup"), NOW)) == []
    assert invoked(engine.handle(happened(3), NOW)) == []
    told = []
    for _ in range(2):
        [(token, sequence)] = invoked(engine.handle(Invoked(token=token), NOW))
        told.append(sequence)
    assert told == [2, 3]


def test_subjects_do_not_wait_for_each_other() -> None:
    engine = committed(action("global"))
    engine.handle(happened(1, subject="tic"), NOW)
    assert [sequence for _, sequence in invoked(engine.handle(happened(2, subject="tac"), NOW))] == [2]


def test_actions_do_not_wait_for_each_other() -> None:
    engine = committed(SCRIPT, action("instance tic", kind="mail"))
    assert len(invoked(engine.handle(happened(1), NOW))) == 2


def test_a_failure_is_counted_and_reported_with_the_distribution_and_the_lane_goes_on() -> None:
    engine = committed(action("instance tic", distribution="acme", kind="pager"), distribution="acme")
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(happened(2), NOW)
    effects = engine.handle(Invoked(token=token, failure="no signal"), NOW)
    assert reports(effects) == ["action pager of acme: master of instance tic was not told: no signal"]
    assert engine.failures == {("acme", "pager"): 1}
    assert [sequence for _, sequence in invoked(effects)] == [2]


def test_a_full_lane_is_reported_and_the_last_event_is_told(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(0), NOW))
    for sequence in range(1, LANE_DEPTH + 1):
        assert reports(engine.handle(happened(sequence), NOW)) == []
    assert "1000 events behind with instance tic" in reports(engine.handle(happened(LANE_DEPTH + 1), NOW))[0]
    told = []
    while following := invoked(engine.handle(Invoked(token=token), NOW)):
        [(token, sequence)] = following
        told.append(sequence)
    assert told == list(range(2, LANE_DEPTH + 2))


def test_an_answer_for_what_is_over_changes_nothing(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(Invoked(token=token), NOW)
    assert engine.handle(Invoked(token=token), NOW) == []


def test_nothing_is_told_without_a_configuration() -> None:
    assert NotifyEngine("stayalived").handle(happened(1), NOW) == []


def test_a_configuration_is_accepted_once_its_actions_are_made() -> None:
    engine = NotifyEngine("stayalived")
    prepare = Prepare(generation=1, configuration=configuration(SCRIPT, action(distribution="acme")))
    assert engine.handle(prepare, NOW) == [Load(generation=1, actions=(SCRIPT,))]
    warnings = (Problem(path="", expected="no such action here", warning=True),)
    assert engine.handle(Loaded(generation=1, problems=warnings), NOW) == [
        AnswerPrepared(generation=1, problems=warnings)
    ]
    engine.handle(Abort(generation=1), NOW)
    assert engine.handle(happened(1), NOW) == []


def test_a_program_is_asked_of_the_runner_and_its_end_answers_the_call(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    [tell] = engine.handle(Asked(call=9, token=token, program=PROGRAM), NOW)
    assert isinstance(tell, Tell)
    assert tell.to == "runner"
    run = tell.message
    assert isinstance(run, Run)
    assert (run.argv, run.user, run.input, run.limit) == (PROGRAM.argv, "backup", b"{}", seconds(5))
    ran = Ran(identifier=run.identifier, status=0, signal=0, output=b"", problem="", duration=1)
    answer = Received(topic="runner.ran", key="", sender="runner", message=ran)
    assert engine.handle(answer, NOW) == [Answer(call=9, ran=ran)]
    assert engine.handle(answer, NOW) == []


def test_a_call_does_not_wait_for_a_runner_that_died(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(Asked(call=9, token=token, program=PROGRAM), NOW)

    answers = [effect for effect in engine.handle(runner_died(), NOW) if isinstance(effect, Answer)]
    again = [effect for effect in engine.handle(runner_died(), NOW) if isinstance(effect, Answer)]

    assert [(9, -1)] == [(answer.call, answer.ran.status) for answer in answers]
    assert "died" in answers[0].ran.problem
    assert [] == again


def runner_died() -> Received:
    event = msgspec.structs.replace(happened(2, "child_died").message, subject_type="child", subject="runner")
    return Received(topic="event", key="", sender="supervisor", message=event)


def test_a_restarted_child_does_not_repeat_the_identifiers_of_the_one_before() -> None:
    identifiers = set()
    for now in (NOW, after(NOW, seconds(1))):
        engine = committed(SCRIPT)
        token = only_token(engine.handle(happened(1), now))
        for call in range(2):
            [tell] = engine.handle(Asked(call=call, token=token, program=PROGRAM), now)
            assert isinstance(tell, Tell)
            assert isinstance(tell.message, Run)
            identifiers.add(tell.message.identifier)
    assert len(identifiers) == 4


def test_a_program_that_nobody_waits_for_is_cancelled(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    [tell] = engine.handle(Asked(call=9, token=token, program=PROGRAM), NOW)
    assert isinstance(tell, Tell)
    assert isinstance(tell.message, Run)
    [cancel] = engine.handle(Withdrawn(call=9), NOW)
    assert isinstance(cancel, Tell)
    assert cancel.message == Cancel(identifier=tell.message.identifier)
    assert engine.handle(Withdrawn(call=9), NOW) == []


def test_an_abandoned_action_can_ask_for_nothing(engine: NotifyEngine) -> None:
    assert engine.handle(Asked(call=1, token=77, program=PROGRAM), NOW) == []


def test_a_failing_observer_is_reported(engine: NotifyEngine) -> None:
    assert reports(engine.handle(ObserverFailed(text="plugin acme: it raised"), NOW)) == ["plugin acme: it raised"]


def test_it_ends_at_once_when_nothing_is_being_told(engine: NotifyEngine) -> None:
    assert engine.handle(Stop(), NOW) == [Finished()]
    assert engine.deadline is None


def test_at_the_end_only_the_end_is_told_and_the_rest_is_counted(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(happened(2, "backup"), NOW)
    engine.handle(happened(3, "stop"), NOW)
    assert engine.handle(Stop(), NOW) == []
    assert engine.deadline == after(NOW, STOP_GRACE)
    effects = engine.wake(engine.deadline)
    assert Abandon(token=token) in effects
    assert reports(effects) == ["stopping: events that this process has not told: 2"]
    [(last, sequence)] = invoked(effects)
    assert sequence == 3
    assert engine.handle(Invoked(token=token), NOW) == []
    assert engine.handle(Invoked(token=last), NOW) == [receipt(3), Finished()]


def test_what_waits_at_a_stop_is_told_if_it_is_quick(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(happened(2, "backup"), NOW)
    engine.handle(happened(3, "stop"), NOW)
    engine.handle(Stop(), NOW)
    told = [1]
    for _ in range(2):
        [(token, sequence)] = invoked(engine.handle(Invoked(token=token), NOW))
        told.append(sequence)
    assert told == [1, 2, 3]
    assert engine.handle(Invoked(token=token), NOW) == [receipt(1, 2, 3), Finished()]


def test_an_action_that_tells_the_end_gets_a_second(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(1, "stop"), NOW))
    assert engine.handle(Stop(), NOW) == []
    assert engine.wake(after(NOW, STOP_GRACE)) == []
    assert engine.deadline == after(after(NOW, STOP_GRACE), STOP_PATIENCE)
    assert engine.wake(Instant(engine.deadline - 1)) == []
    assert engine.wake(engine.deadline) == [Abandon(token=token), Finished()]
    assert engine.deadline is None


def test_what_else_happens_during_the_end_is_not_told(engine: NotifyEngine) -> None:
    engine.handle(happened(1, "stop"), NOW)
    engine.handle(Stop(), NOW)
    engine.wake(after(NOW, STOP_GRACE))
    assert engine.handle(happened(2, "backup"), NOW) == []
    assert engine.handle(Stop(), NOW) == []


def test_a_merged_event_says_what_was_before_both(engine: NotifyEngine) -> None:
    token = only_token(engine.handle(happened(0), NOW))
    first = happened(1)
    assert isinstance(first.message, Event)
    engine.handle(msgspec_replaced(first, old="INIT"), NOW)
    for sequence in range(2, LANE_DEPTH + 2):
        engine.handle(happened(sequence), NOW)
    [invoke] = [effect for effect in engine.handle(Invoked(token=token), NOW) if isinstance(effect, Invoke)]
    assert (invoke.event.sequence, invoke.event.old) == (2, "INIT")


def msgspec_replaced(received: Received, **changes: Any) -> Received:
    assert isinstance(received.message, Event)
    event = msgspec.structs.replace(received.message, **changes)
    return Received(topic="event", key="", sender="vrrp", message=event)


@pytest.mark.parametrize("sender", ["checker/acme", "checker", "ipvs", "supervisor", "notify/acme"])
def test_what_is_not_the_senders_to_tell_is_told_to_nobody(sender: str) -> None:
    engine = committed(SCRIPT)
    event = happened(1).message
    forged = Received(topic="event", key="", sender=sender, message=event)

    first, second = engine.handle(forged, NOW), engine.handle(forged, NOW)

    (report,) = first
    assert isinstance(report, Report)
    assert f"{sender} told of instance tic, which is not its own" in report.text
    assert report.once
    assert first == second
    assert engine.foreign == {sender: 2}


@pytest.mark.parametrize(
    ("sender", "subject_type", "subject", "believed"),
    [
        ("vrrp", "instance", "tic", True),
        ("vrrp", "virtual_server", "web", False),
        ("ipvs", "real_server", "web/tic", True),
        ("ipvs", "instance", "tic", False),
        ("checker", "plugin", "stayalived", True),
        ("checker/acme", "plugin", "acme", True),
        ("checker/acme", "plugin", "other", False),
        ("checker/acme", "daemon", "acme", False),
        ("supervisor", "child", "vrrp", True),
        ("supervisor", "instance", "tic", False),
        ("api", "daemon", "stayalived", False),
    ],
)
def test_who_may_tell_what(sender: str, subject_type: str, subject: str, believed: bool) -> None:
    received = msgspec_replaced(happened(1), subject_type=subject_type, subject=subject)
    assert isinstance(received.message, Event)

    assert may_tell(sender, received.message) is believed


WEIGHT = msgspec.structs.replace(
    action("instance tic", on=("fault",), kind="weight"), ends=("master", "backup", "stop", "deleted")
)
LEVEL = Level(server="web/tic", mode="set", value=0)
OWN_KEY = "web/tic instance tic weight#0"


def test_an_action_holds_a_weight_until_the_opposite_event() -> None:
    engine = committed(WEIGHT)
    token = only_token(engine.handle(happened(1, "fault"), NOW))
    [told] = engine.handle(Holding(token=token, level=LEVEL), NOW)
    assert (told.key, told.message.reason) == (OWN_KEY, "fault of tic")
    engine.handle(Invoked(token=token), NOW)

    [_, invoke] = engine.handle(happened(2, "master"), NOW)
    assert invoke.ending
    assert engine.handle(Releasing(token=invoke.token, server="web/tic"), NOW) == [
        Forget(message=Override, key=OWN_KEY)
    ]


def test_what_an_action_holds_ends_with_its_time() -> None:
    engine = committed(WEIGHT)
    token = only_token(engine.handle(happened(1, "fault"), NOW))
    engine.handle(Holding(token=token, level=Level(server="web/tic", mode="set", value=0, lasts=seconds(1))), NOW)
    assert engine.deadline == after(NOW, seconds(1))
    assert Forget(message=Override, key=OWN_KEY) in engine.wake(engine.deadline)


def test_the_next_process_takes_up_what_was_held_and_a_stranger_s_is_not_its_own() -> None:
    engine = NotifyEngine("stayalived")
    for sender, key in (("notify", OWN_KEY), ("notify/acme", "web/tic instance tac weight#0")):
        source = key.partition(" ")[2]
        override = Override(server="web/tic", source=source, mode="set", value=0)
        engine.handle(Received(topic="services.override", key=key, sender=sender, message=override), NOW)
    engine.handle(Prepare(generation=1, configuration=configuration()), NOW)
    _, *withdrawn = engine.handle(Commit(generation=1, start=control.Start.RESPAWNED), NOW)
    assert withdrawn == [Forget(message=Override, key=OWN_KEY)]


def test_an_event_that_kills_ends_what_is_at_work_and_is_told_next() -> None:
    engine = committed(msgspec.structs.replace(SCRIPT, overlap="kill"))
    token = only_token(engine.handle(happened(1), NOW))
    [_, abandon, invoke] = engine.handle(happened(2, "backup"), NOW)
    assert abandon == Abandon(token=token)
    assert (invoke.token, invoke.event.sequence) == (token + 1, 2)
    assert engine.handle(Invoked(token=token), NOW) == []


def test_what_is_above_the_rate_is_told_when_the_time_is_over() -> None:
    engine = committed(msgspec.structs.replace(SCRIPT, rate_events=1, rate_period=seconds(1)))
    engine.handle(Invoked(token=only_token(engine.handle(happened(1), NOW))), NOW)
    for number in (2, 3):
        assert invoked(engine.handle(happened(number), NOW)) == []
    later = after(NOW, seconds(1))
    engine.wake(engine.deadline)  # a receipt for what was told and what was left out
    assert engine.deadline == later
    [(_, sequence)] = invoked(engine.wake(later))
    assert sequence == 3


def test_what_the_rate_held_back_is_told_at_the_stop_if_it_is_the_last_thing() -> None:
    engine = committed(msgspec.structs.replace(SCRIPT, rate_events=1, rate_period=seconds(1)))
    engine.handle(Invoked(token=only_token(engine.handle(happened(1), NOW))), NOW)
    engine.handle(happened(2, "stop"), NOW)
    assert [sequence for _, sequence in invoked(engine.handle(Stop(), NOW))] == [2]


def test_counts_are_told_not_too_often() -> None:
    engine = committed(SCRIPT)
    token = only_token(engine.handle(happened(1), NOW))
    engine.handle(happened(2), NOW)
    engine.handle(Invoked(token=token, failure="no"), NOW)
    engine.handle(Observed(distribution="acme", calls=2, failures=1, longest=seconds(1)), NOW)
    assert engine.wake(engine.deadline) == [receipt(1)]
    assert engine.deadline == after(NOW, TOLD_EVERY)

    told = {effect.key: effect.message for effect in engine.wake(engine.deadline) if isinstance(effect, Tell)}

    script, observers = told["stayalived script"], told["acme observers"]
    assert (script.told, script.failed, script.waiting, script.merged) == (0, 1, 0, 0)
    assert (observers.told, observers.failed, observers.longest) == (1, 1, seconds(1))
    assert engine.deadline is None


def test_an_event_has_its_receipt_when_all_its_actions_have_told_it() -> None:
    engine = committed(SCRIPT, action("instance tic", kind="mail"))
    first, second = (token for token, _ in invoked(engine.handle(happened(1), NOW)))
    engine.handle(Invoked(token=first), NOW)
    assert engine.wake(after(NOW, seconds(1))) == []
    engine.handle(Invoked(token=second, failure="no"), NOW)
    assert engine.deadline == after(NOW, GIVEN_EVERY)
    assert engine.wake(engine.deadline) == [receipt(1)]


def test_what_nobody_is_told_and_what_is_not_its_senders_has_its_receipt_too(engine: NotifyEngine) -> None:
    engine.handle(happened(1, subject="other"), NOW)
    engine.handle(replace(happened(2), sender="checker"), NOW)
    assert engine.wake(engine.deadline) == [Tell(message=Told(events=(("vrrp", (1,)), ("checker", (2,)))))]


def test_what_a_later_event_replaces_has_its_receipt() -> None:
    engine = committed(msgspec.structs.replace(SCRIPT, overlap="latest"))
    for number in (1, 2, 3):
        engine.handle(happened(number), NOW)
    assert engine.wake(after(NOW, GIVEN_EVERY)) == [receipt(2)]


def test_what_a_reload_makes_pointless_has_its_receipt() -> None:
    engine = committed(msgspec.structs.replace(SCRIPT, rate_events=1, rate_period=seconds(60)))
    engine.handle(Invoked(token=only_token(engine.handle(happened(1), NOW))), NOW)
    engine.handle(happened(2), NOW)
    engine.wake(engine.deadline)
    engine.handle(Prepare(generation=2, configuration=configuration()), NOW)
    effects = engine.handle(Commit(generation=2, start=control.Start.RELOAD), NOW)
    assert [*effects, *engine.wake(engine.deadline)][-1] == receipt(2)


def test_an_event_that_was_not_told_at_the_stop_has_no_receipt(engine: NotifyEngine) -> None:
    engine.handle(happened(1), NOW)
    engine.handle(Stop(), NOW)
    effects = engine.wake(after(NOW, STOP_GRACE))
    assert [effect for effect in effects if isinstance(effect, Tell)] == []
    assert effects[-1] == Finished()
