"""What may stand in `[global]`. keepalived's `global_defs`, under its names; the rows are those of its manual page."""

from typing import Annotated, Any

import msgspec

from stayalived.config.kinds import DURATION, about
from stayalived.config.telling import TellingKeys

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
HOUR = 3600
DAY = 86_400
MAX_TIMEOUT = 2_678_400  # LV38: 31 days
MAX_PROCESSOR = 8191  # CONFIG_NR_CPUS, at most
MAX_NFTABLES_PRIORITY = 0x7FFFFFFF  # nft(8): signed, 32 bits

Actions = str | dict[str, Any] | list[str | dict[str, Any]]
Notify = Annotated[
    Actions | None,
    about('What to do on [events](events.md): actions, each "NAME" or { type = "NAME", on = ["EVENT", …], … }.'),
]
MasterDelay = Annotated[
    float, about("Time until the second block of gratuitous ARP; 0 = none.", ge=0, le=DAY, unit=DURATION, default="`5`")
]
MasterRepeat = Annotated[
    int, about("Gratuitous ARP packets for each address in a block.", ge=1, le=1000, default="`5`")
]
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
GarpInterval = Annotated[
    float, about("Least time between two gratuitous ARP packets on an interface.", ge=0, le=HOUR, unit=DURATION)
]
GnaInterval = Annotated[
    float, about("Least time between two neighbour advertisements on an interface.", ge=0, le=HOUR, unit=DURATION)
]
DownAdverts = Annotated[int, about("Adverts missed before a backup takes over; equal on all routers.", ge=1, le=100)]
LowerNoAdvert = Annotated[
    bool, about("Whether a master leaves adverts of lower priority unanswered.", default="`false`; strict: `true`")
]
HigherSendAdvert = Annotated[
    bool, about("Whether a master sends one more advert before it yields to a higher one.", default="`false`")
]
CheckUnicastSource = Annotated[
    bool,
    about("Whether unicast adverts are taken from the peers only; a bound of a TTL turns it on.", default="`false`"),
]
SkipAddressCheck = Annotated[
    bool, about("Whether the addresses in further adverts of the known master are not compared.", default="`false`")
]
OwnerIgnore = Annotated[
    bool, about("Whether the owner of the addresses leaves all adverts aside.", default="`false`; strict: `true`")
]
ChecksumAsV2 = Annotated[
    bool, about("Whether version 3 over IPv4 has its checksum without pseudo-header (RFC 9568, Cisco, Juniper).")
]
Strict = Annotated[bool, about("Whether everything that the RFCs do not have is refused or switched off.")]


class TimeoutsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `lvs_timeouts`."""

    tcp: Annotated[int, about("Of an idle TCP connection; 0 = as it is.", ge=0, le=MAX_TIMEOUT, unit=DURATION)] = 0
    tcpfin: Annotated[int, about("Of one after a FIN; 0 = as it is.", ge=0, le=MAX_TIMEOUT, unit=DURATION)] = 0
    udp: Annotated[int, about("Of an idle pair over UDP; 0 = as it is.", ge=0, le=MAX_TIMEOUT, unit=DURATION)] = 0


class GlobalTable(TellingKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    checker_processes: Annotated[
        int, about("Processes that share the checks of bundled types, by target.", ge=1, le=64, restart=True)
    ] = 1
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
    lvs_timeouts: Annotated[
        TimeoutsTable | None,
        about(
            "How long the kernel's IPVS keeps idle connections; restored at the stop.",
            default="as they are",
        ),
    ] = None
    disable_plugins: Annotated[list[str], about("Distributions whose plugins are not loaded.")] = msgspec.field(
        default_factory=list
    )
    lvs_sync_daemon: Annotated[
        dict[str, Any] | None,
        about("Tells the other director of connections, so that they survive a takeover.", default="none"),
    ] = None
    peer_directors: Annotated[
        list[str],
        about("Other directors, by MAC or IP address: what they have balanced is served here, and not balanced again."),
    ] = msgspec.field(default_factory=list)
    peer_mark: (
        Annotated[
            int,
            about(
                "The firewall mark of such packets; alone, where the site sets it.",
                ge=1,
                le=0xFFFFFFFF,
                default="`29556` with `peer_directors`",
            ),
        ]
        | None
    ) = None
    # Children that run keep what was read from it; under another name, drains would be lost at the next start.
    state_dir: Annotated[
        str, about("Folder of what outlives the daemon: drains and weights by command.", restart=True)
    ] = "/var/lib/stayalived"
    panic_threshold: Annotated[
        int,
        about(
            "Per cent of a service's weight that must be live; with less, servers that are down serve too. 0 = off.",
            ge=0,
            le=100,
        ),
    ] = 0
    notify: Notify = None
    rs_init_notifies: Annotated[
        bool, about("Whether actions are told that a server came up by its first check after the start (N18).")
    ] = False
    vrrp_version: Annotated[int, about("VRRP version of instances that have IPv4 addresses only.", ge=2, le=3)] = 2
    vrrp_mcast_group4: Annotated[str, about("Multicast group of IPv4 adverts.")] = "224.0.0.18"
    vrrp_mcast_group6: Annotated[str, about("Multicast group of IPv6 adverts.")] = "ff02::12"
    vrrp_garp_master_delay: MasterDelay | None = None
    vrrp_garp_master_repeat: MasterRepeat | None = None
    vrrp_garp_master_refresh: MasterRefresh = 0
    vrrp_garp_master_refresh_repeat: RefreshRepeat = 1
    vrrp_garp_lower_prio_delay: LowerDelay | None = None
    vrrp_garp_lower_prio_repeat: LowerRepeat | None = None
    vrrp_min_garp: Annotated[
        bool, about("One gratuitous ARP for each address and no second block, where nobody says otherwise.")
    ] = False
    vrrp_garp_interval: GarpInterval = 0
    vrrp_gna_interval: GnaInterval = 0
    vrrp_down_timer_adverts: DownAdverts = 3
    vrrp_startup_delay: Annotated[
        float,
        about("How long after a start no instance takes part in elections; 0 = off.", ge=0, le=DAY, unit=DURATION),
    ] = 0
    vrrp_delay_after_boot: Annotated[
        float, about("The same, counted from the machine's boot; the longer one holds.", ge=0, le=DAY, unit=DURATION)
    ] = 0
    vrrp_strict: Strict = False
    vrrp_lower_prio_no_advert: LowerNoAdvert | None = None
    vrrp_higher_prio_send_advert: HigherSendAdvert | None = None
    vrrp_check_unicast_src: CheckUnicastSource = False
    vrrp_skip_check_adv_addr: SkipAddressCheck = False
    vrrp_owner_ignore_adverts: OwnerIgnore | None = None
    v3_checksum_as_v2: ChecksumAsV2 = False
    vrrp_priority: Annotated[int, about("Nice value of the VRRP process.", ge=-20, le=19)] = 0
    vrrp_rt_priority: (
        Annotated[
            int,
            about("Its real-time priority (SCHED_RR); turns `realtime` on.", ge=1, le=99, default="`1` where it is"),
        ]
        | None
    ) = None
    vrrp_cpu_affinity: Annotated[
        list[Annotated[int, about("A processor.", ge=0, le=MAX_PROCESSOR)]],
        about("Processors that the VRRP process may run on.", default="all"),
    ] = msgspec.field(default_factory=list)
    vrrp_no_swap: Annotated[bool, about("Keep the VRRP process in memory, as `realtime` does.")] = False
    # The table stands while it is used: under another name, the old one would go on dropping packets.
    nftables: Annotated[
        str,
        about("Name of the nftables table of `accept = false`; of `peer_directors` NAME_peers.", restart=True),
    ] = "stayalived"
    nftables_priority: Annotated[
        int, about("Priority of its chains.", ge=-MAX_NFTABLES_PRIORITY, le=MAX_NFTABLES_PRIORITY, restart=True)
    ] = -1


def is_log_target(text: str) -> bool:
    """Tell whether a text says where a log may go."""
    kind, _, file = text.partition(":")
    return text in LOGS or (kind == "file" and file.startswith("/"))
