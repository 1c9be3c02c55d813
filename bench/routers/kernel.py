"""The addresses of a host, each with the moment at which it was made, in one look when all is over. I/O.

The kernel keeps that moment itself (`cstamp` of `struct ifa_cacheinfo`, hundredths of a second of the jiffies' clock),
so nobody has to watch while thousands of addresses come: a watcher would cost the takeover that it measures. To know
what that clock says now, an address is made on the loopback and looked at.
"""

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from namespaces.lab import Namespace, ip

_GET_ADDRESS, _NEW_ADDRESS, _DONE = 22, 20, 3
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_CACHE_INFO = struct.Struct("=IIII")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHEINFO = 1, 2, 6
_CENTISECOND = 10_000_000
_SCRAP = "127.42.42.42/32"
_LONG_PREFIXES = frozenset({32, 128})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An address that a host has. `made` is in hundredths of a second of the kernel's own clock."""

    address: str
    prefix: int
    made: int


def virtual_addresses(host: Namespace) -> list[Held]:
    """Return the virtual addresses of a host: those with the longest prefix, which no other has in these labs."""
    return [held for held in _addresses(host) if held.prefix in _LONG_PREFIXES and held.address != "::1"]


def moments(host: Namespace) -> dict[str, int]:
    """Return when each virtual address of a host was made, in ns of the wall clock, exact to about 10 ms."""
    held = virtual_addresses(host)
    ip("-n", host.namespace, "address", "add", _SCRAP, "dev", "lo")
    now = time.time_ns()
    scrap = next(one.made for one in _addresses(host) if one.address == _SCRAP.partition("/")[0])
    ip("-n", host.namespace, "address", "del", _SCRAP, "dev", "lo")
    return {one.address: now - (scrap - one.made) * _CENTISECOND for one in held}


def _addresses(host: Namespace) -> Iterator[Held]:
    with host.inside():
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    with sock:
        sock.send(_HEADER.pack(_HEADER.size + _ADDRESS.size, _GET_ADDRESS, _DUMP, 1, 0) + _ADDRESS.pack(0, 0, 0, 0, 0))
        while True:
            data = sock.recv(1 << 20)
            while data:
                length, kind, *_ = _HEADER.unpack_from(data)
                if kind == _DONE:
                    return
                if kind == _NEW_ADDRESS:
                    yield _held(data[_HEADER.size : length])
                data = data[(length + 3) & ~3 :]


def _held(body: bytes) -> Held:
    family, prefix, *_ = _ADDRESS.unpack_from(body)
    attributes = {}
    body = body[_ADDRESS.size :]
    while len(body) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(body)
        attributes[kind] = body[_ATTRIBUTE.size : length]
        body = body[(length + 3) & ~3 :]
    packed = attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS]
    made = _CACHE_INFO.unpack(attributes[_IFA_CACHEINFO])[2]
    return Held(address=socket.inet_ntop(socket.AddressFamily(family), packed), prefix=prefix, made=made)
