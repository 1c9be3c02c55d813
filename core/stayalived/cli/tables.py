"""I/O: tables and notes for people. Colour and progress on a terminal only; elsewhere columns that scripts can cut."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import click

_COLOURS = {
    "MASTER": "green",
    "UP": "green",
    "up": "green",
    "running": "green",
    "BACKUP": "cyan",
    "UNKNOWN": "yellow",
    "undecided": "yellow",
    "FAULT": "red",
    "DOWN": "red",
    "DOWN (kept)": "red",
    "down": "red",
}
_GAP = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A heading, the names of the columns, and rows of as many cells."""

    heading: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def show(table: Table) -> None:
    """Print a table to standard output; one without rows is left out."""
    if not table.rows:
        return
    rows = [tuple(printable(cell) for cell in row) for row in table.rows]
    if sys.stdout.isatty():
        _show_rich(table, rows)
    else:
        _show_plain(table, rows)


def printable(text: str) -> str:
    """Return a text without control characters: a real server's answer may hold what would drive a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on a terminal that something is waited for."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415  (50 ms, for terminals only)

    with Console(stderr=True).status(text):
        yield


def _show_plain(table: Table, rows: Sequence[tuple[str, ...]]) -> None:
    lines = [table.columns, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.columns))]
    click.echo(f"{table.heading}:")
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(f"{_GAP}{_GAP.join(cells)}".rstrip())


def _show_rich(table: Table, rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console  # noqa: PLC0415  (50 ms, for terminals only)
    from rich.table import Table as RichTable  # noqa: PLC0415  (as above)
    from rich.text import Text  # noqa: PLC0415  (as above)

    drawn = RichTable(title=table.heading, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in table.columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console().print(drawn)
