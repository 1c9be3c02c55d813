"""What may stand in the lists of what a MASTER holds: virtual addresses, routes and rules.

The words are keepalived's, which are those of ip-address(8), ip-route(8) and ip-rule(8).
"""

from typing import Annotated, Any

import msgspec

from stayalived.config.kinds import DURATION, about

MAX_INTERFACE_NAME = 15  # IFNAMSIZ less its NUL
MAX_NUMBER = 0xFFFFFFFF
FOREVER_WORD = "forever"

InterfaceName = Annotated[str, about("", min_length=1, max_length=MAX_INTERFACE_NAME)]
Untracked = Annotated[bool, about("Whether nothing happens when somebody else deletes it.")]

ROUTE_TYPES = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
"""RTN_* of linux/rtnetlink.h."""

ROUTE_MODES = ("prepend", "append")
"""What ip-route(8) calls so. Not its `add`: no route of somebody else's keeps ours out."""

RULE_TYPES = {"nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
"""FR_ACT_* of linux/fib_rules.h, those that need nothing else."""


class AddressTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a virtual address when it is a table. None: nothing was written."""

    address: Annotated[str, about("ADDRESS or ADDRESS/PREFIX; without a prefix /32 or /128.", min_length=1)]
    dev: Annotated[
        InterfaceName | None, about("The interface that carries it.", default="`interface`, or its macvlan")
    ] = None
    label: (
        Annotated[
            str,
            about("IPv4: its label.", min_length=1, max_length=MAX_INTERFACE_NAME, default="the interface's name"),
        ]
        | None
    ) = None
    scope: Annotated[
        int | str | None,
        about('IPv4: how far it is valid, "global", "site", "link", "host" or a number.', default='`"global"`'),
    ] = None
    brd: Annotated[
        str | None, about('IPv4: its broadcast address, or "+" or "-" for all bits set or clear.', default="none")
    ] = None
    peer: Annotated[
        str | None, about("The other end of a point-to-point link, ADDRESS or ADDRESS/PREFIX.", default="none")
    ] = None
    home: Annotated[bool | None, about("IPv6: it is a home address (RFC 6275).", default="`false`")] = None
    nodad: Annotated[
        bool | None, about("IPv6: use it without asking whether anybody else has it.", default="`true`")
    ] = None
    mngtmpaddr: Annotated[
        bool | None, about("IPv6: make temporary addresses from it (RFC 8981).", default="`false`")
    ] = None
    noprefixroute: Annotated[bool, about("Make no route to its net.")] = False
    preferred_lft: (
        Annotated[
            int,
            about(
                f'IPv6: how long it is a source of new connections, or "{FOREVER_WORD}".',
                ge=0,
                le=MAX_NUMBER - 1,
                unit=DURATION,
                default="`0`: never",
            ),
        ]
        | str
        | None
    ) = None
    no_track: Untracked = False


class NextHopTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of one of several ways of a route."""

    via: Annotated[str | None, about("The gateway.", default="none")] = None
    dev: Annotated[InterfaceName | None, about("The interface.", default="the gateway's")] = None
    weight: Annotated[int, about("Its share.", ge=1, le=256)] = 1
    onlink: Annotated[bool, about("The gateway is reached directly, whatever the addresses say.")] = False


class RouteTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a route."""

    to: Annotated[str, about('Where to: "default", ADDRESS or ADDRESS/PREFIX.', min_length=1)]
    via: Annotated[str | None, about("The gateway.", default="none")] = None
    dev: Annotated[InterfaceName | None, about("The interface.", default="the gateway's")] = None
    src: Annotated[str | None, about("The source address that is preferred.", default="the kernel's choice")] = None
    table: Annotated[
        int | str | None,
        about(
            "The table, by number or by its name in iproute2's `rt_tables`.",
            default='`"main"`, `"local"` of a local one',
        ),
    ] = None
    metric: (
        Annotated[
            int,
            about(
                "The lowest is taken.", ge=0, le=MAX_NUMBER, default="`0`, IPv6: `1024`, which the kernel takes for 0"
            ),
        ]
        | None
    ) = None
    scope: Annotated[
        int | str | None,
        about(
            "IPv4: how far the destination is, by number or by its name in `rt_scopes`.",
            default='`"link"` without a gateway, `"host"` of a local one, else `"global"`',
        ),
    ] = None
    type: Annotated[str, about("What becomes of packets.", choices=tuple(ROUTE_TYPES))] = "unicast"
    onlink: Annotated[bool, about("The gateway is reached directly on `dev`, whatever the addresses say.")] = False
    mtu: Annotated[int, about("The MTU on the way.", ge=68, le=65535, default="the interface's")] | None = None
    mode: Annotated[
        str, about("Its place among routes of others to there, in this table, with this metric.", choices=ROUTE_MODES)
    ] = "prepend"
    nexthops: Annotated[list[dict[str, Any]], about("Several ways, instead of `via` and `dev`.")] = []
    no_track: Untracked = False


class RuleTable(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from", "inverted": "not"}
):
    """The keys of a rule."""

    source: Annotated[str | None, about('Source of the packets: ADDRESS, ADDRESS/PREFIX or "all".', default="all")] = (
        None
    )
    to: Annotated[str | None, about("Their destination.", default="all")] = None
    iif: Annotated[InterfaceName | None, about("The interface that they came from.", default="any")] = None
    oif: Annotated[InterfaceName | None, about("The interface that their socket is bound to.", default="any")] = None
    fwmark: Annotated[
        int | str | None, about('Their firewall mark: a number or "MARK/MASK", decimal or 0x….', default="any")
    ] = None
    tos: Annotated[int | str | None, about("Their type of service, decimal or 0x….", default="any")] = None
    inverted: Annotated[bool, about("It is for all packets but these.")] = False
    table: Annotated[
        int | str | None, about("Where to look up: a number, or a name in iproute2's `rt_tables`.", default='`"main"`')
    ] = None
    goto: (
        Annotated[
            int, about("Preference of the rule to go on with, instead of `table`.", ge=1, le=MAX_NUMBER, default="none")
        ]
        | None
    ) = None
    type: Annotated[
        str | None, about("What becomes of them, instead of `table`.", choices=tuple(RULE_TYPES), default="none")
    ] = None
    preference: (
        Annotated[
            int,
            about(
                "The lowest comes first. An instance holds one rule for each.",
                ge=1,
                le=MAX_NUMBER,
                default="counted down from 16384 for each family, over all instances in their order",
            ),
        ]
        | None
    ) = None
    family: Annotated[
        str | None, about("Its family where no address tells it.", choices=("ipv4", "ipv6"), default='`"ipv4"`')
    ] = None
    no_track: Untracked = False
