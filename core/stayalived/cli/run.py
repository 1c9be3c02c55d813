"""I/O: `stayalived run`."""

import socket
import sys
from pathlib import Path

import click

from stayalived.cli.obstacles import explained, make_writable
from stayalived.cli.options import config_option, run_dir_option


def _target(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Refuse a target that the log cannot go to, before there is a log that could say so."""
    from stayalived.config.general import LOG_TARGETS, is_log_target  # noqa: PLC0415  (as below)

    if text and not is_log_target(text):
        raise click.BadParameter(f"{text!r}: write {LOG_TARGETS}")
    return text


@click.command()
@config_option
@run_dir_option
@click.option("--host-id", default="", help="Which [host.NAME] tables apply.  [default: host name up to its first dot]")
@click.option(
    "--log", default="", callback=_target, help="stderr, syslog, journald or file:/PATH; [global] is ignored."
)
def command(config_dir: Path, run_dir: Path, host_id: str, log: str) -> None:
    """Run the daemon in the foreground until SIGTERM, SIGINT or `stayalived stop`.

    SIGHUP reads the configuration again, SIGUSR1 writes the status to the log. The exit status is 0 after a stop, 1
    for a fatal error, 2 for a bad configuration, 4 for a missing right, 6 without a folder of configuration files.
    """
    from stayalived.supervisor.main import Arguments, main  # noqa: PLC0415  (imports what the children need)

    if config_dir.is_dir():  # without, the daemon says so and exits with a status of its own
        try:
            make_writable(run_dir)
        except OSError as error:
            raise click.ClickException(explained(error, "--run-dir")) from error
    arguments = Arguments(
        config_dir=config_dir.absolute(),
        run_dir=run_dir.absolute(),
        host_id=host_id or socket.gethostname().partition(".")[0],
        log=log,
    )
    sys.exit(main(arguments))
