"""Bad input of VRRP, and the very lines that people see: one entry for each mistake. The lines are promises."""

# ruff: noqa: E501  (each entry is a tuple of lines as people see them)

INSTANCE = """\
[vrrp_instance.tic]
interface = "eth0"
virtual_router_id = 1
virtual_ipaddress = ["192.0.2.1/24"]
"""
SIX = INSTANCE.replace("192.0.2.1/24", "2001:db8::1/64")
BOTH = INSTANCE.replace('"192.0.2.1/24"', '"192.0.2.1/24", "2001:db8::1/64"')
OTHER = INSTANCE.replace("tic", "tac").replace("2.1/", "2.2/").replace("id = 1", "id = 2")


UNNAMED = INSTANCE.replace('interface = "eth0"\n', "")
UNNAMED_BOTH = BOTH.replace('interface = "eth0"\n', "")


def entry(text: str) -> str:
    """Return the instance with something else in place of its address."""
    return INSTANCE.replace('"192.0.2.1/24"', text)


BAD: dict[str, tuple[str, ...]] = {
    # Addresses
    entry('{ address_ = "192.0.2.1" }'): (
        "a.toml:4:22: vrrp_instance.tic.virtual_ipaddress[0].address: missing; must be text that is not empty",
        "a.toml:4:24: vrrp_instance.tic.virtual_ipaddress[0].address_: unknown key; did you mean address?",
    ),
    entry('{ address = "192.0.2.1/33" }'): (
        'a.toml:4:24: vrrp_instance.tic.virtual_ipaddress[0].address: found "192.0.2.1/33"; must be ADDRESS or ADDRESS/PREFIX',
    ),
    entry('{ address = "192.0.2.1", dev = "eth0123456789abc", label = "" }'): (
        'a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].dev: found "eth0123456789abc"; must be text of 1 to 15 characters',
        'a.toml:4:73: vrrp_instance.tic.virtual_ipaddress[0].label: found ""; must be text of 1 to 15 characters',
    ),
    entry('{ address = "192.0.2.1", nodad = true, home = false, preferred_lft = 5 }'): (
        "a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].nodad: goes with an IPv6 address only; leave it out",
        "a.toml:4:61: vrrp_instance.tic.virtual_ipaddress[0].home: goes with an IPv6 address only; leave it out",
        "a.toml:4:75: vrrp_instance.tic.virtual_ipaddress[0].preferred_lft: goes with an IPv6 address only; leave it out",
    ),
    entry('{ address = "2001:db8::1", label = "eth0:1", scope = "link", brd = "+" }'): (
        "a.toml:4:49: vrrp_instance.tic.virtual_ipaddress[0].label: goes with an IPv4 address only; leave it out",
        "a.toml:4:67: vrrp_instance.tic.virtual_ipaddress[0].scope: goes with an IPv4 address only; leave it out",
        "a.toml:4:83: vrrp_instance.tic.virtual_ipaddress[0].brd: goes with an IPv4 address only; leave it out",
    ),
    entry('{ address = "2001:db8::1/48", mngtmpaddr = true }'): (
        'a.toml:4:52: vrrp_instance.tic.virtual_ipaddress[0].mngtmpaddr: found "2001:db8::1/48"; goes with a prefix of /64 only; leave it out',
    ),
    entry('{ address = "192.0.2.1", scope = "far" }'): (
        'a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].scope: found "far"; no such name in iproute2\'s rt_scopes; write a number from 0 to 255, or name it there',
    ),
    entry('{ address = "192.0.2.1", scope = 256 }'): (
        "a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].scope: found 256; must be a name or a number from 0 to 255",
    ),
    entry('{ address = "192.0.2.1/24", brd = "192.0.2.0/24" }'): (
        'a.toml:4:50: vrrp_instance.tic.virtual_ipaddress[0].brd: found "192.0.2.0/24"; must be an IPv4 address, "+" or "-"',
    ),
    entry('{ address = "192.0.2.1", brd = "+" }'): (
        'a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].brd: found "+"; a /32 has no broadcast address; write the prefix of the net, or leave it out',
    ),
    entry('{ address = "192.0.2.1/24", peer = "192.0.2.9/32" }'): (
        'a.toml:4:24: vrrp_instance.tic.virtual_ipaddress[0].address: found "192.0.2.1/24"; must be an address without a prefix: with a peer, the peer has it',
    ),
    entry('{ address = "192.0.2.1", peer = "2001:db8::9" }'): (
        'a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].peer: found "2001:db8::9"; must be an IPv4 address',
    ),
    entry('{ address = "192.0.2.1", peer = "x" }'): (
        'a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].peer: found "x"; must be ADDRESS or ADDRESS/PREFIX',
    ),
    entry('{ address = "2001:db8::1", preferred_lft = "never" }'): (
        'a.toml:4:49: vrrp_instance.tic.virtual_ipaddress[0].preferred_lft: found "never"; must be seconds, a whole number, or "forever"',
    ),
    entry('{ address = "192.0.2.1", label = "web" }'): (
        'a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: warning: found label "web"; programs like ifconfig find no address by it; write eth0:NAME',
    ),
    entry('{ address = "192.0.2.1", autojoin = true, use_vmac = true }'): (
        "a.toml:4:47: vrrp_instance.tic.virtual_ipaddress[0].autojoin: goes with a multicast address only, which no instance has; leave it out",
        "a.toml:4:64: vrrp_instance.tic.virtual_ipaddress[0].use_vmac: not yet in this version; leave it out",
    ),
    entry('"192.0.2.1", { address = "192.0.2.1", dev = "eth1" }'): (
        'a.toml:4:37: vrrp_instance.tic.virtual_ipaddress[1].address: found "192.0.2.1"; stands here twice; keep one of them',
    ),
    INSTANCE + 'virtual_ipaddress_excluded = ["192.0.2.1", "192.0.2.7", { address = "192.0.2.7", dev = "eth0" }]': (
        'a.toml:5:31: vrrp_instance.tic.virtual_ipaddress_excluded[0]: found "192.0.2.1"; stands here twice; keep one of them',
        'a.toml:5:59: vrrp_instance.tic.virtual_ipaddress_excluded[2].address: found "192.0.2.7"; stands here twice; keep one of them',
    ),
    INSTANCE + 'virtual_ipaddress_excluded = "192.0.2.1"': (
        'a.toml:5:1: vrrp_instance.tic.virtual_ipaddress_excluded: found "192.0.2.1"; must be a list of text or tables',
    ),
    entry(", ".join(f'"192.0.{n // 200}.{n % 200 + 1}"' for n in range(256))): (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: found 256 of IPv4; at most 255 addresses of a family fit one virtual router",
    ),
    entry(", ".join(f'"2001:db8::{n}"' for n in range(1, 92))): (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: found 91 of IPv6; at the MTU of eth0, 1500, an advert has room for 90; move the others to virtual_ipaddress_excluded, on all machines alike",
    ),
    entry(
        '"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.9"'
    ).replace("eth0", "tiny0"): (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: found 9 of IPv4; at the MTU of tiny0, 68, an advert has room for 8; move the others to virtual_ipaddress_excluded, on all machines alike",
    ),
    INSTANCE + OTHER + 'virtual_ipaddress_excluded = [{ address = "192.0.2.1", dev = "eth1" }]': (
        "a.toml:9:1: vrrp_instance.tac.virtual_ipaddress_excluded: warning: found 192.0.2.1; is in tic as well: two masters will hold it",
    ),
    INSTANCE + 'virtual_ipaddress_excluded = [{ address = "::1" }, "fe80::1%eth0"]': (
        'a.toml:5:33: vrrp_instance.tic.virtual_ipaddress_excluded[0].address: found "::1"; must be an address that one machine can hold',
        'a.toml:5:52: vrrp_instance.tic.virtual_ipaddress_excluded[1]: found "fe80::1%eth0"; must be an address that one machine can hold',
    ),
    entry('"192.0.2.1/24", { address = "192.0.2.2/24", scope = "link" }'): (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: found 192.0.2.2/24; has another scope than 192.0.2.1/24; the kernel takes one for each net",
    ),
    # Routes
    INSTANCE + 'virtual_routes = [{ via = "192.0.2.254" }]': (
        "a.toml:5:19: vrrp_instance.tic.virtual_routes[0].to: missing; must be text that is not empty",
    ),
    INSTANCE + 'virtual_routes = ["default via 192.0.2.254"]': (
        'a.toml:5:19: vrrp_instance.tic.virtual_routes[0]: found "default via 192.0.2.254"; must be a table',
    ),
    INSTANCE + 'virtual_routes = [{ to = "default" }]': (
        "a.toml:5:19: vrrp_instance.tic.virtual_routes[0]: leads nowhere; write via, dev or nexthops",
    ),
    INSTANCE + 'virtual_routes = [{ to = "everywhere", dev = "eth0" }, { to = "198.51.100.1/24", dev = "eth0" }]': (
        'a.toml:5:21: vrrp_instance.tic.virtual_routes[0].to: found "everywhere"; must be "default", ADDRESS or ADDRESS/PREFIX',
        'a.toml:5:58: vrrp_instance.tic.virtual_routes[1].to: found "198.51.100.1/24"; has bits beyond its prefix; write 198.51.100.0/24',
    ),
    INSTANCE + 'virtual_routes = [{ to = "fe80::1%eth0", dev = "eth0" }]': (
        'a.toml:5:21: vrrp_instance.tic.virtual_routes[0].to: found "fe80::1%eth0"; must be "default", ADDRESS or ADDRESS/PREFIX, without a zone',
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "default", via = "2001:db8::fe/64" }, { to = "::/0", via = "192.0.2.254", src = "192.0.2.1" }]': (
        'a.toml:5:37: vrrp_instance.tic.virtual_routes[0].via: found "2001:db8::fe/64"; must be an IPv6 address, without a prefix',
        'a.toml:5:79: vrrp_instance.tic.virtual_routes[1].via: found "192.0.2.254"; must be an IPv6 address, without a prefix',
        'a.toml:5:100: vrrp_instance.tic.virtual_routes[1].src: found "192.0.2.1"; must be an IPv6 address, without a prefix',
    ),
    INSTANCE + 'virtual_routes = [{ to = "default", gw = "192.0.2.254" }]': (
        "a.toml:5:37: vrrp_instance.tic.virtual_routes[0].gw: write via",
    ),
    INSTANCE + 'virtual_routes = [{ to = "default", via = "192.0.2.254", table = "red", hoplimit = 4 }]': (
        "a.toml:5:73: vrrp_instance.tic.virtual_routes[0].hoplimit: not yet in this version; leave it out",
    ),
    INSTANCE + 'virtual_routes = [{ to = "default", via = "192.0.2.254", table = 0, metric = -1 }]': (
        "a.toml:5:69: vrrp_instance.tic.virtual_routes[0].metric: found -1; must be a whole number from 0 to 4294967295",
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "10.0.0.0/8", type = "blackhole", dev = "eth0" }, { to = "10.0.0.0/8", type = "hole" }]': (
        'a.toml:5:60: vrrp_instance.tic.virtual_routes[0].dev: does not go with type = "blackhole"; leave it out',
        'a.toml:5:97: vrrp_instance.tic.virtual_routes[1].type: found "hole"; must be "unicast", "local", "blackhole", "unreachable", "prohibit" or "throw"',
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "10.0.0.0/8", type = "local" }, { to = "10.1.0.0/16", type = "local", dev = "lo", via = "192.0.2.9" }]': (
        'a.toml:5:19: vrrp_instance.tic.virtual_routes[0].dev: missing; type = "local" goes with an interface',
        'a.toml:5:108: vrrp_instance.tic.virtual_routes[1].via: does not go with type = "local"; leave it out',
    ),
    INSTANCE + 'virtual_routes = [{ to = "10.0.0.0/8", via = "192.0.2.9", nexthops = [{ dev = "eth0" }] }]': (
        "a.toml:5:59: vrrp_instance.tic.virtual_routes[0].nexthops: stands instead of via and dev; write either",
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "10.0.0.0/8", nexthops = [{ weight = 2 }, { via = "192.0.2.9", weight = 257 }] }]': (
        "a.toml:5:52: vrrp_instance.tic.virtual_routes[0].nexthops[0]: leads nowhere; write via or dev",
        "a.toml:5:89: vrrp_instance.tic.virtual_routes[0].nexthops[1].weight: found 257; must be a whole number from 1 to 256",
    ),
    INSTANCE + 'virtual_routes = [{ to = "10.0.0.0/8", nexthops = [{ via = "192.0.2.9", onlink = true }] }]': (
        "a.toml:5:73: vrrp_instance.tic.virtual_routes[0].nexthops[0].onlink: goes with via and dev; write both",
    ),
    INSTANCE + 'virtual_routes = [{ to = "10.0.0.0/8", via = "192.0.2.9", onlink = true }]': (
        "a.toml:5:59: vrrp_instance.tic.virtual_routes[0].onlink: goes with via and dev; write both",
    ),
    INSTANCE + 'virtual_routes = [{ to = "2001:db8:1::/48", dev = "eth0", scope = "link" }]': (
        'a.toml:5:59: vrrp_instance.tic.virtual_routes[0].scope: found "link"; goes with an IPv4 route only; leave it out',
    ),
    INSTANCE + 'virtual_routes = [{ to = "10.0.0.0/8", dev = "eth0" }, { to = "10.0.0.0/8", via = "192.0.2.9" }]': (
        "a.toml:5:58: vrrp_instance.tic.virtual_routes[1].to: found 10.0.0.0/8; a route to there with this table and metric stands here already; keep one, or give it a metric",
    ),
    SIX.replace("2001:db8::1/64", "2001:db8::1")
    + 'virtual_routes = [{ to = "default", via = "fe80::fe", dev = "eth0" }, { to = "::/0", via = "fe80::ff", dev = "eth0", metric = 1024 }]': (
        "a.toml:5:73: vrrp_instance.tic.virtual_routes[1].to: found ::/0; a route to there with this table and metric stands here already; keep one, or give it a metric",
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "10.0.0.0/8", via = "192.0.2.9", scope = "link" }, { to = "10.1.0.0/16", dev = "eth0", scope = 255 }]': (
        "a.toml:5:59: vrrp_instance.tic.virtual_routes[0].scope: found 253; must be at most 252 for this route; leave it out",
        "a.toml:5:113: vrrp_instance.tic.virtual_routes[1].scope: found 255; must be at most 254 for this route; leave it out",
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "10.0.0.0/8", dev = "lo", type = "local", scope = "global" }, { to = "10.1.0.0/16", dev = "eth0", scope = "far" }]': (
        'a.toml:5:68: vrrp_instance.tic.virtual_routes[0].scope: found 0; must be "host": a local route has no other; leave it out',
        'a.toml:5:124: vrrp_instance.tic.virtual_routes[1].scope: found "far"; no such name in iproute2\'s rt_scopes; write a number from 0 to 255, or name it there',
    ),
    INSTANCE
    + 'virtual_routes = [{ to = "2001:db8:1::/48", via = "fe80::1" }, { to = "2001:db8:2::/48", nexthops = [{ dev = "eth0" }, { via = "fe80::1" }] }]': (
        'a.toml:5:45: vrrp_instance.tic.virtual_routes[0].via: found "fe80::1"; is link-local; write dev as well',
        "a.toml:5:102: vrrp_instance.tic.virtual_routes[1].nexthops[0].via: missing; several ways of IPv6 are several gateways",
        'a.toml:5:122: vrrp_instance.tic.virtual_routes[1].nexthops[1].via: found "fe80::1"; is link-local; write dev as well',
    ),
    # Rules
    INSTANCE + 'virtual_rules = [{ from = "10.0.0.1/8", to = "nowhere" }]': (
        'a.toml:5:20: vrrp_instance.tic.virtual_rules[0].from: found "10.0.0.1/8"; has bits beyond its prefix; write 10.0.0.0/8',
        'a.toml:5:41: vrrp_instance.tic.virtual_rules[0].to: found "nowhere"; must be "all", ADDRESS or ADDRESS/PREFIX',
    ),
    INSTANCE + 'virtual_rules = [{ from = "10.0.0.0/8", to = "2001:db8::/32", table = "blue" }]': (
        "a.toml:5:41: vrrp_instance.tic.virtual_rules[0].to: found 2001:db8::/32; must be IPv4, as the rule is",
    ),
    INSTANCE + 'virtual_rules = [{ from = "10.0.0.0/8", family = "ipv6" }, { family = "ipx" }]': (
        "a.toml:5:20: vrrp_instance.tic.virtual_rules[0].from: found 10.0.0.0/8; must be IPv6, as the rule is",
        'a.toml:5:62: vrrp_instance.tic.virtual_rules[1].family: found "ipx"; must be "ipv4" or "ipv6"',
    ),
    INSTANCE
    + 'virtual_rules = [{ table = "red" }, { table = "blue", goto = 20000, type = "nop" }, { type = "hole" }]': (
        'a.toml:5:20: vrrp_instance.tic.virtual_rules[0].table: found "red"; no such name in iproute2\'s rt_tables; write a number from 1 to 4294967295, or name it there',
        "a.toml:5:69: vrrp_instance.tic.virtual_rules[1].type: stands instead of table; keep one of them",
        'a.toml:5:87: vrrp_instance.tic.virtual_rules[2].type: found "hole"; must be "nop", "blackhole", "unreachable" or "prohibit"',
    ),
    INSTANCE + "virtual_rules = [{ goto = 20, preference = 20 }]": (
        "a.toml:5:20: vrrp_instance.tic.virtual_rules[0].goto: found 20; must be above the rule's own preference, 20: the kernel does not go back",
    ),
    INSTANCE + 'virtual_rules = [{ fwmark = "0x1g" }, { fwmark = "7/0" }, { fwmark = 4294967296 }, { fwmark = -1 }]': (
        'a.toml:5:20: vrrp_instance.tic.virtual_rules[0].fwmark: found "0x1g"; must be a number of 32 bits or "MARK/MASK", decimal or 0x…',
        'a.toml:5:41: vrrp_instance.tic.virtual_rules[1].fwmark: found "7/0"; must be a number of 32 bits or "MARK/MASK", decimal or 0x…',
        'a.toml:5:61: vrrp_instance.tic.virtual_rules[2].fwmark: found 4294967296; must be a number of 32 bits or "MARK/MASK", decimal or 0x…',
        'a.toml:5:86: vrrp_instance.tic.virtual_rules[3].fwmark: found -1; must be a number of 32 bits or "MARK/MASK", decimal or 0x…',
    ),
    INSTANCE + 'virtual_rules = [{ tos = 32 }, { tos = 3, family = "ipv6" }, { tos = "x" }]': (
        "a.toml:5:20: vrrp_instance.tic.virtual_rules[0].tos: found 32; must be a multiple of 4 from 0 to 28, decimal or 0x…: the kernel knows no other for IPv4",
        "a.toml:5:34: vrrp_instance.tic.virtual_rules[1].tos: found 3; must be a multiple of 4 from 0 to 252, decimal or 0x…: the kernel knows no other for IPv6",
        'a.toml:5:64: vrrp_instance.tic.virtual_rules[2].tos: found "x"; must be a multiple of 4 from 0 to 28, decimal or 0x…: the kernel knows no other for IPv4',
    ),
    INSTANCE + 'virtual_rules = [{ preference = 9 }, { preference = 9, from = "10.0.0.0/8" }]': (
        "a.toml:5:40: vrrp_instance.tic.virtual_rules[1].preference: found 9; a rule of this preference stands here already; take another one, or leave it out",
    ),
    INSTANCE + 'virtual_rules = [{ order = 9, source = "10.0.0.0/8", sport = 5 }]': (
        "a.toml:5:20: vrrp_instance.tic.virtual_rules[0].order: write preference",
        "a.toml:5:31: vrrp_instance.tic.virtual_rules[0].source: unknown key; known here: family, from, fwmark, goto, iif, no_track, not, oif, preference, table, to, tos, type",
        "a.toml:5:54: vrrp_instance.tic.virtual_rules[0].sport: not yet in this version; leave it out",
    ),
    INSTANCE
    + 'virtual_rules = [{ preference = 9 }]\nvirtual_routes = [{ to = "default", dev = "eth0" }]\n'
    + OTHER
    + 'virtual_rules = [{ preference = 9 }]\nvirtual_routes = [{ to = "default", via = "192.0.2.9" }]': (
        "a.toml:11:1: vrrp_instance.tac.virtual_rules: warning: found IPv4 preference 9; is in tic as well: when one of them leaves, the other loses it",
        "a.toml:12:1: vrrp_instance.tac.virtual_routes: warning: found 0.0.0.0/0 in table 254; is in tic as well: when one of them leaves, the other loses it",
    ),
    # Where adverts come from and go to
    INSTANCE + 'use_vmac = { group = "web", netlink_notify_msg = true }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.group: found "web"; no such name in iproute2\'s group; write a number from 0 to 2147483647, or name it there',
        "a.toml:5:29: vrrp_instance.tic.use_vmac.netlink_notify_msg: the kernel tells of a macvlan that goes up or down in any case; leave it out",
    ),
    INSTANCE + 'virtual_routes = [{ to = "10.0.0.0/8", type = "blackhole", mode = "add" }]': (
        'a.toml:5:60: vrrp_instance.tic.virtual_routes[0].mode: found "add"; must be "prepend" or "append"',
    ),
    UNNAMED: (
        "a.toml:1:1: vrrp_instance.tic.interface: missing; write it, or unicast_peer and the address of this machine as unicast_src_ip",
    ),
    UNNAMED + 'unicast_peer = ["192.0.2.9"]\nunicast_src_ip = "192.0.2.8"': (
        "a.toml:1:1: vrrp_instance.tic.interface: missing, and no interface of this machine has 192.0.2.8; write interface, or correct the address",
    ),
    UNNAMED_BOTH + 'unicast_peer = ["192.0.2.9", "2001:db8::9"]\nunicast_src_ip = ["198.51.100.11", "2001:db8::11"]': (
        'a.toml:1:1: vrrp_instance.tic.interface: found "198.51.100.11 on eth1 and 2001:db8::11 on eth0"; missing, and the source addresses are on several interfaces; write the one whose link counts',
    ),
    INSTANCE + 'unicast_src_ip = "192.0.2.8"': (
        "a.toml:5:1: vrrp_instance.tic.unicast_src_ip: goes with unicast_peer; write that, or leave it out",
    ),
    INSTANCE + 'unicast_peer = "192.0.2.9"': (
        'a.toml:5:1: vrrp_instance.tic.unicast_peer: found "192.0.2.9"; must be a list of text or tables',
    ),
    INSTANCE + 'unicast_peer = ["192.0.2.9", "nowhere", "six", "192.0.2.9"]': (
        'a.toml:5:30: vrrp_instance.tic.unicast_peer[1]: found "nowhere"; does not resolve (no such host)',
        'a.toml:5:41: vrrp_instance.tic.unicast_peer[2]: found "six"; must have an IPv4 address, as the instance has',
        'a.toml:5:48: vrrp_instance.tic.unicast_peer[3]: found "192.0.2.9"; stands here twice; keep one of them',
    ),
    INSTANCE + 'unicast_peer = ["192.0.2.9:112", "2001:db8::9", "192.0.2.1", "224.0.0.18"]': (
        "a.toml:5:17: vrrp_instance.tic.unicast_peer[0]: found port 112; must be an address without a port",
        'a.toml:5:34: vrrp_instance.tic.unicast_peer[1]: found "2001:db8::9"; the instance has no IPv6 address; leave it out',
        'a.toml:5:49: vrrp_instance.tic.unicast_peer[2]: found "192.0.2.1"; is a virtual address of the instance; write the address that the other machine itself has',
        'a.toml:5:62: vrrp_instance.tic.unicast_peer[3]: found "224.0.0.18"; must be an address that another machine can hold',
    ),
    INSTANCE + 'unicast_peer = [{ address = "192.0.2.9", min_ttl = 255, max_ttl = 254 }, { address_ = "192.0.2.9" }]': (
        "a.toml:5:42: vrrp_instance.tic.unicast_peer[0].min_ttl: found 255; must be at most max_ttl (254)",
        "a.toml:5:74: vrrp_instance.tic.unicast_peer[1].address: missing; must be text that is not empty",
        "a.toml:5:76: vrrp_instance.tic.unicast_peer[1].address_: unknown key; did you mean address?",
    ),
    INSTANCE + 'unicast_src_ip = "192.0.2.8"\nunicast_peer = ["192.0.2.8", "192.0.2.9"]': (
        'a.toml:6:17: vrrp_instance.tic.unicast_peer[0]: found "192.0.2.8"; is the instance\'s own source address; leave it out here, for example with [host.NAME]',
    ),
    INSTANCE + 'unicast_src_ip = "192.0.2.8"\nmcast_src_ip = "192.0.2.7"\nunicast_peer = ["192.0.2.9"]': (
        'a.toml:5:1: vrrp_instance.tic.unicast_src_ip: found "192.0.2.8"; mcast_src_ip says 192.0.2.7; keep one of them',
    ),
    INSTANCE + 'unicast_peer = ["192.0.2.9"]\nmcast_dst_ip = "224.0.0.19"': (
        "a.toml:6:1: vrrp_instance.tic.mcast_dst_ip: does not go with unicast_peer; leave one of them out",
    ),
    INSTANCE + 'mcast_src_ip = "192.0.2.1"': (
        'a.toml:5:1: vrrp_instance.tic.mcast_src_ip: found "192.0.2.1"; is a virtual address of the instance; adverts come from one that the machine itself has',
    ),
    INSTANCE + 'mcast_src_ip = "127.0.0.1"': (
        'a.toml:5:1: vrrp_instance.tic.mcast_src_ip: found "127.0.0.1"; must be an address that one machine can hold',
    ),
    INSTANCE + 'mcast_src_ip = "192.0.2.8:1"': (
        "a.toml:5:1: vrrp_instance.tic.mcast_src_ip: found port 1; must be an address without a port",
    ),
    BOTH + 'unicast_peer = ["192.0.2.9"]': (
        "a.toml:5:1: vrrp_instance.tic.unicast_peer: names no IPv6 peer, and the instance has IPv6 addresses; name one, or move these addresses to virtual_ipaddress_excluded",
    ),
    INSTANCE + "unicast_ttl = 5\ncheck_unicast_src = true\nunicast_fault_no_peer = true": (
        "a.toml:5:1: vrrp_instance.tic.unicast_ttl: warning: has no effect without unicast_peer",
        "a.toml:6:1: vrrp_instance.tic.check_unicast_src: warning: has no effect without unicast_peer",
        "a.toml:7:1: vrrp_instance.tic.unicast_fault_no_peer: warning: has no effect: unicast without a peer is an error; leave it out",
    ),
    INSTANCE + 'unicast_peer = [{ address = "192.0.2.9", min_ttl = 254 }]\ncheck_unicast_src = false': (
        "a.toml:6:1: vrrp_instance.tic.check_unicast_src: warning: found false; min_ttl or max_ttl of a peer turns it on; leave it out",
    ),
    INSTANCE + 'unicast_peer = ["192.0.2.9"]\n' + OTHER.replace("id = 2", "id = 1") + 'unicast_peer = ["192.0.2.9"]': (
        "a.toml:8:1: vrrp_instance.tac.virtual_router_id: found 1; tic has it on eth0 for IPv4; take another one",
    ),
    INSTANCE + 'unicast_peer = ["nowhere"]': (
        'a.toml:5:17: vrrp_instance.tic.unicast_peer[0]: found "nowhere"; does not resolve (no such host)',
    ),
    INSTANCE + 'unicast_src_ip = "six"\nunicast_peer = ["192.0.2.9"]': (
        'a.toml:5:1: vrrp_instance.tic.unicast_src_ip: found "six"; must have an IPv4 address, as the instance has',
    ),
    # Authentication
    INSTANCE + 'authentication = { auth_type = "PASS" }': (
        'a.toml:5:1: vrrp_instance.tic.authentication.auth_pass: missing; must be text, { file = "…" } or { env = "…" }',
    ),
    INSTANCE + 'authentication = { auth_type = "MD5", auth_pass = "verysecret" }': (
        'a.toml:5:20: vrrp_instance.tic.authentication.auth_type: found "MD5"; must be "PASS"',
        "a.toml:5:39: vrrp_instance.tic.authentication.auth_pass: has 10 characters; keepalived cuts it to 8: write its first 8 for the same",
    ),
    INSTANCE + 'authentication = { auth_type = "ah", auth_pass = "verysecret" }': (
        'a.toml:5:20: vrrp_instance.tic.authentication.auth_type: found "AH"; the IPsec authentication header does not exist here: RFC 3768 took it out; write "PASS", or nothing',
    ),
    INSTANCE + 'authentication = { auth_type = "PASS", auth_pass = "sécret" }': (
        "a.toml:5:40: vrrp_instance.tic.authentication.auth_pass: must be 1 to 8 characters of ASCII that can be printed",
    ),
    INSTANCE + 'version = 3\nauthentication = { auth_type = "PASS", auth_pass = "secret" }': (
        "a.toml:6:1: vrrp_instance.tic.authentication: VRRP version 3 has no authentication; leave it out, or write version = 2",
    ),
    SIX + 'authentication = { auth_type = "PASS", auth_pass = "secret" }': (
        "a.toml:5:1: vrrp_instance.tic.authentication: VRRP version 3, which IPv6 needs, has no authentication; leave it out",
    ),
    INSTANCE + 'auth_pass = "secret"\nauth_hmac = {}': (
        'a.toml:5:1: vrrp_instance.tic.auth_pass: write authentication = { auth_type = "PASS", auth_pass = "…" }',
        "a.toml:6:1: vrrp_instance.tic.auth_hmac: not yet in this version; leave it out",
    ),
    INSTANCE + 'authentication = "verysecret"': ("a.toml:5:1: vrrp_instance.tic.authentication: must be a table",),
    INSTANCE + 'authentication = { auth_type = "PASS", auth_pass = ["verysecret"] }': (
        'a.toml:5:40: vrrp_instance.tic.authentication.auth_pass: must be text, { file = "…" } or { env = "…" }',
    ),
    # Virtual MACs
    INSTANCE + 'use_vmac = "vrrp.1"': (
        'a.toml:5:1: vrrp_instance.tic.use_vmac: found "vrrp.1"; must be true or false or a table',
    ),
    INSTANCE + 'use_vmac = { interface = "eth1", mac = "00:00:5e" }': (
        "a.toml:5:14: vrrp_instance.tic.use_vmac.interface: the macvlan is on the interface of the instance; leave it out, or write name",
        'a.toml:5:34: vrrp_instance.tic.use_vmac.mac: found "00:00:5e"; must be five or six octets, such as 02:00:5e:00:01:33',
    ),
    INSTANCE + 'use_vmac = { name = "eth0", mac = "01:00:5e:00:01:33" }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.name: found "eth0"; is an interface of an instance; take another',
        'a.toml:5:29: vrrp_instance.tic.use_vmac.mac: found "01:00:5e:00:01:33"; must be the address of one machine: the first octet even, and not all of them zero',
    ),
    INSTANCE + 'use_vmac = { name = "a/b", mac = "00:00:00:00:00:00" }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.name: found "a/b"; must be a name for an interface: no space, / or :',
        'a.toml:5:28: vrrp_instance.tic.use_vmac.mac: found "00:00:00:00:00:00"; must be the address of one machine: the first octet even, and not all of them zero',
    ),
    INSTANCE + 'use_vmac = { name = "sixteen_letters_" }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.name: found "sixteen_letters_"; must be text of 1 to 15 characters',
    ),
    BOTH + 'use_vmac = { name = "fifteen_letters", mac = "02:00:00:00:00:01" }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.name: found "fifteen_letters"; has no room for the 6 of the IPv6 half: at most 14 characters',
        "a.toml:5:40: vrrp_instance.tic.use_vmac.mac: would be that of two macvlans; leave it out, or write an instance for each family",
    ),
    INSTANCE + 'use_vmac = { name = "mac0" }\n' + OTHER + 'use_vmac = { name = "mac0" }': (
        'a.toml:10:14: vrrp_instance.tac.use_vmac.name: found "mac0"; tic has a macvlan of this name; take another',
    ),
    INSTANCE + 'use_vmac = { mac = "02:00:00:00:00:01" }\n' + OTHER + 'use_vmac = { mac = "02-00-00-00-00-01" }': (
        "a.toml:10:1: vrrp_instance.tac.use_vmac: found 02:00:00:00:00:01; tic has the same hardware address on eth0; give one of them another mac",
    ),
    INSTANCE + "vmac_xmit_base = true": (
        "a.toml:5:1: vrrp_instance.tic.vmac_xmit_base: warning: has no effect without use_vmac",
    ),
    INSTANCE + 'use_vmac = true\nvmac_xmit_base = false\nunicast_peer = ["192.0.2.9"]': (
        "a.toml:6:1: vrrp_instance.tic.vmac_xmit_base: warning: found false; unicast_peer turns it on: what comes back goes to the interface's own address; leave it out",
    ),
    INSTANCE + 'use_vmac = { name = "mac:0" }': (
        'a.toml:5:14: vrrp_instance.tic.use_vmac.name: found "mac:0"; must be a name for an interface: no space, / or :',
    ),
    # Strict mode
    INSTANCE + 'strict_mode = true\nauthentication = { auth_type = "PASS", auth_pass = "secret" }': (
        "a.toml:6:1: vrrp_instance.tic.authentication: strict mode has no authentication (RFC 3768 5.3.6); leave one of the two out",
    ),
    INSTANCE + 'strict = true\nunicast_src = "192.0.2.8"\nmcast_src_ip6 = "fe80::1"': (
        "a.toml:5:1: vrrp_instance.tic.strict: write strict_mode",
        "a.toml:6:1: vrrp_instance.tic.unicast_src: write unicast_src_ip",
        "a.toml:7:1: vrrp_instance.tic.mcast_src_ip6: write mcast_src_ip: it takes an address of each family",
    ),
    INSTANCE + 'strict_mode = true\nunicast_peer = ["192.0.2.9"]': (
        "a.toml:6:1: vrrp_instance.tic.unicast_peer: strict mode has no unicast: adverts go to the group (RFC 9568 5.1); leave one of the two out",
    ),
    SIX + "strict_mode = true": (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: warning: found 2001:db8::1; strict mode wants a link-local address (fe80::/10) as the first of IPv6 (RFC 9568 5.2.9)",
    ),
    INSTANCE
    + "strict_mode = true\npreempt_delay = 5\ndown_timer_adverts = 4\ngarp_lower_prio_repeat = 2\nlower_prio_no_advert = false\nhigher_prio_send_advert = true\nowner_ignore_adverts = false\naccept = true\nuse_vmac = true\nvmac_xmit_base = true": (
        "a.toml:6:1: vrrp_instance.tic.preempt_delay: warning: found 5; strict mode fixes it at 0: a higher priority takes over at once (RFC 9568 6.4.2)",
        "a.toml:7:1: vrrp_instance.tic.down_timer_adverts: warning: found 4; strict mode fixes it at 3: a backup waits for three adverts and the skew (RFC 9568 6.1)",
        "a.toml:8:1: vrrp_instance.tic.garp_lower_prio_repeat: warning: found 2; strict mode fixes it at 0: an advert of lower priority is followed by no gratuitous ARP (RFC 9568 6.4.3)",
        "a.toml:9:1: vrrp_instance.tic.lower_prio_no_advert: warning: found false; strict mode fixes it at true: an advert of lower priority is dropped (RFC 5798 6.4.3)",
        "a.toml:10:1: vrrp_instance.tic.higher_prio_send_advert: warning: found true; strict mode fixes it at false: a master that hears a higher priority sends nothing more (RFC 9568 6.4.3)",
        "a.toml:11:1: vrrp_instance.tic.owner_ignore_adverts: warning: found false; strict mode fixes it at true: the owner of the addresses drops all adverts (RFC 9568 7.1)",
        "a.toml:12:1: vrrp_instance.tic.accept: warning: found true; strict mode fixes it at the opposite: only the owner answers to the addresses (RFC 9568 6.1)",
        "a.toml:14:1: vrrp_instance.tic.vmac_xmit_base: warning: found true; strict mode fixes it at false: adverts leave with the virtual MAC address (RFC 9568 7.2)",
    ),
    # Sync groups
    "[vrrp_sync_group.all]\ngroup = []": (
        "a.toml:2:1: vrrp_sync_group.all.group: found an empty list; must be a list of text that is not empty",
    ),
    "[vrrp_sync_group.all]": (
        "a.toml:1:1: vrrp_sync_group.all.group: missing; must be a list of text that is not empty",
    ),
    '[vrrp_sync_group.all]\ninstances = ["tic"]\ntrack_script = []\ngroup = ["tic"]': (
        "a.toml:2:1: vrrp_sync_group.all.instances: write group",
        'a.toml:3:1: vrrp_sync_group.all.track_script: write track = [{ check = "…" }]',
        'a.toml:4:10: vrrp_sync_group.all.group[0]: found "tic"; no [vrrp_instance.tic]; there are: none',
    ),
    INSTANCE + '[vrrp_sync_group.all]\ngroup = ["tci", "sun", "tic"]': (
        'a.toml:6:10: vrrp_sync_group.all.group[0]: found "tci"; no [vrrp_instance.tci]; did you mean tic?',
        'a.toml:6:17: vrrp_sync_group.all.group[1]: found "sun"; no [vrrp_instance.sun]; there are: tic',
    ),
    INSTANCE + '[vrrp_sync_group.all]\ngroup = ["tic"]': (
        'a.toml:6:1: vrrp_sync_group.all.group: warning: found "tic"; has one instance: nothing moves together with it',
    ),
    INSTANCE + OTHER + '[vrrp_sync_group.all]\ngroup = ["tic", "tac", "tac"]': (
        'a.toml:10:24: vrrp_sync_group.all.group[2]: found "tac"; stands here twice',
    ),
    INSTANCE + OTHER + 'priority = 50\n[vrrp_sync_group.all]\ngroup = ["tic", "tac"]': (
        "a.toml:11:1: vrrp_sync_group.all.group: warning: found tic 100, tac 50; differ: each machine has to win all of them or none, or the group finds no master",
    ),
    INSTANCE + OTHER + '[vrrp_sync_group.one]\ngroup = ["tic", "tac"]\n[vrrp_sync_group.two]\ngroup = ["tac", "tic"]': (
        'a.toml:12:10: vrrp_sync_group.two.group[0]: found "tac"; is in group one; an instance moves with one group',
        'a.toml:12:17: vrrp_sync_group.two.group[1]: found "tic"; is in group one; an instance moves with one group',
    ),
    INSTANCE + OTHER + 'split = true\n[vrrp_sync_group.all]\ngroup = ["tic", "tac"]': (
        'a.toml:11:17: vrrp_sync_group.all.group[1]: found "tac"; has split = true: its halves move alone; take that out, or take it out of the group',
    ),
    INSTANCE + OTHER + '[vrrp_sync_group.all]\ngroup = ["tic", "tac"]\nnotify = { type = "shout", on = "up" }': (
        (
            'a.toml:11:28: vrrp_sync_group.all.notify.on: found "up"; '
            'must be "master", "backup", "fault", "stop" or "deleted"'
        ),
    ),
    INSTANCE + "priority = 256\n" + OTHER + '[vrrp_sync_group.all]\ngroup = ["tic", "tac"]': (
        "a.toml:5:1: vrrp_instance.tic.priority: found 256; must be a whole number from 1 to 255",
    ),
    INSTANCE + '[vrrp_sync_group."a b"]\ngroup = ["tic"]': (
        'a.toml:5:1: vrrp_sync_group."a b": a name has 1 to 64 characters, none of them a space, / # " or \\',
    ),
    # [global]
    "[global]\nvrrp_strict = true\nvrrp_down_timer_adverts = 4\nvrrp_lower_prio_no_advert = false\n"
    + INSTANCE
    + "no_accept = false": (
        "a.toml:3:1: global.vrrp_down_timer_adverts: warning: found 4; strict mode fixes it at 3: a backup waits for three adverts and the skew (RFC 9568 6.1)",
        "a.toml:4:1: global.vrrp_lower_prio_no_advert: warning: found false; strict mode fixes it at true: an advert of lower priority is dropped (RFC 5798 6.4.3)",
        "a.toml:9:1: vrrp_instance.tic.no_accept: warning: found false; strict mode fixes it at the opposite: only the owner answers to the addresses (RFC 9568 6.1)",
    ),
    "[global]\nvrrp_startup_delay = 0.0001\nvrrp_delay_after_boot = -1": (
        "a.toml:2:1: global.vrrp_startup_delay: found 0.0001; must be 0 (off) or at least 0.001",
        "a.toml:3:1: global.vrrp_delay_after_boot: found -1; must be seconds, a number from 0 to 86400",
    ),
    '[global]\nnftables = "1table"': (
        'a.toml:2:1: global.nftables: found "1table"; must be a name of 1 to 64 letters, digits, _ and -, which begins with a letter or _',
    ),
    "[global]\nnftables_priority = 2147483648": (
        "a.toml:2:1: global.nftables_priority: found 2147483648; must be a whole number from -2147483647 to 2147483647",
    ),
    "[global]\nvrrp_rt_priority = 50\nrealtime = false": (
        "a.toml:2:1: global.vrrp_rt_priority: warning: has no effect with realtime = false",
    ),
    "[global]\nvrrp_rt_priority = 0\nvrrp_priority = 20\nvrrp_cpu_affinity = [0, -1]": (
        "a.toml:2:1: global.vrrp_rt_priority: found 0; must be a whole number from 1 to 99",
        "a.toml:3:1: global.vrrp_priority: found 20; must be a whole number from -20 to 19",
        "a.toml:4:25: global.vrrp_cpu_affinity[1]: found -1; must be a whole number from 0 to 8191",
    ),
    '[global]\nvrrp_garp_interval = "0.1"': (
        'a.toml:2:1: global.vrrp_garp_interval: found "0.1"; must be seconds, a number from 0 to 3600',
    ),
    '[global]\nnftables = ""\nvrrp_ipsets = []': (
        'a.toml:2:1: global.nftables: found ""; must be a name of 1 to 64 letters, digits, _ and -, which begins with a letter or _',
        "a.toml:3:1: global.vrrp_ipsets: not yet in this version; leave it out",
    ),
    # Habits
    INSTANCE.replace('["192.0.2.1/24"]', "[]"): (
        "a.toml:4:1: vrrp_instance.tic.virtual_ipaddress: found an empty list; must be a list of text or tables that is not empty",
    ),
    INSTANCE.replace('["192.0.2.1/24"]', "[1]"): (
        "a.toml:4:22: vrrp_instance.tic.virtual_ipaddress[0]: found 1; must be text or a table",
    ),
    INSTANCE + "accept = true\nno_accept = false": (
        "a.toml:6:1: vrrp_instance.tic.no_accept: is the opposite of accept; keep one of them",
    ),
    INSTANCE + "priority = 255\nno_accept = true": (
        "a.toml:6:1: vrrp_instance.tic.no_accept: warning: has no effect at priority 255: the owner answers to its addresses",
    ),
    INSTANCE + "v3_checksum_as_v2 = true": (
        "a.toml:5:1: vrrp_instance.tic.v3_checksum_as_v2: warning: has an effect on version 3 over IPv4 only; leave it out",
    ),
    INSTANCE + "dont_track_primary = true\ntrack_src_ip = true": (
        "a.toml:5:1: vrrp_instance.tic.dont_track_primary: not yet in this version; leave it out",
        "a.toml:6:1: vrrp_instance.tic.track_src_ip: not yet in this version; leave it out",
    ),
}
