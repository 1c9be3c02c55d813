"""`python -m stayalived.simulation SEED …` replays seeds and prints the end of the history of those that fail."""

import sys

from stayalived.simulation.scenario import run


def main(words: list[str]) -> int:
    """Replay the seeds; return 1 when one of them fails."""
    if not words or not all(word.isdecimal() for word in words):
        sys.stderr.write("usage: python -m stayalived.simulation SEED …\n")
        return 2
    failed = False
    for seed in map(int, words):
        outcome = run(seed)
        failed = failed or bool(outcome.failure)
        ending = f"FAILED: {outcome.failure}" if outcome.failure else "ok"
        sys.stdout.write("\n".join((*outcome.tail, f"seed {seed}: {outcome.happened} events, {ending}")) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
