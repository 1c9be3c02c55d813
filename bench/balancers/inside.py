"""What runs inside of the kernel: one program after the other through the life of a big table. I/O.

python inside.py FILE SERVICES SERVERS STACK…      writes the figures of each to FILE, as JSON
"""

import ctypes
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from routers.usage import memory

from balancers import plan
from balancers.kernel import Table, spent
from balancers.plan import Plan
from balancers.stacks import STACKS, Stack

LIMIT = 240.0  # seconds that one step may take
LOOK = 0.1  # seconds between two looks
QUIET = 1.0  # seconds without work after which a step is over
IDLE = 0.06
"""Processor time in `QUIET` seconds that is no work: signs of life, and the look at it."""

CLONE_NEWNET = 0x40000000  # linux/sched.h

Figures = dict[str, float]


class Trial:
    """One program, from start to stop."""

    def __init__(self, stack: Stack, site: Plan) -> None:
        self._stack, self._site = stack, site
        self._table = Table()
        self._missing = list(site)
        self.figures: Figures = {}

    def run(self) -> None:
        """Go through its life."""
        self._stack.write(self._site)
        self._measure("start", self._stack.start, self._site)
        self.figures["memory (PSS), MB"] = round(memory(self._stack.process.pid) / 1024, 1)
        self._reload("reload, nothing changed", self._site)
        self._reload("reload, one weight", plan.with_one_weight(self._site))
        self._reload("reload, 10 % replaced", plan.with_others(self._site))
        self.figures["memory at the end (PSS), MB"] = round(memory(self._stack.process.pid) / 1024, 1)
        begun = time.monotonic()
        self._stack.stop()
        self.figures["stop, s"] = round(time.monotonic() - begun, 2)
        self.figures["services that a stop leaves"] = self._table.services()
        subprocess.run(["ipvsadm", "-C"], check=True)

    def _reload(self, name: str, site: Plan) -> None:
        self._stack.write(site)
        self._measure(name, self._stack.reload, site)

    def _is_full(self) -> bool:
        """Return whether every service has its servers: one that has is not asked again, as there is one processor."""
        while self._missing and self._table.destinations(self._missing[-1]) == len(self._missing[-1].servers):
            self._missing.pop()
        return not self._missing

    def _measure(self, name: str, act: Callable[[], None], site: Plan) -> None:
        """Do something and wait until the table is as it should be and the program at rest; note what it took."""
        is_start = name == "start"
        before = 0.0 if is_start else spent(self._stack.process.pid)
        begun = time.monotonic()
        act()
        group = self._stack.process.pid
        looks: list[tuple[float, float]] = []
        full = 0.0
        while True:
            time.sleep(LOOK)
            now = time.monotonic()
            assert now < begun + LIMIT, f"{name}: not done within {LIMIT} s\n{self._stack.log()[-2000:]}"
            if is_start and not full and self._is_full():
                full = time.monotonic()
            looks.append((now, spent(group)))
            first = next(look for look in looks if look[0] >= now - QUIET)
            is_quiet = now - looks[0][0] >= QUIET and looks[-1][1] - first[1] < IDLE
            if is_quiet and (full or not is_start) and self._differences(site) is None:
                break
        over = full if is_start else first[0]
        self.figures["start to full table, s" if is_start else f"{name}, s"] = round(over - begun, 2)
        self.figures[f"{name}, processor s"] = round(first[1] - before, 2)
        print(f"{name}: {over - begun:.2f} s, {first[1] - before:.2f} s of processor time", flush=True)

    def _differences(self, site: Plan) -> str | None:
        """Return how the kernel's table differs from the plan, if it does."""
        done = subprocess.run(["ipvsadm", "-Sn"], check=True, capture_output=True, text=True)
        found, wanted = {line.strip() for line in done.stdout.splitlines()}, plan.table(site)
        if found == wanted:
            return None
        return f"missing {sorted(wanted - found)[:3]}, too much {sorted(found - wanted)[:3]}"


def enter_new_network() -> None:
    """Move to a network of its own, with an empty table.

    The kernel keeps deleted servers for two minutes, and looks among them for each that is added: who came second would
    pay for what the first one has deleted (ip_vs_trash_get_dest).

    Raises:
        OSError: it cannot be made.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def main() -> None:
    """Run what the command line names."""
    file, services, servers, *stacks = sys.argv[1:]
    site = plan.plan(int(services), int(servers))
    results = []
    for name in dict.fromkeys(stacks):  # once for the caches: of files, and of Python's compiled modules
        enter_new_network()
        stack = STACKS[name](Path(mkdtemp(dir="/run")))
        Trial(stack, plan.plan(10, 100)).run()
    for name in stacks:
        enter_new_network()
        stack = STACKS[name](Path(mkdtemp(dir="/run")))
        trial = Trial(stack, site)
        print(f"--- {name}", flush=True)
        trial.run()
        results.append((name, trial.figures))
    Path(file).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
