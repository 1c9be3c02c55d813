"""What ipvs tells: states of services, events, lines for the log, each once. Pure."""

from collections.abc import Collection, Container, Iterator

from stayalived.child.events import ChildEffect, Forget, Report, Tell
from stayalived.config.model import RealServer
from stayalived.ipvs.changes import LONG_AGO, AdjustmentChange, Memory, PanicChange, QuorumChange, ServerChange
from stayalived.ipvs.events import INFO, WARNING
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.kernel_view import KernelView
from stayalived.ipvs.levels import cause_of
from stayalived.ipvs.listening import keys_in
from stayalived.ipvs.model import ServiceKey
from stayalived.ipvs.pool import Pool
from stayalived.ipvs.quorum import Quorum
from stayalived.ipvs.rows import state_in, states_of
from stayalived.ipvs.told import VERBS, Told, too_soon
from stayalived.messages.notify import Event
from stayalived.messages.services import AdoptedServer, CheckState, FirstRound, ServerRow, ServiceState
from stayalived.timing import Instant


class Newsroom:
    """Collects what is to be told, until `take`.

    Attributes:
        adopted: servers that the checker was told of, by this process or the one before it.
    """

    def __init__(self) -> None:
        """Start with nothing told."""
        self.adopted: set[str] = set()
        self._told: dict[str, Told] = {}
        self._effects: list[ChildEffect] = []
        self._sequence = 0

    def take(self) -> list[ChildEffect]:
        """Return what is to be told, in order, and forget it."""
        effects, self._effects = self._effects, []
        return effects

    # -- what the process before this one told

    def remember(self, key: str, state: ServiceState) -> None:
        """Take note of what the process before this one told last."""
        self._told[key] = Told(state, Instant(0))

    def recall(self, pool: Pool) -> None:
        """Give a pool what the process before this one told of it, if it did."""
        states = list(self._parts(pool.service.name))
        memories = {row.subject: _memory(row) for state in states for row in state.servers}
        if states:
            pool.remember(memories, Quorum(states[0].quorum), panic=states[0].panic)

    def _parts(self, name: str) -> Iterator[ServiceState]:
        """Walk through the parts in which a virtual server was told."""
        number, key = 0, name
        while key in self._told:
            yield self._told[key].state
            number += 1
            key = f"{name}#{number}"

    def remembered_keys(self) -> set[ServiceKey]:
        """Return the kernel's services of everything that was told."""
        return {key for told in self._told.values() for key in keys_in(told.state)}

    # -- what changed

    def tell_round(self, *, open_: bool) -> None:
        """Tell whether some server still waits for its first result."""
        self._effects.append(Tell(message=FirstRound(open=open_)))

    def tell_adopted(self, pool: Pool, server: RealServer, weight: int) -> None:
        """Tell the checker that a server was found in the kernel's table, if it has anything to check there."""
        if not server.checks:
            return
        subject = pool.subject(server)
        self.adopted.add(subject)
        standing = "UP until a check fails" if weight else "UNKNOWN, stays at 0 until it is checked"
        where = f"of VS {pool.service.name}"
        text = f"Service {_address(pool, server)} {where} is in the kernel with weight {weight}: {standing}"
        self._effects.append(Report(level=INFO, text=text, fields=_fields(pool, server)))
        self._effects.append(Tell(message=AdoptedServer(subject=subject, weight=weight), key=subject))

    def tell_server(self, pool: Pool, change: ServerChange, now: Instant) -> None:
        """Tell that a server came up or went down; a start without a check (LV41, LV44) is no event.

        Of a server without any check there is nothing to say, and there may be tens of thousands of them.
        """
        if not change.server.checks:
            return
        up = change.new.state is State.UP
        verb = VERBS[change.old, change.new.state, change.server.inhibit_on_failure]
        where = f"of VS {pool.service.name}"
        reason = f": {change.new.reason}" if change.new.reason else ""
        text = verb.format(f"service {_address(pool, change.server)} {where}") + reason
        level = INFO if up else WARNING
        self._effects.append(Report(level=level, text=text, fields=_fields(pool, change.server)))
        if change.tested:
            subject = pool.subject(change.server)
            kind = "up" if up else "down"
            self._event(kind, "real_server", subject, (change.old, change.new.state), change.new.reason, now)

    def tell_quorum(self, pool: Pool, change: QuorumChange, now: Instant) -> None:
        """Tell that quorum was gained or lost; that it is there at the start is no event (N05)."""
        if change.old is Quorum.UNDECIDED and change.new is Quorum.UP:
            return
        up = change.new is Quorum.UP
        name, service = pool.service.name, pool.service
        sorry = " ".join(map(str, service.sorry_servers))
        verb = "Gained" if up else "Lost"
        reason = f"live weight {change.live}, quorum {service.quorum}, hysteresis {service.hysteresis}"
        text = f"{verb} quorum {service.quorum} for VS {name}: live weight {change.live}"
        self._effects.append(Report(level=INFO if up else WARNING, text=text, fields={"service": name}))
        if service.sorry_servers:
            verb = "Removing sorry server {} from" if up else "Adding sorry server {} to"
            text = verb.format(sorry) + f" VS {name}"
            self._effects.append(Report(level=INFO, text=text, fields={"service": name}))
        self._event(f"quorum_{change.new}", "virtual_server", name, (change.old, change.new), reason, now)
        if service.sorry_servers:
            kind = "sorry_off" if up else "sorry_on"
            self._event(kind, "virtual_server", name, (change.old, change.new), sorry, now)

    def tell_panic(self, pool: Pool, change: PanicChange, now: Instant) -> None:
        """Tell that servers which are down serve as well, or that they do no longer."""
        name, threshold = pool.service.name, pool.service.manners.panic_threshold
        reason = f"live weight {change.live} of {change.total}, panic_threshold {threshold}"
        what = "Panic, keeping servers that are down" if change.on else "End of panic"
        text = f"{what} for VS {name}: {reason}"
        self._effects.append(Report(level=WARNING if change.on else INFO, text=text, fields={"service": name}))
        kind, states = ("panic_on", ("calm", "panic")) if change.on else ("panic_off", ("panic", "calm"))
        self._event(kind, "virtual_server", name, states, reason, now)

    def tell_adjustment(self, pool: Pool, change: AdjustmentChange, now: Instant) -> None:
        """Tell that a server is drained, no longer drained, or has another weight."""
        old, new = change.old, change.new
        who = f"service {_address(pool, change.server)} of VS {pool.service.name}"
        drain = cause_of(filter(None, (new.drain or old.drain,)))
        if new.drained and not old.drained:
            self._tell_level(pool, change, "drained", f"Drained {who}: it is out of its pool", drain, now)
        elif new.drain and not old.drain:
            self._tell_level(pool, change, "drain", f"Draining {who}, weight 0", drain, now)
        elif old.drain and not new.drain:
            self._tell_level(pool, change, "undrain", f"No longer draining {who}", drain, now)
        if new.levels != old.levels:
            text = f"Changing weight of {who}: {change.old_weight} to {change.new_weight}"
            self._tell_level(pool, change, "weight", text, cause_of(new.levels or old.levels), now)

    def _tell_level(
        self, pool: Pool, change: AdjustmentChange, kind: str, text: str, reason: str, now: Instant
    ) -> None:
        self._effects.append(Report(level=INFO, text=f"{text} ({reason})", fields=_fields(pool, change.server)))
        weights = (str(change.old_weight), str(change.new_weight))
        self._event(kind, "real_server", pool.subject(change.server), weights, reason, now)

    def tell_stale(self, pool: Pool, server: RealServer, check: CheckState, now: Instant) -> None:
        """Tell that a check has had no result for too long."""
        state = pool.health(server).state
        reason = f"{check.check}: no result for three times its delay_loop"
        text = f"No news of service {_address(pool, server)} of VS {pool.service.name}: {reason}"
        self._effects.append(Report(level=WARNING, text=text, fields=_fields(pool, server)))
        self._event("stale", "real_server", pool.subject(server), (state, state), reason, now)

    def tell_end(self, pool: Pool, now: Instant) -> None:
        """Tell the stop of the daemon as if all of a virtual server went down (LV18)."""
        reason = "stayalived stops"
        for server in pool.service.real_servers:
            if pool.health(server).state is State.UP:
                self._event("down", "real_server", pool.subject(server), (State.UP, State.DOWN), reason, now)
        if pool.quorum is Quorum.UP:
            states = (Quorum.UP, Quorum.DOWN)
            self._event("quorum_down", "virtual_server", pool.service.name, states, reason, now)

    def tell_state(self, pool: Pool, kernel: KernelView, now: Instant) -> None:
        """Tell how a virtual server is, unless that is known; when only counters moved, not too often."""
        problem = next((kernel.problems[key] for key in (*pool.keys, None) if key in kernel.problems), "")
        parts = states_of(pool, kernel.present(), kernel.connections, problem)
        self._forget_parts(pool.service.name, len(parts))
        for number, state in enumerate(parts):
            key = f"{state.name}#{number}" if number else state.name
            told = self._told.get(key)
            if told is not None and (told.state == state or too_soon(told, state, now)):
                continue
            self._told[key] = Told(state, now)
            self._effects.append(Tell(message=state, key=key))

    def report_drift(self, key: ServiceKey) -> None:
        """Say that somebody else changed a service of ours; it is about to be repaired."""
        text = f"IPVS service {key} was changed by somebody else: making it again what it should be"
        self._effects.append(Report(level=WARNING, text=text))

    def report_foreign(self, sender: str, key: str) -> None:
        """Say that a process tells of a check that is not its own. To be called once for each process."""
        text = f"{sender} told of check {key}, which is not its own: ignored, like all that it tells of others' checks"
        self._effects.append(Report(level=WARNING, text=text))

    # -- what is gone

    def forget_servers(self, present: Container[str]) -> None:
        """Tell nobody any more of others than these servers that they were found in the kernel."""
        for subject in sorted(subject for subject in self.adopted if subject not in present):
            self.adopted.discard(subject)
            self._effects.append(Forget(message=AdoptedServer, key=subject))

    def forget_services(self, present: Collection[str], leaving: Collection[ServiceKey]) -> None:
        """Forget what was told of virtual servers that are gone from the configuration and from the kernel."""
        for key, told in list(self._told.items()):
            if told.state.name not in present and not keys_in(told.state) & set(leaving):
                del self._told[key]
                self._effects.append(Forget(message=ServiceState, key=key))

    def _forget_parts(self, name: str, number: int) -> None:
        """Forget the parts of a virtual server from this number on: it has become smaller."""
        while (key := f"{name}#{number}") in self._told:
            del self._told[key]
            self._effects.append(Forget(message=ServiceState, key=key))
            number += 1

    def _event(
        self, kind: str, subject_type: str, subject: str, states: tuple[str, str], reason: str, now: Instant
    ) -> None:
        # Numbers follow the clock, so that no restart repeats one.
        self._sequence = max(self._sequence + 1, now)
        event = Event(
            sequence=self._sequence,
            kind=kind,
            subject_type=subject_type,
            subject=subject,
            old=str(states[0]),
            new=str(states[1]),
            reason=reason,
            priority=0,
            monotonic=now,
        )
        self._effects.append(Tell(message=event, sequence=self._sequence))


def _address(pool: Pool, server: RealServer) -> str:
    return " ".join(str(endpoint) for endpoint in pool.endpoints(server))


def _fields(pool: Pool, server: RealServer) -> dict[str, str]:
    return {"service": pool.service.name, "server": server.name}


def _memory(row: ServerRow) -> Memory:
    """Return what a row tells the next process."""
    return Memory(
        health=Health(state=state_in(row), reason=row.reason),
        been_up=row.been_up,
        up_since=Instant(row.up_since) if row.up_since else LONG_AGO,
        weight=row.weight,
    )
