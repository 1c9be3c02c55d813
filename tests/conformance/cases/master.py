"""RFC 9568 6.4.3 Active, over both families."""

from conformance.cases.common import (
    DOWN,
    NOT_YET,
    NOW,
    SIX,
    SIX_NOW,
    SIX_TAKEOVER,
    SIX_VIPS,
    START,
    TAKEOVER,
    TICK,
    VIP,
)
from conformance.packets import (
    A_LITTLE_BETTER,
    ARP,
    ARP_OF_9,
    BETTER,
    BETTER_EACH_2_S,
    BETTER_FROM_3,
    EQUAL,
    EQUAL_FROM_8,
    EQUAL_FROM_10,
    LEAVING,
    LOWER,
    LOWER_EACH_2_S,
    NEIGHBOUR_GLOBAL,
    NEIGHBOUR_GLOBAL_OF_9,
    NEIGHBOUR_LINK_LOCAL,
    NEIGHBOUR_LINK_LOCAL_OF_9,
    OURS,
    OURS_AS_OWNER,
    OURS_FROM_9,
    OURS_LEAVING,
    OWNER,
    OWNER_FROM_9,
    OWNER_FROM_200,
    SIX_BETTER,
    SIX_BETTER_EACH_2_S,
    SIX_EQUAL_FROM_8,
    SIX_EQUAL_FROM_10,
    SIX_LEAVING,
    SIX_LOWER,
    SIX_OURS,
    SIX_OURS_FROM_9,
    SIX_OURS_LEAVING,
)
from conformance.steps import Case, Hear, HearAtOnce, Packet, Pass, Said, Sent, Start, Stop

YIELD = {"state": "BACKUP", "removes": (VIP,)}
SIX_YIELD = {"state": "BACKUP", "removes": SIX_VIPS}
ANSWER = {"sends": (Sent(0, OURS),), "announces": (Said(0, ARP, 5),)}
OWNERS_START = Start(state="MASTER", sends=(Sent(0, OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),))

NINE = {"announces": (Said(DOWN, ARP_OF_9, 5),)}
NINES_TAKEOVER = Pass(DOWN, state="MASTER", sends=(Sent(DOWN, OURS_FROM_9),), adds=(VIP,), **NINE)
SIX_NINE = (Said(DOWN, NEIGHBOUR_LINK_LOCAL_OF_9, 5), Said(DOWN, NEIGHBOUR_GLOBAL_OF_9, 5))
SIX_NINES_TAKEOVER = Pass(DOWN, state="MASTER", sends=(Sent(DOWN, SIX_OURS_FROM_9),), adds=SIX_VIPS, announces=SIX_NINE)
"""Director 9: as text its address is greater than that of 10, as a number it is not."""


def yields(name: str, packet: Packet) -> Case:
    """A case in which an advert ends mastership, after which the silence of its sender is waited for."""
    return Case(
        name=name, story=(START, TAKEOVER, Pass(0.5), Hear(packet, **YIELD), NOT_YET, NOW), counted={"received": 1}
    )


