import pytest

from stayalived.child.events import Received, Tell
from stayalived.child.programs import Answer, Requests
from stayalived.messages.control import ChildState
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.plugin import Program
from stayalived.timing import Instant, after, seconds

NOW = Instant(seconds(1000))
PROGRAM = Program(argv=("/bin/true", "x"), user="backup", group="adm", environment=(("A", "b"),), limit=seconds(5))


@pytest.fixture
def requests() -> Requests:
    return Requests()


def asked(requests: Requests, call: int = 1, now: Instant = NOW) -> Run:
    tell = requests.ask(call, "lane", PROGRAM, now)
    assert isinstance(tell.message, Run)
    assert (tell.to, tell.sequence) == ("runner", tell.message.identifier)
    return tell.message


def ran(run: Run) -> Ran:
    return Ran(identifier=run.identifier, status=0, signal=0, output=b"", problem="", duration=1)


def child(pid: int, name: str = "runner", topic: str = "daemon.child") -> Received:
    state = ChildState(name=name, pid=pid, state="running", since=0, restarts=0, user="root", note="")
    return Received(topic=topic, key=name, sender="supervisor", message=state)


GONE = Received(topic="daemon.child", key="runner", sender="supervisor", message=None)


def test_a_request_says_all_of_the_program(requests: Requests) -> None:
    run = asked(requests)

    assert (run.lane, run.argv, run.user, run.group, run.environment, run.input, run.limit) == (
        "lane", ("/bin/true", "x"), "backup", "adm", (("A", "b"),), b"", seconds(5),
    )  # fmt: skip


def test_the_answer_reaches_the_call_that_asked_once(requests: Requests) -> None:
    first, second = asked(requests, 1), asked(requests, 2)

    assert requests.ended(ran(second)) == [Answer(call=2, ran=ran(second))]
    assert requests.ended(ran(second)) == []
    assert requests.ended(ran(first)) == [Answer(call=1, ran=ran(first))]


def test_numbers_do_not_repeat_those_of_a_predecessor(requests: Requests) -> None:
    numbers = {asked(one, call, after(NOW, seconds(1))).identifier for one in (requests, Requests()) for call in (1, 2)}
    later = asked(Requests(), 1, after(NOW, seconds(2))).identifier

    assert later not in numbers


def test_what_nobody_waits_for_is_cancelled_once(requests: Requests) -> None:
    run = asked(requests)

    assert requests.withdraw(1) == [
        Tell(message=Cancel(identifier=run.identifier), to="runner", sequence=run.identifier)
    ]
    assert requests.withdraw(1) == []
    assert requests.ended(ran(run)) == []


def test_the_death_of_the_runner_answers_what_it_was_asked(requests: Requests) -> None:
    requests.watch(child(700))
    run = asked(requests)

    (answer,) = requests.watch(child(0))

    assert (answer.call, answer.ran.void, answer.ran.status) == (1, True, -1)
    assert "died" in answer.ran.problem
    assert requests.ended(ran(run)) == []
    assert requests.withdraw(1) == []


def test_a_successor_that_is_there_at_once_is_another_runner_too(requests: Requests) -> None:
    requests.watch(child(700))
    asked(requests)

    assert [answer.call for answer in requests.watch(child(701))] == [1]


def test_what_is_asked_while_there_is_no_runner_waits_for_the_next(requests: Requests) -> None:
    requests.watch(child(700))
    requests.watch(child(0))
    run = asked(requests)

    assert requests.watch(child(701)) == []
    assert requests.ended(ran(run)) == [Answer(call=1, ran=ran(run))]


def test_a_runner_that_is_not_needed_any_more_has_died(requests: Requests) -> None:
    requests.watch(child(700))
    asked(requests)

    assert [answer.call for answer in requests.watch(GONE)] == [1]


@pytest.mark.parametrize(
    "other", [child(700), child(1, name="vrrp"), child(1, topic="something.else"), child(700, name="runner")]
)
def test_nothing_else_that_is_told_of_children_is_the_runners_death(requests: Requests, other: Received) -> None:
    requests.watch(child(700))
    asked(requests)

    assert requests.watch(other) == []
