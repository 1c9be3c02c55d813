"""What may stand in `[global]`. keepalived's `global_defs`, under its names; the rows are those of its manual page."""

from typing import Annotated, Any

import msgspec

from stayalived.config.kinds import DURATION, about

FACILITIES = (
    "daemon",
    "user",
    "auth",
    "syslog",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
)
LEVELS = ("debug", "info", "notice", "warning", "error", "critical")
LOGS = ("stderr", "syslog", "journald")
LOG_TARGETS = '"stderr", "syslog", "journald" or "file:/PATH"'
DAY = 86_400

Actions = str | dict[str, Any] | list[str | dict[str, Any]]
Notify = Annotated[
    Actions | None,
    about(
        'What to run on events: actions, each "NAME" or { type = "NAME", on = ["EVENT", …], … }; `on` left out = all.'
    ),
]
MasterDelay = Annotated[
    float, about("Time until the second block of gratuitous ARP; 0 = none.", ge=0, le=DAY, unit=DURATION)
]
MasterRepeat = Annotated[int, about("Gratuitous ARP packets for each address in a block.", ge=1, le=1000)]
MasterRefresh = Annotated[float, about("Period of gratuitous ARP while master; 0 = none.", ge=0, le=DAY, unit=DURATION)]
RefreshRepeat = Annotated[int, about("Packets for each address at a refresh.", ge=1, le=1000)]
LowerDelay = Annotated[
    float,
    about(
        "Time until the second block after an advert of lower priority was heard.",
        ge=0,
        le=DAY,
        unit=DURATION,
        default="that of `garp_master_delay`",
    ),
]
LowerRepeat = Annotated[
    int,
    about(
        "Packets in a block after an advert of lower priority; 0 = none.",
        ge=0,
        le=1000,
        default="that of `garp_master_repeat`",
    ),
]
DownAdverts = Annotated[int, about("Adverts missed before a backup takes over; equal on all routers.", ge=1, le=100)]


class GlobalTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `[global]`."""

    router_id: Annotated[
        str | None, about("Who this machine is, in mails, metrics and on the status page.", default="the host name")
    ] = None
    # The log is opened before rights are dropped, so another target takes a new process.
    log: Annotated[str, about("Where the log goes: stderr, syslog, journald or file:PATH.", restart=True)] = "stderr"
    log_facility: Annotated[str, about("The facility of syslog.", choices=FACILITIES, restart=True)] = "daemon"
    log_level: Annotated[str, about("The least important lines that are written.", choices=LEVELS)] = "info"
    child_wait_time: Annotated[
        float, about("How long the processes may take to stop before they are killed.", ge=0.1, le=600, unit=DURATION)
    ] = 5
    script_user: Annotated[
        str, about("User that scripts run as, unless they name one.", default="`keepalived_script` if it exists")
    ] = ""
    start_hold: (
        Annotated[
            float,
            about(
                "How long after a start no working master is preempted while servers wait for a check; 0 = off.",
                ge=0,
                le=600,
                unit=DURATION,
                default="the longest `connect_timeout` + 1, at most 10",
            ),
        ]
        | None
    ) = None
    start_rate: Annotated[int, about("First checks started in a second.", ge=1, le=100_000)] = 1000
    dynamic_interfaces: Annotated[
        bool, about("An interface may be missing at the start: its instances are in FAULT until it appears.")
    ] = False
    realtime: (
        Annotated[
            bool,
            about(
                "Real-time scheduling of the VRRP process.", default="true when an advert interval is below one second"
            ),
        ]
        | None
    ) = None
    flush: Annotated[bool, about("Empty the kernel's whole IPVS table at the start, services of others included.")] = (
        False
    )
    disable_plugins: Annotated[list[str], about("Distributions whose plugins are not loaded.")] = []
    notify: Notify = None
    vrrp_version: Annotated[int, about("VRRP version of instances that have IPv4 addresses only.", ge=2, le=3)] = 2
    vrrp_mcast_group4: Annotated[str, about("Multicast group of IPv4 adverts.")] = "224.0.0.18"
    vrrp_mcast_group6: Annotated[str, about("Multicast group of IPv6 adverts.")] = "ff02::12"
    vrrp_garp_master_delay: MasterDelay = 5
    vrrp_garp_master_repeat: MasterRepeat = 5
    vrrp_garp_master_refresh: MasterRefresh = 0
    vrrp_garp_master_refresh_repeat: RefreshRepeat = 1
    vrrp_garp_lower_prio_delay: LowerDelay | None = None
    vrrp_garp_lower_prio_repeat: LowerRepeat | None = None
    vrrp_down_timer_adverts: DownAdverts = 3


def is_log_target(text: str) -> bool:
    """Tell whether a text says where a log may go."""
    kind, _, file = text.partition(":")
    return text in LOGS or (kind == "file" and file.startswith("/"))
