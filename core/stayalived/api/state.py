"""What api knows: the newest of each key that anybody told, and the document that is made of it."""

from collections.abc import Collection, Sequence
from typing import TypeVar

from stayalived.api import document
from stayalived.messages.control import ChildState, DaemonState, Message
from stayalived.messages.notify import Counts
from stayalived.messages.routes import IPVS, TOPICS, VRRP, Kind, pack
from stayalived.messages.services import AddressPresent, CheckState, FirstRound, Override, ServerRow, ServiceState
from stayalived.messages.vrrp import GroupState, InstanceState, RouterCounters, RouterRow
from stayalived.timing import Duration, Instant, elapsed, in_seconds

AnyMessage = TypeVar("AnyMessage", bound=Message)
_NO_COUNTERS = RouterCounters(
    key="",
    adverts_sent=0,
    adverts_received=0,
    became_master=0,
    released_master=0,
    priority_zero_sent=0,
    priority_zero_received=0,
    errors={},
)


class Store:
    """The newest message of each topic of state, by key."""

    def __init__(self, *, version: str, pid: int) -> None:
        """Start empty; version and pid are the daemon's, for the document."""
        self._version = version
        self._pid = pid
        self._kept: dict[str, dict[str, Message]] = {name: {} for name, t in TOPICS.items() if t.kind is Kind.STATE}

    def take(self, topic: str, key: str, message: Message | None) -> None:
        """Keep a message under its key, or drop the key when there is no message. Topics of no state are ignored."""
        kept = self._kept.get(topic)
        if kept is None:
            return
        if message is None:
            kept.pop(key, None)
        else:
            kept[key] = message

    def servers(self) -> dict[str, ServerRow]:
        """Return the real servers as ipvs told of them last, by name: `service42/tic`."""
        return {row.subject: row for state in self._all("services.state", ServiceState) for row in state.servers}

    def adjusted(self) -> frozenset[str]:
        """Return the names of the servers that somebody wants another weight for, or wants drained."""
        return frozenset(level.server for level in self._all("services.override", Override))

    def describe(self, now: Instant) -> document.Document:
        """Return everything as it is at this moment; rows are sorted by name."""
        checks = self._checks(now)
        absent = {one.service for one in self._all("services.address", AddressPresent) if not one.present}
        services = [_service(parts, checks, absent) for parts in self._services()]
        return document.Document(
            schema=document.SCHEMA,
            daemon=self._daemon(),
            children=[_child(child, now) for child in self._all("daemon.child", ChildState)],
            instances=self._instances(now),
            groups=[_group(state, now) for state in self._all("vrrp.group", GroupState)],
            strays=self._strays(),
            services=services,
            tracked=[_check(state, now) for state in self._all("vrrp.track", CheckState)],
            notify=[_notified(counts) for counts in self._all("notify.counts", Counts)],
            first_round=any(first.open for first in self._all("services.round", FirstRound)),
        )

    @property
    def config_dir(self) -> str:
        """The folder that the daemon reads; empty in the first moments of a start."""
        return next((state.config_dir for state in self._all("daemon.state", DaemonState)), "")

    def retold(self) -> tuple[tuple[str, str, bytes], ...]:
        """Return topic, key and body of what vrrp or ipvs would be retold, were it to start anew."""
        topics = [name for name in self._kept if {VRRP, IPVS}.intersection(TOPICS[name].receivers)]
        return tuple((name, key, pack(one).body) for name in topics for key, one in self._kept[name].items())

    def _all(self, topic: str, message_type: type[AnyMessage]) -> list[AnyMessage]:
        kept = self._kept[topic]
        return [message for key in sorted(kept) if isinstance(message := kept[key], message_type)]

    def _services(self) -> list[list[ServiceState]]:
        """Return the virtual servers by name, each in its parts: a big one is told under `NAME`, `NAME#1` and so on."""
        parts: dict[str, dict[int, ServiceState]] = {}
        for key, state in self._kept["services.state"].items():
            if isinstance(state, ServiceState):
                number = key.removeprefix(state.name).removeprefix("#")
                parts.setdefault(state.name, {})[int(number) if number.isdecimal() else 0] = state
        return [[parts[name][number] for number in sorted(parts[name])] for name in sorted(parts)]

    def _daemon(self) -> document.Daemon | None:
        for state in self._all("daemon.state", DaemonState):
            return document.Daemon(
                version=self._version,
                pid=self._pid,
                phase=state.phase,
                generation=state.generation,
                accepted_at=in_seconds(Duration(state.accepted_at)),
                refused=[str(problem) for problem in state.refused],
                run_dir=state.run_dir,
                config_dir=state.config_dir,
            )
        return None

    def _instances(self, now: Instant) -> list[document.Instance]:
        counters = {counter.key: counter for counter in self._all("vrrp.counters", RouterCounters)}
        return [_instance(state, counters, now) for state in self._all("vrrp.instance", InstanceState)]

    def _strays(self) -> list[document.Strays]:
        """Counters of interfaces; those of virtual routers have the name of their instance and a slash in the key."""
        counters = self._all("vrrp.counters", RouterCounters)
        return [document.Strays(interface=one.key, errors=dict(one.errors)) for one in counters if "/" not in one.key]

    def _checks(self, now: Instant) -> dict[str, list[document.Check]]:
        by_subject: dict[str, list[document.Check]] = {}
        states = sorted(self._all("services.check", CheckState), key=lambda state: (state.subject, state.number))
        for state in states:
            by_subject.setdefault(state.subject, []).append(_check(state, now))
        return by_subject


