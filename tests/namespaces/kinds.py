"""Kinds of elections: a version of VRRP, families, who the peer is, how adverts travel, and how each is configured."""

from dataclasses import dataclass

import msgspec

from namespaces.capture import ETH_P_IP, ETH_P_IPV6, Packet
from namespaces.daemon import vrrp_instance
from stayalived.addresses import Family
from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import SyncGroup, UnicastPeer, VirtualMac, VirtualRouter
from stayalived.timing import seconds
from vrrp_machine import configuration, instance, router

NUMBERS = {"tic": 1, "peer": 2, "toc": 0x99}
"""What the addresses of a machine end in: `tic` is lower than the peer, `toc` is higher."""

INSTANCE = "site"

# Real time: how long a peer takes must not hang on what else this machine does. Its own limit of 10 ms would have it
# killed now and then.
GLOBAL_DEFS = """global_defs {
    vrrp_garp_master_delay 1
    vrrp_rt_priority 1
    vrrp_rlimit_rttime 1000000
}
"""

SLACK = 0.05
"""Seconds that a takeover of ours may last beyond what the RFC gives."""

THEIR_SLACK = 0.3
"""The same for others, who wait for the kernel while they change addresses; there is much for it to do in a lab. Less
than a master-down interval: whether they have understood that ours leaves is still seen."""

CARRIER_BACK = 0.1
"""Seconds in which a macvlan out of `protodown` has its carrier, on a busy machine too."""


def address_of(machine: str, family: int) -> str:
    """Return the address that unicast adverts of a machine come from."""
    number = NUMBERS[machine]
    return f"192.0.2.{number}" if family == 4 else f"2001:db8::{number:x}"


