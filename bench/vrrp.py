"""VRRP side by side with keepalived, in turn and in the same run: what it costs, how fast it is, what it gets wrong.

    PYTHONPATH=core:plugins:tests python bench/vrrp.py                 a minute: 1,000 virtual routers
    … python bench/vrrp.py --full --repeat 3 --json FILE               all of it: most of an hour

Two hosts on sixteen links run the same program, then the other one. How each figure is measured stands in
`routers/life.py`. Read the ratios: the figures themselves are this machine's, and of what else it does meanwhile
("processors busy with other things"). Needs root and Debian's keepalived.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from routers.report import Runs, as_json, table
from routers.scenarios import Lengths, Scenario, crowds, fast, many_addresses
from routers.stacks import OURS, STACKS, THEIRS

QUICK = Lengths(peace=6, pressure=0, fast=0)
FULL = Lengths(peace=20, pressure=300, fast=60)


def measure(scenario: Scenario, pairs: list[str], repeat: int) -> Runs:
    """Return the figures of all runs of a scenario; the programs take turns."""
    runs: Runs = {pair: [] for pair in pairs}
    for _ in range(repeat):
        for pair in pairs:
            first, _, second = pair.partition("+")
            print(f"--- {scenario.name}: {pair}", file=sys.stderr, flush=True)
            runs[pair].append(scenario.run(STACKS[first], STACKS[second or first]))
    return runs


def chosen(words: argparse.Namespace) -> list[Scenario]:
    """Return what the command line asks for."""
    base = FULL if words.full else QUICK
    lengths = Lengths(
        peace=base.peace if words.peace is None else words.peace,
        pressure=base.pressure if words.pressure is None else words.pressure,
        fast=base.fast if words.fast is None else words.fast,
    )
    numbers = words.routers or ([1000, 4000] if words.full else [1000])
    scenarios = [*crowds(numbers, lengths, version=words.version, ipv6=words.ipv6), *fast(lengths)]
    return [*scenarios, many_addresses(1000)] if words.addresses else scenarios


def main() -> None:
    """Measure and print a table for each scenario as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full", action="store_true", help="4,000 routers too, five minutes of pressure, 10 ms adverts"
    )
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the table has their medians")
    parser.add_argument("--routers", type=int, nargs="*", default=[], help="other numbers of virtual routers")
    parser.add_argument("--version", type=int, default=3, choices=(2, 3), help="of VRRP")
    parser.add_argument("--ipv6", action="store_true", help="virtual routers of IPv6")
    parser.add_argument("--peace", type=float, help="seconds in which the cost of adverts is measured")
    parser.add_argument("--pressure", type=float, help="seconds beside a busy loop; 0: none")
    parser.add_argument("--fast", type=float, help="seconds of adverts every 10 ms; 0: none")
    parser.add_argument(
        "--no-addresses", dest="addresses", action="store_false", help="leave out 1,000 addresses in one"
    )
    parser.add_argument("--pairs", nargs="*", default=[THEIRS, OURS], help=f"e.g. {OURS}+{THEIRS}: MASTER+BACKUP")
    parser.add_argument("--json", type=Path, help="file for all figures of all runs")
    words = parser.parse_args()
    results: dict[str, Runs] = {}
    for scenario in chosen(words):
        results[scenario.name] = measure(scenario, words.pairs, words.repeat)
        print("\n".join(table(scenario.name, results[scenario.name])), flush=True)
        if words.json:
            words.json.write_text(as_json(results, machine()))


def machine() -> dict[str, object]:
    """Return what this was measured on."""
    version = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=False).stderr
    return {
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "keepalived": version.partition("\n")[0],
    }


if __name__ == "__main__":
    main()
