"""`python -m stayalived.simulation SEED …` replays seeds; of those that fail it prints the end of the history.

`--shrink` prints the shortest schedule that still fails as well. `--hunt COUNT` lives through so many seeds from the
first one on, and stops at the first one that fails.
"""

import argparse
import sys
from collections.abc import Iterable

from stayalived.simulation.describe import describe
from stayalived.simulation.scenario import Outcome, draw_seed, run
from stayalived.simulation.shrink import shrink


def main(words: list[str]) -> int:
    """Replay the seeds; return 1 when one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m stayalived.simulation", description="replay simulated clusters")
    parser.add_argument("seeds", type=int, nargs="+", metavar="SEED")
    parser.add_argument("--shrink", action="store_true", help="print the shortest schedule that still fails, too")
    parser.add_argument("--hunt", type=int, metavar="COUNT", help="live through so many seeds, up to one that fails")
    options = parser.parse_args(words)
    first = options.seeds[0]
    seeds: Iterable[int] = range(first, first + options.hunt) if options.hunt else options.seeds
    failed = False
    for seed in seeds:
        outcome = run(seed)
        if outcome.failure or not options.hunt:
            _say(outcome)
        if outcome.failure:
            failed = True
            if options.shrink:
                _say_shortest(outcome)
            if options.hunt:
                break
    return 1 if failed else 0


def _say(outcome: Outcome) -> None:
    ending = f"FAILED: {outcome.failure}" if outcome.failure else "ok"
    _write(*outcome.tail, f"seed {outcome.seed}: {outcome.happened} events, {ending}")


def _say_shortest(outcome: Outcome) -> None:
    shortest = shrink(outcome)
    drawn, _ = draw_seed(outcome.seed)
    _write("", f"the shortest schedule of seed {outcome.seed} that fails:", describe(drawn), str(shortest.storm))
    _write(*shortest.tail, f"FAILED: {shortest.failure}")


def _write(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
