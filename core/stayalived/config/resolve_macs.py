"""Virtual MACs: which macvlan an instance has for each family, and how it is called (V07; RFC 9568 7.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from stayalived.addresses import Family
from stayalived.config.desk import Desk
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.holdings import MAX_INTERFACE_NAME
from stayalived.config.iproute_names import GROUPS
from stayalived.config.virtual_routers import VirtualMac
from stayalived.config.vrrp import InstanceTable, VmacTable

KEY = "use_vmac"
OCTETS = 6
DEFAULT_GROUP = "default"
_PREFIX = {Family.IPV4: bytes.fromhex("00005e0001"), Family.IPV6: bytes.fromhex("00005e0002")}
_NAME = {Family.IPV4: "vrrp", Family.IPV6: "vrrp6"}
_V6_MARK = "6"  # behind a name that somebody chose, for the IPv6 half
_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){4,5}")
_BAD_NAME = re.compile(r"[\s/:]|^\.{1,2}$")  # net/core/dev.c: dev_valid_name
_GROUP_BIT = 0x01  # of the first octet: not the address of one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What an instance says of its macvlan."""

    name: str  # empty: one is chosen
    mac: bytes  # empty: the RFC's
    group: int


class MacRoom:
    """Knows the macvlans of all instances: each has a name of its own."""

    def __init__(self, desk: Desk, path: Path) -> None:
        """Work for the instances below a path."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._path = path
        self._wanted: dict[str, _Wanted] = {}
        self._written: set[str] = set()
        self._taken: dict[str, str] = {}  # by name: the instance

    def take(self, tables: Mapping[str, InstanceTable]) -> None:
        """Take up what the instances say, before any name is chosen: what somebody wrote is never taken from him."""
        interfaces = {table.interface for table in tables.values()}
        for instance, table in tables.items():
            path = (*self._path, instance, KEY)
            if isinstance(table.use_vmac, bool):
                keys: VmacTable | None = VmacTable() if table.use_vmac else None
            else:
                keys = self._desk.decoder.table(table.use_vmac, VmacTable, path, KEY)
            if keys is None:
                continue
            name = keys.name or ""
            if name in interfaces:
                self._findings.error((*path, "name"), "is an interface of an instance; take another", found=shown(name))
            self._written.add(name)
            self._wanted[instance] = _Wanted(
                name=self._checked(name, (*path, "name")),
                mac=self._mac(keys.mac, table.virtual_router_id, (*path, "mac")),
                group=self._desk.number(keys.group or DEFAULT_GROUP, GROUPS, (*path, "group")) or 0,
            )

    def has(self, instance: str) -> bool:
        """Return whether an instance has macvlans."""
        return instance in self._wanted

    def of(self, instance: str, table: InstanceTable, families: tuple[Family, ...]) -> dict[Family, VirtualMac]:
        """Return the macvlan of each family, those of IPv4 without IPv6; empty when there is none."""
        wanted = self._wanted.get(instance)
        if wanted is None:
            return {}
        if wanted.mac and len(families) > 1:
            text = "would be that of two macvlans; leave it out, or write an instance for each family"
            self._findings.error((*self._path, instance, KEY, "mac"), text)
        return {
            family: VirtualMac(
                name=self._name(instance, wanted.name, table.virtual_router_id, family, families),
                parent=table.interface,
                mac=wanted.mac or _PREFIX[family] + bytes((table.virtual_router_id,)),
                ipv6=family is Family.IPV6,
                group=wanted.group,
            )
            for family in families
        }

    def _checked(self, name: str, path: Path) -> str:
        if _BAD_NAME.search(name):
            self._findings.error(path, "must be a name for an interface: no space, / or :", found=shown(name))
        return name

    def _name(self, instance: str, wanted: str, number: int, family: Family, families: tuple[Family, ...]) -> str:
        if not wanted:
            plain = f"{_NAME[family]}.{number}"
            names = (plain if again == 0 else f"{plain}.{again}" for again in count())
            name = next(name for name in names if name not in self._taken and name not in self._written)
            self._taken[name] = instance
            return name
        name = wanted + _V6_MARK if family is Family.IPV6 and len(families) > 1 else wanted
        path = (*self._path, instance, KEY, "name")
        if len(name) > MAX_INTERFACE_NAME:
            text = f"has no room for the {_V6_MARK} of the IPv6 half: at most {MAX_INTERFACE_NAME - 1} characters"
            self._findings.error(path, text, found=shown(wanted))
        first = self._taken.setdefault(name, instance)
        if first != instance:
            self._findings.error(path, f"{first} has a macvlan of this name; take another", found=shown(name))
        return name

    def _mac(self, text: str | None, number: int, path: Path) -> bytes:
        if text is None:
            return b""
        if not _MAC.fullmatch(text.lower()):
            self._findings.error(path, "must be five or six octets, such as 02:00:5e:00:01:33", found=shown(text))
            return b""
        octets = bytes.fromhex(re.sub("[:-]", "", text))
        if octets[0] & _GROUP_BIT or not any(octets):
            remedy = "must be the address of one machine: the first octet even, and not all of them zero"
            self._findings.error(path, remedy, found=shown(text))
        return octets if len(octets) == OCTETS else octets + bytes((number,))
