"""What a check costs: probes a second for each core, lateness, memory, and keepalived on the same targets.

    PYTHONPATH=core:plugins:tests python bench/checks.py              two minutes: this machine's kernel, ours alone
    … python bench/checks.py --beside                                 user-mode Linux: keepalived and ours in one boot
    … python bench/checks.py --beside-native                          this kernel: keepalived's checker and ours in turn

nginx answers on one core, the prober has another one: its engine, its epoll and its bodies, without a supervisor; each
figure is a process of its own. *us a probe* is the processor time of the prober, *of it ours* what was not the
kernel's, *late* how much later than due a probe was started. The farm is 2,277 virtual servers that share 500 hosts.
`--beside-native` compares the checkers alone, keepalived's with calls to IPVS that do nothing (this takes a compiler):
figures count where both reach 90 per cent of 4,000 probes a second, for a busy machine makes their batches unequal;
`--beside` compares whole daemons; its kernel is slower than this one, so read the ratios. Needs root, nginx, and for
`--beside` keepalived and user-mode Linux.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from probes.beside import KINDS, OURS, THEIRS, beside
from probes.engine import measure
from probes.native import Cost, build, measure_theirs, missing
from probes.web import Web

from uml import lab

SERIES = (
    ("tcp", 1000, 4000), ("tcp", 1000, 10000), ("tcp", 10000, 10000), ("tcp", 10000, 14000),
    ("http", 1000, 4000), ("http", 1000, 8000), ("http", 10000, 8000), ("http", 10000, 10000),
    ("https", 1000, 500), ("https", 10000, 1000), ("http", 0, 500),
)  # fmt: skip
"""Type, targets (0: the farm), probes asked for in a second."""

SHORT = (("tcp", 20, 200), ("http", 20, 200), ("https", 20, 200), ("http", 0, 2000))
"""The same for `--short`: whether it works, not how fast."""

NATIVE_TARGETS, NATIVE_ROUNDS = 4000, 3
"""Of `--beside-native`: targets, each probed once in a second, and how often both are measured in turn."""

COLUMNS = (
    "asked/s",
    "probes/s",
    "us a probe",
    "of it ours",
    "core",
    "late p50, ms",
    "late p99, ms",
    "memory, MiB",
    "failed",
)
BARS = {"tcp": (10_000, 67.0), "http": (8_000, 72.0)}
"""Probes a second on one core, and us a probe: keepalived's on such a machine at 4,000 a second."""

HERE = Path(__file__).resolve()


def one(kind: str, targets: int, rate: int, length: float, certificate: Path, core: int) -> dict[str, float]:
    """Measure once in a process of its own."""
    words = [kind, str(targets), str(rate), str(length), str(certificate), str(core)]
    done = subprocess.run([sys.executable, HERE, "--one", *words], stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def native(series: Iterable[tuple[str, int, int]], length: float) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name and the figures of each measurement in this machine's kernel."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, Web(Path(name), ["taskset", "-c", str(cores[-1])]) as web:
        for kind, targets, rate in series:
            label = f"{kind}, {targets} targets" if targets else f"{kind}, the farm"
            yield label, one(kind, targets, rate, length, web.certificate, cores[0])


def line(label: str, figures: Mapping[str, float]) -> str:
    """Return the row of a measurement."""
    cells = "  ".join(f"{_number(figures[column]):>{len(column)}}" for column in COLUMNS)
    capacity = 1e6 / figures["us a probe"]
    bar = BARS.get(label.split(",", maxsplit=1)[0])
    wanted = f"  (wanted {bar[0]}/s, {bar[1]:.0f} us)" if bar else ""
    return f"{label:<20} {cells}  {capacity:8.0f}/s a core{wanted}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.2f}"


def main() -> None:
    """Measure and print a line for each measurement as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument("--short", action="store_true", help="each kind once, with few targets")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--beside", action="store_true", help="keepalived and ours in user-mode Linux, in turn")
    parser.add_argument("--beside-native", action="store_true", help="the checkers of both on this kernel, in turn")
    parser.add_argument("--targets", type=int, default=200, help="of --beside")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), help="of --beside")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.one:
        kind, targets, rate, length, certificate, core = words.one
        print(json.dumps(measure(kind, int(targets), int(rate), float(length), certificate, int(core))))
    elif words.inside:
        _compare(words)
    elif words.beside_native:
        _compare_natively(words)
    elif words.beside:
        _boot()
    else:
        _series(words)


def _series(words: argparse.Namespace) -> None:
    print(f"{'':<20} {'  '.join(COLUMNS)}")
    every: dict[str, dict[str, float]] = {}
    for label, figures in native(SHORT if words.short else SERIES, words.seconds):
        print(line(label, figures), flush=True)
        every[f"{label}, {figures['asked/s']:.0f}/s"] = figures
        if figures["checks"] != figures["probes"]:
            checks, probes = figures["checks"], figures["probes"]
            print(f"{'':<20} {checks:.0f} checks by {probes:.0f} probes, in force after {figures['commit, s']:.2f} s")
    if words.json:
        words.json.write_text(json.dumps(every, indent=1))


def _compare_natively(words: argparse.Namespace) -> None:
    """Print for each round and kind what a probe costs both, and the ratio."""
    if packages := missing():
        sys.exit(f"--beside-native needs more: apt-get install {' '.join(packages)}")
    cores, targets = sorted(os.sched_getaffinity(0)), NATIVE_TARGETS
    found: dict[str, list[dict[str, float]]] = {"tcp": [], "http": []}
    with tempfile.TemporaryDirectory() as name, Web(Path(name), ["taskset", "-c", str(cores[-1])]) as web:
        library = build(Path(name))
        for _ in range(NATIVE_ROUNDS):
            for kind, rounds in found.items():
                theirs = measure_theirs(kind, targets, words.seconds, Path(name), library, cores[0])
                figures = one(kind, targets, targets, words.seconds, web.certificate, cores[0])
                ours = Cost(figures["us a probe"], figures["probes/s"])
                rounds.append({THEIRS: theirs.each, OURS: ours.each})
                costs = f"{THEIRS} {theirs}  {OURS} {ours}"
                print(f"{kind:<5} {costs}  ratio {ours.each / theirs.each:.2f}", flush=True)
    if words.json:
        words.json.write_text(json.dumps(found, indent=1))


def _boot() -> None:
    """Run the same command inside of user-mode Linux."""
    command = [sys.executable, str(HERE), "--inside", *sys.argv[1:]]
    result = lab.run(command, timeout=900, folder=HERE.parent.parent, stream=True)
    sys.exit(result.status)


def _compare(words: argparse.Namespace) -> None:
    found = beside(words.kinds, [THEIRS, OURS], words.targets, words.seconds)
    print(f"{words.targets} targets, one probe of each in a second; user-mode Linux {os.uname().release}")
    for kind, programs in found.items():
        for figure in next(iter(programs.values())):
            ours, theirs = programs[OURS][figure], programs[THEIRS][figure]
            ratio = f"{ours / theirs:.2f}" if theirs else "-"
            print(f"{kind:<8} {figure:<12} {THEIRS} {theirs:8.1f}  {OURS} {ours:8.1f}  ratio {ratio}")
    if words.json:
        words.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
