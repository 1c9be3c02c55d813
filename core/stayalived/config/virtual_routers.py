"""The part of the configuration that vrrp works for: virtual routers, what they hold, what they track.

As `config.model`, of which this is a part: resolved and complete, nothing is left to look up.
"""

import msgspec

from stayalived.addresses import Family, VirtualAddress
from stayalived.timing import Duration

FOREVER = 0xFFFFFFFF
"""A lifetime of an address without an end, in seconds (RFC 4861 4.6.2)."""


class PlacedAddress(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """An address that a MASTER puts on an interface, and how (keepalived's AD01 to AD07)."""

    address: VirtualAddress
    interface: str  # that carries it: the macvlan's name where it is on a virtual MAC
    label: str = ""  # IPv4 alone
    scope: int = 0  # as rtnetlink counts: 0 global, 200 site, 253 link, 254 host
    broadcast: str = ""  # IPv4 alone; empty: none
    peer: str = ""  # the other end of a point-to-point link, with its prefix: `198.51.100.2/32`
    flags: int = 0  # IFA_F_* of linux/if_addr.h: home, mngtmpaddr, noprefixroute, autojoin
    duplicate_detection: bool = False  # IPv6: ask first whether anybody else has it
    preferred_lifetime: int = 0  # seconds, `FOREVER` without an end; 0 keeps it from being chosen as a source (IPv6)
    tracked: bool = True  # when somebody deletes it, it is repaired, and in the end the MASTER steps down

    @property
    def key(self) -> tuple[str, VirtualAddress]:
        """What makes it one address of this machine: where it is, and which."""
        return self.interface, self.address


class NextHop(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One of several ways of a route."""

    gateway: str = ""
    interface: str = ""
    weight: int = 1
    onlink: bool = False


class Route(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """A route that moves with mastership (V22, RT01 to RT03); the words are those of ip-route(8)."""

    family: Family
    destination: VirtualAddress  # prefix 0: the default route
    kind: int = 1  # RTN_*: 1 unicast, 6 blackhole, 7 unreachable, 8 prohibit, 9 throw, 2 local
    gateway: str = ""
    interface: str = ""
    source: str = ""  # preferred source address
    table: int = 254
    metric: int = 0
    scope: int = 0  # RT_SCOPE_*
    onlink: bool = False
    mtu: int = 0
    next_hops: tuple[NextHop, ...] = ()
    behind: bool = False  # those of others with the same key, which are tried first; else in front of them
    tracked: bool = True

    @property
    def key(self) -> tuple[Family, VirtualAddress, int, int]:
        """What makes it one route of this machine: where to, in which table, with which metric."""
        return self.family, self.destination, self.table, self.metric


class Rule(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """A rule of policy routing that moves with mastership (V23, RU01); the words are those of ip-rule(8)."""

    family: Family
    preference: int
    action: int = 1  # FR_ACT_*: 1 look up in a table, 2 goto, 6 blackhole, 7 unreachable, 8 prohibit
    table: int = 254
    source: VirtualAddress | None = None  # from; None: all
    destination: VirtualAddress | None = None  # to
    input_interface: str = ""
    output_interface: str = ""
    mark: int = 0
    mark_mask: int = 0
    tos: int = 0
    goto: int = 0
    inverted: bool = False
    tracked: bool = True

    @property
    def key(self) -> tuple[Family, int]:
        """What makes it one rule of this machine: its preference (RU01)."""
        return self.family, self.preference


class UnicastPeer(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """One of those that unicast adverts go to and come from (V11)."""

    address: str
    min_ttl: int = 0
    max_ttl: int = 255


class VirtualMac(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """The macvlan with the virtual router's own hardware address (V07; RFC 9568 7.3)."""

    name: str
    parent: str  # interface underneath
    mac: bytes
    ipv6: bool  # whether it carries IPv6 addresses; else IPv6 is switched off on it
    group: int = 0  # of interfaces, as ip-link(8) has them


class Tracker(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """What lowers or raises the priority of an instance, or takes it out of service (T01 to T11)."""

    name: str  # for people: of the check, or of the interface
    interface: str = ""  # tracked link; empty when it is a check
    check: str = ""  # key of the tracked check: `track:answers#0`; empty when it is an interface
    weight: int = 0  # 0: FAULT while it is down
    reverse: bool = False
    init_fail: bool = False  # a check without a result counts as failed (T10)


class VirtualRouter(msgspec.Struct, frozen=True, kw_only=True):
    """One virtual router of one family: what speaks VRRP. An instance has one for each family of its addresses."""

    key: str  # `tic/4`, `tic/6`
    instance: str
    family: Family
    version: int
    virtual_router_id: int
    interface: str  # as configured: whose link counts, and whose address adverts come from
    priority: int  # base priority; trackers change the effective one
    advert_int: Duration
    preempt: bool
    preempt_delay: Duration
    source: str  # configured source address, or empty: the interface's primary or link-local address
    group: str  # multicast group that adverts go to; empty for unicast
    addresses: tuple[PlacedAddress, ...]  # in the order of the configuration, which is that of the wire
    garp_master_delay: Duration
    garp_master_repeat: int
    garp_master_refresh: Duration
    garp_master_refresh_repeat: int
    garp_lower_prio_delay: Duration
    garp_lower_prio_repeat: int
    down_timer_adverts: int
    excluded: tuple[PlacedAddress, ...] = ()  # held, but not in the advert; of either family (V20)
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    peers: tuple[UnicastPeer, ...] = ()  # unicast when there is one
    unicast_ttl: int = 255
    check_unicast_src: bool = False  # adverts of others than the peers are dropped
    authentication: bytes = b""  # VRRPv2: eight bytes of a simple password (RFC 2338 5.3.6); empty: none
    checksum_as_v2: bool = False  # VRRPv3 over IPv4: sent without the pseudo-header (RFC 9568 5.2.8)
    virtual_mac: VirtualMac | None = None
    transmit_on_base: bool = False  # adverts leave with the interface's own hardware address (V08)
    accept: bool = True  # whether a MASTER that is not the owner answers to its virtual addresses (RFC 9568 6.1)
    skip_check_adv_addr: bool = False  # other addresses in the known master's adverts are not looked at (V39)
    lower_prio_no_advert: bool = False  # a MASTER does not answer a lower advert (V37)
    higher_prio_send_advert: bool = False  # a MASTER sends one more advert before it yields to a higher one (V37)
    owner_ignore_adverts: bool = False
    promote_secondaries: bool = False  # sysctl of the interfaces, restored at the end (V24)
    garp_interval: Duration = Duration(0)  # least time between gratuitous ARPs on the interface (VG07)
    gna_interval: Duration = Duration(0)  # the same between neighbour advertisements

    @property
    def advertised(self) -> tuple[VirtualAddress, ...]:
        """The addresses of the advert, without where and how."""
        return tuple(placed.address for placed in self.addresses)

    @property
    def held(self) -> tuple[PlacedAddress, ...]:
        """All addresses of its own, those of the advert first."""
        return self.addresses + self.excluded


class VrrpInstance(msgspec.Struct, frozen=True, kw_only=True):
    """What a person calls one address: one or two virtual routers that move together."""

    name: str
    interface: str
    priority: int
    split: bool  # the halves of two families are independent
    routers: tuple[VirtualRouter, ...]
    trackers: tuple[Tracker, ...] = ()


class SyncGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Instances that move together (SY01 to SY05)."""

    name: str
    instances: tuple[str, ...]
    trackers: tuple[Tracker, ...] = ()  # of all of them
