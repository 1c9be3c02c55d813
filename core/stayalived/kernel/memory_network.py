"""All of a machine's network in memory, refused where the kernel refuses; `kernel.api.NetworkKernel`. Pure.

One list of cases, `network_cases.py` of `tests/namespaces`, runs here and on the real kernel.
"""

import errno
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Barrier, Change, Gone, Interface, Verb
from stayalived.kernel.links import MACVLAN
from stayalived.kernel.losses import Loss, RouteDeleted, RuleDeleted
from stayalived.kernel.memory_devices import Device, shown
from stayalived.kernel.memory_routing import MemoryRouting, Refused
from stayalived.kernel.refusals import refusal
from stayalived.kernel.tenancy import Tenancy


class MemoryNetwork:
    """Interfaces, addresses, routes, rules, macvlans and drops, and what the monitors would tell of them.

    Args:
        interfaces: what there is at the start, with the addresses that are already there.
        promote_secondaries: the sysctl of that name; systemd switches it on, the kernel's default is off.
    """

    def __init__(self, interfaces: Iterable[Interface] = (), *, promote_secondaries: bool = False) -> None:
        """Plug in the interfaces; none of this is told as a change."""
        self._promote = promote_secondaries
        self._devices: dict[int, Device] = {}
        self._changes: deque[Interface | Gone] = deque()
        self._routing = MemoryRouting()
        self._tenancy = Tenancy()
        self._virtual_macs: dict[int, VirtualMac] = {}
        self._losses: deque[Loss] = deque()
        self.barriers: set[str] = set()
        for interface in interfaces:
            self.plug(interface)
        self._changes.clear()

    # ── what vrrp asks for ───────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        """Carry out changes in this order; see `kernel.api.NetworkKernel`."""
        turns = self._tenancy.turns(changes)
        for index in turns.hushed + turns.opened:
            virtual_mac = self._virtual_macs[index]
            self.set_ipv6(virtual_mac.name, enabled=virtual_mac.ipv6 and index in turns.opened)
        results = [self._apply(change) for change in changes]
        self._tenancy.settle(changes, results)
        return results

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name."""
        return {device.interface.name: device.now() for device in self._devices.values()}

    def routes(self) -> list[Route]:
        """Return our routes."""
        return self._routing.routes()

    def rules(self) -> list[Rule]:
        """Return our rules."""
        return self._routing.rules()

    def clear_barriers(self) -> None:
        """Remove all barriers."""
        self.barriers.clear()

    def make_virtual_mac(self, virtual_mac: VirtualMac) -> None:
        """Make the macvlan, or take over one that is there already; see `kernel.api.NetworkKernel`.

        Raises:
            KernelProblem: its parent is not there, or something else has its name.
        """
        action = f"ip link add {virtual_mac.name} link {virtual_mac.parent} type macvlan"
        there = self.interfaces()
        if virtual_mac.parent not in there:
            raise KernelProblem(action, errno.ENODEV)
        parent = there[virtual_mac.parent]
        found = there.get(virtual_mac.name)
        if found is None:
            bare = replace(parent, name=virtual_mac.name, index=max(self._devices) + 1, addresses=())
            self.plug(replace(bare, mac=virtual_mac.mac, parent=parent.index, kind=MACVLAN))
        elif (found.kind, found.parent, found.mac) != (MACVLAN, parent.index, virtual_mac.mac):
            raise KernelProblem(action, errno.EEXIST, f"it is a {found.kind or 'interface of hardware'}")
        device = self._device(virtual_mac.name)
        device.ipv6 = bool(device.addresses) and virtual_mac.ipv6
        self._virtual_macs[device.interface.index] = virtual_mac
        self._tenancy.begin(device.interface.index, device.addresses)

    def remove_virtual_mac(self, name: str) -> None:
        """Remove the macvlan; harmless when it is gone.

        Raises:
            KernelProblem: something else has the name.
        """
        for problem in self.remove_virtual_macs((name,)).values():
            raise problem

    def remove_virtual_macs(self, names: Iterable[str]) -> dict[str, KernelProblem]:
        """Remove many macvlans in one step; returns what was refused, by name."""
        problems: dict[str, KernelProblem] = {}
        for name in names:
            found = self.interfaces().get(name)
            if found is not None and found.kind != MACVLAN:
                problems[name] = KernelProblem(f"ip link delete {name}", errno.EEXIST, "it is no macvlan, and stays")
            else:
                self.unplug(name)
        return problems

    # ── what the monitors tell, and what happens that nobody asked for ───────────────────────────────────────────────

    def next_change(self) -> Interface | Gone | None:
        """Return the oldest change that was not told yet, as `kernel.monitor.Monitor` does."""
        return self._changes.popleft() if self._changes else None

    def next_loss(self) -> Loss | None:
        """Return the oldest loss that was not told yet, as `kernel.route_monitor.RouteMonitor` does."""
        return self._losses.popleft() if self._losses else None

    def add_behind(self, item: PlacedAddress) -> None:
        """Let somebody else add an address, as the kernel itself does with a link-local one when a link comes up.

        Raises:
            Refused: the kernel would.
        """
        self._put(self._index(item.interface), item)

    def delete_behind(self, item: PlacedAddress | Route | Rule) -> None:
        """Let somebody else delete an address, or one of our routes or rules; harmless when it is not there."""
        if isinstance(item, PlacedAddress):
            self._take(self._index(item.interface), item)
        elif self._routing.remove(item):
            self._losses.append(RouteDeleted(route=item) if isinstance(item, Route) else RuleDeleted(rule=item))

    def plug(self, interface: Interface) -> None:
        """Let an interface appear, or replace the one of this index; `up` says whether its link is up."""
        device = Device(interface, carrier=interface.up)
        for address in interface.addresses:
            device.put(address)
        self._devices[interface.index] = device
        self._changes.append(device.now())

    def unplug(self, name: str) -> None:
        """Let an interface disappear with its addresses, its macvlans and its routes; harmless when there is none."""
        index = self._index(name)
        for child in self._children(index):
            self.unplug(child)
        if self._devices.pop(index, None):
            self._changes.append(Gone(name=name))
        self._virtual_macs.pop(index, None)
        self._tenancy.end(index)
        self._routing.close_ways(name)

    def set_carrier(self, name: str, *, up: bool) -> None:
        """Pull the cable out, or put it back. All addresses and routes stay; macvlans follow."""
        with self._noted(self._device(name)) as device:
            device.carrier = up
        self._follow(device)

    def set_link(self, name: str, *, up: bool) -> None:
        """Set an interface up or down. When it goes down its IPv6 addresses and its routes are lost."""
        with self._noted(self._device(name)) as device:
            device.set_link(up=up)
        self._follow(device)
        if not up:
            self._lose_ipv6_ways(name)
            self._routing.close_ways(name)  # without a word (fib_semantics.c, fib_sync_down_dev)

    def set_ipv6(self, name: str, *, enabled: bool) -> None:
        """Write the sysctl `disable_ipv6` of an interface; switching it off flushes addresses and routes."""
        with self._noted(self._device(name)) as device:
            device.set_ipv6(enabled=enabled)
        if not enabled:
            self._lose_ipv6_ways(name)

    def _lose_ipv6_ways(self, name: str) -> None:
        """Drop the IPv6 routes out of an interface and tell of them."""
        self._losses += [RouteDeleted(route=route) for route in self._routing.close_ways(name, Family.IPV6)]

    def _follow(self, parent: Device) -> None:
        for child in self._children(parent.interface.index):
            self.set_carrier(child, up=parent.now().up)

    def _children(self, index: int) -> list[str]:
        return [each.interface.name for each in self._devices.values() if index and each.interface.parent == index]

    def _index(self, name: str) -> int:
        """Return the index of an interface, or 0, which none has."""
        return next((index for index, device in self._devices.items() if device.interface.name == name), 0)

    def _device(self, name: str) -> Device:
        return self._devices[self._index(name)]

    def _apply(self, change: Change) -> KernelProblem | None:
        item, adding = change.item, change.verb is Verb.ADD
        try:
            if isinstance(item, PlacedAddress):
                (self._put if adding else self._take)(change.index, item)
            elif isinstance(item, Barrier):
                (self.barriers.add if adding else self.barriers.discard)(item.address)
            elif not adding:
                self._routing.remove(item)
            elif isinstance(item, Route):
                self._routing.add_route(item, self._devices.values())
            else:
                self._routing.add_rule(item)
        except Refused as refused:
            return refusal(change, refused.number)
        return None

    def _put(self, index: int, placed: PlacedAddress) -> None:
        device, address = self._devices.get(index), shown(placed)
        if device is None:
            raise Refused(errno.ENODEV)
        if number := device.refusal(address):
            raise Refused(number)
        with self._noted(device):
            device.put(address)

    def _take(self, index: int, placed: PlacedAddress) -> None:
        device, address = self._devices.get(index), shown(placed)
        if device and address in device.addresses:
            with self._noted(device):
                device.take(address, promote=self._promote)

    @contextmanager
    def _noted(self, device: Device) -> Iterator[Device]:
        """Tell what the block has made of a device, and drop the routes that lost their footing by it."""
        before = device.now()
        yield device
        if device.now() != before:
            self._changes.append(device.now())
            self._lose(device, [address for address in before.addresses if address not in device.addresses])

    def _lose(self, device: Device, lost: list[VirtualAddress]) -> None:
        """Take note that addresses are gone."""
        here = {address.address for each in self._devices.values() for address in each.addresses}
        for address in lost:
            if address.address not in here:
                self._routing.drop_source(address.address)
        if Family.IPV4 in {each.family for each in lost} - {each.family for each in device.addresses}:
            self._routing.close_ways(device.interface.name, Family.IPV4)  # fib_frontend.c, fib_disable_ip
