"""Options that several subcommands have, and the folders that they default to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

CONFIG_DIR = Path("/etc/stayalived/conf.d")
RUN_DIR = Path("/run/stayalived")

Function = TypeVar("Function", bound=Callable[..., Any])
_FOLDER = click.Path(path_type=Path, file_okay=False)


def run_dir_option(function: Function) -> Function:
    """Add `--run-dir`: where the pid file and the control socket are."""
    return click.option(
        "--run-dir", type=_FOLDER, default=RUN_DIR, show_default=True, help="Folder of the pid file and the sockets."
    )(function)


def config_option(function: Function) -> Function:
    """Add `--config`: the folder of configuration files."""
    return click.option(
        "--config",
        "config_dir",
        type=_FOLDER,
        default=CONFIG_DIR,
        show_default=True,
        help="Folder of *.toml files, read in the order of their names.",
    )(function)
