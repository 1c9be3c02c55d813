"""Ten thousand transitions in a minute with scripts that sleep, fork, die, fill the pipe or ignore TERM.

    PYTHONPATH=core:plugins:tests python bench/notify.py [--instances 100] [--seconds 60]

The same transitions are made twice, without any action and with two scripts for each instance. How late takeovers are
is seen on the wire: from the other router's last advert to our first, less the master-down time. Needs root.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from namespaces.lab import Lab
from namespaces.notify_load import CYCLE, Load, percentile

DRAINED_WITHIN = 300.0


def run(instances: int, seconds: float, *, bad: bool) -> float:
    """Make the transitions once, print what came of them, and return the 99th percentile of the lateness."""
    with Lab() as lab:
        load = Load(lab, instances, bad=bad)
        load.start()
        begun = time.monotonic()
        load.play(max(1, int(seconds / CYCLE)))
        took = time.monotonic() - begun
        late = load.lateness()
        p99 = percentile(late, 0.99)
        print(f"{'with scripts' if bad else 'without'}: {2 * load.sent} transitions in {took:.1f} s")
        print(f"  takeovers late by (ms): p50 {percentile(late, 0.5) * 1e3:.2f}, p99 {p99 * 1e3:.2f}, of {len(late)}")
        if bad:
            load.wait_until_told(within=DRAINED_WITHIN)
            noted = sum(map(len, load.noted().values()))
            print(f"  noted by the good scripts: {noted}, out of order: {len(load.disorder())}")
            print(f"  {load.counts()}")
        load.daemon.stop()
    return p99


def main() -> None:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    words = parser.parse_args()
    without = run(words.instances, words.seconds, bad=False)
    together = run(words.instances, words.seconds, bad=True)
    print(f"difference of the 99th percentiles: {(together - without) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