def _lasted(since: int, now: Instant) -> float:
    return round(in_seconds(elapsed(Instant(since), now)), 3)


def _child(child: ChildState, now: Instant) -> document.Child:
    return document.Child(
        name=child.name,
        pid=child.pid,
        state=child.state,
        seconds=_lasted(child.since, now),
        restarts=child.restarts,
        user=child.user,
        note=child.note,
    )


def _instance(state: InstanceState, counters: dict[str, RouterCounters], now: Instant) -> document.Instance:
    return document.Instance(
        name=state.name,
        state=state.state,
        seconds=_lasted(state.since, now),
        reason=state.reason,
        priority=state.priority,
        configured_priority=state.configured_priority,
        group=state.group,
        faults=list(state.faults),
        routers=[_router(row, counters.get(row.key, _NO_COUNTERS)) for row in state.routers],
    )


def _router(row: RouterRow, counters: RouterCounters) -> document.Router:
    return document.Router(
        key=row.key,
        family=row.family,
        state=row.state,
        virtual_router_id=row.virtual_router_id,
        interface=row.interface,
        addresses=list(row.addresses),
        advert_interval=in_seconds(Duration(row.advert_int)),
        master_interval=in_seconds(Duration(row.master_interval)),
        master=row.master,
        excluded=list(row.excluded),
        virtual_mac=row.virtual_mac,
        held=row.held,
        adverts_sent=counters.adverts_sent,
        adverts_received=counters.adverts_received,
        became_master=counters.became_master,
        released_master=counters.released_master,
        priority_zero_sent=counters.priority_zero_sent,
        priority_zero_received=counters.priority_zero_received,
        trailers_received=counters.trailers_received,
        errors=dict(counters.errors),
    )


def _group(state: GroupState, now: Instant) -> document.Group:
    return document.Group(
        name=state.name,
        state=state.state,
        seconds=_lasted(state.since, now),
        reason=state.reason,
        instances=list(state.instances),
    )


def _check(state: CheckState, now: Instant) -> document.Check:
    return document.Check(
        subject=state.subject,
        number=state.number,
        check=state.check,
        up=state.up,
        seconds=_lasted(state.since, now),
        reason=state.reason,
        weight=state.weight,
        latency=in_seconds(Duration(state.latency)),
        stale=state.stale,
        value=state.value,
    )


def _service(
    parts: Sequence[ServiceState], checks: dict[str, list[document.Check]], absent: Collection[str]
) -> document.Service:
    state = parts[0]
    return document.Service(
        name=state.name,
        protocol=state.protocol,
        addresses=list(state.addresses),
        scheduler=state.scheduler,
        forward=state.forward,
        quorum=state.quorum,
        sorry=state.sorry,
        panic=state.panic,
        suspended=state.name in absent,
        problem=state.problem,
        servers=[_server(row, checks.get(row.subject, [])) for part in parts for row in part.servers],
    )


def _notified(counts: Counts) -> document.Notified:
    return document.Notified(
        name=counts.name,
        distribution=counts.distribution,
        told=counts.told,
        failed=counts.failed,
        merged=counts.merged,
        limited=counts.limited,
        waiting=counts.waiting,
        longest=in_seconds(Duration(counts.longest)),
    )


def _server(row: ServerRow, checks: list[document.Check]) -> document.Server:
    return document.Server(
        name=row.subject,
        addresses=list(row.addresses),
        state=row.state,
        reason=row.reason,
        weight=row.weight,
        configured_weight=row.configured_weight,
        overrides=list(row.overrides),
        active=row.active,
        inactive=row.inactive,
        connections_per_second=row.new,
        bytes_in_per_second=row.bytes_in,
        bytes_out_per_second=row.bytes_out,
        checks=checks,
    )
