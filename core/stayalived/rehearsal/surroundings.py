"""What ipvs would do beside its table, in words: sync daemons, marks of peers, `backup_only`, timeouts. Pure.

A kernel that does what it is told: each line is what changes of it, so what is so already has none.
"""

import ipaddress
from collections.abc import Iterator

from stayalived.addresses import Family
from stayalived.config.model import Timeouts
from stayalived.ipvs.daemons import Daemon, steps
from stayalived.ipvs.events import TUNNELS, Direct, Marks, SetTimeouts

IN_A_LINE = 50
"""Addresses in one line of nft."""


class Beside:
    """What there is beside the table.

    Attributes:
        lines: what was changed.
    """

    def __init__(self, daemons: tuple[Daemon, ...], backup_only: bool, timeouts: Timeouts) -> None:
        """Start with what the kernel has; marks are known of a configuration that was in force."""
        self.lines: list[str] = []
        self.timeouts = timeouts
        self._daemons = daemons
        self._backup_only = backup_only
        self._marks: Marks | None = None

    def direct(self, effect: Direct) -> None:
        """Make it so who balances."""
        if effect.backup_only is not None and effect.backup_only is not self._backup_only:
            self.lines.append(f"sysctl -w net.ipv4.vs.backup_only={int(effect.backup_only)}")
            self._backup_only = effect.backup_only
        if effect.daemons is not None:
            stopped, started = steps(self._daemons, effect.daemons)
            self.lines += [f"ipvsadm --stop-daemon {role.name.lower()}" for role in stopped]
            self.lines += map(start_in_words, started)
            self._daemons = tuple(effect.daemons)
        if effect.table and effect.marks != self._marks:
            self.lines += marks_in_words(effect.table, self._marks, effect.marks)
            self._marks = effect.marks

    def keep(self, effect: SetTimeouts) -> None:
        """Set timeouts."""
        wanted = {name: value for name, value in _values(effect.timeouts).items() if value}
        after = Timeouts(**(_values(self.timeouts) | wanted))
        if after != self.timeouts:
            self.lines.append(str(effect.timeouts))
        self.timeouts = after


def start_in_words(daemon: Daemon) -> str:
    """Return what starts a sync daemon, as people type it."""
    words = [
        f"ipvsadm --start-daemon {daemon.role.name.lower()}",
        f"--mcast-interface {daemon.interface} --syncid {daemon.sync_id}",
        f"--mcast-group {daemon.group} --mcast-port {daemon.port} --mcast-ttl {daemon.ttl}",
        *([f"--sync-maxlen {daemon.maxlen}"] if daemon.maxlen else []),
    ]
    return " ".join(words)


def marks_in_words(table: str, before: Marks | None, wanted: Marks | None) -> Iterator[str]:
    """Yield what makes the table of marks anew, or removes it; what cannot be typed is a sentence."""
    if before is not None or wanted is None:
        yield f"nft delete table inet {table}"
    if wanted is None:
        return
    yield f"nft add table inet {table}"
    for family in Family:
        addresses = [str(ipaddress.ip_address(one)) for one in wanted.addresses if len(one) * 8 == family.bits]
        yield f"nft add set inet {table} ipv{family} '{{ type ipv{family}_addr; }}'"
        for start in range(0, len(addresses), IN_A_LINE):
            elements = ", ".join(addresses[start : start + IN_A_LINE])
            yield f"nft add element inet {table} ipv{family} '{{ {elements} }}'"
    hook = f"type filter hook input priority {wanted.priority}; policy accept;"
    yield f"nft add chain inet {table} input '{{ {hook} }}'"
    for mac in wanted.macs:
        for what in _marked(wanted):
            source = f"meta iiftype ether ether saddr {mac.hex(':')}"
            yield f"nft add rule inet {table} input {source} {what} meta mark set {wanted.mark:#x}"
    for peer in wanted.peers:
        yield f"mark the same of {peer} with {wanted.mark:#x}, once its MAC address is known"


def _marked(wanted: Marks) -> Iterator[str]:
    """Yield which packets of a peer are marked, as `kernel.peer_marks` does."""
    yield from ("ip daddr @ipv4", "ip6 daddr @ipv6")
    yield from (f"meta mark {mark:#x}" for mark in wanted.fwmarks)
    yield from (f"meta l4proto {protocol}" for protocol in TUNNELS if wanted.tunnelled)


def _values(timeouts: Timeouts) -> dict[str, int]:
    return {"tcp": timeouts.tcp, "tcpfin": timeouts.tcpfin, "udp": timeouts.udp}
