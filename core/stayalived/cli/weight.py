"""I/O: `stayalived weight`."""

from pathlib import Path

import click

from stayalived.api.commands import LONGEST_SECONDS, WEIGHT, Command
from stayalived.cli.asking import ask_about, force_option, server_argument
from stayalived.cli.options import run_dir_option
from stayalived.messages.services import BIGGEST_WEIGHT


@click.command()
@server_argument
@click.argument("weight", type=click.IntRange(0, BIGGEST_WEIGHT), required=False)
@run_dir_option
@force_option
@click.option("--reset", is_flag=True, help="Give it its own weight again.")
@click.option(
    "--for",
    "lasting",
    type=click.FloatRange(0, LONGEST_SECONDS),
    default=0.0,
    help="Seconds that the weight holds.  [default: until --reset]",
)
def command(server: str, weight: int | None, run_dir: Path, force: bool, reset: bool, lasting: float) -> None:
    """Give a real server another weight than the configured one.

    It stays so across reloads and restarts until --reset. What checks add to a weight is added to this one, too.
    """
    if reset == (weight is not None):
        raise click.UsageError("give either a weight or --reset")
    if reset and lasting:
        raise click.UsageError("--for goes with a weight")
    ask_about(run_dir, Command(verb=WEIGHT, server=server, weight=weight, force=force, seconds=lasting))
