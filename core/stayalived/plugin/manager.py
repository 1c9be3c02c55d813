"""Finds the plugins of the entry-point group `stayalived` and loads each alone. I/O: imports, metadata, folders.

pluggy's own loader stops at the first plugin that fails to import, and its order is that of installation. Here every
entry point is loaded by itself, the bundled distribution first and the others by name.
"""

import re
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

import pluggy
import tomli

from stayalived.config.model import BUNDLED
from stayalived.config.problems import Problem
from stayalived.plugin import hookspecs
from stayalived.plugin.calls import IMPORT_LIMIT, Observer, Observers, time_limit
from stayalived.plugin.catalogue import CHECK, NOTIFIER, SCHEDULER, Catalogue, Registered, gather
from stayalived.plugin.folders import in_the_way, remedy, unreadable_folders
from stayalived.plugin.trial import fatal

GROUP = "stayalived"
EVENT_HOOK = "stayalived_event"
CONFIG_HOOK = "stayalived_config_loaded"
_CHECKOUT = Path(__file__).parents[3] / "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution that brings plugins, as its metadata describes it; nothing of it has been imported."""

    name: str
    version: str
    entries: tuple[EntryPoint, ...]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is installed, the bundled distribution first, the others by name."""

    installed: tuple[Installed, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Plugins:
    """What could be loaded.

    Attributes:
        catalogue: types by name.
        loaded: distributions of which everything was loaded.
        problems: errors (a duplicate name, an unknown hook) and warnings (what failed to load).
        events: observers of events.
        config_loaded: observers of configurations.
    """

    catalogue: Catalogue = field(default_factory=Catalogue)
    loaded: tuple[Installed, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    events: Observers = field(default_factory=lambda: Observers(EVENT_HOOK))
    config_loaded: Observers = field(default_factory=lambda: Observers(CONFIG_HOOK))


def canonical(name: str) -> str:
    """Return a distribution's name in the one spelling that compares (PyPA's name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def discover() -> Discovery:
    """Return what is installed, by reading metadata only. To be called while every folder can be read."""
    found: dict[str, Installed] = {}
    problems: list[Problem] = []
    for distribution in distributions():
        installed = _described(distribution, problems)
        if installed is not None:
            found.setdefault(installed.name, installed)  # the first on sys.path is the one that gets imported
    if BUNDLED not in found:
        found |= _checkout()
    if BUNDLED not in found:
        problems.extend(unreadable_folders() or [_nothing_bundled()])
    ordered = sorted(found.values(), key=lambda installed: (installed.name != BUNDLED, installed.name))
    return Discovery(tuple(ordered), tuple(problems))


def _described(distribution: Distribution, problems: list[Problem]) -> Installed | None:
    try:
        entries = tuple(entry for entry in distribution.entry_points if entry.group == GROUP)
        if not entries:
            return None
        name = canonical(distribution.metadata["Name"])
        return Installed(name, distribution.version, tuple(sorted(entries, key=lambda entry: entry.name)))
    except Exception as error:  # noqa: BLE001  (a broken file of somebody else's distribution must not hide the others)
        where = getattr(distribution, "_path", "a distribution")
        problems.append(Problem(path="", expected=f"the metadata of {where} cannot be read: {error}", warning=True))
        return None


def _checkout() -> dict[str, Installed]:
    """Return the bundled plugins of a checkout that is not installed: its pyproject.toml says what metadata would."""
    try:
        project = tomli.loads(_CHECKOUT.read_text(encoding="utf-8"))["project"]
    except OSError:  # not a checkout
        return {}
    entries = [EntryPoint(name, value, GROUP) for name, value in sorted(project["entry-points"][GROUP].items())]
    return {BUNDLED: Installed(BUNDLED, project["version"], tuple(entries))}


def _nothing_bundled() -> Problem:
    return Problem(path="", expected="the distribution stayalived is not installed for this Python; reinstall it")


def load(
    wanted: Collection[str] | None = None, disabled: Collection[str] = (), discovery: Discovery | None = None
) -> Plugins:
    """Import plugins and ask them what they bring.

    Args:
        wanted: distributions to load; None loads all.
        disabled: distributions not to load, in any spelling.
        discovery: what `discover` found earlier, when folders could still be read.

    Returns:
        what could be loaded, and a problem for everything that could not.
    """
    found = discovery or discover()
    plugins = Plugins(problems=list(found.problems))
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    refused = {canonical(name) for name in disabled}
    chosen = [one for one in found.installed if one.name not in refused and (wanted is None or one.name in wanted)]
    if wanted is None:
        chosen = list(_survivors(chosen, plugins))
    plugins.loaded = tuple(installed for installed in chosen if _load_all(manager, installed, plugins))
    _ask(manager, {installed.name: installed.version for installed in chosen}, plugins)
    return plugins


