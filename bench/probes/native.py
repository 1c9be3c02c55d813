"""keepalived's checker on this machine's own kernel, which may lack IPVS: its calls to it do nothing. I/O.

A library that is compiled here stands before libnl. What is measured is the checker process alone, as of ours: neither
has a table to change, and in the time of the measurement neither would.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from namespaces.waiting import wait_until
from probes.beside import theirs
from probes.web import Counter

SERVICE_SIZE = 100
"""Real servers of a virtual server: keepalived looks through all of them whenever one changes."""

STARTED_WITHIN = 120.0
ROUNDS_BEFORE = 3


class Cost(NamedTuple):
    """Microseconds of processor time for a probe, and how many there were in a second."""

    each: float
    rate: float

    def __str__(self) -> str:
        return f"{self.each:5.1f} us at {self.rate:4.0f}/s"


def missing() -> list[str]:
    """Return the packages that have to be installed first."""
    packages = {"gcc": "gcc libc6-dev", "keepalived": "keepalived"}
    return [package for program, package in packages.items() if shutil.which(program) is None]


def build(folder: Path) -> Path:
    """Compile the library that stands before libnl."""
    library = folder / "no_ipvs.so"
    source = Path(__file__).with_suffix("").with_name("no_ipvs.c")
    subprocess.run(["gcc", "-O2", "-w", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def measure_theirs(kind: str, targets: int, length: float, folder: Path, library: Path, core: int) -> Cost:
    """Return what a probe costs keepalived, each target probed once in a second."""
    config = folder / "keepalived.conf"
    config.write_text(theirs(kind, targets, SERVICE_SIZE))
    config.chmod(0o600)
    files = [f"-{letter}{folder}/{letter}.pid" for letter in "prc"]
    process = subprocess.Popen(
        ["taskset", "-c", str(core), "keepalived", "--check", "-n", "-l", "-f", str(config), *files],
        env={**os.environ, "LD_PRELOAD": str(library)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        count = Counter()
        first = count()
        enough = first + ROUNDS_BEFORE * targets
        wait_until(lambda: count() >= enough, within=STARTED_WITHIN, what="the first rounds of keepalived")
        checker = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
        spent, made, begun = _spent(checker), count(), time.monotonic()
        time.sleep(length)
        spent, made, took = _spent(checker) - spent, count() - made, time.monotonic() - begun
        return Cost(spent / max(made, 1) / 1000, made / took)
    finally:
        process.terminate()
        process.wait()


def _spent(process: int) -> int:
    """Return the nanoseconds that a process has had a processor: proc(5), schedstat."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])
