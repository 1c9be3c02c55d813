"""Instances: one or two virtual routers, one for each family of the addresses."""

import ipaddress
from dataclasses import dataclass

from stayalived.addresses import Family, VirtualAddress, family_of
from stayalived.config import vrrp
from stayalived.config.desk import Desk, first_set, texts
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.general import GlobalTable
from stayalived.config.names import is_address
from stayalived.config.virtual_routers import PlacedAddress, VirtualRouter, VrrpInstance
from stayalived.config.vrrp import InstanceTable
from stayalived.timing import Duration, milliseconds, seconds

KIND = "vrrp_instance"
OWNER = 255  # RFC 9568 5.2.4: the priority of the router that owns the addresses
MAX_ADDRESSES = 255  # RFC 9568 5.2.5: the count is one octet
V3_LONGEST = 40.95  # seconds; RFC 9568 5.2.7: twelve bits of centiseconds
V2_LONGEST = 255  # seconds; RFC 3768 5.3.7: one octet
_CENTISECOND = milliseconds(10)
_SECOND = seconds(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instance:
    """An instance while its routers are made."""

    name: str
    path: Path
    table: InstanceTable
    version: int
    advert_int: Duration


class InstanceRoom:
    """Turns `[vrrp_instance.NAME]` into instances."""

    def __init__(self, desk: Desk) -> None:
        """Work at a desk whose `globals` are known already."""
        self._desk = desk
        self._findings: Findings = desk.findings

    def take(self, tree: Table) -> tuple[VrrpInstance, ...]:
        """Return every instance that could be resolved."""
        made = [self._take_one(name, table) for name, table in self._desk.tables(tree, KIND).items()]
        return tuple(instance for instance in made if instance is not None)

    def _take_one(self, name: str, raw: Table) -> VrrpInstance | None:
        path: Path = (KIND, name)
        before = self._findings.errors
        table = self._desk.decoder.table(raw, InstanceTable, path, KIND)
        if table is None:
            return None
        addresses = self._addresses(table, path)
        families = {address.family for address in addresses}
        version = self._version(table, families, path)
        for key in ("mcast_src_ip", "mcast_dst_ip"):
            self._look_for_strangers(getattr(table, key), families, (*path, key))
        self._desk.act(table.notify, f"instance {name}", vrrp.EVENTS, (*path, "notify"))
        self._look_at_habits(table, path)
        instance = _Instance(
            name=name, path=path, table=table, version=version, advert_int=self._advert_int(table, version, path)
        )
        by_family = {family: tuple(address for address in addresses if address.family is family) for family in Family}
        routers = tuple(self._router(instance, family, own) for family, own in by_family.items() if own)
        if self._findings.errors != before:
            return None
        return VrrpInstance(
            name=name, interface=table.interface, priority=table.priority, split=table.split, routers=routers
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

    def _addresses(self, table: InstanceTable, path: Path) -> tuple[VirtualAddress, ...]:
        found: dict[VirtualAddress, None] = {}
        for number, text in enumerate(table.virtual_ipaddress):
            where = (*path, "virtual_ipaddress", number)
            try:
                address = VirtualAddress.parse(text)
            except ValueError:
                self._findings.error(where, "must be ADDRESS or ADDRESS/PREFIX", found=shown(text))
                continue
            if "%" in text or not _can_be_held(address):
                self._findings.error(where, "must be an address that one machine can hold", found=shown(text))
            elif any(address.address == other.address for other in found):
                self._findings.error(where, "stands here twice; keep one of them", found=shown(text))
            else:
                found[address] = None
        for family in Family:
            count = sum(address.family is family for address in found)
            if count > MAX_ADDRESSES:
                text = f"at most {MAX_ADDRESSES} addresses of a family fit one virtual router"
                self._findings.error((*path, "virtual_ipaddress"), text, found=f"{count} of IPv{family}")
        return tuple(found)

    def _version(self, table: InstanceTable, families: set[Family], path: Path) -> int:
        if Family.IPV6 not in families:
            return table.version or self._desk.globals.vrrp_version
        if table.version == 2:
            text = "must be 3: VRRP version 2 does not exist for IPv6; leave it out"
            self._findings.error((*path, "version"), text, found="2")
        return 3

    def _advert_int(self, table: InstanceTable, version: int, path: Path) -> Duration:
        """Return the interval as the wire can carry it: whole seconds in version 2, centiseconds in version 3 (V05)."""
        where = (*path, "advert_int")
        unit, longest = (_SECOND, V2_LONGEST) if version == 2 else (_CENTISECOND, V3_LONGEST)
        wanted = seconds(table.advert_int)
        if wanted > seconds(longest):
            self._findings.error(
                where, f"must be at most {longest} in version {version}", found=shown(table.advert_int)
            )
            return _SECOND
        rounded = Duration(max(1, (wanted + unit // 2) // unit) * unit)
        if rounded != wanted:
            step = "whole seconds" if version == 2 else "hundredths of a second"
            self._findings.warn(
                where,
                f"version {version} counts in {step}: {rounded / _SECOND:g} is used",
                found=shown(table.advert_int),
            )
        return rounded

    def _router(self, instance: _Instance, family: Family, addresses: tuple[VirtualAddress, ...]) -> VirtualRouter:
        table, common = instance.table, self._desk.globals
        repeat = first_set(table.garp_master_repeat, default=common.vrrp_garp_master_repeat)
        delay = first_set(table.garp_master_delay, default=common.vrrp_garp_master_delay)
        refresh = first_set(table.garp_master_refresh, default=common.vrrp_garp_master_refresh)
        lower_delay = first_set(table.garp_lower_prio_delay, common.vrrp_garp_lower_prio_delay, default=delay)
        return VirtualRouter(
            key=f"{instance.name}/{family}",
            instance=instance.name,
            family=family,
            version=instance.version,
            virtual_router_id=table.virtual_router_id,
            interface=table.interface,
            priority=table.priority,
            advert_int=instance.advert_int,
            preempt=table.preempt,
            preempt_delay=seconds(table.preempt_delay),
            source=self._source(table, family, instance.path),
            group=self._group(table, common, family, instance.path),
            addresses=tuple(PlacedAddress(address=address, interface=table.interface) for address in addresses),
            garp_master_delay=seconds(delay),
            garp_master_repeat=repeat,
            garp_master_refresh=seconds(refresh),
            garp_master_refresh_repeat=first_set(
                table.garp_master_refresh_repeat, default=common.vrrp_garp_master_refresh_repeat
            ),
            garp_lower_prio_delay=seconds(lower_delay),
            garp_lower_prio_repeat=first_set(
                table.garp_lower_prio_repeat, common.vrrp_garp_lower_prio_repeat, default=repeat
            ),
            down_timer_adverts=first_set(table.down_timer_adverts, default=common.vrrp_down_timer_adverts),
        )

    def _look_for_strangers(self, value: str | list[str] | None, families: set[Family], path: Path) -> None:
        """Refuse an address of adverts that no router of the instance would use."""
        for text, where in texts(value, path) if families else ():
            if not is_address(text) or family_of(text) in families:
                continue  # a host name may well have an address that is not used
            missing = f"the instance has no IPv{family_of(text)} address; leave it out"
            self._findings.error(where, missing, found=shown(text))

    def _source(self, table: InstanceTable, family: Family, path: Path) -> str:
        found = self._desk.each_family(table.mcast_src_ip, (*path, "mcast_src_ip")) if table.mcast_src_ip else {}
        if family not in found:
            return ""
        address, port, where = found[family]
        if port:
            self._findings.error(where, "must be an address without a port", found=f"port {port}")
        return address

    def _group(self, table: InstanceTable, common: GlobalTable, family: Family, path: Path) -> str:
        if table.mcast_dst_ip:
            found = self._desk.each_family(table.mcast_dst_ip, (*path, "mcast_dst_ip"))
            if family in found:
                address, _, where = found[family]
                return self._multicast(address, family, where)
        if family is Family.IPV4:
            return self._multicast(common.vrrp_mcast_group4, family, ("global", "vrrp_mcast_group4"))
        return self._multicast(common.vrrp_mcast_group6, family, ("global", "vrrp_mcast_group6"))

    def _multicast(self, text: str, family: Family, path: Path) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            self._findings.error(path, f"must be an IPv{family} multicast address", found=shown(text))
            return text
        # V16: an IPv6 group must be link-local (ffX2), or the neighbours' switches may carry it elsewhere.
        scoped = address.version == 4 or address.packed[1] & 0x0F == 2
        if address.version != family or not address.is_multicast or not scoped:
            what = "of link-local scope (ffX2::)" if family is Family.IPV6 else "(224.0.0.0/4)"
            self._findings.error(path, f"must be an IPv{family} multicast address {what}", found=shown(text))
        return str(address)


def _can_be_held(address: VirtualAddress) -> bool:
    plain = ipaddress.ip_address(address.address)
    return not (plain.is_multicast or plain.is_unspecified or plain.is_loopback)
