"""I/O: `stayalived plugins`."""

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import click
import msgspec

from stayalived.child.privileges import MissingRights, Rights, assume
from stayalived.cli.tables import Table, printable, show
from stayalived.config.model import BUNDLED
from stayalived.plugin.catalogue import Provided, Provider
from stayalived.plugin.manager import Discovery, Plugins, discover, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What there is to show, as it comes from the process that imported the plugins."""

    tables: tuple[Table, ...]
    notices: tuple[str, ...]
    failures: tuple[str, ...]


@click.command()
def command() -> None:
    """Show the types that plugins bring, with distribution and version, and the plugins that failed to load.

    Plugins are imported as the daemon does it: alone, in a process of their own, and as the user stayalived when
    called by root. The exit status is 1 when one of them failed.
    """
    findings = _find()
    for table in findings.tables:
        show(table)
    for notice in findings.notices:
        click.echo(f"warning: {printable(notice)}", err=True)
    for failure in findings.failures:
        click.echo(f"failed: {printable(failure)}", err=True)
    sys.exit(1 if findings.failures else 0)


def _find() -> Findings:
    """Have a child look, so that a plugin that ends its process or changes it does so to nobody else."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _be_child(writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or not answer:
        raise click.ClickException("the process that imported the plugins ended early; see above, or `disable_plugins`")
    return msgspec.msgpack.decode(answer, type=Findings)


def _be_child(writer: int) -> NoReturn:
    code = 1
    try:
        answer = msgspec.msgpack.encode(_look())
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
        code = 0
    except MissingRights as error:
        click.echo(f"Error: {error}", err=True)
    except BaseException:  # noqa: BLE001  (a forked child must not return into its parent's program)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _look() -> Findings:
    """Load the plugins without any right. The bundled ones may lie in a folder that only root can read."""
    discovery = discover()
    _import_bundled(discovery)
    identity = assume("plugins", Rights(user="stayalived"))
    plugins = load(discovery=discovery)
    return Findings(
        tables=(_distributions(plugins), _types(plugins)),
        notices=identity.notices,
        failures=tuple(problem.expected for problem in plugins.problems),
    )


def _import_bundled(discovery: Discovery) -> None:
    for installed in discovery.installed:
        for entry in installed.entries if installed.name == BUNDLED else ():
            with contextlib.suppress(ImportError):  # told when the plugins are loaded
                importlib.import_module(entry.module)


def _distributions(plugins: Plugins) -> Table:
    return Table(
        heading="distributions",
        columns=("NAME", "VERSION", "ENTRY POINTS"),
        rows=[
            (installed.name, installed.version, " ".join(entry.value for entry in installed.entries))
            for installed in plugins.loaded
        ],
    )


def _types(plugins: Plugins) -> Table:
    catalogue = plugins.catalogue
    observers = [
        ("observer", hook.hook, observer.distribution, "")
        for hook in (plugins.events, plugins.config_loaded)
        for observer in hook.observers
    ]
    return Table(
        heading="types",
        columns=("KIND", "NAME", "DISTRIBUTION", "VERSION"),
        rows=[
            *_rows("check", catalogue.checks),
            *_rows("notify action", catalogue.notifiers),
            *_rows("scheduler", catalogue.schedulers),
            *observers,
        ],
    )


def _rows(kind: str, provided: Mapping[str, Provided[Provider]]) -> Iterable[tuple[str, ...]]:
    return [(kind, entry.name, entry.distribution, entry.version) for entry in provided.values()]
