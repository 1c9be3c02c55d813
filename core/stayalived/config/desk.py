"""What everybody who resolves a part of the configuration has at hand: findings, decoder, plugins, names."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from stayalived.addresses import Family
from stayalived.config.decode import Decoder, Model, fields_of
from stayalived.config.findings import Findings, Path, Table, Value, listed, shown
from stayalived.config.general import GlobalTable
from stayalived.config.iproute_names import HIGHEST, LOWEST, IprouteNames, NumberNames
from stayalived.config.model import Action
from stayalived.config.names import BadHost, Names, split_port
from stayalived.errors import PluginFailure
from stayalived.plugin.catalogue import (
    Catalogue,
    Provided,
    Provider,
    encode_options,
    known,
)

TYPE = "type"
COMMAND = "command"  # by this name a plugin says what it has the runner start
MAX_NAME = 64
_FORBIDDEN_IN_NAMES = frozenset('/#"\\')
_Default = TypeVar("_Default")


@dataclass(slots=True)
class Desk:
    """Findings, decoder, plugins and names, and what is asked of them in several places.

    `commands` holds the options of all that has a program started, whatever its type: those with a key `command`.
    `common` is `[global]` as it is written: actions inherit from it.
    """

    findings: Findings
    decoder: Decoder
    catalogue: Catalogue
    names: Names
    host_id: str
    host_name: str
    interface_of: Callable[[str], str]  # that has an address; empty: none has
    numbers: NumberNames = field(default_factory=IprouteNames)
    globals: GlobalTable = field(default_factory=GlobalTable)
    common: Table = field(default_factory=dict)
    actions: list[tuple[Action, Path]] = field(default_factory=list)
    commands: list[tuple[bytes, Path]] = field(default_factory=list)

    def choice(self, value: str, allowed: Collection[str], path: Path) -> str:
        """Return which of the allowed words a value is, in either case; the first of them after an error."""
        for word in allowed:
            if word.lower() == value.lower():
                return word
        words = listed([f'"{word}"' for word in allowed])
        self.findings.error(path, f"must be {words}", found=shown(value))
        return next(iter(allowed))

    def tables(self, tree: Table, kind: str) -> dict[str, Table]:
        """Return the tables of `[KIND.NAME]` with good names."""
        value = tree.get(kind, {})
        if not isinstance(value, Mapping):
            self.findings.error((kind,), f"must be tables: [{kind}.NAME]", found=shown(value))
            return {}
        if kind in tree and not value:
            self.findings.warn((kind,), f"is empty; write [{kind}.NAME], or leave it out")
        good = {}
        for name, table in value.items():
            if not isinstance(table, Mapping):
                self.findings.error((kind, name), f"must be a table: [{kind}.NAME]", found=shown(table))
            elif self.named(name, (kind, name)):
                good[name] = table
        return good

    def named(self, name: str, path: Path) -> bool:
        """Return whether a name can stand in messages, on the command line and in metrics; say when not."""
        if 0 < len(name) <= MAX_NAME and name.isprintable() and not (_FORBIDDEN_IN_NAMES | {" "}).intersection(name):
            return True
        self.findings.error(path, f'a name has 1 to {MAX_NAME} characters, none of them a space, / # " or \\')
        return False

    def specification(self, value: Value, path: Path) -> tuple[str, Table] | None:
        """Return type and options of `"NAME"` or `{ type = "NAME", … }`; None after an error."""
        if isinstance(value, str):
            return value, {}
        if isinstance(value, Mapping):
            kind = value.get(TYPE)
            if isinstance(kind, str):
                return kind, {key: below for key, below in value.items() if key != TYPE}
            self.findings.error((*path, TYPE), 'missing; write type = "NAME"' if kind is None else "must be text")
            return None
        self.findings.error(path, 'must be "NAME" or { type = "NAME", … }', found=shown(value))
        return None

    def provided(
        self, kind: str, registry: Mapping[str, Provided[Provider]], name: str, path: Path
    ) -> Provided[Provider] | None:
        """Return what a plugin provides under a name; say which names there are when none does."""
        entry = registry.get(name.lower())
        if entry is None:
            self.findings.error(path, f"unknown {kind}; known: {known(registry)}", found=shown(name))
        return entry

    def options(
        self, provided: Provided[Provider], table: Table, path: Path, shared: Collection[str] = (), kind: str = ""
    ) -> bytes | None:
        """Return a plugin's options, checked by its model and by its constructor; None after an error.

        Args:
            provided: whose options they are.
            table: the keys beside `type`.
            path: where they stand.
            shared: keys that may stand beside them, proposed for a misspelt one.
            kind: of the table, for advice on keys that come later.
        """
        decoded = self.decoder.table(table, provided.provider.Options, path, kind, shared)
        if decoded is None:
            return None
        try:
            encoded = encode_options(decoded)
            provided.make(encoded)
        except (PluginFailure, msgspec.MsgspecError, NotImplementedError, TypeError, OverflowError) as error:
            self.findings.error(path, f"the plugin refuses its options: {error}")
            return None
        if COMMAND in table:
            self.commands.append((encoded, path))
        return encoded

    def entry(self, value: Value, model: type[Model], path: Path, kind: str = "") -> Model | None:
        """Return the table of one of several things as a value of `model`; None when anything in it is wrong.

        What such a table lacks because of a misspelt key is no second mistake.
        """
        before = self.findings.errors
        decoded = self.decoder.table(value, model, path, kind)
        return decoded if self.findings.errors == before else None

    def number(self, value: int | str, kind: str, path: Path) -> int | None:
        """Return a number that was written as such or by iproute2's name for it; None after an error.

        Args:
            value: what stands there.
            kind: `TABLES`, `SCOPES` or `GROUPS` of `config.iproute_names`.
            path: where.
        """
        low, high = LOWEST[kind], HIGHEST[kind]
        if isinstance(value, str) and not value.isdecimal():
            found = self.numbers.numbers(kind).get(value)
            if found is None:
                text = f"no such name in iproute2's {kind}; write a number from {low} to {high}, or name it there"
                self.findings.error(path, text, found=shown(value))
            return found
        number = int(value) if len(str(value)) <= len(str(high)) else high + 1
        if low <= number <= high:
            return number
        self.findings.error(path, f"must be a name or a number from {low} to {high}", found=shown(value))
        return None

    def host(self, text: str, path: Path) -> tuple[dict[Family, str], int]:
        """Return the addresses of `HOST[:PORT]` and the port, 0 without one; no address after an error."""
        try:
            host, port = split_port(text)
            return self.names.addresses(host), port
        except BadHost as error:
            self.findings.error(path, str(error), found=shown(text))
            return {}, 0

    def each_family(self, value: str | list[str] | None, path: Path) -> dict[Family, tuple[str, int, Path]]:
        """Return address, port and path for each family of one text or a list of texts; a family twice is an error."""
        found: dict[Family, tuple[str, int, Path]] = {}
        for text, where in texts(value, path):
            addresses, port = self.host(text, where)
            for family, address in addresses.items():
                if family in found:
                    self.findings.error(where, f"a second IPv{family} address; one for each family", found=shown(text))
                else:
                    found[family] = (address, port, where)
        return found


def items(value: Value, path: Path) -> list[tuple[Value, Path]]:
    """Return the members of a list with their paths, or the one value that stands for a list of one."""
    if isinstance(value, list):
        return [(item, (*path, number)) for number, item in enumerate(value)]
    return [(value, path)]


def texts(value: str | list[str] | None, path: Path) -> list[tuple[str, Path]]:
    """Return one text or several with their paths."""
    if value is None:
        return []
    if isinstance(value, str):
        return [(value, path)]
    return [(text, (*path, number)) for number, text in enumerate(value)]


def keys_of(*models: type[msgspec.Struct]) -> frozenset[str]:
    """Return all keys that some models know."""
    return frozenset(key for model in models for key in fields_of(model))


def first_set(*values: _Default | None, default: _Default) -> _Default:
    """Return the first value that was given."""
    return next((value for value in values if value is not None), default)
