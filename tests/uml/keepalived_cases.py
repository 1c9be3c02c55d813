"""Virtual servers as keepalived and as we write them, for comparing the tables that come of both.

Each case is a virtual server of its own with services of its own. What has checks asks for `OPEN`.
"""

import itertools
from dataclasses import dataclass

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh", "fo", "ovf")
METHODS = ("NAT", "DR", "TUN")
PROTOCOLS = ("tcp", "udp", "sctp")
FAMILIES = {
    4: ("198.51.100.1", ("192.0.2.10", "192.0.2.11")),
    6: ("2001:db8::1", ("2001:db8:1::10", "2001:db8:1::11")),
}
"""Virtual address and real servers. These are addresses of the hosts themselves, so that checks come to an end."""

OPEN = 8080
"""Where a test opens and closes the real servers."""


@dataclass(frozen=True, slots=True)
class Case:
    """One virtual server: how keepalived and how we write it, and the lines that come of it."""

    name: str
    theirs: str
    ours: str
    lines: int


def endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def combination(scheduler: str, method: str, family: int, protocol: str, port: int) -> Case:
    """A service with two servers of different weight, and no check."""
    virtual, (one, two) = FAMILIES[family]
    name = f"{scheduler}-{method}-{family}-{protocol}"
    theirs = (
        f"virtual_server {virtual} {port} {{\n lb_algo {scheduler}\n lb_kind {method}\n protocol {protocol.upper()}\n"
        f" real_server {one} {port} {{\n weight 1\n }}\n real_server {two} {port} {{\n weight 3\n }}\n}}\n"
    )
    ours = (
        f'[virtual_server.{name}]\naddress = "{endpoint(virtual, port)}"\nprotocol = "{protocol}"\nalpha = false\n'
        f'scheduler = "{scheduler}"\nforward = "{method}"\n'
        f'real_server.one = {{ address = "{one}", weight = 1 }}\n'
        f'real_server.two = {{ address = "{two}", weight = 3 }}\n'
    )
    return Case(name, theirs, ours, 3)


def combinations() -> list[Case]:
    every = itertools.product(SCHEDULERS, METHODS, FAMILIES, PROTOCOLS)
    return [combination(*one, port) for port, one in enumerate(every, 1000)]


def special(name: str, port: int, theirs: str, ours: str, lines: int = 2) -> Case:
    """A service of its own address, over TCP; the texts are what stands in its block, the real servers included."""
    head = f"virtual_server 198.51.100.2 {port} {{\n protocol TCP\n"
    address = f"198.51.100.2:{port}" if port else "198.51.100.2"
    table = f'[virtual_server.{name}]\naddress = "{address}"\nprotocol = "tcp"\nalpha = false\n'
    return Case(name, f"{head}{theirs}\n}}\n", f"{table}{ours}\n", lines)


def marked(family: int, method: str, mark: int) -> Case:
    """A service by firewall mark."""
    one = FAMILIES[family][1][0]
    theirs = (
        f"virtual_server fwmark {mark} {{\n lb_algo rr\n lb_kind {method}\n"
        f" ip_family inet{'6' if family == 6 else ''}\n real_server {one} 80 {{\n weight 1\n }}\n}}\n"
    )
    ours = (
        f'[virtual_server.mark{mark}]\nfwmark = {mark}\nscheduler = "rr"\nforward = "{method}"\nalpha = false\n'
        f'real_server.one.address = "{endpoint(one, 80)}"\n'
    )
    return Case(f"mark-{family}-{method}", theirs, ours, 2)


ONE = "real_server 192.0.2.10 8080 {\n weight 2\n }"
OURS = 'real_server.one = { address = "192.0.2.10:8080", weight = 2 }'
CHECK = "TCP_CHECK {\n connect_timeout 2\n retry 0\n }"
CHECKED = f"""\
delay_loop 1
 real_server 192.0.2.10 {OPEN} {{
  weight 2
  {CHECK}
 }}
 real_server 192.0.2.11 {OPEN} {{
  weight 3
  {CHECK}
 }}"""
