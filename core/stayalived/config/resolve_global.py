"""`[global]`: from its table to what every process sees of it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from stayalived.config.alerts import imply
from stayalived.config.desk import Desk, first_set
from stayalived.config.directors import NO_PEERS, Peers, SyncDaemon
from stayalived.config.findings import Findings, Path, Value, shown
from stayalived.config.general import FACILITIES, LEVELS, LOG_TARGETS, LOGS, GlobalTable, is_log_target
from stayalived.config.model import GLOBAL, Check, Globals, Timeouts
from stayalived.config.resolve_actions import act
from stayalived.config.virtual_routers import VrrpInstance
from stayalived.timing import NO_TIME, Duration, milliseconds, seconds

LONGEST_HOLD = seconds(10)
HOLD_SPARE = seconds(1)  # beyond the longest limit of a step
FAST = seconds(1)  # an advert interval below this asks for real-time scheduling
SHORTEST_DELAY = milliseconds(1)  # VG17
_NFTABLES_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def global_table(value: Value, desk: Desk) -> GlobalTable:
    """Return what stands in `[global]`, its defaults where it is wrong; take up its actions."""
    table = desk.decoder.table(value, GlobalTable, (GLOBAL,), GLOBAL) or GlobalTable()
    desk.common = {key: below for key, below in _keys(value) if getattr(table, key, None)}  # what is good of it
    imply(desk, GLOBAL, (GLOBAL,))
    act(desk, table.notify, GLOBAL, (GLOBAL, "notify"))
    return table


def _keys(value: Value) -> Iterable[tuple[str, Value]]:
    return value.items() if isinstance(value, Mapping) else ()


def globals_of(
    desk: Desk,
    instances: Sequence[VrrpInstance],
    checks: Sequence[Check],
    sync_daemon: SyncDaemon | None = None,
    peers: Peers = NO_PEERS,
) -> Globals:
    """Return the globals.

    Args:
        desk: with the table.
        instances: whose intervals may ask for real-time scheduling.
        checks: of the real servers; the longest decides how long a start holds back.
        sync_daemon: the kernel's, which tells other directors of connections.
        peers: the other directors.
    """
    table = desk.globals
    return Globals(
        router_id=table.router_id or desk.host_name,
        host_id=desk.host_id,
        child_wait_time=seconds(table.child_wait_time),
        script_user=table.script_user,
        start_hold=_start_hold(table, checks),
        start_rate=table.start_rate,
        dynamic_interfaces=table.dynamic_interfaces,
        realtime=_realtime(table, instances, desk.findings),
        flush=table.flush,
        log=_log(table.log, desk),
        log_facility=desk.choice(table.log_facility, FACILITIES, (GLOBAL, "log_facility")),
        log_level=desk.choice(table.log_level, LEVELS, (GLOBAL, "log_level")),
        vrrp_startup_delay=_delay(table.vrrp_startup_delay, "vrrp_startup_delay", desk.findings),
        vrrp_delay_after_boot=_delay(table.vrrp_delay_after_boot, "vrrp_delay_after_boot", desk.findings),
        vrrp_priority=table.vrrp_priority,
        vrrp_rt_priority=first_set(table.vrrp_rt_priority, default=1),
        vrrp_cpu_affinity=tuple(sorted(set(table.vrrp_cpu_affinity))),
        vrrp_no_swap=table.vrrp_no_swap,
        nftables=_nftables(table.nftables, desk.findings),
        nftables_priority=table.nftables_priority,
        sync_daemon=sync_daemon,
        peer_directors=peers.macs,
        peer_addresses=peers.addresses,
        peer_mark=peers.mark,
        rs_init_notifies=table.rs_init_notifies,
        state_dir=_state_dir(table.state_dir, desk.findings),
        lvs_timeouts=_timeouts(table),
        checker_processes=table.checker_processes,
    )


def _realtime(table: GlobalTable, instances: Sequence[VrrpInstance], findings: Findings) -> bool:
    asked = table.vrrp_rt_priority is not None
    if asked and table.realtime is False:
        findings.warn((GLOBAL, "vrrp_rt_priority"), "has no effect with realtime = false")
    fast = any(router.advert_int < FAST for instance in instances for router in instance.routers)
    return first_set(table.realtime, default=fast or asked)


def _timeouts(table: GlobalTable) -> Timeouts:
    said = table.lvs_timeouts
    return Timeouts() if said is None else Timeouts(tcp=said.tcp, tcpfin=said.tcpfin, udp=said.udp)


def _delay(value: float, key: str, findings: Findings) -> Duration:
    delay = seconds(value)
    if value and delay < SHORTEST_DELAY:
        findings.error((GLOBAL, key), "must be 0 (off) or at least 0.001", found=shown(value))
    return delay


def _nftables(name: str, findings: Findings) -> str:
    path: Path = (GLOBAL, "nftables")
    if not _NFTABLES_NAME.fullmatch(name):
        text = "must be a name of 1 to 64 letters, digits, _ and -, which begins with a letter or _"
        findings.error(path, text, found=shown(name))
    return name


def _state_dir(value: str, findings: Findings) -> str:
    if not value.startswith("/"):
        findings.error((GLOBAL, "state_dir"), "must be a path that begins with /", found=shown(value))
    return value


def _log(value: str, desk: Desk) -> str:
    if is_log_target(value):
        return value
    desk.findings.error((GLOBAL, "log"), f"must be {LOG_TARGETS}", found=shown(value))
    return LOGS[0]


def _start_hold(table: GlobalTable, checks: Sequence[Check]) -> Duration:
    if table.start_hold is not None:
        return seconds(table.start_hold)
    longest = max((check.timing.connect_timeout for check in checks), default=NO_TIME)
    return min(Duration(longest + HOLD_SPARE), LONGEST_HOLD) if longest else NO_TIME
