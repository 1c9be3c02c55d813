"""Steps that many stories have in common."""

from conformance.packets import ARP, NEIGHBOUR_GLOBAL, NEIGHBOUR_LINK_LOCAL, OURS, SIX_OURS, V2_OURS
from conformance.steps import Pass, Said, Sent, Start

VIP = "192.0.2.100/24"
SIX_VIPS = ("2001:db8::100/64", "fe80::100/64")  # as text sorts them

DOWN = 3.53125
"""Three adverts of a second and (256 - 120) / 256 s of skew, in both versions."""

SKEW = 0.53125
TICK = 1e-9
"""The smallest time that there is."""

V2 = {"version": 2}
SIX = {"addresses": "fe80::100/64 2001:db8::100/64"}

START = Start(state="BACKUP")
TAKEOVER = Pass(DOWN, state="MASTER", sends=(Sent(DOWN, OURS),), adds=(VIP,), announces=(Said(DOWN, ARP, 5),))
V2_TAKEOVER = Pass(DOWN, state="MASTER", sends=(Sent(DOWN, V2_OURS),), adds=(VIP,), announces=(Said(DOWN, ARP, 5),))
SIX_TAKEOVER = Pass(
    DOWN,
    state="MASTER",
    sends=(Sent(DOWN, SIX_OURS),),
    adds=SIX_VIPS,
    announces=(Said(DOWN, NEIGHBOUR_LINK_LOCAL, 5), Said(DOWN, NEIGHBOUR_GLOBAL, 5)),
)

NOT_YET = Pass(DOWN - TICK)
NOW = Pass(TICK, state="MASTER", sends=(Sent(TICK, OURS),), adds=(VIP,), announces=(Said(TICK, ARP, 5),))
"""The last nanosecond of a timer: what has not happened before happens now."""

V2_NOW = Pass(TICK, state="MASTER", sends=(Sent(TICK, V2_OURS),), adds=(VIP,), announces=(Said(TICK, ARP, 5),))
SIX_NOW = Pass(
    TICK,
    state="MASTER",
    sends=(Sent(TICK, SIX_OURS),),
    adds=SIX_VIPS,
    announces=(Said(TICK, NEIGHBOUR_LINK_LOCAL, 5), Said(TICK, NEIGHBOUR_GLOBAL, 5)),
)