OURS_CHECKED = f"""\
check = {{ type = "tcp", delay_loop = 1, connect_timeout = 2, retry = 0 }}
real_server.one = {{ address = "192.0.2.10:{OPEN}", weight = 2 }}
real_server.two = {{ address = "192.0.2.11:{OPEN}", weight = 3 }}"""
SORRY, OUR_SORRY = "sorry_server 192.0.2.99 80", 'sorry_server = "192.0.2.99:80"'
NAT = "lb_algo rr\n lb_kind NAT\n"
OUR_NAT = 'scheduler = "rr"\nforward = "NAT"\n'


def tunnel(name: str, port: int, theirs: str, ours: str) -> Case:
    forward = f'scheduler = "rr"\nforward = {{ type = "TUN", {ours} }}\n'
    return special(name, port, f"lb_algo rr\n lb_kind TUN {theirs}\n {ONE}", forward + OURS)


def scheduled(name: str, port: int, theirs: str, ours: str) -> Case:
    return special(name, port, f"lb_kind DR\n {theirs}\n {ONE}", f'forward = "DR"\n{ours}\n{OURS}')


def checked(name: str, port: int, theirs: str, ours: str, lines: int) -> Case:
    """One server passes its check, the other one does not."""
    return special(name, port, f"{NAT} {theirs}\n {CHECKED}", f"{OUR_NAT}{ours}\n{OURS_CHECKED}", lines)


def grouped(
    name: str,
    theirs: str,
    ours: str,
    services: int,
    *,
    family: int = 4,
    port: int = 80,
    method: str = "NAT",
    protocols: tuple[str, ...] = ("tcp",),
) -> Case:
    """One virtual server of several services: addresses, ranges, ports or protocols."""
    server = FAMILIES[family][1][0]
    block = f" lb_algo rr\n lb_kind {method}\n real_server {server} {port} {{\n }}\n}}\n"
    blocks = "".join(f"virtual_server group {name} {{\n protocol {protocol.upper()}\n{block}" for protocol in protocols)
    words = ", ".join(f'"{protocol}"' for protocol in protocols)
    table = (
        f"[virtual_server.{name}]\naddress = [{ours}]\nprotocol = [{words}]\nalpha = false\n"
        f'scheduler = "rr"\nforward = "{method}"\nreal_server.one.address = "{endpoint(server, port)}"\n'
    )
    return Case(name, f"virtual_server_group {name} {{\n {theirs}\n}}\n{blocks}", table, 2 * services)


def datagrams(name: str, port: int, theirs: str, ours: tuple[str, ...]) -> Case:
    """A service over UDP; what it does not say is round robin by NAT."""
    scheduler = "" if "lb_algo" in theirs else "lb_algo rr\n "
    kind = "" if "lb_kind" in theirs else "lb_kind NAT\n "
    keys = [*ours]
    keys += [] if any("scheduler" in key for key in keys) else ['scheduler = "rr"']
    keys += [] if any("forward" in key for key in keys) else ['forward = "NAT"']
    return Case(
        name,
        f"virtual_server 198.51.100.7 {port} {{\n protocol UDP\n {scheduler}{kind}{theirs}\n"
        f" real_server 192.0.2.10 {port} {{\n }}\n}}\n",
        f'[virtual_server.{name}]\naddress = "198.51.100.7:{port}"\nprotocol = "udp"\nalpha = false\n'
        + "\n".join(keys)
        + f'\nreal_server.one.address = "192.0.2.10:{port}"\n',
        2,
    )