def _survivors(chosen: Collection[Installed], plugins: Plugins) -> Iterator[Installed]:
    """Yield the distributions whose import can be survived; what the others do is a problem."""
    fates = fatal({installed.name: installed.entries for installed in chosen if installed.name != BUNDLED})
    for installed in chosen:
        if installed.name in fates:
            text = f"plugin {installed.name} {installed.version}: import {fates[installed.name]}"
            plugins.problems.append(Problem(path="", expected=text, warning=True))
        else:
            yield installed


def _load_all(manager: pluggy.PluginManager, installed: Installed, plugins: Plugins) -> bool:
    results = [_load(manager, installed, entry, plugins) for entry in installed.entries]
    return all(results)


def _load(manager: pluggy.PluginManager, installed: Installed, entry: EntryPoint, plugins: Plugins) -> bool:
    try:
        with time_limit(IMPORT_LIMIT):
            plugin = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's module may raise anything)
        plugins.problems.append(_unloadable(installed, entry, error))
        return False
    try:
        manager.register(plugin, f"{installed.name}:{entry.name}")
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.is_registered(plugin):
            manager.unregister(plugin)
        text = f"plugin {installed.name} {installed.version}: {entry.value}: {' '.join(str(error).split())}"
        hooks = ", ".join(sorted(name for name in vars(hookspecs) if name.startswith(f"{GROUP}_")))
        plugins.problems.append(Problem(path="", expected=f"{text}; the hooks are {hooks}"))
        return False
    return True


def _unloadable(installed: Installed, entry: EntryPoint, error: BaseException) -> Problem:
    """Return the warning for a plugin that cannot be imported; what uses its types is an error of its own."""
    text = (
        f"plugin {installed.name} {installed.version}: import of {entry.value} failed: {type(error).__name__}: {error}"
    )
    blocking = None
    if isinstance(error, PermissionError) and error.filename:
        blocking = in_the_way(Path(error.filename))
    elif isinstance(error, ModuleNotFoundError):  # the import system takes a folder that it may not read for empty
        blocking = next((folder for entry in sys.path if entry and (folder := in_the_way(Path(entry)))), None)
    return Problem(path="", expected=f"{text}; {remedy(blocking)}" if blocking else text, warning=True)


def _ask(manager: pluggy.PluginManager, versions: dict[str, str], plugins: Plugins) -> None:
    """Call the register hooks one by one and note the observers."""
    checks = list(_registered(manager, "stayalived_checks", versions, plugins))
    notifiers = list(_registered(manager, "stayalived_notifiers", versions, plugins))
    schedulers = list(_registered(manager, "stayalived_schedulers", versions, plugins))
    plugins.catalogue = Catalogue(
        checks=gather(CHECK, checks, plugins.problems),
        notifiers=gather(NOTIFIER, notifiers, plugins.problems),
        schedulers=gather(SCHEDULER, schedulers, plugins.problems),
    )
    plugins.events.observers = tuple(_observers(manager, EVENT_HOOK, versions))
    plugins.config_loaded.observers = tuple(_observers(manager, CONFIG_HOOK, versions))


def _registered(
    manager: pluggy.PluginManager, hook: str, versions: dict[str, str], plugins: Plugins
) -> Iterator[Registered]:
    asked = Observers(hook, tuple(_observers(manager, hook, versions)), IMPORT_LIMIT)
    for answer in asked.call():
        if answer.failure is not None:
            plugins.problems.append(Problem(path="", expected=str(answer.failure), warning=True))
            continue
        yield Registered(answer.distribution, versions[answer.distribution], answer.value)


def _observers(manager: pluggy.PluginManager, hook: str, versions: dict[str, str]) -> Iterator[Observer]:
    """Return the implementations of a hook in the order of the distributions, whatever the order of registration."""
    order = list(versions)
    found = [
        (implementation.plugin_name.partition(":")[0], implementation)
        for implementation in getattr(manager.hook, hook).get_hookimpls()
    ]
    for distribution, implementation in sorted(found, key=lambda pair: (order.index(pair[0]), pair[1].plugin_name)):
        yield Observer(distribution, _caller(implementation))


def _caller(implementation: pluggy.HookImpl) -> Callable[..., object]:
    """Return a call of an implementation that passes it those arguments that it names, as pluggy would."""

    def call(**arguments: object) -> object:
        return implementation.function(*(arguments[name] for name in implementation.argnames))

    return call
