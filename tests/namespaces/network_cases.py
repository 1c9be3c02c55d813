"""What a kernel does with routes, rules, drops and macvlans: a list that runs on the real one and on that in memory.

Each case begins with an interface `eth0` that is up and has the addresses `given`, and with nothing of ours. `steps`
are done one after the other. What is there in the end is compared: addresses by interface, link-local ones aside, and
the keys of routes, rules and drops. What it does with addresses alone is in `address_cases`.
"""

import errno

from namespaces.address_cases import ADDRESSES
from namespaces.network_steps import GIVEN, Case, add, address, barrier, make, remove, route, rule, switch, unmake
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import NextHop, VirtualMac

OTHER = 1000
MAC_4, MAC_6 = bytes.fromhex("00005e000133"), bytes.fromhex("00005e000233")

VMAC_4 = VirtualMac(name="vrrp.51", parent="eth0", mac=MAC_4, ipv6=False)
VMAC_6 = VirtualMac(name="vrrp6.51", parent="eth0", mac=MAC_6, ipv6=True)

GATEWAY_4 = route("198.51.100.0/24", "192.0.2.254", "eth0")
GATEWAY_6 = route("2001:db8:1::/64", "2001:db8::254")
DIRECT = route("198.51.101.0/24", interface="eth0")
DEFAULT_6 = route("::/0", "fe80::1", "eth0", metric=5)
MULTIPATH = route("198.51.102.0/24", next_hops=(NextHop(gateway="192.0.2.200", weight=3), NextHop(interface="eth0")))
FROM_VIP = route("198.51.103.0/24", "192.0.2.254", source="192.0.2.9")

