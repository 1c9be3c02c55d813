"""What two routers must say alike: frames without what each has of its own."""

from dataclasses import dataclass

from namespaces.capture import ETH_P_ARP, ETH_P_IP, Packet
from namespaces.kinds import Kind

DONT_FRAGMENT = 0x40
"""FRR sets it, keepalived does not (RFC 791 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Places in a frame: what the IP header has of its sender's own, and what depends on who it is sent to."""

    own: tuple[tuple[int, int], ...]
    other_end: tuple[tuple[int, int], ...]


IPV4 = Head(own=((18, 20), (24, 26), (26, 30)), other_end=((30, 34),))  # identification, checksum, source
IPV6 = Head(own=((16, 18), (22, 38)), other_end=((21, 22), (38, 54)))  # flow label, source; hop limit


def advert_alike(packet: Packet, kind: Kind) -> bytes:
    """Return an advert's whole frame without what is its sender's own choice.

    That is: hardware and IP address of the sender, identification and flow label of the packet, checksums, and which
    priority it is, as long as it is not 0. From a virtual MAC, `vmac`, the hardware address is the virtual router's,
    not the sender's. By `unicast` the other end is the sender's as well, and so is the hop limit of IPv6, which
    keepalived leaves to the kernel. Whether it may be cut into fragments is as with keepalived, not as with FRR.
    """
    frame = bytearray(packet.data)
    head = IPV4 if packet.ethertype == ETH_P_IP else IPV6
    body = 14 + (frame[14] & 15) * 4 if packet.ethertype == ETH_P_IP else 54
    own = [*head.own, (body + 6, body + 8)]
    if kind.way != "vmac":
        own.append((6, 12))
    if kind.way == "unicast":
        own += [(0, 6), *head.other_end]
    for first, end in own:
        frame[first:end] = bytes(end - first)
    if packet.ethertype != ETH_P_IP:
        frame[15] &= 0xF0  # the other half of this byte is flow label
    elif kind.peer == "frr":
        frame[20] &= ~DONT_FRAGMENT
    frame[body + 2] = min(frame[body + 2], 1)
    return bytes(frame)


def announcement_alike(packet: Packet, kind: Kind) -> bytes:
    """Return the frame of a gratuitous ARP or unsolicited neighbour advertisement without its sender's own address.

    From a virtual MAC, `vmac`, there is no such address in it, and nothing is left out.
    """
    frame = bytearray(packet.data)
    if kind.way == "vmac":
        return bytes(frame)
    frame[6:12] = bytes(6)
    if packet.ethertype == ETH_P_ARP:
        frame[22:28] = bytes(6)
    else:
        frame[56:58] = bytes(2)  # checksum
        frame[80:86] = bytes(6)  # target link-layer address (RFC 4861 4.6.1)
    return bytes(frame)
