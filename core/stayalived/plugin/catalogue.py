"""Which check types, action types and schedulers there are, and which distribution brought each. The only registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from stayalived.config.model import BUNDLED
from stayalived.config.problems import Problem
from stayalived.config.secret import Secret
from stayalived.errors import PluginFailure
from stayalived.plugin.checks import Check, CheckOptions
from stayalived.plugin.notifiers import Notifier, NotifierOptions
from stayalived.plugin.schedulers import Scheduler, SchedulerOptions

Provider = TypeVar("Provider", Check, Notifier, Scheduler)

CHECK, NOTIFIER, SCHEDULER = "check type", "action type", "scheduler"
_ROOTS: dict[str, tuple[type, type[msgspec.Struct]]] = {
    CHECK: (Check, CheckOptions),
    NOTIFIER: (Notifier, NotifierOptions),
    SCHEDULER: (Scheduler, SchedulerOptions),
}


# NotImplementedError is how msgspec wants to hear that a hook does not know a type (its manual, "Extending").


def _hide(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"options cannot hold {type(value).__name__}")


def _unhide(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(f"options cannot hold {kind}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_hide, order="deterministic")


def encode_options(options: msgspec.Struct) -> bytes:
    """Return options as they travel in a configuration. Equal options give equal bytes."""
    return _encoder.encode(options)


@dataclass(frozen=True, slots=True)
class Provided(Generic[Provider]):
    """One type that a plugin brought.

    Attributes:
        name: as it stands in a configuration, lower case.
        provider: the class.
        distribution: canonical name of the distribution.
        version: of the distribution.
    """

    name: str
    provider: type[Provider]
    distribution: str
    version: str

    @property
    def bundled(self) -> bool:
        """Whether it came with stayalived itself."""
        return self.distribution == BUNDLED

    def make(self, options: bytes) -> Provider:
        """Return an object of this type with the options of a configuration.

        Raises:
            PluginFailure: the options are not those of this version of the plugin, or its constructor raised.
        """
        try:
            decoded = msgspec.msgpack.decode(options, type=self.provider.Options, dec_hook=_unhide)
            return self.provider(decoded)
        except Exception as error:
            raise PluginFailure(f"{self.distribution}: {self.name}: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The three registries, by name."""

    checks: Mapping[str, Provided[Check]] = field(default_factory=dict)
    notifiers: Mapping[str, Provided[Notifier]] = field(default_factory=dict)
    schedulers: Mapping[str, Provided[Scheduler]] = field(default_factory=dict)


def known(provided: Mapping[str, Provided[Provider]]) -> str:
    """Return the names for a message, with the distribution of those that did not come with stayalived."""
    names = [name if entry.bundled else f"{name} ({entry.distribution})" for name, entry in sorted(provided.items())]
    return ", ".join(names) or "none"


@dataclass(frozen=True, slots=True)
class Registered:
    """What one register hook of one plugin returned, not looked at yet."""

    distribution: str
    version: str
    answer: object


def gather(kind: str, registered: Iterable[Registered], problems: list[Problem]) -> dict[str, Provided[Provider]]:
    """Return the registry of one kind, sorted by name, and say what cannot stand in it.

    Two plugins with one name are an error that names both: which one runs must not hang on installation order.
    """
    found: dict[str, Provided[Provider]] = {}
    for entry in registered:
        for provider in _classes(kind, entry, problems):
            name = provider.name.lower()
            first = found.get(name)
            if first is not None:
                text = f"the {kind} {name} comes from {first.distribution} and from {entry.distribution}"
                problems.append(
                    Problem(path="", expected=f"{text}; remove one, or name it in [global] disable_plugins")
                )
                continue
            found[name] = Provided(name, provider, entry.distribution, entry.version)
    return dict(sorted(found.items()))


def _classes(kind: str, entry: Registered, problems: list[Problem]) -> list[Any]:
    """Return those classes of a hook's answer that are what the hook asks for."""
    try:
        answer = list(entry.answer)  # type: ignore[call-overload]  # whatever a stranger returned
    except Exception as error:  # noqa: BLE001  (a stranger's iterator may raise anything)
        problems.append(_wrong(kind, entry, f"its hook returned no list: {error}"))
        return []
    good = []
    for provider in answer:
        flaw = _flaw(kind, provider)
        if flaw:
            problems.append(_wrong(kind, entry, flaw))
        else:
            good.append(provider)
    return good


def _wrong(kind: str, entry: Registered, what: str) -> Problem:
    return Problem(path="", expected=f"plugin {entry.distribution} {entry.version}: {kind}: {what}", warning=True)


def _flaw(kind: str, provider: object) -> str:
    root, options = _ROOTS[kind]
    if not (isinstance(provider, type) and issubclass(provider, root)):
        return f"{provider!r} is no subclass of {root.__name__}"
    name = getattr(provider, "name", None)
    if not isinstance(name, str) or not name or not name.isprintable() or " " in name:
        return f"{provider.__name__} has no usable name: {name!r}"
    model = getattr(provider, "Options", None)
    if not (isinstance(model, type) and issubclass(model, options)):
        return f"{provider.__name__}.Options is no subclass of {options.__name__}"
    return ""