ROUTES = (
    Case(
        name="routes of both families are added, in any table, and are there once",
        steps=(add(GATEWAY_4, GATEWAY_6, DIRECT, DEFAULT_6, MULTIPATH), add(GATEWAY_4, GATEWAY_6, DIRECT, DEFAULT_6)),
        routes=(GATEWAY_4, GATEWAY_6, DIRECT, DEFAULT_6, MULTIPATH),
    ),
    Case(
        name="routes with another metric, or in another table, are other routes",
        steps=(
            add(GATEWAY_4, route("198.51.100.0/24", "192.0.2.254", metric=7)),
            add(route("198.51.100.0/24", "192.0.2.254", table=OTHER), route("2001:db8:1::/64", "2001:db8::254")),
        ),
        routes=(
            GATEWAY_4,
            route("198.51.100.0/24", metric=7),
            route("198.51.100.0/24", table=OTHER),
            GATEWAY_6,
        ),
    ),
    Case(
        name="what was added can be removed, twice",
        steps=(
            add(GATEWAY_4, GATEWAY_6, DEFAULT_6, MULTIPATH),
            remove(GATEWAY_4, GATEWAY_6, MULTIPATH),
            remove(GATEWAY_4, GATEWAY_6, MULTIPATH, route("198.51.100.0/24", interface="eth7")),
        ),
        routes=(DEFAULT_6,),
    ),
    Case(
        name="routes that lead nowhere need no way",
        steps=(
            add(*(route(f"198.51.100.{kind * 16}/28", kind=kind) for kind in (6, 7, 8, 9))),
            add(*(route(f"2001:db8:{kind}::/64", kind=kind) for kind in (6, 7, 8, 9))),
            remove(route("198.51.100.96/28", kind=6), route("2001:db8:6::/64", kind=6)),
        ),
        routes=(
            *(route(f"198.51.100.{kind * 16}/28", kind=kind) for kind in (7, 8, 9)),
            *(route(f"2001:db8:{kind}::/64", kind=kind) for kind in (7, 8, 9)),
        ),
    ),
    Case(
        name="a gateway that no interface reaches is refused, the others of the request are added",
        steps=(
            add(
                route("10.0.0.0/8", "203.0.113.1"),
                route("2001:db8:9::/64", "2001:db8:ffff::1"),
                GATEWAY_4,
                refused=(errno.ENETUNREACH, errno.EHOSTUNREACH, 0),
            ),
        ),
        routes=(GATEWAY_4,),
    ),
    Case(
        name="a gateway that is on the link by order needs nobody to reach it",
        steps=(add(route("10.0.0.0/8", "203.0.113.1", "eth0", onlink=True)),),
        routes=(route("10.0.0.0/8"),),
    ),
    Case(
        name="a direct route makes a gateway reachable",
        steps=(add(DIRECT, route("10.0.0.0/8", "198.51.101.7")),),
        routes=(DIRECT, route("10.0.0.0/8")),
    ),
    Case(
        name="an address makes a gateway reachable",
        steps=(add(address("203.0.113.7/24"), route("10.0.0.0/8", "203.0.113.1")),),
        routes=(route("10.0.0.0/8"),),
        held={"eth0": {*GIVEN, "203.0.113.7/24"}},
    ),
    Case(
        name="an own address is no gateway of IPv6, and one of IPv4",
        steps=(
            add(route("2001:db8:9::/64", "2001:db8::1"), refused=errno.EINVAL),
            add(route("10.0.0.0/8", "192.0.2.1")),
        ),
        routes=(route("10.0.0.0/8"),),
    ),
    Case(
        name="a preferred source that is not here is refused",
        steps=(
            add(FROM_VIP, route("2001:db8:9::/64", "2001:db8::254", source="2001:db8::9"), refused=errno.EINVAL),
            add(address("192.0.2.9/32"), address("2001:db8::9/128")),
            add(FROM_VIP, route("2001:db8:9::/64", "2001:db8::254", source="2001:db8::9")),
        ),
        routes=(FROM_VIP, route("2001:db8:9::/64")),
        held={"eth0": {*GIVEN, "192.0.2.9/32", "2001:db8::9/128"}},
    ),
    Case(
        name="with its preferred source an IPv4 route goes",
        steps=(add(address("192.0.2.9/32"), FROM_VIP, GATEWAY_4), remove(address("192.0.2.9/32"))),
        routes=(GATEWAY_4,),
    ),
    Case(
        name="with its last IPv4 address an interface loses its IPv4 routes",
        steps=(add(DIRECT, DEFAULT_6), switch("delete address", "192.0.2.1/24")),
        routes=(DEFAULT_6,),
        held={"eth0": {"2001:db8::1/64"}},
    ),
    Case(
        name="an interface that is not there has no routes",
        steps=(
            add(
                route("10.0.0.0/8", interface="eth7"), route("2001:db8:9::/64", interface="eth7"), refused=errno.ENODEV
            ),
            add(route("10.0.0.0/8"), route("10.0.0.0/8", "192.0.2.254", "eth7"), refused=errno.ENODEV),
        ),
    ),
    Case(
        name="a destination with bits of a host is refused",
        steps=(
            add(route("10.0.0.1/8", "192.0.2.254"), refused=errno.EINVAL),
            remove(route("10.0.0.1/8", "192.0.2.254")),
        ),
    ),
    Case(
        name="an interface that is down takes no routes",
        steps=(
            switch("down"),
            add(DIRECT, route("2001:db8:9::/64", interface="eth0"), refused=errno.ENETDOWN),
            add(route("10.0.0.0/8", "203.0.113.1", "eth0", onlink=True), refused=errno.ENETDOWN),
            add(GATEWAY_4, refused=errno.ENETUNREACH),
        ),
        held={"eth0": {"192.0.2.1/24"}},
    ),
    Case(
        name="an interface that goes down takes its routes with it, for good",
        steps=(add(GATEWAY_4, GATEWAY_6, DIRECT, MULTIPATH), switch("down"), switch("up")),
        held={"eth0": {"192.0.2.1/24"}},
    ),
)

RULES = (
    Case(
        name="rules of both families are added and are there once",
        steps=(
            add(rule(100, table=OTHER), rule(100, Family.IPV6, mark=7, mark_mask=0xFF), rule(101, action=8)),
            add(rule(100, table=OTHER), rule(101, action=8)),
        ),
        rules=(rule(100), rule(100, Family.IPV6), rule(101)),
    ),
    Case(
        name="a rule goes with its preference, family and selectors, and may be gone already",
        steps=(
            add(rule(100, table=OTHER), rule(101, source=VirtualAddress.parse("10.0.0.0/8"))),
            remove(rule(100, Family.IPV6, table=OTHER), rule(101, source=VirtualAddress.parse("11.0.0.0/8"))),
            remove(rule(100, table=OTHER), rule(100, table=OTHER)),
        ),
        rules=(rule(101),),
    ),
    Case(
        name="a jump goes forwards only",
        steps=(
            add(rule(100, action=2, goto=200)),
            add(rule(101, action=2, goto=50), rule(102, action=2, goto=102), refused=errno.EINVAL),
            remove(rule(101, action=2, goto=50)),
        ),
        rules=(rule(100),),
    ),
    Case(
        name="the two bits of congestion are no part of the type of service",
        steps=(add(rule(100, tos=0x10)), add(rule(101, tos=0x11), refused=errno.EINVAL)),
        rules=(rule(100),),
    ),
)

