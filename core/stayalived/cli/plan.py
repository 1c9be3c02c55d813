"""I/O: `stayalived plan`."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from stayalived.cli.options import CONFIG_DIR, config_option, run_dir_option
from stayalived.cli.situation import Looker
from stayalived.cli.tables import printable
from stayalived.config import model
from stayalived.config.check import inspect, own_host_id
from stayalived.rehearsal.composition import Read, plan_of
from stayalived.rehearsal.document import AT_ONCE, CHECKED, MASTER, Plan
from stayalived.rehearsal.situation import Situation, imagined
from stayalived.timing import Instant

NOTHING, NOT_GOOD, SOMETHING = 0, 1, 3  # exit status; 2 is click's, for a wrong command line

HEADINGS = {
    AT_ONCE: "at once:",
    CHECKED: "when the checks have passed that have no result yet:",
    MASTER: "as MASTER:",
}


@click.command()
@config_option
@run_dir_option
@click.option("--host", default="", help="Another machine's start: apply its [host.NAME], look at nothing here.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole plan as JSON, for machines.")
@click.pass_context
def command(context: click.Context, config_dir: Path, run_dir: Path, host: str, as_json: bool) -> None:
    """Show what a reload would do, or a start where no daemon runs, line by line; change nothing.

    Without --config the files are those that the daemon would read.
    The exit status is 0 when there is nothing to do, 3 when there is something, 1 when the configuration is not good.
    """
    given = context.get_parameter_source("config_dir") is ParameterSource.COMMANDLINE
    plan = _plan(config_dir if given else None, run_dir, host)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plan), indent=2))
    else:
        for line in lines_of(plan):
            click.echo(printable(line))
    sys.exit(exit_status(plan))


def exit_status(plan: Plan) -> int:
    """Return the exit status for a plan."""
    if not plan.good:
        return NOT_GOOD
    return NOTHING if plan.idle else SOMETHING


def lines_of(plan: Plan) -> Iterator[str]:
    """Return a plan for people."""
    yield from plan.problems
    yield from (f"note: {note}" for note in plan.notes)
    if not plan.good:
        yield f"host {plan.host}: the configuration is not good: nothing would be done"
        return
    yield from (f"name {name}: {' '.join(addresses)}" for name, addresses in plan.names.items())
    yield from (f"a reload would be refused: {reason}" for reason in plan.refused)
    what = f"a reload, from generation {plan.generation}" if plan.running else "a start"
    yield f"host {plan.host}: {what}, would do " + ("nothing" if plan.idle else "this:")
    yield from _changes(plan)
    for when, heading in HEADINGS.items():
        steps = [step for step in plan.steps if step.when == when]
        if steps:
            yield heading
            width = min(max(len(step.line) for step in steps), 100)
            yield from (f"  {step.line:<{width}}  # {step.about}" if step.about else f"  {step.line}" for step in steps)


def _changes(plan: Plan) -> Iterator[str]:
    for word, names in (("added", plan.added), ("removed", plan.removed), ("changed", plan.changed)):
        yield from (f"  {word}: {name}" for name in names)
    processes = plan.processes
    for word, names in (
        ("start", processes.started),
        ("stop", processes.stopped),
        ("are replaced", processes.replaced),
    ):
        if names:
            yield f"  processes that {word}: {' '.join(names)}"


def _plan(config_dir: Path | None, run_dir: Path, host: str) -> Plan:
    looker = Looker()
    in_force = looker.daemon(run_dir)
    here = in_force.configuration.globals.host_id if in_force else own_host_id()
    whose = host or here
    folder = config_dir or (in_force.config_dir if in_force else CONFIG_DIR)
    report = inspect((folder,), whose)
    configuration = model.decode(report.configuration) if report.good else None
    read = Read(host=whose, configuration=configuration, problems=report.problems, names=report.names)
    now = Instant(time.monotonic_ns())
    if configuration is None:
        return plan_of(read, Situation(), now)
    if whose != here:
        note = f"another machine: interfaces are assumed as {whose} needs them, and nothing runs there"
        return plan_of(read, Situation(interfaces=imagined(configuration)), now, notes=(note,))
    situation = looker.look(configuration, in_force)
    generation = in_force.generation if in_force else 0
    return plan_of(read, situation, now, generation=generation, notes=tuple(looker.notes))