SETTINGS = [
    scheduled("bare", 2000, "", ""),
    scheduled(
        "persistent",
        2001,
        "lb_algo sh\n persistence_timeout 300\n persistence_granularity 255.255.255.0",
        'scheduler = "sh"\npersistence_timeout = 300\npersistence_granularity = "255.255.255.0"',
    ),
    scheduled("sticky", 2002, "persistence_timeout 60", "persistence_timeout = 60"),
    scheduled("port", 2003, "lb_algo sh\n sh-port", 'scheduler = { type = "sh", port = true }'),
    scheduled(
        "fallback",
        2004,
        "lb_algo sh\n sh-port\n sh-fallback",
        'scheduler = { type = "sh", port = true, fallback = true }',
    ),
    scheduled("maglev", 2005, "lb_algo mh", 'scheduler = "mh"'),
    scheduled("maglev-port", 2006, "lb_algo mh\n mh-port", 'scheduler = { type = "mh", port = true }'),
    scheduled(
        "maglev-both",
        2007,
        "lb_algo mh\n mh-port\n mh-fallback",
        'scheduler = { type = "mh", port = true, fallback = true }',
    ),
    scheduled("flagged", 2008, "lb_algo rr\n flag-3", 'scheduler = { type = "rr", flags = ["flag-3"] }'),
    scheduled(
        "flagged-sh",
        2009,
        "lb_algo sh\n flag-3\n sh-port",
        'scheduler = { type = "sh", port = true, flags = ["flag-3"] }',
    ),
    tunnel("gue", 2010, "type gue port 6080", 'tunnel = "gue", port = 6080'),
    tunnel("gue-csum", 2011, "type gue port 6080 csum", 'tunnel = "gue", port = 6080, checksum = "csum"'),
    tunnel("gue-remcsum", 2012, "type gue port 6080 remcsum", 'tunnel = "gue", port = 6080, checksum = "remcsum"'),
    tunnel("gre", 2013, "type gre", 'tunnel = "gre"'),
    tunnel("gre-csum", 2014, "type gre csum", 'tunnel = "gre", checksum = "csum"'),
    special("ported", 2020, f"{NAT} {ONE}", OUR_NAT + OURS),
    special(
        "thresholds",
        2021,
        f"{NAT} real_server 192.0.2.10 80 {{\n uthreshold 100\n lthreshold 50\n }}",
        OUR_NAT + 'real_server.one = { address = "192.0.2.10:80", uthreshold = 100, lthreshold = 50 }',
    ),
    special(
        "methods",
        2022,
        f"{NAT} {ONE}\n real_server 192.0.2.11 2022 {{\n lvs_method DR\n }}\n"
        " real_server 192.0.2.12 2022 {\n lvs_method TUN\n }",
        OUR_NAT + OURS + '\nreal_server.two = { address = "192.0.2.11", forward = "DR" }'
        '\nreal_server.three = { address = "192.0.2.12", forward = "TUN" }',
        4,
    ),
    special(
        "drained",
        2023,
        f"{NAT} real_server 192.0.2.10 80 {{\n weight 0\n }}",
        OUR_NAT + 'real_server.one = { address = "192.0.2.10:80", weight = 0 }',
    ),
]
HEALTH = [
    checked("half", 3000, "", "", 2),
    checked("enough", 3001, f"quorum 2\n {SORRY}", f"quorum = 2\n{OUR_SORRY}", 2),
    checked("too-little", 3002, f"quorum 3\n {SORRY}", f"quorum = 3\n{OUR_SORRY}", 2),
    checked("too-little-without", 3003, "quorum 3", "quorum = 3", 2),
    checked("damped", 3004, f"quorum 3\n hysteresis 1\n {SORRY}", f"quorum = 3\nhysteresis = 1\n{OUR_SORRY}", 2),
    checked("capped", 3007, f"quorum 9\n {SORRY}", f"quorum = 9\n{OUR_SORRY}", 2),
    checked(
        "inhibited-sorry",
        3008,
        f"quorum 3\n inhibit_on_failure\n {SORRY}",
        f"quorum = 3\ninhibit_on_failure = true\n{OUR_SORRY}",
        4,
    ),
    checked(
        "sorry-direct",
        3009,
        "quorum 3\n sorry_server 192.0.2.99 3009\n sorry_server_lvs_method DR",
        'quorum = 3\nsorry_server = "192.0.2.99"\nsorry_server_lvs_method = "DR"',
        2,
    ),
    special(
        "inhibited",
        3005,
        f"{NAT} delay_loop 1\n real_server 192.0.2.11 {OPEN} {{\n inhibit_on_failure\n {CHECK}\n }}",
        OUR_NAT + 'check = { type = "tcp", delay_loop = 1, retry = 0 }\n'
        f'real_server.one = {{ address = "192.0.2.11:{OPEN}", inhibit_on_failure = true }}',
    ),
    special(
        "nobody",
        3006,
        f"{NAT} delay_loop 1\n {SORRY}\n real_server 192.0.2.11 {OPEN} {{\n {CHECK}\n }}",
        OUR_NAT + OUR_SORRY + '\ncheck = { type = "tcp", delay_loop = 1, retry = 0 }\n'
        f'real_server.one.address = "192.0.2.11:{OPEN}"',
    ),
]
ASLEEP = [special("asleep", 3010, f"{NAT} ha_suspend\n {CHECKED}", f"{OUR_NAT}ha_suspend = true\n{OURS_CHECKED}", 3)]
"""Nobody looks at it as long as its address is on neither machine."""

