"""I/O: `stayalived plugins`."""

import sys
from collections.abc import Iterable, Mapping

import click

from stayalived.child.privileges import MissingRights, Rights, assume
from stayalived.cli.tables import Table, printable, show
from stayalived.plugin.catalogue import Provided, Provider
from stayalived.plugin.manager import Plugins, discover, load


@click.command()
def command() -> None:
    """Show the types that plugins bring, with distribution and version, and the plugins that failed to load.

    Plugins are imported as the daemon does it: alone, and as the user stayalived when called by root. The exit status
    is 1 when one of them failed.
    """
    discovery = discover()
    try:
        identity = assume("plugins", Rights(user="stayalived"))
    except MissingRights as error:
        raise click.ClickException(str(error)) from error
    plugins = load(discovery=discovery)
    show(_distributions(plugins))
    show(_types(plugins))
    for notice in identity.notices:
        click.echo(f"warning: {notice}", err=True)
    for problem in plugins.problems:
        click.echo(f"failed: {printable(problem.expected)}", err=True)
    sys.exit(1 if plugins.problems else 0)


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
