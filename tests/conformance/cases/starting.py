"""RFC 9568 and 3768, 6.4.1 Initialize; what is sent and how (5.1, 5.2, 7.2); timers (6.1)."""

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
    V2,
    V2_NOW,
    V2_TAKEOVER,
    VIP,
)
from conformance.packets import (
    ARP,
    ARP_OF_THE_SECOND,
    NEIGHBOUR_GLOBAL,
    NEIGHBOUR_LINK_LOCAL,
    OURS,
    OURS_AS_OWNER,
    OURS_AT_1,
    OURS_AT_254,
    OURS_EACH_2_S,
    OURS_EACH_10_MS,
    OURS_EACH_40_95_S,
    OURS_FROM_9,
    OURS_OF_TWO_ADDRESSES,
    SIX_OURS,
    SIX_OURS_AS_OWNER,
    V2_OURS,
    V2_OURS_AS_OWNER,
    V2_OURS_EACH_2_S,
    V2_OURS_EACH_255_S,
)
from conformance.steps import Case, Delete, Pass, Said, Sent, Start

OWNER = {"priority": 255}

CASES = (
    Case(
        name="a router that does not own its addresses starts as backup, silent and without them",
        story=(START, NOT_YET),
    ),
    Case(
        name="an owner speaks, takes its address and announces it when it starts",
        router=OWNER,
        story=(
            Start(state="MASTER", sends=(Sent(0, OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),)),
            Pass(1 - TICK),
            Pass(TICK, sends=(Sent(TICK, OURS_AS_OWNER),)),
        ),
    ),
    Case(
        name="an owner whose address is on the interface already adds nothing and announces it",
        router=OWNER,
        present=(VIP,),
        story=(
            Start(state="MASTER", sends=(Sent(0, OURS_AS_OWNER),), announces=(Said(0, ARP, 5),)),
            Pass(1, sends=(Sent(1, OURS_AS_OWNER),)),
        ),
    ),
    Case(
        name="an owner without preemption is master at once all the same",
        router={**OWNER, "preempt": False},
        story=(Start(state="MASTER", sends=(Sent(0, OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),)),),
    ),
    Case(
        name="an owner of version 2 speaks, takes its address and announces it when it starts",
        router={**OWNER, **V2},
        story=(
            Start(state="MASTER", sends=(Sent(0, V2_OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),)),
            Pass(1, sends=(Sent(1, V2_OURS_AS_OWNER),)),
        ),
    ),
    Case(
        name="an owner of IPv6 addresses sends neighbour advertisements when it starts",
        router={**OWNER, **SIX},
        story=(
            Start(
                state="MASTER",
                sends=(Sent(0, SIX_OURS_AS_OWNER),),
                adds=SIX_VIPS,
                announces=(Said(0, NEIGHBOUR_LINK_LOCAL, 5), Said(0, NEIGHBOUR_GLOBAL, 5)),
            ),
            Pass(1, sends=(Sent(1, SIX_OURS_AS_OWNER),)),
        ),
    ),
    Case(
        name="a priority below 255 does not own what is on the interface: leftovers go at the start",
        present=(VIP,),
        story=(Start(state="BACKUP", removes=(VIP,)), NOT_YET, NOW),
    ),
    # ── timers ───────────────────────────────────────────────────────────────────────────────────────────────────────
    Case(name="silence lasts three intervals and the skew of the priority", story=(START, NOT_YET, NOW)),
    Case(name="silence lasts as long in version 2", router=V2, story=(START, NOT_YET, V2_NOW)),
    Case(name="silence lasts as long over IPv6", router=SIX, story=(START, NOT_YET, SIX_NOW)),
    Case(
        name="the skew of version 3 grows with the interval",  # 3 · 2 s + 136/256 · 2 s
        router={"advert_int": 2},
        story=(
            START,
            Pass(7.0625 - TICK),
            Pass(
                TICK, state="MASTER", sends=(Sent(TICK, OURS_EACH_2_S),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)
            ),
            Pass(4, sends=(Sent(2, OURS_EACH_2_S), Sent(4, OURS_EACH_2_S))),
        ),
    ),
    Case(
        name="the skew of version 2 does not grow with the interval",  # 3 · 2 s + 136/256 s
        router={**V2, "advert_int": 2},
        story=(
            START,
            Pass(6.53125 - TICK),
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, V2_OURS_EACH_2_S),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
            Pass(4, sends=(Sent(2, V2_OURS_EACH_2_S), Sent(4, V2_OURS_EACH_2_S))),
        ),
    ),
    Case(
        name="the lowest priority waits longest",  # 3 s + 255/256 s
        router={"priority": 1},
        story=(
            START,
            Pass(3.99609375 - TICK),
            Pass(TICK, state="MASTER", sends=(Sent(TICK, OURS_AT_1),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)),
        ),
    ),
    Case(
        name="the highest priority of a backup waits shortest",  # 3 s + 2/256 s
        router={"priority": 254},
        story=(
            START,
            Pass(3.0078125 - TICK),
            Pass(TICK, state="MASTER", sends=(Sent(TICK, OURS_AT_254),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)),
        ),
    ),
    Case(
        name="the longest interval of version 3 is 4095 hundredths of a second",  # 3 · 40.95 s + 136/256 · 40.95 s
        router={"advert_int": 40.95},
        story=(
            START,
            Pass(144.6046875 - TICK),
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, OURS_EACH_40_95_S),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
            Pass(40.95, sends=(Sent(40.95, OURS_EACH_40_95_S),), announces=(Said(5, ARP, 5),)),
        ),
    ),
    Case(
        name="the shortest interval of version 3 is a hundredth of a second",  # 30 ms + 136/256 · 10 ms
        router={"advert_int": 0.01},
        story=(
            START,
            Pass(0.0353125 - TICK),
            Pass(
                TICK, state="MASTER", sends=(Sent(TICK, OURS_EACH_10_MS),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)
            ),
            Pass(0.02, sends=(Sent(0.01, OURS_EACH_10_MS), Sent(0.02, OURS_EACH_10_MS))),
        ),
    ),
    Case(
        name="the longest interval of version 2 is 255 seconds",  # 765 s + 136/256 s
        router={**V2, "advert_int": 255},
        story=(
            START,
            Pass(765.53125 - TICK),
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, V2_OURS_EACH_255_S),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
        ),
    ),
    # ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="adverts of version 3 leave each interval with the fields of the configuration",
        story=(START, TAKEOVER, Pass(3, sends=(Sent(1, OURS), Sent(2, OURS), Sent(3, OURS)))),
    ),
    Case(
        name="adverts of version 2 leave each interval with the fields of the configuration",
        router=V2,
        story=(START, V2_TAKEOVER, Pass(3, sends=(Sent(1, V2_OURS), Sent(2, V2_OURS), Sent(3, V2_OURS)))),
    ),
    Case(
        name="adverts over IPv6 leave each interval with the fields of the configuration",
        router=SIX,
        story=(START, SIX_TAKEOVER, Pass(3, sends=(Sent(1, SIX_OURS), Sent(2, SIX_OURS), Sent(3, SIX_OURS)))),
    ),
    Case(
        name="addresses are advertised, taken and announced in the order of the configuration",
        router={"addresses": "192.0.2.100/24 198.51.100.7/32"},
        story=(
            START,
            Pass(
                DOWN,
                state="MASTER",
                sends=(Sent(DOWN, OURS_OF_TWO_ADDRESSES),),
                adds=("192.0.2.100/24", "198.51.100.7/32"),
                announces=(Said(DOWN, ARP, 5), Said(DOWN, ARP_OF_THE_SECOND, 5)),
            ),
        ),
    ),
    Case(
        name="adverts over IPv4 come from the first address of the interface",
        present=("192.0.2.77/24", "203.0.113.1/24"),
        story=(START, TAKEOVER),
    ),
    Case(
        name="when the first address of the interface goes, adverts come from the next one",
        present=("192.0.2.9/24",),
        story=(
            START,
            Delete("192.0.2.1/24", removes=("192.0.2.1/24",)),
            Pass(DOWN, state="MASTER", sends=(Sent(DOWN, OURS_FROM_9),), adds=(VIP,), announces=(Said(DOWN, ARP, 5),)),
        ),
    ),
    Case(
        name="a virtual address that was left over is never where adverts come from",
        present=(VIP,),
        story=(Start(state="BACKUP", removes=(VIP,)), TAKEOVER, Pass(1, sends=(Sent(1, OURS),))),
    ),
    Case(
        name="without a link-local address nothing is said over IPv6",
        router=SIX,
        story=(START, SIX_TAKEOVER, Delete("fe80::1/64", state="FAULT", removes=(*SIX_VIPS, "fe80::1/64")), Pass(10)),
    ),
    Case(
        name="without an address of IPv4 nothing is said over IPv4",
        story=(START, TAKEOVER, Delete("192.0.2.1/24", state="FAULT", removes=(VIP, "192.0.2.1/24")), Pass(10)),
    ),
)
