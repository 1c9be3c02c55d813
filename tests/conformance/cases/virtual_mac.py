"""RFC 9568 7.2, 7.3, 8.1.2 and 8.2.2: the hardware address of the virtual router (keepalived's use_vmac)."""

from conformance.cases.common import DOWN, NOT_YET, SIX
from conformance.packets import (
    ARP_FROM_MAC,
    BETTER,
    NEIGHBOUR_GLOBAL_FROM_MAC,
    NEIGHBOUR_LINK_LOCAL_FROM_MAC,
    OURS,
    OURS_AS_OWNER_FROM_MAC,
    OURS_FROM_MAC,
    OURS_LEAVING_FROM_MAC,
    SIX_OURS_FROM_MAC,
    SIX_OURS_LEAVING_FROM_MAC,
)
from conformance.steps import Case, Hear, Pass, Said, Sent, Start, Stop

FOUR_MAC = {"virtual_mac": "vrrp.51"}
SIX_MAC = {**SIX, "virtual_mac": "vrrp6.51"}
MACVLAN = "macvlan vrrp.51 00:00:5e:00:01:33"
SIX_MACVLAN = "macvlan vrrp6.51 00:00:5e:00:02:33"
VIP_THERE = "192.0.2.100/24 on vrrp.51"
SIX_VIPS_THERE = ("2001:db8::100/64 on vrrp6.51", "fe80::100/64 on vrrp6.51")

START = Start(state="BACKUP", adds=(MACVLAN,))
SIX_START = Start(state="BACKUP", adds=(SIX_MACVLAN,))
TAKEOVER = Pass(
    DOWN,
    state="MASTER",
    sends=(Sent(DOWN, OURS_FROM_MAC),),
    adds=(VIP_THERE,),
    announces=(Said(DOWN, ARP_FROM_MAC, 5),),
)
SIX_TAKEOVER = Pass(
    DOWN,
    state="MASTER",
    sends=(Sent(DOWN, SIX_OURS_FROM_MAC),),
    adds=SIX_VIPS_THERE,
    announces=(Said(DOWN, NEIGHBOUR_LINK_LOCAL_FROM_MAC, 5), Said(DOWN, NEIGHBOUR_GLOBAL_FROM_MAC, 5)),
)

CASES = (
    Case(
        name="virtual MAC: a backup has the macvlan and neither speaks from it nor has an address on it",
        router=FOUR_MAC,
        story=(START, NOT_YET),
    ),
    Case(
        name="virtual MAC: adverts, address and announcements of a master are on it",
        router=FOUR_MAC,
        story=(START, TAKEOVER, Pass(1, sends=(Sent(1, OURS_FROM_MAC),))),
    ),
    Case(
        name="virtual MAC: adverts, addresses and announcements of a master of IPv6 are on it",
        router=SIX_MAC,
        story=(SIX_START, SIX_TAKEOVER, Pass(1, sends=(Sent(1, SIX_OURS_FROM_MAC),))),
    ),
    Case(
        name="virtual MAC: a master that yields keeps the macvlan and takes the address off it",
        router=FOUR_MAC,
        story=(START, TAKEOVER, Hear(BETTER, state="BACKUP", removes=(VIP_THERE,)), NOT_YET),
        counted={"received": 1},
    ),
    Case(
        name="virtual MAC: priority 0 leaves from it, then it is removed",
        router=FOUR_MAC,
        story=(
            START,
            TAKEOVER,
            Stop(state="INIT", sends=(Sent(0, OURS_LEAVING_FROM_MAC),), removes=(VIP_THERE, MACVLAN)),
            Pass(10),
        ),
    ),
    Case(
        name="virtual MAC: priority 0 leaves from that of IPv6, then it is removed",
        router=SIX_MAC,
        story=(
            SIX_START,
            SIX_TAKEOVER,
            Stop(state="INIT", sends=(Sent(0, SIX_OURS_LEAVING_FROM_MAC),), removes=(*SIX_VIPS_THERE, SIX_MACVLAN)),
            Pass(10),
        ),
    ),
    Case(
        name="virtual MAC: an owner announces its address from it alone",
        router={**FOUR_MAC, "priority": 255},
        story=(
            Start(
                state="MASTER",
                sends=(Sent(0, OURS_AS_OWNER_FROM_MAC),),
                adds=(VIP_THERE, MACVLAN),
                announces=(Said(0, ARP_FROM_MAC, 5),),
            ),
        ),
    ),
    Case(
        name="virtual MAC: adverts leave from the interface itself where vmac_xmit_base says so",
        router={**FOUR_MAC, "transmit_on_base": True},
        story=(
            START,
            Pass(
                DOWN,
                state="MASTER",
                sends=(Sent(DOWN, OURS),),
                adds=(VIP_THERE,),
                announces=(Said(DOWN, ARP_FROM_MAC, 5),),
            ),
        ),
    ),
)
