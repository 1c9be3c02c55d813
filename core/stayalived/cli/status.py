"""I/O: `stayalived status`."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from stayalived.api.commands import STATUS, Command
from stayalived.api.document import Check, Daemon, Document, Instance, Notified, Router, Server, Service
from stayalived.cli.client import ask
from stayalived.cli.options import run_dir_option
from stayalived.cli.tables import Table, printable, show
from stayalived.cli.watch import View, screen, watch

_TRAFFIC = ("ACTIVE", "INACTIVE", "CONN/S", "IN B/S", "OUT B/S")
_UP = "UP"
_UNITS, _LAST_UNIT, _THOUSAND = ("", "k", "M", "G"), "T", 1000
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@click.command()
@run_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole status as JSON, for machines.")
@click.option("--watch", "watched", is_flag=True, help="Show it again each second, until Ctrl-C.")
def command(run_dir: Path, as_json: bool, watched: bool) -> None:
    """Show instances, services, servers and processes of the running daemon."""
    if as_json and watched:
        raise click.UsageError("give --json or --watch, not both")
    if watched:
        watch(lambda: _look(run_dir), screen())
        return
    answer = ask(run_dir, Command(verb=STATUS))
    if not answer.accepted or answer.status is None:
        raise click.ClickException(answer.text)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(answer.status), indent=2))
        return
    show_daemon(answer.status)
    for table in tables_of(answer.status):
        show(table)


def _look(run_dir: Path) -> View:
    """Return what there is to see now; that no daemon answers is part of what is watched."""
    try:
        answer = ask(run_dir, Command(verb=STATUS))
    except click.ClickException as problem:
        return View(lines=(problem.message,))
    if answer.status is None:
        return View(lines=(answer.text,))
    return View(lines=tuple(lines_of(answer.status)), tables=tuple(tables_of(answer.status)))


def show_daemon(document: Document) -> None:
    """Print what there is to say of the daemon itself: one line, and the last refusal if there was one."""
    for line in lines_of(document):
        click.echo(line)


def lines_of(document: Document) -> Iterator[str]:
    """Return what `show_daemon` prints."""
    daemon = document.daemon
    if daemon is None:
        yield "the daemon is starting: nothing was told yet"
        return
    yield _describe(daemon)
    if document.first_round:
        yield "the first round of checks is still open: quorum is undecided, no instance preempts"
    yield from (f"refused: {printable(problem)}" for problem in daemon.refused)


def tables_of(document: Document) -> list[Table]:
    """Return the tables of a status, the most important first."""
    return [
        Table(
            heading="instances",
            columns=("NAME", "STATE", "SINCE", "PRIORITY", "VRID", "INTERFACE", "MASTER", "ADDRESSES", "REASON"),
            rows=[_instance_row(instance, row) for instance in document.instances for row in instance.routers],
        ),
        Table(
            heading="sync groups",
            columns=("NAME", "STATE", "SINCE", "INSTANCES", "REASON"),
            rows=[(g.name, g.state, _since(g.seconds), " ".join(g.instances), g.reason) for g in document.groups],
        ),
        Table(
            heading="VRRP for nobody here",
            columns=("INTERFACE", "PACKETS"),
            rows=[(one.interface, _counted(one.errors)) for one in document.strays if one.errors],
        ),
        Table(
            heading="services",
            columns=("NAME", "ADDRESSES", "SCHEDULER", "FORWARD", "QUORUM", "UP", *_TRAFFIC, "SORRY", "PROBLEM"),
            rows=[_service_row(service) for service in document.services],
        ),
        Table(
            heading="servers",
            columns=("NAME", "STATE", "WEIGHT", *_TRAFFIC, "ADDRESSES", "REASON"),
            rows=[_server_row(server) for service in document.services for server in service.servers],
        ),
        Table(
            heading="tracked",
            columns=("SUBJECT", "CHECK", "STATE", "SINCE", "REASON"),
            rows=[_check_row(check) for check in document.tracked],
        ),
        _notify_table(document.notify),
        Table(
            heading="processes",
            columns=("NAME", "PID", "STATE", "SINCE", "RESTARTS", "USER", "NOTE"),
            rows=[
                (c.name, str(c.pid), c.state, _since(c.seconds), str(c.restarts), c.user, c.note)
                for c in document.children
            ],
        ),
    ]


def _notify_table(rows: list[Notified]) -> Table:
    return Table(
        heading="notify",
        columns=("NAME", "OF", "TOLD", "FAILED", "MERGED", "LIMITED", "WAITING"),
        rows=[
            (row.name, row.distribution, *map(str, (row.told, row.failed, row.merged, row.limited, row.waiting)))
            for row in rows
        ],
    )


def _describe(daemon: Daemon) -> str:
    accepted = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(daemon.accepted_at))
    in_force = f"generation {daemon.generation} of {accepted}" if daemon.generation else "no configuration yet"
    return f"stayalived {daemon.version}, {daemon.phase}, pid {daemon.pid}, {in_force} from {daemon.config_dir}"


def _instance_row(instance: Instance, router: Router) -> tuple[str, ...]:
    return (
        router.key,
        router.state,
        _since(instance.seconds),
        _priority(instance),
        str(router.virtual_router_id),
        router.interface,
        router.master or "-",
        " ".join((*router.addresses, *router.excluded)),
        "; ".join((instance.reason, *instance.faults[1:])),
    )


def _priority(instance: Instance) -> str:
    """Return the priority in force, with the configured one where what is tracked has changed it: `90 (150)`."""
    if instance.priority == instance.configured_priority:
        return str(instance.priority)
    return f"{instance.priority} ({instance.configured_priority})"


def _counted(errors: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(errors.items()))


def _service_row(service: Service) -> tuple[str, ...]:
    addresses = " ".join(f"{service.protocol} {address}".lstrip() for address in service.addresses)
    sorry = "in use" if service.sorry else "-"
    up = sum(server.state == _UP for server in service.servers)
    return (
        service.name,
        addresses,
        service.scheduler,
        service.forward,
        f"{service.quorum}, checks asleep" if service.suspended else service.quorum,
        f"{up}/{len(service.servers)}",
        *_traffic(service.servers),
        sorry,
        service.problem,
    )


def _traffic(servers: Sequence[Server]) -> tuple[str, ...]:
    """Return the cells of `_TRAFFIC` for these servers together."""
    return (
        _big(sum(server.active for server in servers)),
        _big(sum(server.inactive for server in servers)),
        _big(sum(server.connections_per_second for server in servers)),
        _big(sum(server.bytes_in_per_second for server in servers)),
        _big(sum(server.bytes_out_per_second for server in servers)),
    )


def _server_row(server: Server) -> tuple[str, ...]:
    weight = f"{server.weight}" if server.weight >= 0 else "-"
    if server.weight != server.configured_weight:
        weight += f" ({server.configured_weight})"
    stale = " (stale)" if any(check.stale for check in server.checks) else ""
    causes = "; ".join((*server.overrides, server.reason + stale))
    return (
        server.name,
        server.state,
        weight,
        *_traffic((server,)),
        " ".join(server.addresses),
        causes,
    )


def _check_row(check: Check) -> tuple[str, ...]:
    state = "UNKNOWN" if check.up is None else "UP" if check.up else "DOWN"
    stale = " (stale)" if check.stale else ""
    return (check.subject, check.check, state, _since(check.seconds), check.reason + stale)


def _big(number: float) -> str:
    """Return a number with four digits at most: `999`, `12.3k`, `4.5M`."""
    for unit in _UNITS:
        if number < _THOUSAND:
            return f"{number:.0f}" if not unit else f"{number:.1f}{unit}"
        number /= _THOUSAND
    return f"{number:.0f}{_LAST_UNIT}"


def _since(seconds: float) -> str:
    """Return a length of time with the two units that matter: `3.2s`, `4m10s`, `2h05m`, `3d02h`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{seconds:.1f}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"
