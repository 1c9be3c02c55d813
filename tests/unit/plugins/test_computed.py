import pytest

from stayalived.plugin import Duration, Instant, ServerView, elapsed, in_seconds, seconds
from stayalived_plugins.schedulers.computed import LeastLatency, LeastLatencyOptions, SlowStart, SlowStartOptions

NOW = Instant(1_000_000_000_000)


def view(name: str = "a", **more: object) -> ServerView:
    values = {"weight": 1, "up": True, "up_since": Instant(-(2**62)), "latency": Duration(0), "active_connections": 0}
    return ServerView(**({"name": name} | values | more))


def ago(length: float) -> Instant:
    return Instant(NOW - seconds(length))


@pytest.mark.parametrize(("since", "weight"), [(0, 1), (0.5, 2), (15, 50), (29.9, 100), (30, 100), (4000, 100)])
def test_a_server_that_returned_gets_its_weight_little_by_little(since: float, weight: int) -> None:
    policy = SlowStart(SlowStartOptions(time=30))

    assert policy.weights([view(), view("b", up_since=ago(since))], NOW) == {"a": 100, "b": weight}


def test_slow_start_goes_by_the_weight_that_a_server_has() -> None:
    policy = SlowStart(SlowStartOptions(time=30, scale=10, kernel="wlc"))
    servers = [view("a", weight=8, up_since=ago(15)), view("b", weight=0, up_since=ago(15))]

    assert policy.kernel == "wlc"
    assert policy.weights(servers, NOW) == {"a": 40, "b": 0}


@pytest.mark.parametrize("kernel", ["rr", "lc", "nonsense"])
def test_a_scheduler_that_does_not_go_by_weights_is_refused(kernel: str) -> None:
    with pytest.raises(ValueError, match="must be one that goes by weights: wrr, wlc"):
        SlowStartOptions(kernel=kernel)


def settle(policy: LeastLatency, latencies: dict[str, float], times: int = 60) -> dict[str, int]:
    given = dict.fromkeys(latencies, 0)
    for _ in range(times):
        servers = [view(name, latency=seconds(latency), given=given[name]) for name, latency in latencies.items()]
        given = dict(policy.weights(servers, NOW))
    return given


def test_the_faster_server_gets_more_in_the_end() -> None:
    weights = settle(LeastLatency(LeastLatencyOptions(tolerance=0)), {"a": 0.010, "b": 0.030})

    assert weights["a"] == pytest.approx(200, abs=3)  # the mean, 20 ms, by 10 ms
    assert weights["b"] == pytest.approx(67, abs=3)


def test_a_weight_goes_part_of_the_way_at_a_time() -> None:
    policy = LeastLatency(LeastLatencyOptions(damping=0.5))

    assert settle(policy, {"a": 0.010, "b": 0.030}, times=1) == {"a": 150, "b": 83}


def test_a_small_difference_changes_nothing() -> None:
    assert settle(LeastLatency(LeastLatencyOptions()), {"a": 0.010, "b": 0.011}) == {"a": 100, "b": 100}


def test_nobody_gets_more_or_less_than_the_limit_allows() -> None:
    weights = settle(LeastLatency(LeastLatencyOptions(limit=2, tolerance=0)), {"a": 0.001, "b": 1.0, "c": 1.0})

    assert weights["a"] == pytest.approx(200, abs=3)
    assert min(weights.values()) >= 50


def test_who_is_not_measured_or_kept_in_a_panic_has_the_weight_of_old() -> None:
    policy = LeastLatency(LeastLatencyOptions())
    servers = [view("a", latency=seconds(0.01)), view("b"), view("c", up=False, latency=seconds(5), weight=3)]

    assert policy.weights(servers, NOW) == {"a": 100, "b": 100, "c": 300}


def test_lengths_are_seconds() -> None:
    assert in_seconds(elapsed(ago(15), NOW)) == 15
