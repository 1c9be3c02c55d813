"""Whatever checks, people and actions want: a service with live servers is never empty, nor on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from stayalived.addresses import Endpoint
from stayalived.config.model import Configuration, RealServer
from stayalived.errors import KernelProblem
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.model import Operation
from stayalived.kernel.api import IpvsKernel
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Start
from stayalived.messages.services import Override
from stayalived.timing import after, seconds
from unit.ipvs.build import WEB, Director, configuration, manners, server, service

NAMES = ("one", "two", "three", "four")
ENDPOINTS = {name: Endpoint(f"192.0.2.{10 + number}", 80) for number, name in enumerate(NAMES)}
SORRY = Endpoint("192.0.2.99", 80)
MODES = ("set", "factor", "add", "drain")


class Watched(MemoryIpvs):
    """A kernel of which every table on the way is kept: the sum of the weights of its service."""

    def __init__(self) -> None:
        super().__init__()
        self.sums: list[int] = []

    def apply(self, operations: Sequence[Operation]) -> list[KernelProblem | None]:
        answers: list[KernelProblem | None] = []
        for operation in operations:
            answers += super().apply([operation])
            self.sums.append(self.weight)
        return answers

    @property
    def weight(self) -> int:
        entry = self.table.get(WEB)
        return sum(destination.weight for destination in entry.destinations.values()) if entry else 0


@dataclass
class Story:
    """A director, and what a reader of the story knows of its servers."""

    wanted: Configuration
    kernel: MemoryIpvs | IpvsKernel = field(default_factory=MemoryIpvs)
    up: dict[str, bool] = field(default_factory=dict)
    deltas: dict[str, int] = field(default_factory=dict)
    levels: dict[tuple[str, str], Override] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.director = Director(kernel=self.kernel)
        self.director.start(self.wanted)

    def live(self) -> dict[str, int]:
        """Return the weight of each server that is up, as it is documented: set, factor, add, delta."""
        found = {}
        for one in self.wanted.virtual_servers[0].real_servers:
            if self.up.get(one.name) and (one.name, "drain") not in self.levels:
                level = {mode: self.levels.get((one.name, mode)) for mode in MODES}
                weight: float = level["set"].value if level["set"] else one.weight
                if level["factor"]:
                    factor = level["factor"].value
                    weight = max(weight * factor, 1) if weight >= 1 and factor > 0 else 0
                weight = round(weight + (level["add"].value if level["add"] else 0)) + self.deltas.get(one.name, 0)
                found[one.name] = max(weight, 0)
        return found

    def verdict(self, name: str, up: bool, delta: int) -> None:
        self.up[name], self.deltas[name] = up, delta
        self.director.hear(f"web/{name}", up=up, weight=delta)

    def want(self, name: str, mode: str, value: float) -> Override:
        """Return a level; a drain of a value above 1 has a deadline."""
        deadline = after(self.director.now, seconds(3)) if mode == "drain" and value > 1 else 0
        return Override(server=f"web/{name}", source="command", mode=mode, value=value, deadline=deadline)

    def level(self, name: str, mode: str, value: float) -> None:
        level = self.levels[name, mode] = self.want(name, mode, value)
        self.director.want(level.server, mode, value, deadline=level.deadline)

    def withdraw(self, name: str, mode: str) -> None:
        self.levels.pop((name, mode), None)
        self.director.withdraw(f"web/{name}", mode)

    def connect(self, name: str, number: int) -> None:
        self.director.count(ENDPOINTS[name], active=number)

    def respawn(self) -> None:
        states = self.director.told_states()
        self.director.engine = IpvsEngine()
        for key, state in states.items():
            self.director.retell(key, "services.state", state)
        for (_, mode), level in self.levels.items():
            self.director.want(level.server, mode, level.value, deadline=level.deadline)
        for name, up in self.up.items():
            self.director.hear(f"web/{name}", up=up, weight=self.deltas[name])
        self.director.start(self.wanted, Start.RESPAWNED)


def pool_of(inhibit: bool) -> list[RealServer]:
    return [
        server(name, str(endpoint), weight=1 + number % 2, inhibit_on_failure=inhibit)
        for number, (name, endpoint) in enumerate(ENDPOINTS.items())
    ]


names = st.sampled_from(NAMES)
modes = st.sampled_from(MODES)
steps = st.one_of(
    st.tuples(st.just("verdict"), names, st.booleans(), st.integers(-3, 3)),
    st.tuples(st.just("level"), names, modes, st.sampled_from([0.0, 0.3, 1.0, 2.0, 5.0, -2.0])),
    st.tuples(st.just("withdraw"), names, modes),
    st.tuples(st.just("connect"), names, st.integers(0, 2)),
    st.tuples(st.just("respawn")),
    st.tuples(st.just("wait")),
)
services = st.builds(
    lambda quorum, hysteresis, sorry, panic, inhibit, left: configuration(
        service(
            *pool_of(left),
            quorum=quorum,
            hysteresis=min(hysteresis, quorum - 1),
            sorry_servers=(SORRY,) if sorry else (),
            manners=manners(panic_threshold=panic, sorry_inhibit=inhibit),
        )
    ),
    st.integers(1, 5),
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from([0, 40, 100]),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(services, st.lists(steps, max_size=30))
def test_no_table_leaves_a_service_with_live_servers_empty(wanted: Configuration, story: list[tuple]) -> None:
    kernel = Watched()
    told = Story(wanted, kernel)

    for kind, *words in story:
        before = kernel.weight
        kernel.sums.clear()
        if kind == "wait":
            told.director.advance(seconds(5))
        else:
            getattr(told, kind)(*words)
        serves = kernel.weight > 0
        if sum(told.live().values()) > 0:
            assert serves, kernel.table
        if before > 0 and serves:
            assert min(kernel.sums, default=1) > 0


@settings(max_examples=100, deadline=None)
@given(services, st.lists(steps, max_size=30))
def test_nobody_drained_serves_or_stays_for_ever(wanted: Configuration, story: list[tuple]) -> None:
    kernel = MemoryIpvs()
    told = Story(wanted, kernel)
    for kind, *words in story:
        if kind == "wait":
            told.director.advance(seconds(5))
        else:
            getattr(told, kind)(*words)

        drained = {ENDPOINTS[name] for name, mode in told.levels if mode == "drain"}
        serving = {endpoint for endpoint, one in kernel.table[WEB].destinations.items() if one.weight > 0}
        assert serving.isdisjoint(drained)

    kernel.connections.clear()
    told.director.advance(seconds(40))
    drained = {ENDPOINTS[name] for name, mode in told.levels if mode == "drain"}
    assert drained & set(kernel.table[WEB].destinations) == set()
