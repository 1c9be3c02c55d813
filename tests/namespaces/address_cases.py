"""What a kernel does with addresses: one of the lists that run on the real one and on that in memory."""

import errno

from namespaces.network_steps import Case, add, address, remove, switch

MANY = tuple(f"10.0.{number // 200}.{number % 200 + 1}/32" for number in range(250))

ADDRESSES = (
    Case(
        name="both families are added with their prefixes",
        given=("192.0.2.1/24",),
        steps=(add("192.0.2.9/32", "198.51.100.1/28", "2001:db8::9/128", "2001:db8:1::1/64"),),
        held={"eth0": {"192.0.2.1/24", "192.0.2.9/32", "198.51.100.1/28", "2001:db8::9/128", "2001:db8:1::1/64"}},
    ),
    Case(
        name="to add what is there is a success",
        given=(),
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), add("192.0.2.9/32", "2001:db8::9/128")),
        held={"eth0": {"192.0.2.9/32", "2001:db8::9/128"}},
    ),
    Case(
        name="an IPv4 address with another prefix is another address",
        given=("192.0.2.9/24",),
        steps=(add("192.0.2.9/32"),),
        held={"eth0": {"192.0.2.9/24", "192.0.2.9/32"}},
    ),
    Case(
        name="an IPv6 address is there once and keeps the prefix that it has",
        given=("2001:db8::9/64",),
        steps=(add("2001:db8::9/128"),),
        held={"eth0": {"2001:db8::9/64"}},
    ),
    Case(
        name="what was added can be removed, the rest stays",
        given=("192.0.2.1/24", "2001:db8::1/64"),
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), remove("192.0.2.9/32", "2001:db8::9/128")),
        held={"eth0": {"192.0.2.1/24", "2001:db8::1/64"}},
    ),
    Case(
        name="to remove what is not there is a success",
        given=("192.0.2.1/24",),
        steps=(remove("192.0.2.9/32", "2001:db8::9/128", "ff02::1/128"),),
        held={"eth0": {"192.0.2.1/24"}},
    ),
    Case(
        name="an address with another prefix is not removed",
        given=("192.0.2.9/24", "2001:db8::9/64"),
        steps=(remove("192.0.2.9/32", "2001:db8::9/128"),),
        held={"eth0": {"192.0.2.9/24", "2001:db8::9/64"}},
    ),
    Case(
        name="IPv6 addresses that no host can have are refused, the others of the request are added",
        given=(),
        steps=(
            add(
                "::/128",
                "2001:db8::8/128",
                "::1/128",
                "ff02::5/128",
                "2001:db8::9/128",
                refused=(errno.EADDRNOTAVAIL, 0, errno.EADDRNOTAVAIL, errno.EADDRNOTAVAIL, 0),
            ),
        ),
        held={"eth0": {"2001:db8::8/128", "2001:db8::9/128"}},
    ),
    Case(
        name="IPv4 takes almost anything and forgets 0.0.0.0",
        given=(),
        steps=(add("0.0.0.0/32", "224.0.0.5/32", "240.0.0.1/32"),),
        held={"eth0": {"224.0.0.5/32", "240.0.0.1/32"}},
    ),
    Case(
        name="on an interface that is not there nothing can be added, and there is nothing to remove",
        given=(),
        steps=(
            add(address("192.0.2.9/32", "eth7"), address("2001:db8::9/128", "eth7"), refused=errno.ENODEV),
            remove(address("192.0.2.9/32", "eth7"), address("2001:db8::9/128", "eth7")),
        ),
        held={"eth0": set()},
    ),
    Case(
        name="the first IPv4 address of a subnet takes the others of that subnet with it",
        given=(),
        steps=(
            add("192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/25", "198.51.100.1/24"),
            remove("192.0.2.1/24", "192.0.2.2/24"),
        ),
        held={"eth0": {"192.0.2.3/25", "198.51.100.1/24"}},
    ),
    Case(
        name="a later IPv4 address of a subnet goes alone",
        given=(),
        steps=(add("192.0.2.1/24", "192.0.2.2/24"), remove("192.0.2.2/24")),
        held={"eth0": {"192.0.2.1/24"}},
    ),
    Case(
        name="an interface that is set down loses its IPv6 addresses and keeps the others",
        given=(),
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), switch("down"), switch("up")),
        held={"eth0": {"192.0.2.9/32"}},
    ),
    Case(
        name="addresses can be added to an interface that is down",
        given=(),
        steps=(switch("down"), add("192.0.2.9/32", "2001:db8::9/128"), switch("up")),
        held={"eth0": {"192.0.2.9/32", "2001:db8::9/128"}},
    ),
    Case(
        name="without IPv6 its addresses are refused",
        given=("2001:db8::1/64",),
        steps=(switch("no ipv6"), add("2001:db8::9/128", refused=errno.EACCES), add("192.0.2.9/32")),
        held={"eth0": {"192.0.2.9/32"}},
    ),
    Case(
        name="hundreds are added and removed in one call",
        given=("192.0.2.1/24",),
        steps=(add(*MANY), remove(*MANY[1:])),
        held={"eth0": {"192.0.2.1/24", MANY[0]}},
    ),
)
