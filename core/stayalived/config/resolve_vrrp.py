"""Instances: one or two virtual routers, one for each family of the addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from stayalived.addresses import Family
from stayalived.config import vrrp
from stayalived.config.alerts import alert
from stayalived.config.authentication import authentication_of
from stayalived.config.desk import Desk, first_set
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.manners import Manners, manners_of
from stayalived.config.resolve_actions import act
from stayalived.config.resolve_addresses import ADVERTISED, EXCLUDED, AddressRoom, look_at_labels, place
from stayalived.config.resolve_interface import with_interface
from stayalived.config.resolve_macs import MacRoom
from stayalived.config.resolve_routes import RouteRoom
from stayalived.config.resolve_rules import Preferences, RuleRoom, written_preferences
from stayalived.config.resolve_track import Owner, TrackRoom
from stayalived.config.resolve_unicast import OWNER, WireRoom, is_checked
from stayalived.config.strictness import Said, look_at_strict
from stayalived.config.telling import is_mailed
from stayalived.config.versions import interval_of, version_of
from stayalived.config.virtual_routers import (
    PlacedAddress,
    Route,
    Rule,
    UnicastPeer,
    VirtualMac,
    VirtualRouter,
    VrrpInstance,
)
from stayalived.config.vrrp import InstanceTable
from stayalived.timing import Duration

KIND = "vrrp_instance"

_Held = TypeVar("_Held", PlacedAddress, Route, Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instance:
    """An instance while its routers are made."""

    name: str
    path: Path
    table: InstanceTable
    families: tuple[Family, ...]  # of its routers
    version: int
    advert_int: Duration
    manners: Manners
    authentication: bytes
    addresses: tuple[PlacedAddress, ...]
    excluded: tuple[PlacedAddress, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
    macs: Mapping[Family, VirtualMac]
    wire: WireRoom
    sources: Mapping[Family, str]
    peers: Mapping[Family, tuple[UnicastPeer, ...]]

    def share(self, held: Sequence[_Held], family: Family) -> tuple[_Held, ...]:
        """Return what a family's router holds: what is of its family, and the first one what is of no router's."""
        stray = family is self.families[0]
        return tuple(one for one in held if family_of(one) is family or (stray and family_of(one) not in self.families))


def family_of(held: PlacedAddress | Route | Rule) -> Family:
    """Return the family of something that a MASTER holds."""
    return held.address.family if isinstance(held, PlacedAddress) else held.family


class InstanceRoom:
    """Turns `[vrrp_instance.NAME]` into instances."""

    def __init__(self, desk: Desk, tracks: TrackRoom) -> None:
        """Work at a desk whose `globals` are known already."""
        self._desk = desk
        self._tracks = tracks
        self._findings: Findings = desk.findings
        self._macs = MacRoom(desk, (KIND,))
        self._preferences = Preferences(frozenset())
        self._spoilt: set[str] = set()

    def take(self, tree: Table) -> tuple[VrrpInstance, ...]:
        """Return every instance that could be resolved."""
        raw = self._desk.tables(tree, KIND)
        self._preferences = Preferences(written_preferences(raw.values()))
        tables = self._decode(raw)
        self._macs.take(tables)
        made = [self._take_one(name, table) for name, table in tables.items()]
        return tuple(instance for instance in made if instance is not None and instance.name not in self._spoilt)

    def _decode(self, raw: Mapping[str, Table]) -> dict[str, InstanceTable]:
        """Return the tables in which all is there that must be, and remember those with something wrong in them."""
        tables = {}
        for name, value in raw.items():
            before = self._findings.errors
            table = self._desk.decoder.table(value, InstanceTable, (KIND, name), KIND)
            if table is not None:
                tables[name] = with_interface(table, (KIND, name), self._desk)
            if self._findings.errors != before:
                self._spoilt.add(name)
        return tables

    def _take_one(self, name: str, table: InstanceTable) -> VrrpInstance | None:
        path: Path = (KIND, name)
        before = self._findings.errors
        act(self._desk, table.notify, f"instance {name}", (*path, "notify"))
        is_wanted = is_mailed(table.smtp_alert, self._desk.globals.smtp_alert_vrrp, self._desk.globals.smtp_alert)
        alert(self._desk, bool(is_wanted), f"instance {name}", path)
        self._look_at_habits(table, path)
        instance = self._instance(name, table, path)
        routers = tuple(self._router(instance, family) for family in instance.families)
        owner = Owner(priority=table.priority, interface=table.interface)
        trackers = self._tracks.trackers(table.track, owner, (*path, "track"))
        if self._findings.errors != before:
            return None
        return VrrpInstance(
            name=name,
            interface=table.interface,
            priority=table.priority,
            split=table.split,
            routers=routers,
            trackers=trackers,
        )

    def _instance(self, name: str, table: InstanceTable, path: Path) -> _Instance:
        has_mac = self._macs.has(name)
        room = AddressRoom(self._desk, path, "" if has_mac else table.interface)
        placed = room.advertised(table.virtual_ipaddress)
        addresses = [one.address for one in placed]
        families = tuple(family for family in Family if any(address.family is family for address in addresses))
        version = version_of(table, self._desk.globals, families, path, self._findings)
        said = Said(table, self._desk.globals, path, self._findings)
        excluded = room.excluded(table.virtual_ipaddress_excluded)
        wire = WireRoom(self._desk, table, [*addresses, *(one.address for one in excluded)], families, path)
        wire.look_at_groups()
        look_at_strict(said, addresses)
        sources = wire.sources()
        return _Instance(
            name=name,
            path=path,
            table=table,
            families=families,
            version=version,
            advert_int=interval_of(table, version, path, self._findings),
            manners=manners_of(said, has_mac=has_mac, is_unicast=wire.is_unicast),
            authentication=authentication_of(
                table.authentication, version, families, self._desk, (*path, "authentication"), strict=said.strict
            ),
            addresses=placed,
            excluded=excluded,
            routes=RouteRoom(self._desk, path).take(table.virtual_routes),
            rules=RuleRoom(self._desk, self._preferences, path).take(table.virtual_rules),
            macs=self._macs.of(name, table, families),
            wire=wire,
            sources=sources,
            peers=wire.peers(sources),
        )

    def _look_at_habits(self, table: InstanceTable, path: Path) -> None:
        """Say what keepalived's users write from habit and what it means here."""
        if table.state is not None:
            state = self._desk.choice(table.state, vrrp.STATES, (*path, "state"))
            self._findings.warn(
                (*path, "state"), "has no effect: the election decides; leave it out", found=shown(state)
            )
        if table.preempt_delay and not table.preempt:
            self._findings.warn((*path, "preempt_delay"), "has no effect with preempt = false")
        if table.priority == OWNER and not table.preempt:
            self._findings.warn((*path, "preempt"), "has no effect at priority 255: the owner always takes over")

    def _router(self, instance: _Instance, family: Family) -> VirtualRouter:
        table, manners = instance.table, instance.manners
        router = VirtualRouter(
            key=f"{instance.name}/{family}",
            instance=instance.name,
            family=family,
            version=instance.version,
            virtual_router_id=table.virtual_router_id,
            interface=table.interface,
            priority=table.priority,
            advert_int=instance.advert_int,
            preempt=table.preempt,
            preempt_delay=manners.preempt_delay,
            source=instance.sources.get(family, ""),
            group=instance.wire.group(self._desk.globals, family),
            addresses=(),
            garp_master_delay=manners.garp_master_delay,
            garp_master_repeat=manners.garp_master_repeat,
            garp_master_refresh=manners.garp_master_refresh,
            garp_master_refresh_repeat=manners.garp_master_refresh_repeat,
            garp_lower_prio_delay=manners.garp_lower_prio_delay,
            garp_lower_prio_repeat=manners.garp_lower_prio_repeat,
            garp_interval=manners.garp_interval,
            gna_interval=manners.gna_interval,
            down_timer_adverts=manners.down_timer_adverts,
            peers=instance.peers[family],
            unicast_ttl=first_set(table.unicast_ttl, default=vrrp.MAX_TTL),
            check_unicast_src=is_checked(instance.peers[family], wanted=manners.check_unicast_src),
            authentication=instance.authentication,
            checksum_as_v2=manners.checksum_as_v2 and instance.version == 3 and family is Family.IPV4,
            transmit_on_base=manners.transmit_on_base,
            accept=manners.accept,
            skip_check_adv_addr=manners.skip_check_adv_addr,
            lower_prio_no_advert=manners.lower_prio_no_advert,
            higher_prio_send_advert=manners.higher_prio_send_advert,
            owner_ignore_adverts=manners.owner_ignore_adverts,
            promote_secondaries=table.promote_secondaries,
        )
        return self._equipped(router, instance)

    def _equipped(self, router: VirtualRouter, instance: _Instance) -> VirtualRouter:
        """Return the router with what it holds when it is MASTER, each address on its interface."""
        family = router.family
        mac = instance.macs.get(family)
        interface = mac.name if mac else router.interface
        addresses = place(instance.share(instance.addresses, family), interface)
        excluded = place(instance.share(instance.excluded, family), interface)
        for key, placed in ((ADVERTISED, addresses), (EXCLUDED, excluded)):
            look_at_labels(placed, (*instance.path, key), self._findings)
        on_mac = [one for one in (*addresses, *excluded) if mac and one.interface == mac.name]
        if mac and any(one.address.family is Family.IPV6 for one in on_mac):
            mac = msgspec.structs.replace(mac, ipv6=True)
        return msgspec.structs.replace(
            router,
            addresses=addresses,
            excluded=excluded,
            routes=instance.share(instance.routes, family),
            rules=instance.share(instance.rules, family),
            virtual_mac=mac,
        )
