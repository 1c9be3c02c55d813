"""I/O: `stayalived drain`."""

from pathlib import Path

import click

from stayalived.api.commands import DRAIN, LONGEST_SECONDS, Command
from stayalived.cli.asking import ask_about, force_option, server_argument
from stayalived.cli.options import run_dir_option

TIMEOUT = 60.0  # seconds


@click.command()
@server_argument
@run_dir_option
@force_option
@click.option(
    "--timeout",
    type=click.FloatRange(0, LONGEST_SECONDS),
    default=TIMEOUT,
    show_default=True,
    help="Seconds that its connections may take to end; 0 = as long as they need.",
)
def command(server: str, run_dir: Path, force: bool, timeout: float) -> None:
    """Give a real server no new connections, and take it out when it has none left.

    It stays so across reloads and restarts until `stayalived undrain`.
    """
    ask_about(run_dir, Command(verb=DRAIN, server=server, force=force, seconds=timeout))
