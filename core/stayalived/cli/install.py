"""I/O: `stayalived install`."""

import re
import subprocess
import sys
from pathlib import Path

import click

from stayalived.cli.accounts import REAL_ROOT, AccountProblem
from stayalived.cli.installation import CONFIG, PACKAGED_EXECUTABLE, UNIT, Installation
from stayalived.cli.manifest import BadManifest
from stayalived.cli.obstacles import explained
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
    voice = Voice()
    try:
        installation = Installation(root=root, executable=_executable(root), say=lambda text: voice.say(_line(text)))
        if uninstall:
            _systemctl(voice, root, "disable", "--now", "stayalived.service", only_if=UNIT in installation.made.files)
            installation.uninstall()
        else:
            installation.install()
    except (AccountProblem, BadManifest) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(explained(error, "--root")) from error
    _systemctl(voice, root, "daemon-reload", only_if=installation.changes > 0)
    _conclude(voice, root, installation, uninstall=uninstall)
    if voice.broken is not None:
        raise voice.broken  # click ends with status 1, without a word


class Voice:
    """Says what is done. Whoever listens may go away (`| head`); half an installation would be worse than silence."""

    def __init__(self) -> None:
        """Nobody has gone away yet."""
        self.broken: BrokenPipeError | None = None

    def say(self, text: str) -> None:
        """Write a line, unless nobody reads them any more."""
        if self.broken is not None:
            return
        try:
            click.echo(text)
        except BrokenPipeError as error:
            self.broken = error


def _conclude(voice: Voice, root: Path, installation: Installation, *, uninstall: bool) -> None:
    if not installation.changes:
        voice.say("nothing to do: " + ("nothing is installed" if uninstall else "everything is in place"))
    elif not uninstall:
        voice.say(
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


def _systemctl(voice: Voice, root: Path, *arguments: str, only_if: bool) -> None:
    if not only_if or root != REAL_ROOT or not _SYSTEMD_RUNS.is_dir():
        return
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    text = f"systemctl {' '.join(arguments)}"
    voice.say(text if done.returncode == 0 else f"{text} failed: {done.stderr.strip()}")


def _line(text: str) -> str:
    return printable(text.replace("\t", "    "))
