"""I/O: `stayalived events`."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from stayalived.api.door import EVENTS_NAME, reachable
from stayalived.api.stream import Wish, write_wish
from stayalived.cli.client import NoDaemon, explain
from stayalived.cli.options import run_dir_option
from stayalived.cli.tables import printable

_PIECE = 1 << 16
_NANOSECONDS = 1_000_000_000


@click.command()
@run_dir_option
@click.option("--follow", is_flag=True, help="Go on with what happens from now on.")
@click.option(
    "--since",
    type=int,
    default=None,
    metavar="NUMBER",
    help="Begin after the event of this number; 0: with the oldest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print lines of JSON, for machines.")
def command(run_dir: Path, follow: bool, since: int | None, as_json: bool) -> None:
    """Show what happened: the last 10,000 events, or with --follow what happens.

    A program that follows and starts again asks for what came after the last event that it knows: --since NUMBER.
    """
    start = since if since is not None or follow else 0
    try:
        for line in _lines(run_dir / EVENTS_NAME, Wish(since=start, follow=follow)):
            click.echo(line.decode() if as_json else _for_people(line), nl=not as_json)
    except KeyboardInterrupt:
        return
    if follow:
        raise click.ClickException(
            "the daemon ended, or its api process did; follow again with --since and the last number"
        )


def _lines(path: Path, wish: Wish) -> Iterator[bytes]:
    """Yield the lines that the daemon sends.

    Raises:
        NoDaemon: there is no daemon, or we may not talk to it.
        ClickException: it refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with reachable(path) as name:
                connection.connect(name)
        except OSError as error:
            raise NoDaemon(explain(path, error)) from error
        connection.sendall(write_wish(wish))
        for line in connection.makefile("rb"):
            refused = _read(line).get("refused")
            if refused is not None:
                raise click.ClickException(str(refused))
            yield line


def _read(line: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    return fields


def _for_people(line: bytes) -> str:
    """Return one event: `2026-11-24 19:01:51.768 #812000123 instance tic: master (BACKUP, MASTER): no advert`."""
    fields = _read(line)
    if "missed" in fields:
        count = fields["missed"]
        return "events before these are not kept any more" if count is None else f"{count} events were missed"
    seconds, rest = divmod(int(fields["wall"]), _NANOSECONDS)
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    states = ", ".join(state for state in (fields["old"], fields["new"]) if state)
    subject = f"{fields['subject_type']} {fields['subject']}: {fields['kind']}"
    text = f"{moment}.{rest // 1_000_000:03} #{fields['sequence']} {subject}{f' ({states})' if states else ''}"
    return printable(f"{text}: {fields['reason']}" if fields["reason"] else text)
