"""What a stranger may put on the link, as a raw socket hands it over: whole packets of IPv4, messages of IPv6.

Pure, and without the project's encoder: `test_vrrp_packet` and `atheris_vrrp` share it.
"""

import random
import struct
from dataclasses import dataclass

from conformance.steps import Packet
from conformance.sums import adds_up, pseudo_header, sealed
from stayalived.addresses import Family
from stayalived.timing import Duration
from stayalived.vrrp import datagrams
from stayalived.vrrp.datagrams import IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, NOTHING, Ancillary
from stayalived.vrrp.packet import Advert, BadAdvert, Kind, decode

IPV4_ENDS, IPV6_ENDS = ("192.0.2.2", "224.0.0.18"), ("fe80::2", "ff02::12")
GROUP_OF_IPV6 = bytes.fromhex("ff020000000000000000000000000012")
OUTCOMES = {"accepted", "nothing", *(kind.value for kind in Kind)}

_TIME = (1, 35, struct.pack("@ll", 5, 7))
_NASTY = (0, 1, 0x21, 0x31, 0x7F, 0x80, 0xFE, 0xFF)


@dataclass(frozen=True, slots=True)
class Received:
    """What `recvmsg` gives: bytes, the sender's address for IPv6, and ancillary data."""

    family: Family
    data: bytes
    source: str = ""
    ancillary: Ancillary = ()


def outcome(
    received: Received, version: int | None = None, interval: Duration | None = None, password: bytes = b""
) -> str:
    """Take a packet apart and decode it, as the process does.

    Returns:
        `accepted`, `nothing` when even the IP header is none, or the kind that is wrong.
    """
    datagrams.read_arrival(received.ancillary)
    if received.family is Family.IPV4:
        header, message = datagrams.split_ipv4(received.data)
    else:
        told = datagrams.message6(received.source, received.data, received.ancillary)
        header, message = datagrams.split_message6(told)
        datagrams.read_ipv6(received.source, received.ancillary)
    if header == NOTHING:
        return "nothing"
    try:
        advert = decode(
            message,
            family=received.family,
            source=header.source,
            destination=header.destination,
            ttl=header.ttl,
            version=version,
            interval=interval,
            authentication=password,
        )
    except BadAdvert as error:
        return error.kind.value
    check_accepted(advert, message, header, received.family)
    return "accepted"


def check_accepted(advert: Advert, message: bytes, header: datagrams.Header, family: Family) -> None:
    """An advert that is accepted has nothing wrong about it, whoever looks at its bytes."""
    width = 4 if family is Family.IPV4 else 16
    size = 8 + message[3] * width + (8 if message[0] >> 4 == 2 else 0)
    counted = len(message) if family is Family.IPV6 else size  # over IPv6 the kernel counts a trailer, too
    whole = Packet(message[:counted].hex(), header.source, header.destination)
    sums = [pseudo_header(whole, counted) + whole.data, *([whole.data] if family is Family.IPV4 else ())]
    assert message[0] in ((0x21, 0x31) if family is Family.IPV4 else (0x31,))
    assert header.ttl == 255
    assert len(message) >= size
    assert any(map(adds_up, sums if message[0] == 0x31 else sums[1:]))
    assert (advert.version, advert.virtual_router_id, advert.priority) == (message[0] >> 4, message[1], message[2])
    assert b"".join(advert.addresses) == message[8 : 8 + message[3] * width]
    assert advert.interval > 0


def good() -> list[Received]:
    """Return good packets of each form, with no, some and very many addresses, with and without options."""
    packets = []
    for count in (0, 1, 5, 255):
        for head in (0x21, 0x31):
            message = sealed(Packet((_head(head, count) + bytes((192, 0, 2, 100)) * count).hex(), *IPV4_ENDS))
            data = message.data if head == 0x31 else sealed(Packet((message.data + bytes(8)).hex(), *IPV4_ENDS)).data
            packets += [Received(Family.IPV4, _in_ipv4(data, options)) for options in (b"", b"\x94\x04\0\0")]
        six = sealed(Packet((_head(0x31, count) + bytes(range(16)) * count).hex(), *IPV6_ENDS))
        packets.append(Received(Family.IPV6, six.data, "fe80::2%eth0", _ancillary(255)))
    return packets


def _head(version_and_type: int, count: int) -> bytes:
    timing = b"\0\1" if version_and_type == 0x21 else b"\0\x64"
    return bytes((version_and_type, 51, 100, count)) + timing + b"\0\0"


def _in_ipv4(message: bytes, options: bytes) -> bytes:
    words = 5 + len(options) // 4
    length = words * 4 + len(message)
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0xC0, length & 0xFFFF, 0, 0, 255, 112, 0)
    return head + bytes((192, 0, 2, 2, 224, 0, 0, 18)) + options + message


def _ancillary(hop_limit: int) -> Ancillary:
    return (
        _TIME,
        (IPPROTO_IPV6, IPV6_PKTINFO, GROUP_OF_IPV6 + bytes(4)),
        (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", hop_limit)),
    )


class Mutator:
    """Changes one to three things about good packets: bytes, bits, length, the IP header, ancillary data."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._good = good()

    def next(self) -> Received:
        """Return the next packet."""
        rng = self._random
        packet = self._good[int(rng.random() * len(self._good))]
        data = bytearray(packet.data)
        start = (data[0] & 0x0F) * 4 if packet.family is Family.IPV4 else 0
        for _ in range(int(rng.random() * 4)):
            self._change(data, start)
        if packet.family is Family.IPV4:
            return Received(Family.IPV4, bytes(data))
        ancillary = packet.ancillary if rng.random() < 0.8 else self._other_ancillary()
        return Received(Family.IPV6, bytes(data), packet.source, ancillary)

    def _change(self, data: bytearray, start: int) -> None:
        """Change one thing; `start`: of the message behind its IP header."""
        rng = self._random
        what = rng.random()
        if what < 0.35 and len(data) > start:
            data[start + int(rng.random() * min(len(data) - start, 12))] = rng.choice(_NASTY)
        elif what < 0.5 and start and len(data) >= start:
            data[int(rng.random() * start)] = rng.choice(_NASTY)
        elif what < 0.7 and data:
            data[int(rng.random() * len(data))] ^= 1 << int(rng.random() * 8)
        elif what < 0.85:
            del data[int(rng.random() * (len(data) + 1)) :]
        else:
            data += rng.randbytes(1 + int(rng.random() * 30))

    def _other_ancillary(self) -> Ancillary:
        """Ancillary data with parts missing, cut, twice, or of another meaning."""
        rng = self._random
        parts = [part for part in _ancillary(rng.randrange(-2, 300)) if rng.random() < 0.7]
        cut = [(level, kind, value[: rng.randrange(len(value) + 1)]) for level, kind, value in parts]
        strange = [(rng.randrange(60), rng.randrange(60), rng.randbytes(rng.randrange(40))) for _ in range(2)]
        everything = [*parts, *cut, *strange]
        rng.shuffle(everything)
        return tuple(everything)
