"""What may stand in `[vrrp_instance.NAME]` and `[vrrp_sync_group.NAME]`: keepalived's keys and defaults.

Priority is 100 always (V04). What a MASTER holds, addresses, routes and rules, has its tables in `config.holdings`.
"""

from typing import Annotated, Any

import msgspec

from stayalived.config import general
from stayalived.config.holdings import MAX_INTERFACE_NAME, InterfaceName
from stayalived.config.kinds import DURATION, about
from stayalived.config.secret import Secret
from stayalived.config.telling import Alert
from stayalived.config.track import Track

STATES = ("MASTER", "BACKUP")
AUTHENTICATIONS = ("PASS", "AH")
MAX_TTL = 255
Texts = str | list[str]
Entries = list[str | dict[str, Any]]
Tables = list[dict[str, Any]]


class PeerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a peer when it is a table."""

    address: Annotated[str, about("Address or host name of the peer.", min_length=1)]
    min_ttl: Annotated[int, about("Least TTL or hop limit that its adverts may arrive with.", ge=0, le=MAX_TTL)] = 0
    max_ttl: Annotated[int, about("Greatest TTL or hop limit of them.", ge=0, le=MAX_TTL)] = MAX_TTL


class AuthenticationTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `authentication`."""

    auth_type: Annotated[str, about("How adverts are authenticated.", choices=AUTHENTICATIONS[:1])]
    auth_pass: Annotated[Secret, about("The password, 1 to 8 characters of ASCII. Everybody on the link can read it.")]


class VmacTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `use_vmac` when it is a table."""

    name: (
        Annotated[
            str,
            about(
                "Name of the macvlan; that of the IPv6 half of an instance of both families gets a 6 appended.",
                min_length=1,
                max_length=MAX_INTERFACE_NAME,
                default="`vrrp.VRID`, for IPv6 `vrrp6.VRID`; `vrrp.VRID.1`, `.2`, … when another instance has it",
            ),
        ]
        | None
    ) = None
    mac: Annotated[
        str | None,
        about(
            "Its hardware address; five octets get the number of the virtual router as the sixth.",
            default="`00:00:5e:00:01:VRID`, for IPv6 `00:00:5e:00:02:VRID`",
        ),
    ] = None
    group: Annotated[
        int | str | None,
        about(
            "Group of interfaces that it is put into, by number or by its name in iproute2's `group`.",
            default='`"default"`',
        ),
    ] = None


class SyncGroupTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a sync group."""

    group: Annotated[list[str], about("Names of the instances that move together.", min_length=1)]
    track: Track = ()
    notify: general.Notify = None
    smtp_alert: Alert | None = None


class InstanceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of an instance."""

    virtual_router_id: Annotated[int, about("Number of the virtual router, equal on all machines.", ge=1, le=255)]
    virtual_ipaddress: Annotated[
        Entries,
        about("The virtual addresses, ADDRESS[/PREFIX] or { address = …, … }, in the order of the wire.", min_length=1),
    ]
    interface: Annotated[
        InterfaceName,
        about(
            "The interface that speaks VRRP and carries the addresses.",
            default="the one that has `unicast_src_ip`; without that there is none",
        ),
    ] = ""
    virtual_ipaddress_excluded: Annotated[
        Entries, about("Addresses that move along and are not in the advert, of either family.")
    ] = []
    virtual_routes: Annotated[Tables, about("Routes that the master has: { to = …, … }.")] = []
    virtual_rules: Annotated[Tables, about("Rules of policy routing that the master has: { from = …, … }.")] = []
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
    unicast_peer: Annotated[
        Entries, about("The others, when adverts go to each of them: ADDRESS, a host name, or { address = …, … }.")
    ] = []
    unicast_src_ip: Annotated[
        Texts | None,
        about(
            "Source address of unicast adverts, one for each family of the addresses.",
            default="`mcast_src_ip`, else as there",
        ),
    ] = None
    unicast_ttl: (
        Annotated[int, about("TTL or hop limit of unicast adverts.", ge=1, le=MAX_TTL, default="`255`")] | None
    ) = None
    check_unicast_src: general.CheckUnicastSource | None = None
    unicast_fault_no_peer: Annotated[
        bool | None, about("Accepted for keepalived's users: unicast without a peer is an error here.", default="none")
    ] = None
    authentication: Annotated[
        dict[str, Any] | None,
        about('Password of version 2: { auth_type = "PASS", auth_pass = "…" }.', default="none", hidden=True),
    ] = None
    use_vmac: Annotated[
        bool | dict[str, Any],
        about("Whether the addresses are on a macvlan with the hardware address of the RFCs: true or { name = …, … }."),
    ] = False
    vmac_xmit_base: Annotated[
        bool | None,
        about(
            "Whether adverts leave with the interface's own hardware address though there is a macvlan.",
            default="`false`; `true` with `unicast_peer`",
        ),
    ] = None
    accept: Annotated[
        bool | None,
        about(
            "Whether a master that is not the owner answers to the addresses.",
            default="`true`; strict: `false`",
        ),
    ] = None
    no_accept: Annotated[bool | None, about("The opposite of `accept`.", default="none")] = None
    promote_secondaries: Annotated[
        bool, about("Set the interfaces' `promote_secondaries`: removing the first address of a net keeps the others.")
    ] = False
    strict_mode: Annotated[general.Strict | None, about("", default="`vrrp_strict`")] = None
    lower_prio_no_advert: general.LowerNoAdvert | None = None
    higher_prio_send_advert: general.HigherSendAdvert | None = None
    owner_ignore_adverts: general.OwnerIgnore | None = None
    skip_check_adv_addr: general.SkipAddressCheck | None = None
    v3_checksum_as_v2: Annotated[general.ChecksumAsV2 | None, about("", default="that of `[global]`")] = None
    garp_interval: general.GarpInterval | None = None
    gna_interval: general.GnaInterval | None = None
    garp_master_delay: general.MasterDelay | None = None
    garp_master_repeat: general.MasterRepeat | None = None
    garp_master_refresh: general.MasterRefresh | None = None
    garp_master_refresh_repeat: general.RefreshRepeat | None = None
    garp_lower_prio_delay: general.LowerDelay | None = None
    garp_lower_prio_repeat: general.LowerRepeat | None = None
    down_timer_adverts: general.DownAdverts | None = None
    track: Track = ()
    notify: general.Notify = None
    smtp_alert: Alert | None = None
