"""What may stand in `[virtual_server.NAME]` and in its real servers: keepalived's keys and defaults."""

from typing import Annotated, Any

import msgspec

from stayalived.config.checks import CheckValue, TimingTable
from stayalived.config.general import Notify
from stayalived.config.kinds import DURATION, about
from stayalived.config.telling import Alert, ServerAlert

PROTOCOLS = ("tcp", "udp", "sctp")
ENGINES = ("sip",)
METHODS = ("NAT", "DR", "TUN")
TUNNELS = ("ipip", "gue", "gre")
CHECKSUMS = ("nocsum", "csum", "remcsum")
FAMILIES = ("ipv4", "ipv6")
STALE = ("keep", "down")
MAX_WEIGHT = 0x7FFFFFFF  # LV32
MAX_PERSISTENCE = 2_678_400  # LV11: 31 days
SCHEDULER = "that of the plugin that calls itself the default"
PERSISTENCE = 360  # seconds, where a granularity is given without a time (LV12)

Forward = Annotated[
    str | dict[str, Any] | None,
    about(
        'How packets reach a server: "NAT", "DR", "TUN" or { type = "TUN", tunnel = "gue", port = 6080 }.',
        default="NAT",
    ),
]


Mark = Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]


class ServerKeys(TimingTable, frozen=True, kw_only=True):
    """What may stand in a virtual server for all of its real servers, and in one of them for itself."""

    weight: Annotated[int, about("Weight in the kernel's table.", ge=0, le=MAX_WEIGHT, default="1")] | None = None
    forward: Forward = None
    uthreshold: (
        Annotated[
            int, about("Connections at which a server gets no more; 0 = no limit.", ge=0, le=0xFFFFFFFF, default="0")
        ]
        | None
    ) = None
    lthreshold: (
        Annotated[int, about("Connections below which it gets some again.", ge=0, le=0xFFFFFFFF, default="0")] | None
    ) = None
    inhibit_on_failure: (
        Annotated[bool, about("Whether a server that is down stays in the table with weight 0.", default="false")]
        | None
    ) = None
    virtualhost: Annotated[str | None, about("The name that checks ask for.", default="none")] = None
    check: CheckValue = None
    notify: Notify = None


class ForwardTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `forward` when it is a table."""

    type: Annotated[str, about("The method.", choices=METHODS)]
    tunnel: Annotated[str | None, about("Kind of tunnel.", choices=TUNNELS, default="ipip")] = None
    port: Annotated[int, about("Port of the tunnel; only with gue.", ge=1, le=65535, default="none")] | None = None
    checksum: Annotated[str | None, about("Checksum of the tunnel.", choices=CHECKSUMS, default="nocsum")] = None


class RealServerTable(ServerKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a real server."""

    smtp_alert: ServerAlert | None = None
    address: Annotated[
        str | list[str],
        about("ADDRESS, ADDRESS:PORT or a host name, one for each family; the port is the service's when left out."),
    ]


class MannersTable(ServerKeys, frozen=True, kw_only=True):
    """What may stand in a virtual server for rare moments."""

    panic_threshold: (
        Annotated[
            int,
            about(
                "Per cent of its weight that must be live; with less, servers that are down serve too. 0 = off.",
                ge=0,
                le=100,
                default="that of `[global]`",
            ),
        ]
        | None
    ) = None
    ha_suspend: Annotated[
        bool, about("Whether its checks sleep while none of its addresses is on this machine; not with `fwmark`.")
    ] = False
    omega: Annotated[bool, about("Whether the daemon's stop is told as `down` and `quorum_down`.")] = False
    sorry_server_inhibit: Annotated[
        bool, about("Whether the sorry server stays at weight 0 when it is needed no more.")
    ] = False
    sorry_server_lvs_method: Annotated[
        str | dict[str, Any] | None, about("As `forward`, for the sorry server.", default="`forward`")
    ] = None
    stale: Annotated[
        str,
        about("What a verdict older than three times `delay_loop` is: kept as it was, or down.", choices=STALE),
    ] = STALE[0]


class VirtualServerTable(MannersTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a virtual server."""

    smtp_alert: Alert | None = None
    address: Annotated[
        str | list[str] | None,
        about(
            "ADDRESS:PORT, one or several, or ranges: `192.0.2.1-9:80`, `192.0.2.0/28:80`, `[2001:db8::1-f]:80`;"
            " the alternative is `fwmark`.",
            default="none",
        ),
    ] = None
    fwmark: Annotated[
        Mark | list[Mark] | None,
        about("The packets that carry this firewall mark, or one of several, instead of `address`."),
    ] = None
    family: Annotated[
        str | None, about("Family of a service by `fwmark`.", choices=FAMILIES, default="that of its real servers")
    ] = None
    protocol: Annotated[
        str | list[str] | None,
        about('"tcp", "udp", "sctp", or a list of them; must be given with `address`.', default="none"),
    ] = None
    scheduler: Annotated[
        str | dict[str, Any] | None,
        about('Who gets the next connection: "NAME" or { type = "NAME", … }.', default=SCHEDULER),
    ] = None
    ops: Annotated[bool, about("One packet scheduling: each datagram on its own (UDP or `fwmark`).")] = False
    persistence_timeout: (
        Annotated[
            int,
            about(
                "How long a client stays with its server.",
                ge=1,
                le=MAX_PERSISTENCE,
                unit=DURATION,
                default="none: each connection by itself",
            ),
        ]
        | None
    ) = None
    persistence_granularity: Annotated[
        int | str | None,
        about("Which clients count as one: prefix length or netmask.", default="each address by itself"),
    ] = None
    persistence_engine: Annotated[
        str | None,
        about("What tells clients apart: sip by the call, with UDP only.", choices=ENGINES, default="their addresses"),
    ] = None
    quorum: Annotated[
        int,
        about("Weight of live servers that the service needs; below, the sorry server stands in.", ge=1, le=MAX_WEIGHT),
    ] = 1
    hysteresis: Annotated[
        int, about("Quorum is gained at quorum + this and lost below quorum - this.", ge=0, le=MAX_WEIGHT)
    ] = 0
    sorry_server: Annotated[
        str | list[str] | None,
        about("ADDRESS:PORT that serves when the quorum is lost; one, or one for each family.", default="none"),
    ] = None
    follow: Annotated[
        str | None, about("An instance: the service is in the table while it is MASTER, and only then.", default="none")
    ] = None
    real_server: Annotated[dict[str, dict[str, Any]], about("The real servers, by name.")] = msgspec.field(
        default_factory=dict
    )
