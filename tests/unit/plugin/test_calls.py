import signal

import pytest

from stayalived.errors import PluginFailure
from stayalived.plugin.calls import Observer, Observers, time_limit
from stayalived.timing import milliseconds, seconds


def stumble(event: str) -> None:
    raise ValueError("oh")


def leave(event: str) -> None:
    raise SystemExit(3)


def hang(event: str) -> None:
    while True:
        try:
            signal.pause()
        except Exception:  # noqa: BLE001  (as a careless plugin would)
            continue


def test_each_observer_has_its_own_fate() -> None:
    heard: list[str] = []

    def hear(event: str) -> None:
        heard.append(event)

    observers = Observers(
        "stayalived_event",
        (
            Observer("a", stumble),
            Observer("b", leave),
            Observer("c", hang),
            Observer("d", hear),
        ),
        limit=milliseconds(20),
    )

    answers = observers.call(event="master")

    assert heard == ["master"]
    assert [str(answer.failure) for answer in answers] == [
        "plugin a: stayalived_event: ValueError: oh",
        "plugin b: stayalived_event: SystemExit: 3",
        "plugin c: stayalived_event: TimeoutError: took longer than 20 ms",
        "None",
    ]
    assert isinstance(answers[0].failure, PluginFailure)


def test_calls_are_counted_for_each_distribution() -> None:
    observers = Observers("stayalived_event", (Observer("a", stumble), Observer("b", lambda event: None)))

    observers.call(event="x")
    observers.call(event="y")

    assert {name: (count.calls, count.failures) for name, count in observers.counts.items()} == {
        "a": (2, 2),
        "b": (2, 0),
    }
    assert observers.counts["a"].longest > 0


def test_a_time_limit_leaves_an_alarm_of_somebody_else_running() -> None:
    left_by_the_runner = signal.setitimer(signal.ITIMER_REAL, 50)
    before = signal.getsignal(signal.SIGALRM)

    with time_limit(seconds(1)):
        assert signal.getitimer(signal.ITIMER_REAL)[0] <= 1

    assert 49 < signal.getitimer(signal.ITIMER_REAL)[0] <= 50
    assert signal.getsignal(signal.SIGALRM) is before
    signal.setitimer(signal.ITIMER_REAL, *left_by_the_runner)


def test_a_limit_interrupts_what_takes_longer() -> None:
    with pytest.raises(TimeoutError, match="took longer than 10 ms"), time_limit(milliseconds(10)):
        signal.pause()