OTHERS = [
    Case(
        "one-packet",
        "virtual_server 198.51.100.3 53 {\n lb_algo rr\n lb_kind NAT\n protocol UDP\n ops\n"
        " real_server 192.0.2.10 53 {\n }\n}\n",
        '[virtual_server.one-packet]\naddress = "198.51.100.3:53"\nprotocol = "udp"\nscheduler = "rr"\nops = true\n'
        'forward = "NAT"\nalpha = false\nreal_server.one.address = "192.0.2.10:53"\n',
        2,
    ),
    Case(
        "prefix",
        "virtual_server 2001:db8::2 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 300\n"
        " persistence_granularity 64\n real_server 2001:db8:1::10 80 {\n }\n}\n",
        '[virtual_server.prefix]\naddress = "[2001:db8::2]:80"\nprotocol = "tcp"\nscheduler = "rr"\nforward = "DR"\n'
        "persistence_timeout = 300\npersistence_granularity = 64\nalpha = false\n"
        'real_server.one.address = "2001:db8:1::10"\n',
        2,
    ),
    Case(
        "two-addresses",
        "virtual_server_group both {\n 198.51.100.4 80\n 198.51.100.5 80\n}\n"
        "virtual_server group both {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 192.0.2.10 80 {\n }\n}\n",
        '[virtual_server.two-addresses]\naddress = ["198.51.100.4:80", "198.51.100.5:80"]\nprotocol = "tcp"\n'
        'scheduler = "rr"\nforward = "DR"\nalpha = false\nreal_server.one.address = "192.0.2.10"\n',
        4,
    ),
    Case(
        "any-port",
        "virtual_server 198.51.100.6 0 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 60\n"
        " real_server 192.0.2.10 0 {\n }\n}\n",
        '[virtual_server.any-port]\naddress = "198.51.100.6"\nprotocol = "tcp"\nscheduler = "rr"\nforward = "DR"\n'
        'persistence_timeout = 60\nalpha = false\nreal_server.one.address = "192.0.2.10"\n',
        2,
    ),
]
RANGES = [
    grouped("last-part", "198.51.100.16-18 80", '"198.51.100.16-18:80"', 3),
    grouped("whole", "198.51.100.20-198.51.100.21 80", '"198.51.100.20-198.51.100.21:80"', 2),
    grouped("net", "198.51.100.32/30 80", '"198.51.100.32/30:80"', 4),
    grouped("two", "198.51.100.40-41 80\n 198.51.100.44/31 80", '"198.51.100.40-41:80", "198.51.100.44/31:80"', 4),
    grouped("ports", "198.51.100.48 80\n 198.51.100.48 443", '"198.51.100.48:80", "198.51.100.48:443"', 2, port=8080),
    grouped("last-part6", "2001:db8:2::e-10 80", '"[2001:db8:2::e-10]:80"', 3, family=6),
    grouped("net6", "2001:db8:3::/126 80", '"[2001:db8:3::/126]:80"', 4, family=6),
    grouped("protocols", "198.51.100.52-53 53", '"198.51.100.52-53:53"', 6, protocols=("tcp", "udp", "sctp")),
    grouped(
        "direct", "198.51.100.56 80\n 198.51.100.57 443", '"198.51.100.56:80", "198.51.100.57:443"', 2, method="DR"
    ),
]
UDP = [
    datagrams(
        "sip",
        5060,
        "persistence_timeout 60\n persistence_engine sip",
        ("persistence_timeout = 60", 'persistence_engine = "sip"'),
    ),
    datagrams(
        "sip-direct",
        5061,
        "lb_kind DR\n persistence_timeout 60\n persistence_engine sip",
        ('forward = "DR"', "persistence_timeout = 60", 'persistence_engine = "sip"'),
    ),
    datagrams(
        "ops-hashed", 5062, "lb_algo sh\n sh-port\n ops", ('scheduler = { type = "sh", port = true }', "ops = true")
    ),
    datagrams("ops-sticky", 5063, "persistence_timeout 30\n ops", ("persistence_timeout = 30", "ops = true")),
]
MIXED = [
    special(
        "tunnel-to-6",
        4000,
        "lb_algo rr\n lb_kind TUN\n real_server 2001:db8:1::10 4000 {\n }\n real_server 192.0.2.11 4000 {\n }",
        'scheduler = "rr"\nforward = "TUN"\nreal_server.one.address = "2001:db8:1::10"\n'
        'real_server.two.address = "192.0.2.11"',
        3,
    ),
    special(
        "tunnels",
        4001,
        "lb_algo rr\n lb_kind NAT\n real_server 192.0.2.10 80 {\n lvs_method TUN type gue port 6080 csum\n }\n"
        " real_server 192.0.2.11 80 {\n lvs_method TUN type gre csum\n }\n real_server 192.0.2.12 80 {\n }",
        'scheduler = "rr"\nforward = "NAT"\n'
        'real_server.one.address = "192.0.2.10"\n'
        'real_server.one.forward = { type = "TUN", tunnel = "gue", port = 6080, checksum = "csum" }\n'
        'real_server.two = { address = "192.0.2.11", forward = { type = "TUN", tunnel = "gre", checksum = "csum" } }\n'
        'real_server.three.address = "192.0.2.12:80"',
        4,
    ),
    special(
        "weights",
        4002,
        "lb_algo wrr\n lb_kind NAT\n weight 7\n real_server 192.0.2.10 80 {\n weight 65535\n }\n"
        " real_server 192.0.2.11 80 {\n weight 0\n }\n real_server 192.0.2.12 80 {\n }",
        'scheduler = "wrr"\nforward = "NAT"\nweight = 7\n'
        'real_server.one = { address = "192.0.2.10:80", weight = 65535 }\n'
        'real_server.two = { address = "192.0.2.11:80", weight = 0 }\nreal_server.three.address = "192.0.2.12:80"',
        4,
    ),
    special(
        "any-port-translated",
        0,
        "lb_algo rr\n lb_kind NAT\n persistence_timeout 60\n real_server 192.0.2.10 80 {\n }",
        OUR_NAT + 'persistence_timeout = 60\nreal_server.one.address = "192.0.2.10:80"',
    ),
]
MARKED = [
    Case(
        "mark-tunnel-to-4",
        "virtual_server fwmark 20 {\n lb_algo rr\n lb_kind TUN\n ip_family inet6\n"
        " real_server 192.0.2.10 80 {\n }\n}\n",
        '[virtual_server.mark20]\nfwmark = 20\nfamily = "ipv6"\nscheduler = "rr"\nforward = "TUN"\nalpha = false\n'
        'real_server.one.address = "192.0.2.10"\n',
        2,
    ),
    Case(
        "mark-sticky",
        "virtual_server fwmark 21 {\n lb_algo mh\n mh-port\n lb_kind NAT\n persistence_timeout 60\n"
        " persistence_granularity 255.255.0.0\n real_server 192.0.2.10 80 {\n }\n}\n",
        '[virtual_server.mark21]\nfwmark = 21\nscheduler = { type = "mh", port = true }\n'
        'forward = "NAT"\nalpha = false\n'
        'persistence_timeout = 60\npersistence_granularity = 16\nreal_server.one.address = "192.0.2.10:80"\n',
        2,
    ),
    Case(
        "mark-sticky-6",
        "virtual_server fwmark 22 {\n lb_algo rr\n lb_kind DR\n ops\n persistence_timeout 60\n ip_family inet6\n"
        " persistence_granularity 48\n real_server 2001:db8:1::10 0 {\n }\n}\n",
        '[virtual_server.mark22]\nfwmark = 22\nscheduler = "rr"\nforward = "DR"\nalpha = false\nops = true\n'
        'persistence_timeout = 60\npersistence_granularity = 48\nreal_server.one.address = "2001:db8:1::10"\n',
        2,
    ),
    Case(
        "mark-of-both",
        "virtual_server fwmark 23 {\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.10 80 {\n }\n}\n"
        "virtual_server fwmark 24 {\n lb_algo rr\n lb_kind NAT\n real_server 2001:db8:1::10 80 {\n }\n}\n",
        '[virtual_server.mark23]\nfwmark = 23\nscheduler = "rr"\nforward = "NAT"\nalpha = false\n'
        'real_server.one.address = "192.0.2.10:80"\n'
        '[virtual_server.mark24]\nfwmark = 24\nscheduler = "rr"\nforward = "NAT"\nalpha = false\n'
        'real_server.one.address = "[2001:db8:1::10]:80"\n',
        4,
    ),
]
SEVERAL_MARKS = [
    Case(
        "marks",
        "virtual_server_group marks {\n fwmark 30\n fwmark 31\n}\n"
        "virtual_server group marks {\n lb_algo rr\n lb_kind NAT\n real_server 192.0.2.10 80 {\n }\n}\n",
        '[virtual_server.marks]\nfwmark = [30, 31]\nscheduler = "rr"\nforward = "NAT"\nalpha = false\n'
        'real_server.one.address = "192.0.2.10:80"\n',
        4,
    ),
]


