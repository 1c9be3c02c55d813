"""Unicast (keepalived's V11 to V15): to whom adverts go, from whom they are taken, and with which TTL."""

from conformance.cases.common import DOWN, NOT_YET, SKEW, START, TICK, VIP
from conformance.packets import (
    ARP,
    BETTER,
    BETTER_TO_9,
    BETTER_TO_US,
    BETTER_TO_US_FROM_66,
    BETTER_TO_US_WITH_TTL_63,
    BETTER_TO_US_WITH_TTL_64,
    OURS_LEAVING_TO_2,
    OURS_LEAVING_TO_3,
    OURS_TO_2,
    OURS_TO_2_WITH_TTL_64,
    OURS_TO_3,
)
from conformance.steps import Case, Hear, Packet, Pass, Said, Sent, Step, Stop

ONE = {"peers": ("192.0.2.2",)}
TWO = {"peers": ("192.0.2.2", "192.0.2.3")}
STRICT = {**ONE, "check_unicast_src": True}
BOUND = {"peers": (("192.0.2.2", 64, 255),)}


def takes_over(at: float, *packets: Packet) -> Step:
    sends = tuple(Sent(at, packet) for packet in packets)
    return Pass(at, state="MASTER", sends=sends, adds=(VIP,), announces=(Said(at, ARP, 5),))


NOW = takes_over(TICK, OURS_TO_2)

CASES = (
    Case(
        name="unicast: each peer is sent an advert of its own, with its own checksum",
        router=TWO,
        story=(
            START,
            takes_over(DOWN, OURS_TO_2, OURS_TO_3),
            Pass(1, sends=(Sent(1, OURS_TO_2), Sent(1, OURS_TO_3))),
        ),
    ),
    Case(
        name="unicast: priority 0 goes to each peer",
        router=TWO,
        story=(
            START,
            takes_over(DOWN, OURS_TO_2, OURS_TO_3),
            Stop(state="INIT", sends=(Sent(0, OURS_LEAVING_TO_2), Sent(0, OURS_LEAVING_TO_3)), removes=(VIP,)),
            Pass(10),
        ),
    ),
    Case(
        name="unicast: a better advert sets the master-down timer anew",
        router=ONE,
        story=(START, NOT_YET, Hear(BETTER_TO_US), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="unicast: the TTL is not looked at",
        router=ONE,
        story=(START, NOT_YET, Hear(BETTER_TO_US_WITH_TTL_64), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="unicast: an advert to the group is dropped",
        router=ONE,
        story=(START, Pass(3), Hear(BETTER), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "destination": 1},
    ),
    Case(
        name="unicast: an advert to another address is dropped",
        router=ONE,
        story=(START, Pass(3), Hear(BETTER_TO_9), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "destination": 1},
    ),
    Case(
        name="unicast: a stranger is heard where check_unicast_src is off",
        router=ONE,
        story=(START, NOT_YET, Hear(BETTER_TO_US_FROM_66), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="unicast: a stranger is dropped where check_unicast_src is on",
        router=STRICT,
        story=(START, Pass(3), Hear(BETTER_TO_US_FROM_66, logs=("192.0.2.66",)), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "unknown_peer": 1},
    ),
    Case(
        name="unicast: a peer is heard where check_unicast_src is on",
        router=STRICT,
        story=(START, NOT_YET, Hear(BETTER_TO_US), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="unicast: a TTL at min_ttl is accepted",
        router=BOUND,
        story=(START, NOT_YET, Hear(BETTER_TO_US_WITH_TTL_64), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="unicast: a TTL below min_ttl is dropped",
        router=BOUND,
        story=(START, Pass(3), Hear(BETTER_TO_US_WITH_TTL_63, logs=("TTL 63",)), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "ttl": 1},
    ),
    Case(
        name="unicast: adverts leave with unicast_ttl",
        router={**ONE, "unicast_ttl": 64},
        story=(START, takes_over(DOWN, OURS_TO_2_WITH_TTL_64)),
    ),
)
