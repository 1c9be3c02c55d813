"""Macvlans that carry the virtual routers' own hardware addresses (RFC 9568 7.3)."""

import errno
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel import links, rtnetlink, switches
from stayalived.kernel.connection import Connection
from stayalived.kernel.links import MACVLAN, FoundLink
from stayalived.kernel.netlink_messages import Answer
from stayalived.kernel.parents import Parents
from stayalived.kernel.refusals import explain
from stayalived.kernel.requests import find_link
from stayalived.kernel.rtnetlink import AddressSeen
from stayalived.kernel.tenancy import Tenancy, Turns

_REMEDIES: Mapping[int, str] = {
    errno.EPERM: "vrrp needs CAP_NET_ADMIN",
    errno.ENODEV: "there is no such interface",
    errno.EBUSY: "the interface is a port of a bridge, a bond or the like; use the bridge or bond itself",
    errno.EOPNOTSUPP: "the kernel has no macvlan: modprobe macvlan",
    errno.EADDRINUSE: "another interface there has this hardware address already",
}
_LINK_LOCAL = bytes.fromhex("fe80000000000000")


@dataclass(slots=True)
class _Macvlan:
    """One that was made or taken over here; `open` while it may speak and route."""

    wanted: VirtualMac
    open: bool


class VirtualMacs:
    """Makes macvlans, takes over those that are there, and removes them.

    Args:
        connection: to rtnetlink.
        tenancy: learns which macvlans there are, and with which addresses.
    """

    def __init__(self, connection: Connection, tenancy: Tenancy) -> None:
        """Know none yet."""
        self._connection = connection
        self._tenancy = tenancy
        self._parents = Parents(connection)
        self._macvlans: dict[int, _Macvlan] = {}

    def make(self, wanted: VirtualMac) -> None:
        """Make a macvlan and set it up, or take over the one of this name, parent and hardware address.

        Raises:
            KernelProblem: it cannot be made, or something else has its name.
        """
        action = f"ip link add {wanted.name} link {wanted.parent} address {wanted.mac.hex(':')} type macvlan"
        parent = self._find(wanted.parent)
        if parent is None:
            raise KernelProblem(action, errno.ENODEV, f"there is no interface {wanted.parent}")
        # A macvlan on a macvlan is put on what is underneath both (macvlan.c, macvlan_common_newlink).
        below = parent.parent if parent.kind == MACVLAN else parent.index
        found, fresh = self._create(wanted, below, action)
        try:
            self._furnish(wanted, found, {wanted.mac, parent.mac})
        except KernelProblem:
            if fresh:  # no half of one is left behind
                self._delete([found])
                self._forget(wanted.name, found.alias)
            raise

    def remove(self, names: Iterable[str]) -> dict[str, KernelProblem]:
        """Remove macvlans in one step, and put back their parents' settings after the last ones.

        Those that are gone do no harm. One by one the kernel would take some twenty milliseconds for each.

        Returns:
            what was refused, by name.
        """
        doomed, problems = self._doomed(names)
        refused = self._delete(doomed)
        for found in doomed:
            if refused is None:
                self._forget(found.name, found.alias)
            else:
                action = f"ip link delete {found.name}"
                problems[found.name] = explain(action, refused.errno, refused.text, _REMEDIES)
        return problems

    def turn(self, turns: Turns) -> dict[int, KernelProblem]:
        """Let macvlans speak and route, or keep them from it; return the refusals by index."""
        problems: dict[int, KernelProblem] = {}
        for index, wants_open in [(index, False) for index in turns.hushed] + [(index, True) for index in turns.opened]:
            macvlan = self._macvlans[index]
            if macvlan.open != wants_open:
                try:
                    (switches.open_up if wants_open else switches.hush)(macvlan.wanted)
                    macvlan.open = wants_open
                except KernelProblem as refused:
                    problems[index] = refused
        return problems

    def _create(self, wanted: VirtualMac, below: int, action: str) -> tuple[FoundLink, bool]:
        """Return the macvlan, and whether it was not there before."""
        refused = self._connection.request(lambda number: links.add_macvlan(wanted, below, number))
        if refused is not None and refused.errno != errno.EEXIST:
            raise explain(action, refused.errno, refused.text, _REMEDIES)
        found = self._find(wanted.name)
        if found is None:
            raise KernelProblem(action, errno.ENODEV, "somebody removed it at once")
        if refused is not None:
            _check(wanted, below, found, action)
        return found, refused is None

    def _furnish(self, wanted: VirtualMac, found: FoundLink, macs: Collection[bytes]) -> None:
        """Give a macvlan all that it should have, whoever made it.

        A link-local address that is made of one of the hardware addresses is no virtual one: the kernel made it, or
        keepalived, which copies the parent's.
        """
        addresses = [address for address in self._addresses_of(found.index) if not _is_made_of(address, macs)]
        switches.settle(wanted)
        (switches.open_up if addresses else switches.hush)(wanted)
        note = self._parents.occupy(wanted.parent, wanted.name, found.alias)
        numbers = [self._connection.number() for _ in range(4)]
        _, answers = self._connection.ask(
            (
                links.make_private(found.index, numbers[0]),
                links.set_alias(found.index, note, numbers[1]),
                links.set_group(found.index, wanted.group, numbers[2]),
                links.set_link(found.index, numbers[3], up=True),
            )
        )
        for answer in answers.values():
            raise explain(
                f"ip link set {wanted.name} up type macvlan mode private", answer.errno, answer.text, _REMEDIES
            )
        self._macvlans[found.index] = _Macvlan(wanted, open=bool(addresses))
        self._tenancy.begin(found.index, addresses)

    def _doomed(self, names: Iterable[str]) -> tuple[list[FoundLink], dict[str, KernelProblem]]:
        """Return the macvlans among the names, and those that are something else."""
        doomed: list[FoundLink] = []
        others: dict[str, KernelProblem] = {}
        for name in names:
            found = self._find(name)
            if found is None:
                self._forget(name, note="")
            elif found.kind == MACVLAN:
                doomed.append(found)
            else:
                what = f"it is {_kind_of(found)}, no macvlan, and stays"
                others[name] = KernelProblem(f"ip link delete {name}", errno.EEXIST, what)
        return doomed, others

    def _delete(self, doomed: list[FoundLink]) -> Answer | None:
        """Delete links by putting them into a group of their own: the number of our socket, which nobody else has."""
        if not doomed:
            return None
        group = self._connection.port
        numbers = [self._connection.number() for _ in doomed]
        pairs = zip(doomed, numbers, strict=True)
        self._connection.ask(links.set_group(link.index, group, number) for link, number in pairs)
        return self._connection.request(lambda number: links.delete_group(group, number))

    def _forget(self, name: str, note: str) -> None:
        for index, macvlan in list(self._macvlans.items()):
            if macvlan.wanted.name == name:
                del self._macvlans[index]
                self._tenancy.end(index)
        self._parents.leave(name, note)

    def _addresses_of(self, index: int) -> tuple[VirtualAddress, ...]:
        listed = self._connection.dump(lambda number: rtnetlink.dump_addresses(number, index))
        seen = map(rtnetlink.read_message, listed)
        return tuple(one.address for one in seen if isinstance(one, AddressSeen) and one.index == index)

    def _find(self, name: str) -> FoundLink | None:
        message = find_link(self._connection, name)
        return links.read_link(message) if message is not None else None


def _check(wanted: VirtualMac, parent: int, found: FoundLink, action: str) -> None:
    """Refuse what has the name and is something else."""
    if (found.kind, found.parent, found.mac) != (MACVLAN, parent, wanted.mac):
        what = f"{_kind_of(found)} with the hardware address {found.mac.hex(':')}"
        remedy = f"it is {what}: remove it (ip link delete {wanted.name}) or give use_vmac another name"
        raise KernelProblem(action, errno.EEXIST, remedy)


def _is_made_of(address: VirtualAddress, macs: Collection[bytes]) -> bool:
    """Tell whether an address is the link-local one of a hardware address (RFC 4291, appendix A)."""
    made = (_LINK_LOCAL + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:] for mac in macs if mac)
    return address.packed in made


def _kind_of(found: FoundLink) -> str:
    return f"a {found.kind} on interface #{found.parent}" if found.kind else "an interface of hardware"
