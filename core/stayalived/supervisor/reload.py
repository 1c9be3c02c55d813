"""One attempt to bring a configuration into force: who has to answer, what changes, what speaks against it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stayalived.config.problems import Problem
from stayalived.messages.census import count_missing, take_census
from stayalived.messages.control import Needs
from stayalived.messages.routes import CHECKER, role_of
from stayalived.supervisor.events import BlobId
from stayalived.timing import Duration, Instant, milliseconds, seconds

PARSE_LIMIT = seconds(30)
"""From the fork of the config child to its answer: names to resolve and plugins to import are part of it."""

PREPARE_LIMIT = seconds(10)
PREPARE_LIMIT_PER_OBJECT = milliseconds(1)
"""How long the children may take to say whether they can use a configuration; silence is a refusal."""

FOREIGN_LIMIT = seconds(3)
"""The same for children that run third parties' plugins. One that is blocked by them is replaced, not waited for."""

REMOVALS_UNQUESTIONED = 10
"""A reload that removes fewer instances or virtual servers than this is not too much, unless none is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A configuration in force."""

    generation: int
    needs: Needs
    blob: BlobId
    at: Instant


@dataclass(slots=True, kw_only=True)
class Attempt:
    """A configuration on its way: being read by the config child, then by all the others."""

    generation: int
    force: bool
    requests: tuple[int, ...]
    needs: Needs | None = None
    blob: BlobId | None = None
    warnings: list[Problem] = field(default_factory=list)
    awaiting: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    deadline: Instant | None = None


@dataclass(slots=True, kw_only=True)
class Wish:
    """Reloads that were asked for and have not begun: however many, they become one, which reads the last files."""

    force: bool = False
    requests: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a new configuration means for the children: names."""

    added: frozenset[str]
    removed: frozenset[str]
    replaced: frozenset[str]


def compare(old: Needs, new: Needs) -> Change:
    """Return which children come, go, or have to be replaced: their plugins' version or their rights changed."""
    before, after = frozenset(old.children), frozenset(new.children)
    changed = {line.partition(" ")[0] for line in set(old.plugins) ^ set(new.plugins)}
    replaced = {name for name in before & after if name.partition("/")[2] in changed}
    if old.checker_capabilities != new.checker_capabilities:
        # The marks and low ports of the sockets of the bundled checks need them.
        replaced |= {name for name in before & after if role_of(name) == CHECKER and "/" not in name}
    return Change(added=after - before, removed=before - after, replaced=frozenset(replaced))


def objections(old: Needs, new: Needs, *, force: bool) -> tuple[Problem, ...]:
    """Return what speaks against going from one configuration to the other while running."""
    return (*_start_only(old, new), *(() if force else _removals(old, new)))


def prepare_limit(needs: Needs) -> Duration:
    """Return how long children may take to read this configuration."""
    return Duration(PREPARE_LIMIT + PREPARE_LIMIT_PER_OBJECT * needs.objects)


def trouble(text: str) -> tuple[Problem, ...]:
    """Return a reason for a refusal that lies in no file."""
    return (Problem(path="", expected=text),)


def _start_only(old: Needs, new: Needs) -> Iterable[Problem]:
    before = dict(_split(line) for line in old.start_only)
    for line in new.start_only:
        key, value = _split(line)
        if before.get(key) != value:
            yield Problem(
                path=key, found=value, expected=f"it was {before.get(key)} at start and cannot change without a restart"
            )


def _removals(old: Needs, new: Needs) -> Iterable[Problem]:
    after = {census.kind: census for census in new.removable}
    for before in sorted(old.removable, key=lambda census: census.kind):
        kind = before.kind
        kept = after.get(kind) or take_census(kind, ())
        gone = count_missing(before, kept)
        if before.count and not kept.count:
            yield Problem(
                path=kind,
                found=f"none left of {before.count}",
                expected="is a file missing? Put it back, or take the last away with `stayalived reload --force`",
            )
        elif gone >= REMOVALS_UNQUESTIONED and gone * 2 > before.count:
            yield Problem(
                path=kind,
                found=f"{before.count - gone} left of {before.count}",
                expected="a reload that removes more than half of them wants `stayalived reload --force`",
            )


def _split(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key, value
