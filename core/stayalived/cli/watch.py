"""I/O: a view that is shown again each second: in place on a terminal, one after the other elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import click

from stayalived.cli.tables import Table, drawn, printable, show

INTERVAL = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is seen at one moment: lines, and tables below them."""

    lines: tuple[str, ...]
    tables: tuple[Table, ...] = ()


Show = Callable[[View], None]


def watch(
    look: Callable[[], View], shown: AbstractContextManager[Show], pause: Callable[[float], None] = time.sleep
) -> None:
    """Show what there is to see, again and again, until Ctrl-C.

    Args:
        look: returns it.
        shown: a context that gives what shows it.
        pause: waits for so many seconds.
    """
    with shown as show_view:
        try:
            while True:
                show_view(look())
                pause(INTERVAL)
        except KeyboardInterrupt:
            return


@contextmanager
def screen() -> Iterator[Show]:
    """Give what shows a view: on a terminal the whole screen, which is put back afterwards."""
    if not sys.stdout.isatty():
        yield _print
        return
    from rich.console import Group  # noqa: PLC0415  (50 ms, for terminals only)
    from rich.live import Live  # noqa: PLC0415  (as above)
    from rich.text import Text  # noqa: PLC0415  (as above)

    with Live(screen=True, auto_refresh=False) as live:

        def draw(view: View) -> None:
            lines = [Text(printable(line)) for line in (_now(), *view.lines)]
            tables = [drawn(table, _printable(table)) for table in view.tables if table.rows]
            live.update(Group(*lines, *tables), refresh=True)

        yield draw


def _print(view: View) -> None:
    for line in (_now(), *view.lines):
        click.echo(printable(line))
    for table in view.tables:
        show(table)
    click.echo()


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _printable(table: Table) -> list[tuple[str, ...]]:
    return [tuple(printable(cell) for cell in row) for row in table.rows]
