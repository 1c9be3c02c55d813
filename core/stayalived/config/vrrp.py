"""What may stand in `[vrrp_instance.NAME]`: keepalived's keys and defaults, but priority 100 always (V04)."""

from typing import Annotated

import msgspec

from stayalived.config import general
from stayalived.config.kinds import DURATION, about

STATES = ("MASTER", "BACKUP")
EVENTS = ("master", "backup", "fault", "stop", "deleted", "lower_priority")
Texts = str | list[str]


class InstanceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of an instance."""

    interface: Annotated[str, about("The interface that speaks VRRP and carries the addresses.", min_length=1)]
    virtual_router_id: Annotated[int, about("Number of the virtual router, equal on all machines.", ge=1, le=255)]
    virtual_ipaddress: Annotated[
        list[str], about("The virtual addresses, ADDRESS or ADDRESS/PREFIX, in the order of the wire.", min_length=1)
    ]
    priority: Annotated[int, about("The highest becomes master; 255 owns the addresses.", ge=1, le=255)] = 100
    advert_int: Annotated[
        float, about("Interval of adverts; whole seconds in version 2.", ge=0.01, le=255, unit=DURATION)
    ] = 1
    version: (
        Annotated[int, about("VRRP version.", ge=2, le=3, default="3 with an IPv6 address, else `vrrp_version`")] | None
    ) = None
    preempt: Annotated[bool, about("Whether a higher priority takes over from a working master.")] = True
    preempt_delay: Annotated[
        float, about("How long to wait before taking over from a working master.", ge=0, le=1000, unit=DURATION)
    ] = 0
    state: Annotated[
        str | None, about("Accepted for keepalived's users; an election decides.", choices=STATES, default="none")
    ] = None
    split: Annotated[bool, about("Whether the IPv4 and the IPv6 half may be master on different machines.")] = False
    mcast_src_ip: Annotated[
        Texts | None,
        about(
            "Source address of adverts, one for each family of the addresses.",
            default="the interface's first, link-local for IPv6",
        ),
    ] = None
    mcast_dst_ip: Annotated[
        Texts | None,
        about("Multicast group, one for each family of the addresses.", default="`vrrp_mcast_group4` and `…6`"),
    ] = None
    garp_master_delay: general.MasterDelay | None = None
    garp_master_repeat: general.MasterRepeat | None = None
    garp_master_refresh: general.MasterRefresh | None = None
    garp_master_refresh_repeat: general.RefreshRepeat | None = None
    garp_lower_prio_delay: general.LowerDelay | None = None
    garp_lower_prio_repeat: general.LowerRepeat | None = None
    down_timer_adverts: general.DownAdverts | None = None
    notify: general.Notify = None
