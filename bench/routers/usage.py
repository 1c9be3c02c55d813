"""What the processes of a daemon cost: processor time and memory, as the kernel counts them. I/O.

Processor time is the first figure of /proc/PID/task/*/schedstat, which is exact to nanoseconds, of every process in the
daemon's process group; a process or thread that ends meanwhile takes its time along, so nothing may end in a window
that is measured. Memory is PSS: what processes share is divided among them.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A look at some daemons.

    Attributes:
        at: moment in ns.
        spent: processor time in ns, by process group and then by process.
        busy: processor time in ns that this machine has spent on anything.
    """

    at: int
    spent: dict[int, dict[int, int]]
    busy: int


def look(*groups: int) -> Reading:
    """Read what these process groups have used until now."""
    spent = {group: {pid: _processor(pid) for pid in processes(group)} for group in groups}
    return Reading(at=time.monotonic_ns(), spent=spent, busy=_busy())


def spent_between(before: Reading, after: Reading, group: int) -> int:
    """Return the processor time of a group in ns."""
    return sum(after.spent[group].values()) - sum(before.spent[group].values())


def others_between(before: Reading, after: Reading) -> float:
    """Return how many processors worked for others than the groups: the noise of the machine."""
    ours = sum(spent_between(before, after, group) for group in before.spent)
    return max(after.busy - before.busy - ours, 0) / (after.at - before.at)


def by_process(before: Reading, after: Reading, group: int) -> dict[str, int]:
    """Return the processor time of each process in ns, by what it calls itself."""
    return {f"{_name(pid)} {pid}": spent - before.spent[group].get(pid, 0) for pid, spent in after.spent[group].items()}


def memory(group: int) -> int:
    """Return the PSS of a process group in KiB."""
    total = 0
    for pid in processes(group):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total


def processes(group: int) -> list[int]:
    """Return the processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[2]) == group:
            found.append(int(stat.parent.name))
    return sorted(found)


def _processor(pid: int) -> int:
    """Return the processor time of all threads of a process; /proc/PID/schedstat is that of the first one alone."""
    return sum(int(one.read_text().split()[0]) for one in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"


def _busy() -> int:
    """Return all processor time but idle, waiting for disks, and stolen by the host (proc(5), /proc/stat)."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, interrupts, soft, _stolen = fields
    return (user + nice + system + interrupts + soft) * TICK
