"""What RFC 3768 has else: whole seconds, its own skew, the mismatch of intervals, authentication data."""

from conformance.cases.common import NOT_YET, SKEW, START, TICK, V2, V2_NOW, V2_TAKEOVER, VIP
from conformance.packets import (
    ARP,
    V2_BETTER,
    V2_BETTER_EACH_2_S,
    V2_BETTER_OF_ANOTHER_ADDRESS,
    V2_BETTER_WITH_DATA,
    V2_EQUAL,
    V2_EQUAL_FROM_0,
    V2_LEAVING,
    V2_LEAVING_EACH_2_S,
    V2_LOWER,
    V2_OURS,
    V2_OURS_AS_OWNER,
    V2_OURS_EACH_2_S,
    V2_OURS_LEAVING,
    V2_OWNER,
    V2_OWNER_OF_ANOTHER_ADDRESS,
)
from conformance.steps import Case, Hear, Pass, Said, Sent, Start, Stop

YIELD = {"state": "BACKUP", "removes": (VIP,)}

CASES = (
    Case(
        name="version 2: a better advert sets the master-down timer anew",
        router=V2,
        story=(START, NOT_YET, Hear(V2_BETTER), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: an equal advert sets the master-down timer anew",
        router=V2,
        story=(START, NOT_YET, Hear(V2_EQUAL), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: a lower advert is dropped and the master-down timer runs on",
        router=V2,
        story=(START, Pass(3), Hear(V2_LOWER), Pass(SKEW - TICK), V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: without preemption a lower advert sets the master-down timer anew",
        router={**V2, "preempt": False},
        story=(START, NOT_YET, Hear(V2_LOWER), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: priority 0 leaves the skew alone",
        router=V2,
        story=(START, Hear(V2_BETTER), Pass(0.5), Hear(V2_LEAVING), Pass(SKEW - TICK), V2_NOW),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="version 2: priority 0 leaves parts of a second, whatever the interval",
        router={**V2, "advert_int": 2},
        story=(
            START,
            Hear(V2_BETTER_EACH_2_S),
            Pass(0.5),
            Hear(V2_LEAVING_EACH_2_S),
            Pass(SKEW - TICK),
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, V2_OURS_EACH_2_S),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
        ),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="version 2: another interval than ours is dropped",
        router=V2,
        story=(
            START,
            Pass(3),
            Hear(V2_BETTER_EACH_2_S, logs=("advert interval of 2 s",)),
            Pass(SKEW - TICK),
            V2_NOW,
        ),
        counted={"received": 1, "interval": 1},
    ),
    Case(
        name="version 2: a master does not yield to another interval than ours",
        router=V2,
        story=(START, V2_TAKEOVER, Hear(V2_BETTER_EACH_2_S), Pass(1, sends=(Sent(1, V2_OURS),))),
        counted={"received": 1, "interval": 1},
    ),
    Case(
        name="version 2: authentication data is not looked at where there is no authentication",
        router=V2,
        story=(START, NOT_YET, Hear(V2_BETTER_WITH_DATA), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: other addresses of a router that does not own them count, and are counted",
        router=V2,
        story=(START, NOT_YET, Hear(V2_BETTER_OF_ANOTHER_ADDRESS, logs=("other addresses",)), NOT_YET, V2_NOW),
        counted={"received": 1, "addresses": 1},
    ),
    Case(
        name="version 2: other addresses of an owner count",
        router=V2,
        story=(START, NOT_YET, Hear(V2_OWNER_OF_ANOTHER_ADDRESS, logs=("other addresses",)), NOT_YET, V2_NOW),
        counted={"received": 1, "addresses": 1},
    ),
    # ── as master ────────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="version 2: a master that is stopped says priority 0 and gives its address up",
        router=V2,
        story=(START, V2_TAKEOVER, Stop(state="INIT", sends=(Sent(0, V2_OURS_LEAVING),), removes=(VIP,)), Pass(10)),
    ),
    Case(
        name="version 2: a backup that is stopped says nothing and takes nothing any more",
        router=V2,
        story=(START, Pass(3), Stop(state="INIT"), Pass(10)),
    ),
    Case(
        name="version 2: a master that hears priority 0 speaks at once and again an interval later",
        router=V2,
        story=(
            START,
            V2_TAKEOVER,
            Pass(0.4),
            Hear(V2_LEAVING, sends=(Sent(0, V2_OURS),)),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, V2_OURS),)),
        ),
        counted={"received": 1, "zero": 1},
    ),
    Case(
        name="version 2: a higher advert makes a backup of the master, without a word",
        router=V2,
        story=(START, V2_TAKEOVER, Hear(V2_BETTER, **YIELD), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: an advert of an owner makes a backup of the master",
        router=V2,
        story=(START, V2_TAKEOVER, Hear(V2_OWNER, **YIELD), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: an equal advert of a higher address makes a backup of the master",
        router=V2,
        story=(START, V2_TAKEOVER, Hear(V2_EQUAL, **YIELD), NOT_YET, V2_NOW),
        counted={"received": 1},
    ),
    Case(
        name="version 2: an equal advert of a lower address makes nobody yield",
        router=V2,
        story=(
            START,
            V2_TAKEOVER,
            Pass(0.4),
            Hear(V2_EQUAL_FROM_0, sends=(Sent(0, V2_OURS),), announces=(Said(0, ARP, 5),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="version 2: a lower advert is answered as in version 3",
        router=V2,
        story=(START, V2_TAKEOVER, Pass(0.4), Hear(V2_LOWER, sends=(Sent(0, V2_OURS),), announces=(Said(0, ARP, 5),))),
        counted={"received": 1},
    ),
    Case(
        name="version 2: an owner answers an advert of anybody else",
        router={**V2, "priority": 255},
        story=(
            Start(state="MASTER", sends=(Sent(0, V2_OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),)),
            Pass(0.4),
            Hear(V2_BETTER, sends=(Sent(0, V2_OURS_AS_OWNER),), announces=(Said(0, ARP, 5),)),
        ),
        counted={"received": 1},
    ),
)