CASES = (
    Case(
        name="a master advertises each interval, no sooner and no later",
        story=(
            START,
            TAKEOVER,
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, OURS),)),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, OURS),)),
        ),
    ),
    # ── stopped ──────────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a master that is stopped says priority 0, gives its address up and falls silent",
        story=(
            START,
            TAKEOVER,
            Pass(0.5),
            Stop(state="INIT", sends=(Sent(0, OURS_LEAVING),), removes=(VIP,)),
            Pass(10),
        ),
    ),
    Case(
        name="a master of IPv6 that is stopped says priority 0, gives its addresses up and falls silent",
        router=SIX,
        story=(
            START,
            SIX_TAKEOVER,
            Stop(state="INIT", sends=(Sent(0, SIX_OURS_LEAVING),), removes=SIX_VIPS),
            Pass(10),
        ),
    ),
    # ── priority 0 ───────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a master that hears priority 0 speaks at once and again an interval later",
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LEAVING, sends=(Sent(0, OURS),)),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, OURS),)),
        ),
        counted={"received": 1, "zero": 1},
    ),
    Case(
        name="a master of IPv6 that hears priority 0 speaks at once and again an interval later",
        router=SIX,
        story=(
            START,
            SIX_TAKEOVER,
            Pass(0.4),
            Hear(SIX_LEAVING, sends=(Sent(0, SIX_OURS),)),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, SIX_OURS),)),
        ),
        counted={"received": 1, "zero": 1},
    ),
    # ── a better one ─────────────────────────────────────────────────────────────────────────────────────────────────
    yields("a higher advert makes a backup of the master, without a word", BETTER),
    yields("an advert that is higher by one makes a backup of the master", A_LITTLE_BETTER),
    yields("an advert of an owner makes a backup of the master", OWNER),
    Case(
        name="the interval of the better master is in force from then on",
        story=(START, TAKEOVER, Hear(BETTER_EACH_2_S, **YIELD), Pass(7.0625 - TICK), NOW),
        counted={"received": 1},
    ),
    Case(
        name="a higher advert over IPv6 makes a backup of the master, without a word",
        router=SIX,
        story=(START, SIX_TAKEOVER, Hear(SIX_BETTER, **SIX_YIELD), NOT_YET, SIX_NOW),
        counted={"received": 1},
    ),
    Case(
        name="the interval of the better master is in force from then on over IPv6",
        router=SIX,
        story=(START, SIX_TAKEOVER, Hear(SIX_BETTER_EACH_2_S, **SIX_YIELD), Pass(7.0625 - TICK), SIX_NOW),
        counted={"received": 1},
    ),
    # ── equals ───────────────────────────────────────────────────────────────────────────────────────────────────────
    yields("an equal advert of a higher address makes a backup of the master", EQUAL),
    Case(
        name="of equals the higher address stays, as a number and not as text",
        number=9,
        story=(START, NINES_TAKEOVER, Hear(EQUAL_FROM_10, **YIELD), Pass(3)),
        counted={"received": 1},
    ),
    Case(
        name="an equal advert of a lower address is answered at once",
        number=9,
        story=(
            START,
            NINES_TAKEOVER,
            Pass(0.4),
            Hear(EQUAL_FROM_8, sends=(Sent(0, OURS_FROM_9),), announces=(Said(0, ARP_OF_9, 5),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="of equals over IPv6 the higher link-local address stays, as a number and not as text",
        router=SIX,
        number=9,
        story=(START, SIX_NINES_TAKEOVER, Hear(SIX_EQUAL_FROM_10, **SIX_YIELD), Pass(3)),
        counted={"received": 1},
    ),
    Case(
        name="an equal advert over IPv6 of a lower address is answered at once",
        router=SIX,
        number=9,
        story=(
            START,
            SIX_NINES_TAKEOVER,
            Pass(0.4),
            Hear(
                SIX_EQUAL_FROM_8,
                sends=(Sent(0, SIX_OURS_FROM_9),),
                announces=tuple(Said(0, said.text, said.times) for said in SIX_NINE),
            ),
        ),
        counted={"received": 1},
    ),
    # ── a worse one ──────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a lower advert is dropped and answered at once",
        story=(START, TAKEOVER, Pass(0.4), Hear(LOWER, **ANSWER)),
        counted={"received": 1},
    ),
    Case(
        name="after the answer to a lower advert the next advert is due an interval later",
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, **ANSWER),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, OURS),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="the interval of a lower advert is not learned by a master",
        story=(START, TAKEOVER, Pass(0.4), Hear(LOWER_EACH_2_S, **ANSWER), Pass(1, sends=(Sent(1, OURS),))),
        counted={"received": 1},
    ),
    Case(
        name="a lower advert over IPv6 is dropped and answered at once",
        router=SIX,
        story=(
            START,
            SIX_TAKEOVER,
            Pass(0.4),
            Hear(
                SIX_LOWER,
                sends=(Sent(0, SIX_OURS),),
                announces=(Said(0, NEIGHBOUR_LINK_LOCAL, 5), Said(0, NEIGHBOUR_GLOBAL, 5)),
            ),
        ),
        counted={"received": 1},
    ),
    Case(
        name="lower adverts are answered ten times in an interval and no more",
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, **ANSWER),
            Pass(0.1 - TICK),
            Hear(LOWER),
            Pass(TICK),
            Hear(LOWER, sends=(Sent(0, OURS),)),
        ),
        counted={"received": 3},
    ),
    Case(
        name="a lower advert is not answered when a better one came with it",
        story=(START, TAKEOVER, HearAtOnce((LOWER, BETTER_FROM_3), **YIELD), Pass(3)),
        counted={"received": 2},
    ),
    # ── an owner ─────────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="an owner answers an advert of anybody else",
        router={"priority": 255},
        story=(
            OWNERS_START,
            Pass(0.4),
            Hear(BETTER, sends=(Sent(0, OURS_AS_OWNER),), announces=(Said(0, ARP, 5),)),
            Pass(1, sends=(Sent(1, OURS_AS_OWNER),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="of two owners the one of the lower address yields, and comes back when the other is gone",
        router={"priority": 255},
        story=(
            OWNERS_START,
            Hear(OWNER_FROM_200, **YIELD, logs=("advert of equal priority from a higher address: 192.0.2.200",)),
            Pass(3.00390625 - TICK),  # 3 s + 1/256 s
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, OURS_AS_OWNER),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
        ),
        counted={"received": 1},
    ),
    Case(
        name="of two owners the one of the higher address stays",
        router={"priority": 255},
        number=9,
        story=(
            Start(
                state="MASTER",
                sends=(Sent(0, OWNER_FROM_9),),
                adds=(VIP,),
                announces=(Said(0, ARP_OF_9, 5),),
            ),
            Pass(0.4),
            Hear(OWNER, sends=(Sent(0, OWNER_FROM_9),), announces=(Said(0, ARP_OF_9, 5),)),
        ),
        counted={"received": 1},
    ),
)
