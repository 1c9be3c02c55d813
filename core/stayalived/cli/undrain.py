"""I/O: `stayalived undrain`."""

from pathlib import Path

import click

from stayalived.api.commands import UNDRAIN, Command
from stayalived.cli.asking import ask_about, server_argument
from stayalived.cli.options import run_dir_option


@click.command()
@server_argument
@run_dir_option
def command(server: str, run_dir: Path) -> None:
    """Let a drained real server serve again, as its checks and its weight say."""
    ask_about(run_dir, Command(verb=UNDRAIN, server=server))
