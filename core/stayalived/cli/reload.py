"""I/O: `stayalived reload`."""

from pathlib import Path

import click

from stayalived.api.commands import RELOAD, Command
from stayalived.cli.client import ask
from stayalived.cli.options import run_dir_option
from stayalived.cli.tables import printable, progress


@click.command()
@run_dir_option
@click.option("--force", is_flag=True, help="Also when more than half of the services or instances would go.")
def command(run_dir: Path, force: bool) -> None:
    """Have the daemon read its configuration again; wait until it is in force, or refused.

    A configuration that is refused changes nothing: the report says why, and the exit status is 1.
    """
    with progress("waiting until all processes have taken over the configuration"):
        answer = ask(run_dir, Command(verb=RELOAD, force=force))
    for problem in answer.problems:
        click.echo(printable(problem), err=True)
    if not answer.accepted:
        raise click.ClickException(answer.text or "the configuration was refused")
    click.echo(answer.text or f"generation {answer.generation} is in force")
