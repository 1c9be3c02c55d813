import time

from stayalived.child.events import Received
from stayalived.child.origin import Origin
from stayalived.messages.notify import Event
from stayalived.messages.services import FirstRound

EVENT = Event(
    sequence=1,
    kind="master",
    subject_type="instance",
    subject="tic",
    old="BACKUP",
    new="MASTER",
    reason="",
    priority=100,
    monotonic=time.monotonic_ns(),
)
HOUR = 3_600_000_000_000


def test_an_event_gets_host_boot_and_the_moment_on_the_wall() -> None:
    before = time.time_ns()
    received = Origin("lb1", "5b0f").stamp(Received(topic="event", key="", sender="vrrp", message=EVENT))
    stamped = received.message
    assert isinstance(stamped, Event)
    assert (stamped.host, stamped.boot, stamped.version) == ("lb1", "5b0f", 1)
    assert abs(stamped.wall - before) < HOUR  # it happened when this module was read
    assert received.sender == "vrrp"


def test_whatever_else_comes_stays_as_it_is() -> None:
    received = Received(topic="services.round", key="", sender="ipvs", message=FirstRound(open=True))
    assert Origin("lb1", "5b0f").stamp(received) == received


def test_the_boot_is_that_of_the_kernel() -> None:
    assert len(Origin.of("lb1").boot) == len("f4b7a0c2-8f30-4a8a-9d3b-2b7b1b6a0c11")
