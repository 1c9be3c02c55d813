"""I/O: `stayalived probe`."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import msgspec
import tomli
from click.core import ParameterSource

from stayalived.addresses import Endpoint
from stayalived.checker.trace import Note
from stayalived.cli.options import config_option
from stayalived.cli.probing import Finding, probe
from stayalived.cli.tables import printable
from stayalived.config import model
from stayalived.config.check import inspect, own_host_id
from stayalived.config.model import Check, Configuration
from stayalived.config.names import BadHost, Names, is_address, split_port
from stayalived.config.probing import Wanted, resolve_probe
from stayalived.timing import Duration, for_people

RESOLVE = "resolve"


@click.command(epilog="Exit status: 0 when every check passes, 1 when one does not, 2 when the call is wrong.")
@config_option
@click.option("--host", default="", help="Use another machine's configuration: apply its [host.NAME] tables.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document in place of lines for people.")
@click.argument("check", metavar="CHECK")
@click.argument("words", nargs=-1, metavar="[TARGET] [KEY=VALUE]...")
@click.pass_context
def command(
    context: click.Context, config_dir: Path, host: str, as_json: bool, check: str, words: tuple[str, ...]
) -> None:
    """Make one check now and show each step of it.

    CHECK is a real server of the configuration (`service42/tic`: all its checks; `service42/tic#0`: one of them), a
    check that is tracked (`track:NAME`), a `[check.NAME]` of the configuration, or a type. The last two take a TARGET,
    HOST:PORT, and options as a check has them: `stayalived probe http 192.0.2.1:80 path=/status`. VALUE is TOML, or
    text where it is none. What is sent is shown: look at it before you pass it on.
    """
    wanted, notes = read_words(check, words)
    is_chosen = context.get_parameter_source("config_dir") is ParameterSource.COMMANDLINE
    paths = (config_dir,) if is_chosen or wanted.is_subject or config_dir.is_dir() else ()
    report = inspect(paths, host or own_host_id(), resolver=partial(resolve_probe, wanted))
    if not report.configuration:
        for problem in report.problems:
            click.echo(printable(str(problem)), err=True)
        sys.exit(2)
    findings = list(_probe_all(model.decode(report.configuration), notes, as_json=as_json))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"checks": findings}), indent=2))
    sys.exit(0 if all(finding.up for finding in findings) else 1)


def read_words(check: str, words: Sequence[str]) -> tuple[Wanted, list[Note]]:
    """Return what the command line asks for, with a note for a name that was resolved.

    Raises:
        click.UsageError: it contradicts itself, or the target is none.
    """
    targets = [word for word in words if "=" not in word]
    pairs = [word.partition("=") for word in words if "=" in word]
    wanted = Wanted(check=check, options={key: value_of(text) for key, _, text in pairs})
    if wanted.is_subject and words:
        raise click.UsageError(f"{check} has its target and options in the configuration: give neither")
    if len(targets) > 1:
        raise click.UsageError(f"one target at a time: {' '.join(targets)}")
    return _aimed(wanted, targets[0]) if targets else (wanted, [])


def _aimed(wanted: Wanted, target: str) -> tuple[Wanted, list[Note]]:
    """Return what is wanted with its target resolved."""
    began = time.monotonic_ns()
    try:
        host, port = split_port(target)
        addresses = [address for _, address in sorted(Names().addresses(host).items())]
    except BadHost as error:
        raise click.UsageError(f"target {target}: {error}") from error
    aimed = replace(wanted, endpoints=tuple(Endpoint(address, port) for address in addresses))
    if is_address(host):
        return aimed, []
    took = Duration(time.monotonic_ns() - began)
    return replace(aimed, virtual_host=host), [Note(at=took, step=RESOLVE, text=f"{host}: {', '.join(addresses)}")]


def value_of(text: str) -> object:
    """Return a value as TOML has it, or the text itself where it is no TOML."""
    try:
        return tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        return text


def _probe_all(configuration: Configuration, notes: list[Note], *, as_json: bool) -> Iterator[Finding]:
    """Make the checks one after the other, and tell people of each as it goes."""
    for check in configuration.tracked_checks:
        if not as_json:
            click.echo(heading(check))
            for note in notes:
                click.echo(line_of(note))
        finding = probe(configuration, check, notes, lambda note: None if as_json else click.echo(line_of(note)))
        if not as_json:
            click.echo(printable(verdict_of(finding)))
        yield finding


def heading(check: Check) -> str:
    """Return the line above the steps of a check."""
    what = check.type if check.name in (check.type, f"{check.type}/{check.target.family}") else check.name
    limits = f"{for_people(check.timing.connect_timeout)} a step"
    whom = check.target if check.target.port else check.target.address or check.target
    return printable(f"{check.key}: {what} ({check.type} of {check.distribution}) at {whom}, at most {limits}")


def line_of(note: Note) -> str:
    """Return the line of one step."""
    return printable(f"{note.at / 1_000_000:10.1f} ms  {note.step:8}  {note.text}")


def verdict_of(finding: Finding) -> str:
    """Return the line below the steps."""
    word = {True: "UP", False: "DOWN", None: "no verdict"}[finding.up]
    return f"verdict: {word}: {finding.text} ({for_people(finding.latency)})"
