"""The register of requirements: read from `requirements/`, where its keys are explained."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "requirements"
LEVELS = (
    "MUST",
    "MUST NOT",
    "SHOULD",
    "SHOULD NOT",
    "RECOMMENDED",
    "NOT RECOMMENDED",
    "rule",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row of a register; see `requirements/rfc9568.toml` for its keys.

    Attributes:
        name: its clause, and a letter that tells it from others of that clause.
    """

    name: str
    level: str
    says: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    reason: str = ""
    deviation: str = ""
    needs: str = ""
    erratum: int = 0

    @property
    def clause(self) -> str:
        """The number of its clause, or keepalived's key."""
        return self.name.rpartition(" ")[0]

    @property
    def evidence(self) -> tuple[str, ...]:
        """All that shows it, cases and tests."""
        return self.positive + self.negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One document with its requirements, in its own order."""

    name: str
    title: str
    source: str
    requirements: tuple[Requirement, ...]


def read(path: Path) -> Register:
    """Return a register.

    Raises:
        TypeError: a row has a key that there is not, or lacks one.
    """
    rows: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    title, source = rows.pop("title"), rows.pop("source")
    requirements = tuple(_requirement(name, keys) for name, keys in rows.items())
    return Register(name=path.stem, title=title, source=source, requirements=requirements)


def read_all() -> Sequence[Register]:
    """Return all registers, the present RFC first."""
    return [read(FOLDER / f"{name}.toml") for name in ("rfc9568", "rfc3768", "keepalived")]


def _requirement(name: str, keys: dict[str, Any]) -> Requirement:
    lists = {field.name for field in fields(Requirement) if str(field.type).startswith("tuple")}
    return Requirement(name=name, **{key: tuple(value) if key in lists else value for key, value in keys.items()})
