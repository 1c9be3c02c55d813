"""I/O: `stayalived check`."""

import sys
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from stayalived.cli.options import config_option
from stayalived.cli.tables import printable
from stayalived.config import model
from stayalived.config.check import Report, inspect, own_host_id
from stayalived.config.problems import Problem
from stayalived.ipvs.surroundings import missing, settings_of
from stayalived.kernel.around import look_around


@click.command()
@config_option
@click.option("--host", default="", help="Look at another machine's configuration: apply its [host.NAME] tables.")
@click.option("--all-hosts", is_flag=True, help="Look at the configuration of every machine that has a [host.NAME].")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, config_dir: Path, host: str, all_hosts: bool, files: tuple[Path, ...]) -> None:
    """Say whether a configuration is good: that of --config, or these FILES together.

    All problems are shown, each with its place and with what to write instead. Kernel, running daemon and scripts are
    not touched; where virtual servers need other sysctls or addresses of this machine, that is a warning. The exit
    status is 0 for a good configuration, warnings or not, 1 for a bad one.
    """
    if files and context.get_parameter_source("config_dir") is ParameterSource.COMMANDLINE:
        raise click.UsageError("give --config or FILES, not both")
    if host and all_hosts:
        raise click.UsageError("give --host or --all-hosts, not both")
    reports = _reports(files or (config_dir,), host or own_host_id(), all_hosts=all_hosts)
    for line in problems_of(reports):
        click.echo(printable(line))
    for name, report in reports.items():
        click.echo(verdict(name, report))
    sys.exit(0 if all(report.good for report in reports.values()) else 1)


def _reports(paths: tuple[Path, ...], host: str, *, all_hosts: bool) -> dict[str, Report]:
    report = _with_site(inspect(paths, host), host)
    if not all_hosts or not report.hosts:
        return {host: report}
    return {name: report if name == host else _with_site(inspect(paths, name), name) for name in report.hosts}


def _with_site(report: Report, host: str) -> Report:
    """Return a report with warnings of what this machine lacks, where it is about this machine and good."""
    if not report.configuration or host != own_host_id():
        return report
    configuration = model.decode(report.configuration)
    settings = settings_of(configuration)
    if not settings:
        return report
    lacking = missing(configuration, look_around(settings))
    warnings = (Problem(path="", expected=text, warning=True) for text in lacking)
    return msgspec.structs.replace(report, problems=(*report.problems, *warnings))


def problems_of(reports: dict[str, Report]) -> list[str]:
    """Return the lines of a report: what all machines share once, what only some have with their names."""
    of: dict[str, list[str]] = {}
    for name, report in reports.items():
        for problem in dict.fromkeys(str(problem) for problem in report.problems):
            of.setdefault(problem, []).append(name)
    return [
        problem if len(names) == len(reports) else f"host {', '.join(names)}: {problem}"
        for problem, names in of.items()
    ]


def verdict(host: str, report: Report) -> str:
    """Return the last line for one machine."""
    warnings = sum(problem.warning for problem in report.problems)
    errors = len(report.problems) - warnings
    if not report.good:
        return f"host {host}: the configuration is refused: {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    configuration = model.decode(report.configuration)
    servers = sum(len(service.real_servers) for service in configuration.virtual_servers)
    parts = [
        _count(len(configuration.instances), "instance"),
        _count(len(configuration.virtual_servers), "virtual server"),
        _count(servers, "real server"),
    ]
    return f"host {host}: the configuration is good: {', '.join(parts)}, {_count(warnings, 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
