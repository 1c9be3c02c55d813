"""All virtual servers of a configuration: who is judged when, what has to be looked at again, the first round. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from stayalived.config.model import BUNDLED, Configuration, RealServer, VirtualServer
from stayalived.ipvs.health import State
from stayalived.ipvs.levels import Levels
from stayalived.ipvs.model import ServiceKey, Table
from stayalived.ipvs.news import Newsroom
from stayalived.ipvs.policies import Policies
from stayalived.ipvs.pool import Connected, Pool
from stayalived.ipvs.quorum import Quorum
from stayalived.ipvs.rounds import hold_from
from stayalived.messages.services import CheckState, Override
from stayalived.timing import Instant, earliest

AT_ONCE = 128
"""Pools that are compared with the kernel in one go: thousands would take longer than a sign of life may be late."""


class Pools:
    """The pools by name, and the results of checks that they are judged by.

    Attributes:
        dirty: pools whose table may differ from the kernel's.
        due_at: since when there is something dirty; None when there is not.
        ignored: how many checks each process told of that are not its own.
    """

    def __init__(self, news: Newsroom, levels: Levels, policies: Policies) -> None:
        """Start without any.

        Args:
            news: is told what changes.
            levels: say what people and actions want.
            policies: compute weights.
        """
        self._policies = policies
        self._news = news
        self._levels = levels
        self._draining: set[str] = set()  # servers that wait for the end of their connections
        self._pools: dict[str, Pool] = {}
        self._checks: dict[tuple[str, str], CheckState] = {}  # by distribution of the sender, and key
        self._distributions: dict[str, str] = {}  # of each check
        self._round_until: Instant | None = None
        self._decide_at: Instant | None = None
        self._waiting: set[str] = set()  # pools with a server that is UNKNOWN
        self.dirty: set[str] = set()
        self._looked_at: list[str] = []
        self._untold: dict[str, None] = {}  # in order
        self._fresh: list[Pool] = []  # that the last configuration brought or changed
        self.due_at: Instant | None = None
        self.ignored: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Pool]:
        """Walk through the pools in the order of the configuration."""
        return iter(self._pools.values())

    @property
    def deadline(self) -> Instant | None:
        """When the first round or a quorum has been held open long enough, or a level ends."""
        return earliest((self._round_until, self._decide_at, self._policies.deadline, self._levels.deadline))

    @property
    def keys(self) -> set[ServiceKey]:
        """The kernel's services that are ours."""
        return {key for pool in self for key in pool.keys}

    @property
    def names(self) -> set[str]:
        """Names of the virtual servers."""
        return set(self._pools)

    def __contains__(self, subject: object) -> bool:
        """Tell whether there is a real server of this name: `VS/RS`."""
        return isinstance(subject, str) and self._find(subject) is not None

    def _find(self, subject: str) -> tuple[Pool, RealServer] | None:
        """Return a server with its pool. It is looked for when it is asked for: an index of all would be megabytes."""
        service, _, name = subject.partition("/")
        pool = self._pools.get(service)
        server = pool.server(name) if pool is not None else None
        return None if pool is None or server is None else (pool, server)

    def build(self, configuration: Configuration, now: Instant) -> None:
        """Change over to a configuration: what is not as it was gets a pool, which keeps what one of its name knew."""
        before = self._pools
        hold_until = hold_from(now, configuration)
        services = configuration.virtual_servers
        self._pools = {service.name: self._pool(service, before, hold_until) for service in services}
        self._fresh = [pool for name, pool in self._pools.items() if before.get(name) is not pool]
        self._replace_checks(pool for name, pool in before.items() if self._pools.get(name) is not pool)
        self._levels.keep(self)
        self._draining = {subject for subject in self._draining if subject in self}
        for subject in self._levels.servers:
            self._adjust(subject)
        self.dirty.intersection_update(self._pools)
        self.mark((pool.service.name for pool in self._fresh), now)

    def _pool(self, service: VirtualServer, before: Mapping[str, Pool], hold_until: Instant) -> Pool:
        old = before.get(service.name)
        if old is not None and old.service == service:
            old.hold_until = old.hold_until if old.quorum is Quorum.UNDECIDED else hold_until
            return old
        pool = Pool(service, hold_until)
        if old is not None:
            pool.succeed(old)
        else:
            self._news.recall(pool)
        return pool

    def _replace_checks(self, replaced: Iterable[Pool]) -> None:
        """Know the checks of fresh pools from now on, and not those of pools that are no more."""
        for pool in replaced:
            for check in pool.checks():
                del self._distributions[check.key]
        for pool in self._fresh:
            for check in pool.checks():
                self._distributions[check.key] = check.distribution

    def clear(self) -> None:
        """Have no pool any more."""
        self._pools.clear()
        self.dirty.clear()
        self._untold.clear()

    def start(self, configuration: Configuration, now: Instant) -> None:
        """Judge everybody for the first time and begin the first round, if somebody has to be waited for."""
        hold_until = hold_from(now, configuration)
        for pool in self:
            pool.hold_until = hold_until
        self.judge_all(now)
        if self._waiting and configuration.globals.start_hold:
            self._round_until = hold_from(now, configuration)
            self._news.tell_round(open_=True)
        else:
            self._end_round(now)

    def adopt(self, table: Table, *, first: bool = False) -> None:
        """Look in the kernel's table for servers that are new to us, and tell the checker of each that is there.

        Args:
            table: what the kernel has.
            first: at the start: destinations that nobody configured stay through the first round.
        """
        self._adopt(self, table, first or self._round_until is not None)

    def _adopt(self, pools: Iterable[Pool], table: Table, with_strangers: bool) -> None:
        for pool in pools:
            for server, weight in pool.adopt(table, with_strangers=with_strangers):
                self._news.tell_adopted(pool, server, weight)

    @property
    def unseen(self) -> bool:
        """Whether a server with checks came with the last configuration: found in the kernel's table it begins UP."""
        return any(pool.is_new(server) for pool in self._fresh for server in pool.service.real_servers if server.checks)

    def go_on(self, table: Table, now: Instant) -> None:
        """After a reload judge what it brought or changed, by what is known of the kernel's table; the rest stands."""
        self._adopt(self._fresh, table, self._round_until is not None)
        self._judge_each(self._fresh, now)

    def hear(self, sender: str, key: str, state: CheckState | None, now: Instant, *, working: bool) -> None:
        """Take in a check's result, or that there is no such check any more, and judge its server if we work yet.

        A process is believed about the checks of its own distribution only: a stranger's plugins shall not decide about
        servers that others check. Results are kept by distribution, so what it tells of theirs is never looked up.
        """
        distribution = sender.partition("/")[2] or BUNDLED
        before = self._checks.pop((distribution, key), None)
        if state is not None:
            self._checks[distribution, key] = state
        if self._distributions.get(key, distribution) != distribution:
            if state is not None and before is None:  # else it was its own until the last reload
                self._note_foreign(sender, key)
            return
        known = state or before
        found = self._find(known.subject) if working and known is not None else None
        if found is not None:
            pool, server = found
            if state is not None and state.stale and not (before is not None and before.stale):
                self._news.tell_stale(pool, server, state, now)
            self._judge(pool, server, now)
            self._redecide(pool, now)
            self.mark((pool.service.name,), now)

    def hear_level(self, key: str, level: Override | None, now: Instant, *, working: bool) -> None:
        """Take in what somebody wants of a server, or that it is wanted no longer."""
        subject = self._levels.hear(key, level)
        self._adjust(subject, now if working else None)

    def look_at_drains(self, table: Table, connections: Connected, now: Instant | None) -> None:
        """Take out the servers whose connections have ended, by what was just read from the kernel.

        Args:
            table: what the kernel has.
            connections: what it counts.
            now: the moment, or None before we work: what was so when we came is told to nobody.
        """
        self._policies.connections = connections
        for subject in sorted(self._draining):
            found = self._find(subject)
            if found is not None and found[0].is_idle(found[1], table, connections):
                self._levels.end_drain(subject)
                self._adjust(subject, now)

    def tell_end(self, now: Instant) -> None:
        """Tell the stop of the daemon where it is to be told."""
        for pool in self:
            if pool.service.manners.omega:
                self._news.tell_end(pool, now)

    def judge_all(self, now: Instant) -> None:
        """Judge every server and every quorum again."""
        self._judge_each(self, now)

    def _judge_each(self, pools: Iterable[Pool], now: Instant) -> None:
        judged = []
        for pool in pools:
            judged.append(pool.service.name)
            for server in pool.service.real_servers:
                self._judge(pool, server, now)
            self._redecide(pool, now)
        self._policies.plan(self, now)
        self._waiting = {name for name, pool in self._pools.items() if pool.unknown}
        self._decide_at = earliest(pool.hold_until for pool in self if pool.quorum is Quorum.UNDECIDED)
        self.mark(judged, now)

    def wake(self, now: Instant) -> None:
        """Close the first round, decide quorums and end levels, where that is due."""
        for subject in sorted(self._levels.pass_time(now)):
            self._adjust(subject, now)
        if self._policies.deadline is not None and now >= self._policies.deadline:
            changed = [pool.service.name for pool in self if self._policies.reweigh(pool, self._checks, now)]
            if changed:
                self.mark(changed, now)
            self._policies.plan(self, now)
        if self._round_until is not None and (not self._waiting or now >= self._round_until):
            self._end_round(now)
        if self._decide_at is not None and now >= self._decide_at:
            self.judge_all(now)

    def mark(self, names: Iterable[str], now: Instant) -> None:
        """Note that some pools have to be compared with the kernel."""
        self.dirty.update(names)
        self.due_at = now

    def wanted(self) -> Table:
        """Return what the kernel should have of pools that are dirty, of `AT_ONCE` at most."""
        if len(self.dirty) > AT_ONCE:  # in an order that is the same each time, for a plan that is shown
            self._looked_at = list(islice((name for name in self._pools if name in self.dirty), AT_ONCE))
        else:
            self._looked_at = sorted(self.dirty)
        table: Table = {}
        for name in self._looked_at:
            table.update(self._pools[name].projection)
        return table

    def settle(self) -> None:
        """Note that the kernel has what `wanted` has returned."""
        self._untold.update(dict.fromkeys(name for name in self._looked_at if name in self.dirty))
        self.dirty.difference_update(self._looked_at)
        self._looked_at = []

    def to_tell(self) -> list[Pool]:
        """Return pools whose state is to be told, `AT_ONCE` at most, each once."""
        names = list(islice(self._untold, AT_ONCE))
        for name in names:
            del self._untold[name]
        return [self._pools[name] for name in names if name in self._pools]

    @property
    def unfinished(self) -> bool:
        """Whether pools wait to be compared with the kernel, or to be told."""
        return bool(self.dirty or self._untold)

    def _note_foreign(self, sender: str, key: str) -> None:
        if not self.ignored[sender]:
            self._news.report_foreign(sender, key)
        self.ignored[sender] += 1

    def _judge(self, pool: Pool, server: RealServer, now: Instant) -> None:
        change = pool.rejudge(server, self._checks)
        if change is not None:
            if change.old is State.DOWN:
                pool.returns(server, now)
            self._news.tell_server(pool, change, now)
        if not pool.unknown:
            self._waiting.discard(pool.service.name)

    def _redecide(self, pool: Pool, now: Instant) -> None:
        change = pool.redecide(now)
        if change is not None:
            self._news.tell_quorum(pool, change, now)
        panic = pool.reconsider()
        if panic is not None:
            self._news.tell_panic(pool, panic, now)
        self._policies.reweigh(pool, self._checks, now)

    def _adjust(self, subject: str, now: Instant | None = None) -> None:
        """Treat a server as its levels say; before we work, without a moment, nothing is told of it."""
        found = self._find(subject)
        if found is None:
            return
        pool, server = found
        change = pool.adjust(server, self._levels.of(subject))
        if change is None:
            return
        if change.new.draining:
            self._draining.add(subject)
        else:
            self._draining.discard(subject)
        if now is not None:
            if change.old.drain and not change.new.drain:
                pool.returns(server, now)
            self._news.tell_adjustment(pool, change, now)
            self._redecide(pool, now)
            self.mark((pool.service.name,), now)

    def _end_round(self, now: Instant) -> None:
        self._round_until = None
        self._news.tell_round(open_=False)
        for pool in self:
            pool.forget_strangers()
        self.mark(self._pools, now)
