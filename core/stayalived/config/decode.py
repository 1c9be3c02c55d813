"""Tables become typed values, and everything that is wrong with one is said at once.

The quick way is msgspec's, which stops at the first error. Only when it fails is the table walked key by key against
the same types, which finds the rest and can say what is allowed in a person's words.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import inspect

from stayalived.config.findings import Findings, Path, Table, Value, shown
from stayalived.config.future import advice
from stayalived.config.kinds import accepts, bare, branch_of, described, remarks
from stayalived.config.secret import Secret
from stayalived.config.secrets import NoSecret, Vault
from stayalived.spelling import nearest

Model = TypeVar("Model", bound=msgspec.Struct)


@dataclass(slots=True)
class Decoder:
    """Turns tables into typed values; what is wrong goes to `findings`."""

    findings: Findings
    vault: Vault = field(default_factory=Vault)

    def table(
        self, value: Value, model: type[Model], path: Path, kind: str = "", shared: Collection[str] = ()
    ) -> Model | None:
        """Return the table as a value of `model`, without the keys that were wrong.

        Args:
            value: what stands there.
            model: what should.
            path: where.
            kind: of the table, for advice on keys that are not there: `vrrp_instance`, `check`, …
            shared: further keys that may stand there, proposed for a misspelt one.

        Returns:
            None when it is no table, or when a key that must be there is missing or wrong.
        """
        try:
            return msgspec.convert(value, model, dec_hook=self._special)
        except msgspec.ValidationError as error:
            if not isinstance(value, Mapping):
                self.findings.error(path, "must be a table", found=shown(value))
                return None
            before = self.findings.errors
            good = _Walk(self, kind, shared).struct(value, model, path)
            return self._second(good, model, path, error if self.findings.errors == before else None)

    def _second(
        self, good: Table, model: type[Model], path: Path, rule: msgspec.ValidationError | None
    ) -> Model | None:
        if rule is not None:  # a rule of the model itself, which only the model can check
            text, _, inside = str(rule).partition(" - at `$")
            self.findings.error((*path, *_guilty(good, model, text, inside)), text)
            return None
        try:
            return msgspec.convert(good, model, dec_hook=self._special)
        except msgspec.ValidationError:  # a required key is missing: said already
            return None

    def _special(self, kind: type, value: Value) -> Value:
        if kind is Secret:
            return self.vault.open(value)
        # How msgspec wants to hear that a hook does not know a type (its manual, "Extending").
        raise NotImplementedError(f"no such type in a configuration: {kind}")

    def secret(self, value: Value, path: Path) -> bool:
        """Return whether a value is a good secret; say what is wrong, without showing it."""
        try:
            self.vault.open(value)
        except NoSecret as error:
            self.findings.error(path, str(error))
            return False
        return True


_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")  # of a path as msgspec writes it: $.url[0].path
_WORD = re.compile(r"\w+")


def _guilty(table: Table, model: type[msgspec.Struct], text: str, inside: str) -> Path:
    """Return where in a table a model's own rule is broken: the one key that its text names, else the table.

    Args:
        table: what the model refused.
        model: of the table.
        text: of the refusal.
        inside: the rest of the path when it is a table inside that was refused, as msgspec writes it.
    """
    path = tuple(key or int(number) for key, number in _STEP.findall(inside))
    refused: Value = table
    for part in path:
        refused = refused[part] if isinstance(refused, Mapping | list) else None
    known = refused if path and isinstance(refused, Mapping) else fields_of(model)
    named = set(_WORD.findall(text)) & set(known)
    return (*path, *named) if len(named) == 1 else path


@cache
def fields_of(model: type[msgspec.Struct]) -> dict[str, inspect.Field]:
    """Return the keys that a model knows."""
    described = inspect.type_info(model)
    assert isinstance(described, inspect.StructType)
    return {known.encode_name: known for known in described.fields}


def unknown_key(findings: Findings, path: Path, known: Collection[str], kind: str = "") -> None:
    """Say that there is no such key: not yet, under another name, or the nearest right one."""
    key = str(path[-1])
    note = advice(key, kind)
    near = nearest(key, known)
    if note:
        findings.unknown(path, note)
    elif near:
        findings.unknown(path, f"unknown key; did you mean {near}?")
    else:
        findings.unknown(path, f"unknown key; known here: {', '.join(sorted(known))}")


@dataclass(frozen=True, slots=True)
class _Walk:
    """One table key by key: returns what is good of it, says what is not."""

    decoder: Decoder
    kind: str
    shared: Collection[str]

    def struct(self, value: Table, model: type[msgspec.Struct], path: Path) -> Table:
        """Return the good keys of a table."""
        known = fields_of(model)
        good: dict[str, Value] = {}
        for key, below in value.items():
            if key not in known:
                unknown_key(self.decoder.findings, (*path, key), [*known, *self.shared], self.kind)
            elif self.fits(below, known[key].type, (*path, key)):
                good[key] = below
        for key, wanted in known.items():
            if wanted.required and key not in value:
                self.decoder.findings.error((*path, key), f"missing; must be {described(wanted.type)}")
        return good

    def fits(self, value: Value, wanted: inspect.Type, path: Path) -> bool:
        """Return whether a value is of the wanted type; say what is wrong when it is not."""
        plain = bare(wanted)
        if isinstance(plain, inspect.UnionType):
            branch = branch_of(value, plain)
            return self._refuse(value, wanted, path) if branch is None else self.fits(value, branch, path)
        if isinstance(plain, inspect.CustomType) and plain.cls is Secret:
            return self.decoder.secret(value, path)
        if not accepts(value, plain):
            return self._refuse(value, wanted, path)
        if isinstance(plain, inspect.StructType) and isinstance(value, Mapping):
            before = self.decoder.findings.errors
            _Walk(self.decoder, "", ()).struct(value, plain.cls, path)
            return self.decoder.findings.errors == before
        return all(self._inside(value, plain, path))

    def _inside(self, value: Value, wanted: inspect.Type, path: Path) -> list[bool]:
        """Look at everything inside a list or a table, past the first that is wrong."""
        if isinstance(wanted, inspect.ListType | inspect.VarTupleType) and isinstance(value, list):
            return [self.fits(item, wanted.item_type, (*path, number)) for number, item in enumerate(value)]
        if isinstance(wanted, inspect.DictType) and isinstance(value, Mapping):
            return [self.fits(item, wanted.value_type, (*path, key)) for key, item in value.items()]
        return []

    def _refuse(self, value: Value, wanted: inspect.Type, path: Path) -> bool:
        found = "" if remarks(wanted)["hidden"] else shown(value)
        self.decoder.findings.error(path, f"must be {described(wanted)}", found=found)
        return False
