"""What may stand in a check beside the options of its type, and what is inherited from the servers around it."""

from typing import Annotated, Any

import msgspec

from stayalived.config.general import DAY
from stayalived.config.kinds import DURATION, about

MOST_WEIGHT = 65535
Checks = str | dict[str, Any] | list[str | dict[str, Any]]
CheckValue = Annotated[
    Checks | None,
    about(
        'The checks: "NAME" of a `[check.NAME]` or of a type, { type = "NAME", … }, or a list of them; all must pass.'
    ),
]


class TimingTable(msgspec.Struct, frozen=True, kw_only=True):
    """When and how often: the check's own value, else its real server's, else its virtual server's (C04 to C09)."""

    delay_loop: (
        Annotated[
            float,
            about(
                "Time between the end of a check and the next.",
                ge=0.01,
                le=DAY,
                unit=DURATION,
                default="60, or the type's; 1 in `track`",
            ),
        ]
        | None
    ) = None
    connect_timeout: (
        Annotated[float, about("Limit of each step of a check.", ge=0.01, le=3600, unit=DURATION, default="5")] | None
    ) = None
    retry: (
        Annotated[
            int,
            about("Further tries before a server that was up is down.", ge=0, le=1000, default="1, or the type's"),
        ]
        | None
    ) = None
    delay_before_retry: (
        Annotated[
            float,
            about("Time between tries.", ge=0, le=DAY, unit=DURATION, default="1, or the type's; `dns`: `delay_loop`"),
        ]
        | None
    ) = None
    fast_interval: (
        Annotated[
            float,
            about(
                "Time between checks while a server is changing: between those that `fall` or `rise` count.",
                ge=0.01,
                le=DAY,
                unit=DURATION,
                default="`delay_loop`",
            ),
        ]
        | None
    ) = None
    warmup: (
        Annotated[
            float,
            about(
                "The second check comes after a random part of this.",
                ge=0,
                le=DAY,
                unit=DURATION,
                default="`delay_loop`",
            ),
        ]
        | None
    ) = None
    rise: Annotated[int, about("Good results in a row that make a server up.", ge=1, le=1000, default="1")] | None = (
        None
    )
    fall: Annotated[int, about("Bad results in a row that make a server down.", ge=1, le=1000, default="1")] | None = (
        None
    )
    log_all_failures: (
        Annotated[bool, about("Whether each failed try is logged, and not only a change.", default="false")] | None
    ) = None
    alpha: (
        Annotated[bool, about("Whether a server stays out of the pool until its first good result.", default="true")]
        | None
    ) = None


class CheckTable(TimingTable, frozen=True, kw_only=True):
    """The keys that every check has beside `type` and the options of its type."""

    weight: (
        Annotated[
            int,
            about(
                "Added to the server's weight while the check passes or fails, or times the value that it measures.",
                ge=-MOST_WEIGHT,
                le=MOST_WEIGHT,
                default="0, or the type's",
            ),
        ]
        | None
    ) = None
    reverse: Annotated[bool, about("Turns passing and failing round.")] = False
    virtualhost: Annotated[
        str | None, about("The name to ask for (Host header, SNI).", default="that of the servers around it")
    ] = None
    connect_ip: Annotated[
        str | list[str] | None, about("Where to, one for each family.", default="the real server's address")
    ] = None
    connect_port: Annotated[int, about("Which port.", ge=1, le=65535, default="the real server's port")] | None = None
    bindto: Annotated[
        str | list[str] | None,
        about("Source address or host name, one for each family.", default="the kernel's choice"),
    ] = None
    bind_port: Annotated[int, about("Source port; 0 = the kernel's choice.", ge=0, le=65535)] = 0
    bind_if: Annotated[str, about("Interface to send from.", default="the route's")] = ""
    fwmark: Annotated[int, about("Firewall mark of the packets.", ge=0, le=0xFFFFFFFF)] = 0


class TypeDefaults(TimingTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a type may say of itself in `defaults`."""

    weight: Annotated[int, msgspec.Meta(ge=-MOST_WEIGHT, le=MOST_WEIGHT)] = 0


TRACK_DEFAULTS = TimingTable(delay_loop=1)
"""Of a check that instances track, unless its type says otherwise: keepalived's `interval` (T07)."""

DEFAULTS = TimingTable(
    delay_loop=60, connect_timeout=5, retry=1, delay_before_retry=1, rise=1, fall=1, alpha=True, log_all_failures=False
)
"""keepalived's (LV14, LV15, C05, C06), but `alpha`: a server is UNKNOWN until its first result."""
