"""I/O: `stayalived stop`."""

import os
import select
from pathlib import Path

import click

from stayalived.api.commands import STATUS, STOP, Command
from stayalived.cli.client import LostDaemon, ask
from stayalived.cli.options import run_dir_option
from stayalived.cli.tables import progress

STOP_LIMIT = 60.0  # seconds; a daemon kills children that are not gone after `child_wait_time` (5 s)


@click.command()
@run_dir_option
@click.option("--leave", is_flag=True, help="Leave the kernel's IPVS table as it is. Addresses are released always.")
def command(run_dir: Path, leave: bool) -> None:
    """Stop the daemon, and wait until it is gone."""
    daemon = _handle_on(ask(run_dir, Command(verb=STATUS)).pid)
    if daemon is None:
        return
    try:
        with progress("waiting until the daemon is gone"):
            _ask_to_stop(run_dir, leave=leave)
            if not _wait(daemon):
                raise click.ClickException(f"the daemon is still there after {STOP_LIMIT:.0f} s; look at its log")
    finally:
        os.close(daemon)
    click.echo("stopped; the IPVS table stays in the kernel" if leave else "stopped")


def _handle_on(pid: int) -> int | None:
    """Return a descriptor that tells the end of a process, taken before it is asked to stop; None if it is gone."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _ask_to_stop(run_dir: Path, *, leave: bool) -> None:
    try:
        answer = ask(run_dir, Command(verb=STOP, leave=leave))
    except LostDaemon:
        return  # it was gone faster than its answer; whether it is gone is seen by waiting
    if not answer.accepted:
        raise click.ClickException(answer.text)


def _wait(daemon: int) -> bool:
    poll = select.poll()
    poll.register(daemon, select.POLLIN)
    return bool(poll.poll(STOP_LIMIT * 1000))
