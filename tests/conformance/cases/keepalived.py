"""Where the RFCs are silent and keepalived has its ways: the rows of its features, by their names here."""

from conformance.cases.common import DOWN, NOT_YET, NOW, SKEW, START, TAKEOVER, TICK, VIP
from conformance.packets import (
    ARP,
    BETTER,
    BETTER_EACH_40_95_S,
    LOWER,
    OURS,
    OURS_AT_254,
    OURS_EACH_40_95_S,
    OURS_LEAVING,
)
from conformance.steps import Case, Delete, Hear, LinkDown, LinkUp, Pass, Reload, Said, Sent

HEAR_LOWER_FOR_10_S = tuple(step for _ in range(10) for step in (Hear(LOWER), Pass(1)))
BACK = Delete(VIP)
"""Somebody deletes the address; before the step is over it is there again."""

BETWEEN_REPAIRS = Pass(0.1)

CASES = (
    # ── preemption ───────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="without preemption a lower master is left in peace for as long as it speaks",
        router={"preempt": False},
        story=(START, *HEAR_LOWER_FOR_10_S),
        counted={"received": 10},
    ),
    Case(
        name="with preemption a lower master is taken over from after the master-down time",
        story=(
            START,
            Pass(1),
            Hear(LOWER),
            Pass(1),
            Hear(LOWER),
            Pass(1),
            Hear(LOWER),
            Pass(SKEW - TICK),
            NOW,
        ),
        counted={"received": 3},
    ),
    Case(
        name="preempt_delay leaves a lower master in peace until it is over",
        router={"preempt_delay": 2.5},
        story=(
            START,
            Hear(LOWER),  # the delay begins
            Pass(2),
            Hear(LOWER),  # within it: the timer is set anew
            Pass(1),
            Hear(LOWER),  # past it: dropped
            Pass(DOWN - 1 - TICK),
            NOW,
        ),
        counted={"received": 3},
    ),
    Case(
        name="preempt_delay keeps nobody from an address that is orphaned",
        router={"preempt_delay": 1000},
        story=(START, Hear(LOWER), NOT_YET, NOW),
        counted={"received": 1},
    ),
    Case(
        name="preempt_delay begins anew after a better advert",
        router={"preempt_delay": 2.5},
        story=(START, Hear(LOWER), Pass(2), Hear(BETTER), Pass(1), Hear(LOWER), NOT_YET, NOW),
        counted={"received": 3},
    ),
    Case(
        name="down_timer_adverts says how many adverts may be missed",  # 5 s + 136/256 s
        router={"down_timer_adverts": 5},
        story=(START, Pass(5.53125 - TICK), NOW),
    ),
    # ── announcements ────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a second block of announcements follows garp_master_delay after the first",
        router={"garp_master_delay": 2, "garp_master_repeat": 3, "advert_int": 40.95},
        story=(
            START,
            Pass(
                144.6046875,
                state="MASTER",
                sends=(Sent(144.6046875, OURS_EACH_40_95_S),),
                adds=(VIP,),
                announces=(Said(144.6046875, ARP, 3),),
            ),
            Pass(2 - TICK),
            Pass(TICK, announces=(Said(TICK, ARP, 3),)),
            Pass(30),
        ),
    ),
    Case(
        name="no second block of announcements when garp_master_delay is 0",
        router={"garp_master_delay": 0, "advert_int": 40.95},
        story=(
            START,
            Pass(
                144.6046875,
                state="MASTER",
                sends=(Sent(144.6046875, OURS_EACH_40_95_S),),
                adds=(VIP,),
                announces=(Said(144.6046875, ARP, 5),),
            ),
            Pass(30),
        ),
    ),
    Case(
        name="announcements are repeated each garp_master_refresh, first after delay and refresh",
        router={
            "garp_master_delay": 2,
            "garp_master_refresh": 10,
            "garp_master_refresh_repeat": 2,
            "advert_int": 40.95,
        },
        story=(
            START,
            Pass(
                144.6046875,
                state="MASTER",
                sends=(Sent(144.6046875, OURS_EACH_40_95_S),),
                adds=(VIP,),
                announces=(Said(144.6046875, ARP, 5),),
            ),
            Pass(35, announces=(Said(2, ARP, 5), Said(12, ARP, 2), Said(22, ARP, 2), Said(32, ARP, 2))),
        ),
    ),
    Case(
        name="a lower advert makes a master announce its addresses twice, garp_lower_prio_delay apart",
        router={"garp_lower_prio_delay": 0.5, "garp_lower_prio_repeat": 2},
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, sends=(Sent(0, OURS),), announces=(Said(0, ARP, 2),)),
            Pass(0.5 - TICK),
            Pass(TICK, announces=(Said(TICK, ARP, 2),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="a lower advert within garp_lower_prio_delay of another makes nobody announce again",
        router={"garp_lower_prio_delay": 3, "garp_lower_prio_repeat": 2},
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, sends=(Sent(0, OURS),), announces=(Said(0, ARP, 2),)),
            Pass(0.2),
            Hear(LOWER, sends=(Sent(0, OURS),)),
        ),
        counted={"received": 2},
    ),
    Case(
        name="a router that is no longer master announces nothing more",
        story=(START, TAKEOVER, Pass(1, sends=(Sent(1, OURS),)), Hear(BETTER, state="BACKUP", removes=(VIP,)), NOT_YET),
        counted={"received": 1},
    ),
    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="a link that goes down is a fault: nothing is sent on it and the address goes",
        story=(START, TAKEOVER, LinkDown(state="FAULT", removes=(VIP,), logs=("interface eth0 is down",)), Pass(60)),
    ),
    Case(
        name="a link that comes back means backup with a fresh timer",
        story=(START, Pass(2), LinkDown(state="FAULT"), Pass(60), LinkUp(state="BACKUP"), NOT_YET, NOW),
    ),
    Case(
        name="a fault ends with our own interval in force, not the one that was learned",
        story=(START, Hear(BETTER_EACH_40_95_S), LinkDown(state="FAULT"), LinkUp(state="BACKUP"), NOT_YET, NOW),
        counted={"received": 1},
    ),
    # ── what others do to the addresses ──────────────────────────────────────────────────────────────────────────────
    Case(
        name="an address that somebody deletes from a master is there again at once",
        story=(START, TAKEOVER, Pass(0.5), Delete(VIP, logs=("somebody deleted 192.0.2.100/24",)), Pass(0.4)),
    ),
    Case(
        name="who loses its address again and again says priority 0 and steps down",
        story=(
            START,
            TAKEOVER,
            Pass(0.3),
            *(BACK, BETWEEN_REPAIRS) * 5,
            Delete(VIP, state="BACKUP", sends=(Sent(0, OURS_LEAVING),), removes=(VIP,)),
            NOT_YET,
            NOW,
        ),
    ),
    # ── priorities that change ───────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="the timer of a backup is shifted by what its skew has changed",  # from 136/256 s to 2/256 s
        story=(
            START,
            Pass(1),
            Reload({"priority": 254}),
            Pass(2.0078125 - TICK),
            Pass(TICK, state="MASTER", sends=(Sent(TICK, OURS_AT_254),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)),
        ),
    ),
    Case(
        name="the next advert of a master carries its new priority",
        story=(START, TAKEOVER, Pass(0.4), Reload({"priority": 254}), Pass(0.6, sends=(Sent(0.6, OURS_AT_254),))),
    ),
    Case(
        name="a configuration that is the same is seen by nobody",
        story=(START, TAKEOVER, Pass(0.4), Reload({}), Pass(0.6, sends=(Sent(0.6, OURS),))),
    ),
)