def mac_of(machine: str) -> str:
    """Return the hardware address of a machine."""
    return f"02:00:00:00:00:{NUMBERS[machine]:02x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One virtual router of a kind: whatever sends adverts of its own."""

    family: int
    number: int
    addresses: tuple[str, ...]

    @property
    def instance(self) -> str:
        """Our instance that it belongs to."""
        return INSTANCE if self.number == 1 else f"{INSTANCE}{self.number}"

    @property
    def virtual_mac(self) -> str:
        """Its hardware address (RFC 9568 7.3)."""
        return f"00:00:5e:00:0{1 if self.family == 4 else 2}:{self.number:02x}"

    def says(self, packet: Packet) -> bool:
        """Tell whether a frame is an advert of this virtual router, whoever sent it."""
        head = packet.vrrp() if packet.ethertype == (ETH_P_IP if self.family == 4 else ETH_P_IPV6) else None
        return head is not None and head.virtual_router_id == self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of election.

    Attributes:
        version: of VRRP.
        addresses: the virtual ones, in the order of the wire.
        advert_int: in seconds.
        peer: `keepalived`, or `frr`.
        ours: the whole `daemon`; its `child` vrrp alone, which starts faster; or `keepalived` in our place, to see
            whether what is asked of ours is what two of them do.
        way: how adverts travel: `multicast`, `unicast`, or by multicast from a virtual MAC, `vmac`; `their vmac` when
            the peer alone has one.
        password: of version 2; none when it is empty.
        check_unicast_src: adverts of others than the configured peers are dropped.
        grouped: each address is a virtual router of its own, and all of them are a sync group on both sides.
    """

    version: int
    addresses: tuple[str, ...]
    advert_int: float
    peer: str = "keepalived"
    ours: str = "daemon"
    way: str = "multicast"
    password: str = ""
    check_unicast_src: bool = False
    grouped: bool = False

    @property
    def routers(self) -> tuple[Router, ...]:
        """The virtual routers: one for each family, or one for each address."""
        if self.grouped:
            return tuple(
                Router(family=6 if ":" in address else 4, number=number, addresses=(address,))
                for number, address in enumerate(self.addresses, 1)
            )
        split = {4: [a for a in self.addresses if ":" not in a], 6: [a for a in self.addresses if ":" in a]}
        return tuple(Router(family=f, number=1, addresses=tuple(found)) for f, found in split.items() if found)

    @property
    def families(self) -> set[int]:
        """The versions of IP."""
        return {each.family for each in self.routers}

    # ── what the RFCs give it ────────────────────────────────────────────────────────────────────────────────────────

    def skew(self, priority: int) -> float:
        """In seconds; version 2 has it in parts of a second whatever the interval (RFC 3768 6.1)."""
        return (256 - priority) / 256 * (1 if self.version == 2 else self.advert_int)

    def master_down(self, priority: int) -> float:
        """In seconds (RFC 9568 6.1)."""
        return 3 * self.advert_int + self.skew(priority)

    def their_skew(self, priority: int) -> float:
        """The peer's, in seconds: FRR's is in whole centiseconds, cut off."""
        skew = self.skew(priority)
        return skew if self.peer == "keepalived" else int(skew * 100) / 100

    def their_master_down(self, priority: int) -> float:
        """The peer's, in seconds."""
        return 3 * self.advert_int + self.their_skew(priority)

    @property
    def their_delay(self) -> float:
        """Seconds from the moment when the peer is master to its first advert: FRR's first one over IPv6 gets lost."""
        if self.peer == "keepalived":
            return 0.0
        return self.advert_int if 6 in self.families else CARRIER_BACK

    def slack(self, who: str) -> float:
        """Seconds by which `tic` or `peer` may differ from what the RFC gives."""
        return SLACK if who == "tic" and self.ours != "keepalived" else THEIR_SLACK

    @property
    def limit(self) -> float:
        """Seconds in which whatever this kind does has happened, on a busy machine too."""
        return 2 * self.master_down(1) + 4.0

    # ── how ours is configured ───────────────────────────────────────────────────────────────────────────────────────

    def text(self, priority: int, more: str = "") -> str:
        """Return our conf.d file of one instance with all addresses, and `more` lines."""
        return vrrp_instance(
            *self.addresses, priority=priority, advert_int=self.advert_int, version=self.version, more=more
        )

    def configuration(self, machine: str, priority: int) -> Configuration:
        """Return what our vrrp child is given on a machine."""
        ours = [self._ours(each, machine, priority) for each in self.routers]
        names = list(dict.fromkeys(each.instance for each in ours))
        whole = configuration(*(instance(*(each for each in ours if each.instance == name)) for name in names))
        groups = (SyncGroup(name="group", instances=tuple(names)),) if self.grouped else ()
        realtime = msgspec.structs.replace(whole.globals, realtime=True)
        return msgspec.structs.replace(whole, globals=realtime, sync_groups=groups)

    def _ours(self, each: Router, machine: str, priority: int) -> VirtualRouter:
        ours = router(
            " ".join(each.addresses),
            instance=each.instance,
            virtual_router_id=each.number,
            priority=priority,
            version=self.version,
            advert_int=seconds(self.advert_int),
            garp_master_delay=seconds(1),
            authentication=self.password.encode().ljust(8, b"\0") if self.password else b"",
        )
        if self.way == "unicast":
            peers = (UnicastPeer(address=address_of("peer", each.family)),)
            source = address_of(machine, each.family)
            strict = self.check_unicast_src
            return msgspec.structs.replace(ours, group="", source=source, peers=peers, check_unicast_src=strict)
        return _on_virtual_mac(ours, each) if self.way == "vmac" else ours

    # ── how keepalived is configured ─────────────────────────────────────────────────────────────────────────────────

    def keepalived(self, machine: str, priority: int) -> str:
        """Return the keepalived.conf of a machine: one instance for each virtual router; several move together."""
        instances = "".join(self._keepalived_instance(each, machine, priority) for each in self.routers)
        names = "\n".join(_name(each) for each in self.routers)
        group = f"vrrp_sync_group all {{ group {{\n{names}\n}} }}\n" if len(self.routers) > 1 else ""
        return GLOBAL_DEFS + group + instances

    def _keepalived_instance(self, each: Router, machine: str, priority: int) -> str:
        lines = [
            f"vrrp_instance {_name(each)} {{",
            "interface eth0",
            f"version {self.version}",
            f"virtual_router_id {each.number}",
            f"priority {priority}",
            f"advert_int {self.advert_int}",
            "virtual_ipaddress {",
            *each.addresses,
            "}",
        ]
        if self.password:
            lines += ["authentication {", "auth_type PASS", f"auth_pass {self.password}", "}"]
        if self.way in {"vmac", "their vmac"}:
            lines += ["use_vmac"]
        if self.way == "unicast":
            others = [address_of(name, each.family) for name in NUMBERS if name != machine]
            lines += [f"unicast_src_ip {address_of(machine, each.family)}", "unicast_peer {", *others, "}"]
        if self.check_unicast_src:
            lines += ["check_unicast_src"]
        return "\n".join([*lines, "}\n"])


def _name(each: Router) -> str:
    return f"peer{each.family}_{each.number}"


def _on_virtual_mac(ours: VirtualRouter, each: Router) -> VirtualRouter:
    """Put a virtual router and its addresses onto a macvlan, named as keepalived names it."""
    name = f"vrrp{'' if each.family == 4 else each.family}.{each.number}"
    mac = bytes.fromhex(each.virtual_mac.replace(":", ""))
    virtual = VirtualMac(name=name, parent="eth0", mac=mac, ipv6=ours.family is Family.IPV6)
    placed = tuple(msgspec.structs.replace(address, interface=name) for address in ours.addresses)
    return msgspec.structs.replace(ours, virtual_mac=virtual, addresses=placed)