BARRIERS = (
    Case(
        name="barriers are put up once and taken down, twice",
        steps=(
            add(barrier("192.0.2.9"), barrier("2001:db8::9"), barrier("192.0.2.10")),
            add(barrier("192.0.2.9")),
            remove(barrier("192.0.2.10"), barrier("192.0.2.10"), barrier("2001:db8::77")),
        ),
        barriers={"192.0.2.9", "2001:db8::9"},
    ),
    Case(
        name="where nothing was put up there is nothing to be taken down",
        steps=(remove(barrier("192.0.2.9"), barrier("2001:db8::9")),),
    ),
    Case(
        name="all kinds of things go in one request, in order",
        steps=(
            add(barrier("192.0.2.9"), address("192.0.2.9/32"), FROM_VIP, rule(100, table=OTHER)),
            remove(rule(100, table=OTHER), FROM_VIP, address("192.0.2.9/32"), barrier("192.0.2.9")),
            add(FROM_VIP, refused=errno.EINVAL),
        ),
    ),
)

VIRTUAL_MACS = (
    Case(
        name="a virtual MAC carries addresses of the families that it was made for",
        steps=(
            make(VMAC_4),
            make(VMAC_6),
            add(address("192.0.2.9/32", "vrrp.51"), address("2001:db8::9/128", "vrrp6.51")),
            add(address("192.0.2.10/32", "vrrp6.51")),
            add(address("2001:db8::10/128", "vrrp.51"), refused=errno.EACCES),
        ),
        held={"vrrp.51": {"192.0.2.9/32"}, "vrrp6.51": {"192.0.2.10/32", "2001:db8::9/128"}},
    ),
    Case(
        name="a virtual MAC without addresses has none in the end, and takes them again",
        steps=(
            make(VMAC_6),
            add(address("2001:db8::9/128", "vrrp6.51"), address("2001:db8::a/128", "vrrp6.51")),
            remove(address("2001:db8::9/128", "vrrp6.51"), address("2001:db8::a/128", "vrrp6.51")),
            remove(address("2001:db8::9/128", "vrrp6.51")),
            add(address("2001:db8::b/128", "vrrp6.51")),
        ),
        held={"vrrp6.51": {"2001:db8::b/128"}},
    ),
    Case(
        name="one that is there already keeps its addresses",
        steps=(make(VMAC_6), add(address("2001:db8::9/128", "vrrp6.51")), make(VMAC_6)),
        held={"vrrp6.51": {"2001:db8::9/128"}},
    ),
    Case(
        name="without its parent there is no virtual MAC",
        steps=(make(VirtualMac(name="vrrp.51", parent="eth7", mac=MAC_4, ipv6=False), refused=errno.ENODEV),),
    ),
    Case(
        name="what has the name and is something else stays",
        steps=(
            make(VMAC_4),
            make(VirtualMac(name="vrrp.51", parent="eth0", mac=MAC_6, ipv6=False), refused=errno.EEXIST),
            make(VirtualMac(name="eth0", parent="eth0", mac=MAC_6, ipv6=False), refused=errno.EEXIST),
            unmake("eth0", refused=errno.EEXIST),
        ),
        held={"vrrp.51": set(), "eth0": set(GIVEN)},
    ),
    Case(
        name="a virtual MAC goes with its addresses and routes, and may be gone already",
        steps=(
            make(VMAC_4),
            add(address("192.0.2.9/32", "vrrp.51"), route("10.0.0.0/8", interface="vrrp.51"), GATEWAY_4),
            unmake("vrrp.51"),
            unmake("vrrp.51"),
            add(address("192.0.2.10/32", "eth0")),
        ),
        routes=(GATEWAY_4,),
        held={"eth0": {*GIVEN, "192.0.2.10/32"}},
    ),
)

CASES = ADDRESSES + ROUTES + RULES + BARRIERS + VIRTUAL_MACS
