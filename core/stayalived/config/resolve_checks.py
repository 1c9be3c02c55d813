"""Checks: what is named, what is inline, what is inherited, and whom each one probes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated

import msgspec

from stayalived.addresses import NOWHERE, Endpoint, Family
from stayalived.config.checks import DEFAULTS, CheckTable, TimingTable, TypeDefaults
from stayalived.config.desk import Desk, first_set, items, keys_of
from stayalived.config.findings import Path, Table, Value, shown
from stayalived.config.model import Check, Source, Timing
from stayalived.plugin.catalogue import CHECK, Provided
from stayalived.plugin.checks import Check as CheckType
from stayalived.timing import NO_TIME, Duration, seconds

KIND = "check"
NOTHING = TimingTable()
_values = attrgetter(*TimingTable.__struct_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One check as it was written, with its type and options, for nobody in particular yet."""

    name: str
    path: Path
    provided: Provided[CheckType]
    options: bytes
    keys: CheckTable
    defaults: TypeDefaults

    @property
    def type(self) -> type[CheckType]:
        """The class that a plugin brought."""
        return self.provided.provider

    @property
    def weight(self) -> int:
        """The weight of the check itself: its own, else its type's."""
        return first_set(self.keys.weight, default=self.defaults.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom checks are for.

    Attributes:
        name: `service42/tic`.
        endpoints: its addresses, one for each family.
        virtual_host: the name to ask for, or empty.
        layers: where timing is inherited from, the nearest first.
        fallback: what holds beyond the type's own defaults, before everybody's.
        path: of the server, for messages.
        weight: of the server; 0 where it is none.
    """

    name: str
    endpoints: Sequence[Endpoint]
    virtual_host: str
    layers: tuple[TimingTable, ...]
    path: Path
    fallback: TimingTable = NOTHING
    weight: int = 0


@dataclass(slots=True)
class CheckRoom:
    """Turns what stands at `check` into checks of real servers."""

    desk: Desk
    named: dict[str, Specification | None] = field(default_factory=dict)
    timings: dict[tuple[object, ...], Timing] = field(default_factory=dict)

    def take_named(self, tree: Table) -> None:
        """Take up every `[check.NAME]`. One that is wrong stays known, so that nobody is told it does not exist."""
        for name, table in self.desk.tables(tree, KIND).items():
            self.named[name] = self._inline(table, (KIND, name), name)

    def specifications(self, value: Value, path: Path) -> list[Specification]:
        """Return the checks that stand at a key: a name, a table, or a list of them."""
        if value is None:
            return []
        found = [self._specification(item, where) for item, where in items(value, path)]
        return [specification for specification in found if specification is not None]

    def _specification(self, value: Value, path: Path) -> Specification | None:
        if isinstance(value, str) and value in self.named:
            return self.named[value]
        if isinstance(value, str):
            if value.lower() in self.desk.catalogue.checks:
                return self._inline({"type": value}, path, value.lower())
            named = ", ".join(sorted(self.named)) or "none"
            types = ", ".join(self.desk.catalogue.checks) or "none"
            text = f"no [check.{value}] and no check type of this name; named checks: {named}; types: {types}"
            self.desk.findings.error(path, text, found=shown(value))
            return None
        return self._inline(value, path, "")

    def _inline(self, value: Value, path: Path, name: str) -> Specification | None:
        found = self.desk.specification(value, path)
        if found is None:
            return None
        type_name, table = found
        provided = self.desk.provided(CHECK, self.desk.catalogue.checks, type_name, (*path, "type"))
        if provided is None:
            return None
        own = keys_of(provided.provider.Options)  # what the type calls its own is its own
        shared = keys_of(CheckTable) - own
        common = {key: below for key, below in table.items() if key in shared}
        special = {key: below for key, below in table.items() if key not in shared}
        keys = self.desk.decoder.table(common, CheckTable, path, KIND)
        options = self.desk.options(provided, special, path, shared, KIND)
        if keys is None or options is None:
            return None
        return Specification(
            name=name or provided.name,
            path=path,
            provided=provided,
            options=options,
            keys=keys,
            defaults=self._defaults_of(provided, path),
        )

    def _defaults_of(self, provided: Provided[CheckType], path: Path) -> TypeDefaults:
        try:
            return msgspec.convert(dict(provided.provider.defaults), TypeDefaults)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            text = f"the defaults of check type {provided.name} ({provided.distribution}) are wrong: {error}"
            self.desk.findings.warn(path, text)
            return TypeDefaults()

    def checks(self, subject: Subject, specifications: Sequence[Specification]) -> tuple[Check, ...]:
        """Return the checks of a subject: each specification for each of its addresses, numbered through."""
        made: list[Check] = []
        for specification in specifications:
            endpoints = (NOWHERE,) if specification.type.aim == "none" else subject.endpoints
            for endpoint in endpoints:
                both = len(endpoints) > 1
                check = self._check(subject, specification, endpoint, len(made), both=both)
                if check is not None:
                    made.append(check)
        return tuple(made)

    def _check(
        self, subject: Subject, made_of: Specification, endpoint: Endpoint, number: int, *, both: bool
    ) -> Check | None:
        keys = made_of.keys
        target = self._target(made_of, endpoint, subject)
        bindto = self._of_family(keys.bindto, endpoint.family, (*made_of.path, "bindto"))
        if target is None or bindto is None:
            return None
        return Check(
            subject=subject.name,
            number=number,
            name=f"{made_of.name}/{endpoint.family}" if both else made_of.name,
            type=made_of.provided.name,
            distribution=made_of.provided.distribution,
            options=made_of.options,
            target=target,
            virtual_host=first_set(keys.virtualhost, default=subject.virtual_host),
            source=Source(bindto=bindto, bind_port=keys.bind_port, bind_if=keys.bind_if, fwmark=keys.fwmark),
            timing=self._timing(made_of, subject),
            server_weight=subject.weight,
        )

    def _target(self, made_of: Specification, endpoint: Endpoint, subject: Subject) -> Endpoint | None:
        if made_of.type.aim == "none":
            return NOWHERE
        keys = made_of.keys
        address = self._of_family(keys.connect_ip, endpoint.family, (*made_of.path, "connect_ip"))
        if address is None:
            return None
        port = keys.connect_port or endpoint.port
        if port == 0 and made_of.type.needs_port:
            text = f"{subject.name} has no port that could be checked; write connect_port = PORT"
            self.desk.findings.error((*made_of.path, "connect_port"), text)
        return Endpoint(address or endpoint.address, port)

    def _of_family(self, value: str | list[str] | None, family: Family, path: Path) -> str | None:
        """Return the address of a family, empty when none is wanted, None after an error."""
        if value is None:
            return ""
        addresses = self.desk.each_family(value, path)
        if family in addresses:
            return addresses[family][0]
        if addresses:
            self.desk.findings.error(path, f"has no IPv{family} address, but a server that is checked has one")
        return None

    def _timing(self, made_of: Specification, subject: Subject) -> Timing:
        every = (made_of.keys, *subject.layers, made_of.defaults, subject.fallback, DEFAULTS)
        own = made_of.options if _has_limit(made_of) else b""
        written = (*map(_values, every), made_of.weight, made_of.keys.reverse, made_of.provided.name, own)
        if written not in self.timings:
            timing = timing_of(every, made_of)
            limit = self._limit(made_of, timing.delay_loop)
            self.timings[written] = msgspec.structs.replace(timing, limit=limit)
        return self.timings[written]

    def _limit(self, made_of: Specification, delay_loop: Duration) -> Duration:
        """Return how long the type lets a probe take; what a stranger's says may be anything."""
        if not _has_limit(made_of):
            return NO_TIME
        try:
            made = made_of.provided.make(made_of.options)
            limit: Duration = msgspec.convert(made.limit(delay_loop), Annotated[Duration, msgspec.Meta(ge=0)])
        except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
            text = f"limit() of check type {made_of.provided.name} ({made_of.provided.distribution}) failed: {error}"
            self.desk.findings.error(made_of.path, text)
            return NO_TIME
        return limit


def _has_limit(made_of: Specification) -> bool:
    """Whether the type says itself how long a probe may take."""
    return made_of.type.limit is not CheckType.limit


def timing_of(layers: Sequence[TimingTable], made_of: Specification) -> Timing:
    """Return the timing of a check, but for the limit of its type: of each key the first layer that gives it.

    The last layer is what holds for all types.
    """

    def pick(name: str, among: Sequence[TimingTable] = layers, otherwise: float = 0.0) -> float:
        values: Iterator[float | None] = (getattr(layer, name) for layer in among)
        return next((value for value in values if value is not None), otherwise)

    delay_loop = pick("delay_loop")
    told = layers[:-1] if made_of.type.tries_each_period else layers
    return Timing(
        delay_loop=seconds(delay_loop),
        connect_timeout=seconds(pick("connect_timeout")),
        retry=int(pick("retry")),
        delay_before_retry=seconds(pick("delay_before_retry", told, otherwise=delay_loop)),
        warmup=seconds(pick("warmup", otherwise=delay_loop)),
        rise=int(pick("rise")),
        fall=int(pick("fall")),
        alpha=bool(pick("alpha")),
        weight=made_of.weight,
        reverse=made_of.keys.reverse,
        fast_interval=seconds(pick("fast_interval")),
        log_all_failures=bool(pick("log_all_failures")),
        from_start=made_of.type.from_start,
    )
