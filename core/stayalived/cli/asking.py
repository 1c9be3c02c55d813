"""I/O: what the commands about one real server have in common: ask, and say what came of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stayalived.api.commands import Command
from stayalived.cli.client import ask
from stayalived.cli.tables import printable

Function = TypeVar("Function", bound=Callable[..., Any])


def server_argument(function: Function) -> Function:
    """Add the argument SERVER."""
    return click.argument("server", metavar="SERVICE/SERVER")(function)


def force_option(function: Function) -> Function:
    """Add `--force`."""
    text = "Also when no other server of the service has a weight."
    return click.option("--force", is_flag=True, help=text)(function)


def ask_about(run_dir: Path, command: Command) -> None:
    """Have the daemon do something with a real server, and print what it says.

    Raises:
        click.ClickException: it was refused, or there is no daemon.
    """
    answer = ask(run_dir, command)
    if not answer.accepted:
        raise click.ClickException(printable(answer.text))
    click.echo(printable(answer.text))
