"""Addresses on interfaces in memory, refused where the kernel refuses. Pure.

The rules are those of net/ipv4/devinet.c and net/ipv6/addrconf.c; one list of cases, `address_cases.py` of
`tests/namespaces`, runs here and on the real kernel.
"""

import errno
import ipaddress
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from stayalived.addresses import Family, VirtualAddress
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Gone, Interface


@dataclass(slots=True)
class _Device:
    """An interface, its switches, and whether each of its addresses is a secondary one (IPv4 alone has them)."""

    interface: Interface
    addresses: dict[VirtualAddress, bool]
    administratively_up: bool
    carrier: bool
    ipv6: bool = True

    def now(self) -> Interface:
        return replace(self.interface, up=self.administratively_up and self.carrier, addresses=tuple(self.addresses))


class MemoryAddresses:
    """Interfaces and their addresses; `kernel.api.AddressKernel`, and the changes that a monitor would tell.

    Args:
        interfaces: what there is at the start, with the addresses that are already there.
        promote_secondaries: the sysctl of that name; systemd switches it on, the kernel's default is off.
    """

    def __init__(self, interfaces: Iterable[Interface] = (), *, promote_secondaries: bool = False) -> None:
        """Plug in the interfaces; none of this is told as a change."""
        self._promote = promote_secondaries
        self._devices: dict[int, _Device] = {}
        self._changes: deque[Interface | Gone] = deque()
        for interface in interfaces:
            self.plug(interface)
        self._changes.clear()

    def add_addresses(self, interface: int, addresses: Sequence[VirtualAddress]) -> dict[VirtualAddress, KernelProblem]:
        """Add addresses; see `kernel.api.AddressKernel`."""
        refused: dict[VirtualAddress, KernelProblem] = {}
        device = self._devices.get(interface)
        before = device.now() if device else None
        for address in addresses:
            number = _refusal(device, address) if device else errno.ENODEV
            if number:
                refused[address] = KernelProblem(f"ip address add {address} dev #{interface}", number)
            elif device:
                _put(device, address)
        self._note(device, before)
        return refused

    def remove_addresses(
        self, interface: int, addresses: Sequence[VirtualAddress]
    ) -> dict[VirtualAddress, KernelProblem]:
        """Remove addresses; see `kernel.api.AddressKernel`. Nothing is ever refused."""
        device = self._devices.get(interface)
        before = device.now() if device else None
        for address in addresses:
            if device and address in device.addresses:
                self._take(device, address)
        self._note(device, before)
        return {}

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name."""
        return {device.interface.name: device.now() for device in self._devices.values()}

    def next_change(self) -> Interface | Gone | None:
        """Return the oldest change that was not told yet, as `kernel.monitor.Monitor` does."""
        return self._changes.popleft() if self._changes else None

    def plug(self, interface: Interface) -> None:
        """Let an interface appear, or replace the one of this index; `up` says whether its link is up."""
        device = _Device(interface, {}, administratively_up=True, carrier=interface.up)
        for address in interface.addresses:
            _put(device, address)
        self._devices[interface.index] = device
        self._changes.append(device.now())

    def unplug(self, name: str) -> None:
        """Let an interface disappear with its addresses; harmless when there is none of this name."""
        for index, device in list(self._devices.items()):
            if device.interface.name == name:
                del self._devices[index]
                self._changes.append(Gone(name=name))

    def set_carrier(self, name: str, *, up: bool) -> None:
        """Pull the cable out, or put it back. All addresses stay."""
        device = self._device(name)
        before = device.now()
        device.carrier = up
        self._note(device, before)

    def set_link(self, name: str, *, up: bool) -> None:
        """Set an interface up or down. When it goes down IPv6 addresses are lost (addrconf.c, addrconf_ifdown)."""
        device = self._device(name)
        before = device.now()
        device.administratively_up = up
        if not up:
            _flush_ipv6(device)
        self._note(device, before)

    def set_ipv6(self, name: str, *, enabled: bool) -> None:
        """Write the sysctl `disable_ipv6` of an interface; switching it off flushes the addresses."""
        device = self._device(name)
        before = device.now()
        device.ipv6 = enabled
        if not enabled:
            _flush_ipv6(device)
        self._note(device, before)

    def _device(self, name: str) -> _Device:
        return next(device for device in self._devices.values() if device.interface.name == name)

    def _note(self, device: _Device | None, before: Interface | None) -> None:
        if device is not None and device.now() != before:
            self._changes.append(device.now())

    def _take(self, device: _Device, address: VirtualAddress) -> None:
        """Remove one address; the secondaries of an IPv4 one go with it, or the first of them takes its place."""
        secondary = device.addresses.pop(address)
        if secondary or address.family is Family.IPV6:
            return
        followers = [other for other, late in device.addresses.items() if late and _subnet(other) == _subnet(address)]
        if self._promote:
            for follower in followers[:1]:
                device.addresses[follower] = False
        else:
            for follower in followers:
                del device.addresses[follower]


def _refusal(device: _Device, address: VirtualAddress) -> int:
    """Return the error number that the kernel answers with, or 0."""
    if address.family is Family.IPV4:
        return 0
    if not device.ipv6:
        return errno.EACCES
    parsed = ipaddress.IPv6Address(address.address)
    if parsed.is_unspecified or parsed.is_loopback or parsed.is_multicast:
        return errno.EADDRNOTAVAIL  # addrconf.c, ipv6_add_addr
    return 0


def _put(device: _Device, address: VirtualAddress) -> None:
    """Add one address that the kernel takes; there already is fine."""
    if address in device.addresses or int.from_bytes(address.packed) == 0:
        return  # devinet.c, __inet_insert_ifa: 0.0.0.0 is accepted and forgotten
    if address.family is Family.IPV6:
        # An interface has an IPv6 address once, whatever the prefix.
        if all(other.address != address.address for other in device.addresses):
            device.addresses[address] = False
        return
    device.addresses[address] = any(
        other.family is Family.IPV4 and not late and _subnet(other) == _subnet(address)
        for other, late in device.addresses.items()
    )


def _flush_ipv6(device: _Device) -> None:
    for address in [address for address in device.addresses if address.family is Family.IPV6]:
        del device.addresses[address]


def _subnet(address: VirtualAddress) -> str:
    return str(ipaddress.ip_network(str(address), strict=False))
