"""Figures of many runs as a table and as JSON."""

import json
from collections.abc import Iterator, Mapping
from statistics import median

from routers.life import Figures
from routers.stacks import OURS, THEIRS

BARS = {
    "advert sent, us": "ratio at most 0.5",
    "advert heard, us": "ratio at most 0.7",
    "all on the right host after a cold start, s": "master-down time + 1 s",
    "false takeovers": "0",
    "first to last new advert, s": "0.3",
    "last address after the death, s": "4.0",
}
"""What is asked of stayalived with `BARRED` routers."""

BARRED = "4000 routers"

Runs = dict[str, list[Figures]]
"""Figures of each run of a scenario, by program."""


def table(name: str, runs: Runs) -> Iterator[str]:
    """Yield the lines of one scenario: medians, least and greatest, and the ratio of the medians."""
    programs = list(runs)
    bars = BARS if name.startswith(BARRED) else {}
    yield ""
    yield f"{name:<60} " + " ".join(f"{program:>24}" for program in programs) + "  ratio  wanted"
    for what in dict.fromkeys(what for figures in runs.values() for one in figures for what in one):
        values = [_values(runs[program], what) for program in programs]
        cells = " ".join(
            f"{_cell(each, len(runs[program])):>24}" for each, program in zip(values, programs, strict=True)
        )
        yield f"  {what:<58} {cells} {_ratio(dict(zip(programs, values, strict=True))):>6}  {bars.get(what, '')}"


def as_json(results: Mapping[str, Runs], machine: Mapping[str, object]) -> str:
    """Return everything that was measured, run by run."""
    return json.dumps({"machine": machine, "scenarios": results}, indent=1)


def _values(runs: list[Figures], what: str) -> list[float]:
    return [value for one in runs if (value := one.get(what)) is not None]


def _cell(values: list[float], runs: int) -> str:
    """Return `median (least-greatest)`, and in how many runs it did not come about."""
    if not values:
        return "-"
    text = _number(median(values))
    if len(values) > 1:
        text += f" ({_number(min(values))}-{_number(max(values))})"
    return text if len(values) == runs else f"{text} {runs - len(values)} failed"


def _ratio(values: Mapping[str, list[float]]) -> str:
    ours, theirs = values.get(OURS), values.get(THEIRS)
    if not ours or not theirs or not median(theirs):
        return ""
    return f"{median(ours) / median(theirs):.2f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"
