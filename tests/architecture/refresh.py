"""Writes `ratchet.toml` and `outside.toml` as the tree is now. To be run after something became shorter or purer.

python tests/architecture/refresh.py            lowers what became less; says what grew, and leaves that alone
python tests/architecture/refresh.py --grow     takes over what grew as well: say why in the commit message
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from architecture.sizes import OUTSIDE_LIST, RATCHET, long_functions, long_modules, recorded
from architecture.tree import modules, outside_of

HEADER = "# Longer than the habit, with the length at which it is held. Numbers may only go down.\n"
OUTSIDE_HEADER = "# Modules that reach out of the process, and by what. Every other module is pure.\n"


def settle(section: str, present: dict[str, int], *, grow: bool) -> list[str]:
    before = recorded(section) if RATCHET.exists() else {}
    lines = [f"\n[{section}]"]
    for name, length in sorted(present.items()):
        if not grow and length > before.get(name, 0):
            sys.stderr.write(f"grew: {name}: {before.get(name, 0)} → {length}\n")
        held = length if grow else min(length, before.get(name, 0))
        if held:
            lines.append(f'"{name}" = {held}')
    return lines


def main() -> None:
    grow = "--grow" in sys.argv
    sections = [
        *settle("modules", long_modules(), grow=grow),
        *settle("functions", long_functions(), grow=grow),
    ]
    RATCHET.write_text(HEADER + "\n".join(sections) + "\n")
    reaching = {name: outside_of(module) for name, module in modules().items() if outside_of(module)}
    rows = [f'"{name}" = {json.dumps(names)}' for name, names in reaching.items()]
    if grow:
        OUTSIDE_LIST.write_text(OUTSIDE_HEADER + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