def by_families(name: str, port: int) -> Case:
    """A service of both families that has lost its quorum, with a sorry server in each: to keepalived it is two."""
    theirs = ""
    for virtual, (one, _) in FAMILIES.values():
        sorry = "2001:db8:1::99" if ":" in one else "192.0.2.99"
        theirs += (
            f"virtual_server {virtual} {port} {{\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
            f" sorry_server {sorry} 81\n real_server {one} 1 {{\n {CHECK}\n }}\n}}\n"
        )
    addresses = ", ".join(f'"{endpoint(virtual, port)}"' for virtual, _ in FAMILIES.values())
    servers = ", ".join(f'"{endpoint(one, 1)}"' for _, (one, _) in FAMILIES.values())
    ours = (
        f'[virtual_server.{name}]\naddress = [{addresses}]\nprotocol = "tcp"\nalpha = false\nscheduler = "rr"\n'
        f'forward = "NAT"\nsorry_server = ["192.0.2.99:81", "[2001:db8:1::99]:81"]\n'
        f'check = {{ type = "tcp", delay_loop = 1, retry = 0 }}\nreal_server.one.address = [{servers}]\n'
    )
    return Case(name, theirs, ours, 4)


BOTH = [by_families("sorry-of-both", 3011)]
MARKS = [marked(family, method, mark) for mark, (family, method) in enumerate(itertools.product(FAMILIES, METHODS), 7)]
CASES = [
    *combinations(),
    *SETTINGS,
    *HEALTH,
    *ASLEEP,
    *OTHERS,
    *RANGES,
    *UDP,
    *MIXED,
    *MARKED,
    *MARKS,
    *SEVERAL_MARKS,
    *BOTH,
]
LINES = sum(case.lines for case in CASES)
