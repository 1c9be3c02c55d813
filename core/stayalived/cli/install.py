"""I/O: `stayalived install`."""

import re
import subprocess
import sys
from pathlib import Path

import click

from stayalived.cli.accounts import REAL_ROOT, AccountProblem
from stayalived.cli.installation import CONFIG, PACKAGED_EXECUTABLE, UNIT, Installation
from stayalived.cli.manifest import BadManifest
from stayalived.cli.tables import printable

_PLAIN_PATH = re.compile(r"/[\w./+-]+")
_SYSTEMD_RUNS = Path("/run/systemd/system")  # sd_booted(3)


@click.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=REAL_ROOT,
    show_default=True,
    help="Work below this folder, as a package does that is being built.",
)
@click.option("--uninstall", is_flag=True, help="Remove what an earlier call made, and nothing else.")
def command(root: Path, uninstall: bool) -> None:
    """Put unit, user, folders and example configuration in place, and say what was done.

    Nothing is started or enabled. What is there already is kept; where it differs, the difference is shown.
    """
    root = root.absolute()
    try:
        installation = Installation(root=root, executable=_executable(root), say=lambda text: click.echo(_line(text)))
        if uninstall:
            _systemctl(root, "disable", "--now", "stayalived.service", only_if=UNIT in installation.made.files)
            installation.uninstall()
        else:
            installation.install()
    except PermissionError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}; run it as root, or give --root") from error
    except (AccountProblem, BadManifest, OSError) as error:
        raise click.ClickException(str(error)) from error
    _systemctl(root, "daemon-reload", only_if=installation.changes > 0)
    _conclude(root, installation, uninstall=uninstall)


def _conclude(root: Path, installation: Installation, *, uninstall: bool) -> None:
    if not installation.changes:
        click.echo("nothing to do: " + ("nothing is installed" if uninstall else "everything is in place"))
    elif not uninstall:
        click.echo(
            f"next: edit the files in {root / CONFIG}, look at them with `stayalived check`, "
            "then `systemctl enable --now stayalived`"
        )


def _executable(root: Path) -> str:
    """Return the path for the unit: this program's own, or a package's when a package is being built."""
    if root != REAL_ROOT:
        return PACKAGED_EXECUTABLE
    path = Path(sys.argv[0]).absolute()
    if path.name != "stayalived":  # `python -m` and the like
        path = Path(sys.executable).parent / "stayalived"
    if not path.is_file():
        raise click.ClickException(f"{path} is not there: systemd needs the installed program, not only its source")
    if not _PLAIN_PATH.fullmatch(str(path)):
        raise click.ClickException(f"{path}: a unit cannot name a program with such characters in its path; move it")
    return str(path)


def _systemctl(root: Path, *arguments: str, only_if: bool) -> None:
    if not only_if or root != REAL_ROOT or not _SYSTEMD_RUNS.is_dir():
        return
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    text = f"systemctl {' '.join(arguments)}"
    click.echo(text if done.returncode == 0 else f"{text} failed: {done.stderr.strip()}")


def _line(text: str) -> str:
    return printable(text.replace("\t", "    "))
