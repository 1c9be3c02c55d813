"""Checksums and fields as an independent implementation computes and reads them."""

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.vrrp import IPPROTO_VRRP, VRRP, VRRPv3

from stayalived.addresses import Family, packed
from stayalived.timing import Duration, seconds
from stayalived.vrrp.packet import Advert, decode, encode

ENDS = {Family.IPV4: ("192.0.2.2", "224.0.0.18"), Family.IPV6: ("fe80::2", "ff02::12")}
ADDRESSES = {
    Family.IPV4: ["192.0.2.100", "203.0.113.255", "255.255.255.255"],
    Family.IPV6: ["fe80::5e:1", "2001:db8::100", "ffff::ffff"],
}
CASES = [
    (version, family, count, priority, interval)
    for version, family in ((2, Family.IPV4), (3, Family.IPV4), (3, Family.IPV6))
    for count in (0, 1, 3)
    for priority in (0, 1, 100, 255)
    for interval in (1, 40)
]


def as_scapy(version: int, family: Family, count: int, priority: int, interval: int) -> bytes:
    source, destination = ENDS[family]
    addresses = ADDRESSES[family][:count]
    if version == 2:
        message = VRRP(vrid=9, priority=priority, adv=interval, addrlist=addresses)
    else:
        message = VRRPv3(vrid=9, priority=priority, adv=interval * 100, addrlist=addresses, ipcount=count, version=3)
    if family is Family.IPV4:
        return bytes(IP(bytes(IP(src=source, dst=destination, ttl=255, proto=IPPROTO_VRRP) / message)).payload)
    return bytes(IPv6(src=source, dst=destination, hlim=255, nh=IPPROTO_VRRP) / message)[40:]


def ours(version: int, family: Family, count: int, priority: int, interval: int) -> Advert:
    return Advert(
        version=version,
        virtual_router_id=9,
        priority=priority,
        interval=Duration(seconds(interval)),
        addresses=tuple(packed(address) for address in ADDRESSES[family][:count]),
    )


@pytest.mark.parametrize(("version", "family", "count", "priority", "interval"), CASES)
def test_we_write_what_scapy_writes(version: int, family: Family, count: int, priority: int, interval: int) -> None:
    source, destination = ENDS[family]
    case = (version, family, count, priority, interval)

    assert encode(ours(*case), family=family, source=source, destination=destination) == as_scapy(*case)


@pytest.mark.parametrize(("version", "family", "count", "priority", "interval"), CASES)
def test_we_read_what_scapy_writes(version: int, family: Family, count: int, priority: int, interval: int) -> None:
    source, destination = ENDS[family]
    case = (version, family, count, priority, interval)

    assert decode(as_scapy(*case), family=family, source=source, destination=destination) == ours(*case)
