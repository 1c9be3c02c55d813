import pytest

from stayalived.plugin import Scheduler, ServerView
from stayalived.plugin.catalogue import SCHEDULER, Registered, gather
from stayalived.timing import Duration, Instant
from stayalived_plugins import schedulers
from stayalived_plugins.schedulers.kernel import HashingOptions, MaglevHashing, SourceHashing

COMPUTED = ["slow_start", "least_latency"]
TALK = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq"]
NEWER = ["mh", "fo", "ovf", "twos"]
NAMES = [*TALK, *NEWER, *COMPUTED]


def test_the_ten_of_the_talk_and_four_newer_ones_are_registered() -> None:
    assert [scheduler.name for scheduler in schedulers.stayalived_schedulers()] == NAMES


def test_the_registry_takes_all_of_them() -> None:
    problems: list[object] = []

    found = gather(SCHEDULER, [Registered("stayalived", "1", schedulers.stayalived_schedulers())], problems)  # type: ignore[var-annotated, arg-type]

    assert (sorted(found), problems) == (sorted(NAMES), [])


OF_THE_KERNEL = [scheduler for scheduler in schedulers.SCHEDULERS if not scheduler.computes_weights]


@pytest.mark.parametrize("scheduler", OF_THE_KERNEL, ids=lambda scheduler: scheduler.name)
def test_each_is_the_kernel_s_of_its_name_without_flags_and_leaves_weights_alone(scheduler: type[Scheduler]) -> None:
    made = scheduler(scheduler.Options())
    view = ServerView(name="a", weight=7, up=True, up_since=Instant(0), latency=Duration(0), active_connections=0)

    assert (made.kernel, made.flags(), scheduler.computes_weights) == (scheduler.name, (), False)
    assert made.weights([view], Instant(1)) == {"a": 7}


def test_exactly_one_is_the_default() -> None:
    assert [scheduler.name for scheduler in schedulers.SCHEDULERS if scheduler.is_default] == ["wlc"]


@pytest.mark.parametrize("scheduler", [SourceHashing, MaglevHashing])
@pytest.mark.parametrize(
    ("port", "fallback", "flags"),
    [
        (False, True, ("flag-1",)),
        (True, False, ("flag-2",)),
        (True, True, ("flag-1", "flag-2")),
    ],
)
def test_hashing_has_keepalived_s_two_flags(
    scheduler: type[SourceHashing], port: bool, fallback: bool, flags: tuple[str, ...]
) -> None:
    assert scheduler(HashingOptions(port=port, fallback=fallback)).flags() == flags


def test_every_scheduler_says_what_it_does() -> None:
    assert all((scheduler.__doc__ or "").endswith(".") for scheduler in schedulers.SCHEDULERS)
