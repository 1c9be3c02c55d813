"""Rules of policy routing that move with an instance (V23, RU01, RU03)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.desk import Desk, first_set
from stayalived.config.findings import Findings, Path, Table, Value, shown
from stayalived.config.holdings import MAX_NUMBER, RULE_TYPES, RuleTable
from stayalived.config.iproute_names import TABLES
from stayalived.config.networks import family_named, network_of
from stayalived.config.virtual_routers import Rule

KEY = "virtual_rules"
FIRST_PREFERENCE = 16384  # RU01: what is not numbered gets this, the next one less
ALL_WORDS = ("all", "any", "default")
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_TO_TABLE, _GOTO = 1, 2  # FR_ACT_* of linux/fib_rules.h
_INSTEAD = ("table", "goto", "type")
_TOS_BITS = {Family.IPV4: 0x1C, Family.IPV6: 0xFC}  # net/ipv4/fib_rules.c and net/ipv6/fib6_rules.c: without ECN's


@dataclass(slots=True)
class Preferences:
    """Numbers for the rules that have none: downwards for each family, past those that somebody wrote.

    Attributes:
        written: preferences that stand anywhere.
    """

    written: frozenset[int]
    _next: dict[Family, int] = field(default_factory=lambda: dict.fromkeys(Family, FIRST_PREFERENCE))

    def take(self, family: Family) -> int:
        """Return the next one of a family; below 1 when none is left."""
        found = self._next[family]
        while found in self.written:
            found -= 1
        self._next[family] = found - 1
        return found


def written_preferences(instances: Iterable[Table]) -> frozenset[int]:
    """Return all preferences that stand in tables of instances, before anybody has looked whether these are good."""
    lists: list[Value] = [table.get(KEY) for table in instances]
    rules = [rule for rules in lists if isinstance(rules, list) for rule in rules if isinstance(rule, Mapping)]
    return frozenset(value for rule in rules if isinstance(value := rule.get("preference"), int))


class RuleRoom:
    """Turns `virtual_rules` of one instance into rules."""

    def __init__(self, desk: Desk, preferences: Preferences, path: Path) -> None:
        """Work for the instance that stands at a path; `preferences` are those of all instances."""
        self._desk = desk
        self._findings: Findings = desk.findings
        self._preferences = preferences
        self._path: Path = (*path, KEY)

    def take(self, entries: Sequence[Table]) -> tuple[Rule, ...]:
        """Return the rules, one for each preference."""
        found: dict[object, Rule] = {}
        for number, entry in enumerate(entries):
            path = (*self._path, number)
            table = self._desk.entry(entry, RuleTable, path, KEY)
            rule = None if table is None else self._rule(table, path)
            if rule is not None and found.setdefault(rule.key, rule) is not rule:
                text = "a rule of this preference stands here already; take another one, or leave it out"
                self._findings.error((*path, "preference"), text, found=str(rule.preference))
        return tuple(found.values())

    def _rule(self, table: RuleTable, path: Path) -> Rule | None:
        before = self._findings.errors
        family = self._family(table, path)
        source = network_of(table.source or ALL_WORDS[0], ALL_WORDS, self._findings, (*path, "from"))
        destination = network_of(table.to or ALL_WORDS[0], ALL_WORDS, self._findings, (*path, "to"))
        self._look_at_families({"from": source, "to": destination}, family, path)
        preference = self._preferences.take(family) if table.preference is None else table.preference
        if preference < 1:
            text = f"more than {FIRST_PREFERENCE} rules have none; write the preferences of some"
            self._findings.error((*path, "preference"), text)
        mark, mask = self._mark(table.fwmark, (*path, "fwmark"))
        number = None if table.table is None else self._desk.number(table.table, TABLES, (*path, "table"))
        rule = Rule(
            family=family,
            preference=preference,
            action=self._action(table, preference, path),
            table=first_set(
                number, default=0 if table.goto or table.type else self._desk.numbers.numbers(TABLES)["main"]
            ),
            source=source,
            destination=destination,
            input_interface=table.iif or "",
            output_interface=table.oif or "",
            mark=mark,
            mark_mask=mask,
            tos=self._tos(table.tos, family, (*path, "tos")),
            goto=table.goto or 0,
            inverted=table.inverted,
            tracked=not table.no_track,
        )
        return rule if self._findings.errors == before else None

    def _family(self, table: RuleTable, path: Path) -> Family:
        if table.family is not None:
            return _FAMILIES[self._desk.choice(table.family, _FAMILIES, (*path, "family"))]
        return family_named((table.source, table.to)) or Family.IPV4

    def _look_at_families(self, ends: Mapping[str, VirtualAddress | None], family: Family, path: Path) -> None:
        for key, network in ends.items():
            if network is not None and network.family is not family:
                self._findings.error((*path, key), f"must be IPv{family}, as the rule is", found=str(network))

    def _action(self, table: RuleTable, preference: int, path: Path) -> int:
        written = [key for key in _INSTEAD if getattr(table, key) is not None]
        if len(written) > 1:
            self._findings.error((*path, written[-1]), f"stands instead of {written[0]}; keep one of them")
        if table.type is not None:
            return RULE_TYPES[self._desk.choice(table.type, RULE_TYPES, (*path, "type"))]
        if table.goto is None:
            return _TO_TABLE
        if table.goto <= preference:  # net/core/fib_rules.c
            text = f"must be above the rule's own preference, {preference}: the kernel does not go back"
            self._findings.error((*path, "goto"), text, found=str(table.goto))
        return _GOTO

    def _mark(self, value: int | str | None, path: Path) -> tuple[int, int]:
        """Return mark and mask, both 0 without one."""
        if value is None:
            return 0, 0
        mark, slash, mask = str(value).partition("/")
        numbers = _number(mark), _number(mask) if slash else MAX_NUMBER
        if not all(0 <= number <= MAX_NUMBER for number in numbers) or numbers[1] == 0:
            text = 'must be a number of 32 bits or "MARK/MASK", decimal or 0x…'
            self._findings.error(path, text, found=shown(value))
            return 0, 0
        return numbers

    def _tos(self, value: int | str | None, family: Family, path: Path) -> int:
        number = 0 if value is None else _number(str(value))
        bits = _TOS_BITS[family]
        if number < 0 or number & ~bits:
            text = (
                f"must be a multiple of 4 from 0 to {bits}, decimal or 0x…: the kernel knows no other for IPv{family}"
            )
            self._findings.error(path, text, found=shown(value))
        return number


def _number(text: str) -> int:
    """Return a number, decimal or hexadecimal with 0x; -1 when it is none."""
    plain = text.strip().lower()
    digits, base = (plain[2:], 16) if plain.startswith("0x") else (plain, 10)
    if not 0 < len(digits) <= 10 or not digits.isascii() or not digits.isalnum():
        return -1
    try:
        return int(digits, base)
    except ValueError:
        return -1
