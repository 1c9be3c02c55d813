"""RFC 9568 6.4.2 Backup, over both families."""

from conformance.cases.common import (
    NOT_YET,
    NOW,
    SIX,
    SIX_NOW,
    SIX_TAKEOVER,
    SKEW,
    START,
    TAKEOVER,
    TICK,
    VIP,
)
from conformance.packets import (
    A_LITTLE_BETTER,
    BETTER,
    BETTER_EACH_2_S,
    BETTER_EACH_40_95_S,
    BETTER_EACH_100_MS,
    BETTER_FROM_3,
    EQUAL,
    LEAVING,
    LOWER,
    LOWER_EACH_2_S,
    OURS,
    OWNER,
    SIX_BETTER,
    SIX_BETTER_EACH_2_S,
    SIX_BETTER_OF_NO_LINK_LOCAL,
    SIX_EQUAL,
    SIX_LEAVING,
    SIX_LOWER,
    SIX_OURS,
)
from conformance.steps import Case, Hear, HearAtOnce, Pass, Sent, Stop

CASES = (
    Case(
        name="when the master-down timer fires, the backup speaks, takes the address and announces it",
        story=(START, NOT_YET, NOW, Pass(1 - TICK), Pass(TICK, sends=(Sent(TICK, OURS),))),
    ),
    Case(
        name="when the master-down timer fires over IPv6, neighbour advertisements are sent",
        router=SIX,
        story=(START, NOT_YET, SIX_NOW, Pass(1 - TICK), Pass(TICK, sends=(Sent(TICK, SIX_OURS),))),
    ),
    Case(
        name="a backup that hears its master each second never takes over",
        story=(START, *(step for _ in range(10) for step in (Pass(1), Hear(BETTER)))),
        counted={"received": 10},
    ),
    # ── an advert that counts ────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a higher advert sets the master-down timer anew",
        story=(START, NOT_YET, Hear(BETTER), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="an advert that is higher by one sets the master-down timer anew",
        story=(START, NOT_YET, Hear(A_LITTLE_BETTER), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="an advert of our own priority sets the master-down timer anew",
        story=(START, NOT_YET, Hear(EQUAL), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="an advert of an owner sets the master-down timer anew",
        story=(START, NOT_YET, Hear(OWNER), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="a higher advert over IPv6 sets the master-down timer anew",
        router=SIX,
        story=(START, NOT_YET, Hear(SIX_BETTER), NOT_YET, SIX_NOW),
        counted={"received": 1},
    ),
    Case(
        name="an advert of our own priority over IPv6 sets the master-down timer anew",
        router=SIX,
        story=(START, NOT_YET, Hear(SIX_EQUAL), NOT_YET, SIX_NOW),
        counted={"received": 1},
    ),
    # ── one that does not ────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a lower advert is dropped and the master-down timer runs on",
        story=(START, Pass(3), Hear(LOWER), Pass(SKEW - TICK), NOW),
        counted={"received": 1},
    ),
    Case(
        name="a lower advert over IPv6 is dropped and the master-down timer runs on",
        router=SIX,
        story=(START, Pass(3), Hear(SIX_LOWER), Pass(SKEW - TICK), SIX_NOW),
        counted={"received": 1},
    ),
    Case(
        name="the interval of an advert that is dropped is not learned",
        story=(START, Pass(3), Hear(LOWER_EACH_2_S), Pass(SKEW - TICK), NOW, Pass(1, sends=(Sent(1, OURS),))),
        counted={"received": 1},
    ),
    Case(
        name="without preemption a lower advert sets the master-down timer anew",
        router={"preempt": False},
        story=(START, NOT_YET, Hear(LOWER), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="without preemption the interval of a lower master is learned",  # 3 · 2 s + 136/256 · 2 s
        router={"preempt": False},
        story=(START, Hear(LOWER_EACH_2_S), Pass(7.0625 - TICK), NOW),
        counted={"received": 1},
    ),
    # ── the master's interval ────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a longer interval of the master is learned, and its own is used again as master",
        story=(START, Hear(BETTER_EACH_2_S), Pass(7.0625 - TICK), NOW, Pass(2, sends=(Sent(1, OURS), Sent(2, OURS)))),
        counted={"received": 1},
    ),
    Case(
        name="a shorter interval of the master is learned",  # 300 ms + 136/256 · 100 ms
        story=(START, Hear(BETTER_EACH_100_MS), Pass(0.353125 - TICK), NOW),
        counted={"received": 1},
    ),
    Case(
        name="the longest interval of a master is learned",  # 3 · 40.95 s + 136/256 · 40.95 s
        story=(START, Hear(BETTER_EACH_40_95_S), Pass(144.6046875 - TICK), NOW),
        counted={"received": 1},
    ),
    Case(
        name="the interval of the last advert that counts is the one in force",
        story=(START, Hear(BETTER_EACH_2_S), Pass(1), Hear(BETTER), NOT_YET, NOW),
        counted={"received": 2},
    ),
    Case(
        name="the interval of the master is learned over IPv6",
        router=SIX,
        story=(START, Hear(SIX_BETTER_EACH_2_S), Pass(7.0625 - TICK), SIX_NOW),
        counted={"received": 1},
    ),
    # ── priority 0 ───────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="priority 0 leaves the skew alone",
        story=(START, Hear(BETTER), Pass(0.5), Hear(LEAVING), Pass(SKEW - TICK), NOW),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="priority 0 leaves the skew of the master's interval",  # 136/256 · 2 s
        story=(START, Hear(BETTER_EACH_2_S), Pass(0.5), Hear(LEAVING), Pass(1.0625 - TICK), NOW),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="priority 0 counts without preemption too",
        router={"preempt": False},
        story=(START, Hear(BETTER), Hear(LEAVING), Pass(SKEW - TICK), NOW),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="priority 0 over IPv6 leaves the skew alone",
        router=SIX,
        story=(START, Hear(SIX_BETTER), Pass(0.5), Hear(SIX_LEAVING), Pass(SKEW - TICK), SIX_NOW),
        counted={"received": 2, "zero": 1},
    ),
    Case(
        name="a better master that speaks after a priority 0 is left in peace",
        story=(START, Hear(BETTER), Hear(LEAVING), Pass(SKEW - TICK), Hear(BETTER_FROM_3), NOT_YET, NOW),
        counted={"received": 3, "zero": 1},
    ),
    Case(
        name="a better master that speaks together with a priority 0 is left in peace",
        story=(START, Hear(BETTER), HearAtOnce((LEAVING, BETTER_FROM_3)), NOT_YET, NOW),
        counted={"received": 3, "zero": 1},
    ),
    # ── the end, and what is held meanwhile ──────────────────────────────────────────────────────────────────────────
    Case(
        name="a backup that is stopped says nothing and takes nothing any more",
        story=(START, Pass(3), Stop(state="INIT"), Pass(10)),
    ),
    Case(
        name="a backup that is stopped over IPv6 says nothing and takes nothing any more",
        router=SIX,
        story=(START, Pass(3), Stop(state="INIT"), Pass(10)),
    ),
    Case(
        name="the addresses are there while the router is master and at no other time",
        story=(START, TAKEOVER, Hear(BETTER, state="BACKUP", removes=(VIP,)), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="over IPv6 the addresses are there while the router is master and at no other time",
        router=SIX,
        story=(
            START,
            SIX_TAKEOVER,
            Hear(SIX_BETTER, state="BACKUP", removes=("2001:db8::100/64", "fe80::100/64")),
            NOT_YET,
            SIX_NOW,
        ),
        counted={"received": 1},
    ),
    Case(
        name="a first address over IPv6 that is not link-local is counted, and its advert counts",
        router=SIX,
        story=(START, NOT_YET, Hear(SIX_BETTER_OF_NO_LINK_LOCAL, logs=("other addresses",)), NOT_YET, SIX_NOW),
        counted={"received": 1, "addresses": 1},
    ),
)
