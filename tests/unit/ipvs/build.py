"""Configurations for tests of ipvs, and a director: the engine on a kernel in memory, with a clock that one sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from stayalived.addresses import Endpoint, Family
from stayalived.child.events import AnswerPrepared, Commit, Finished, Forget, Prepare, Received, Report, Stop, Tell
from stayalived.config.model import (
    Check,
    Configuration,
    Forwarding,
    Globals,
    PoolManners,
    RealServer,
    Source,
    Timing,
    VirtualServer,
)
from stayalived.errors import KernelProblem
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.events import (
    AnyEffect,
    AnyEvent,
    Apply,
    FindMissing,
    KernelRefused,
    ReadTable,
    ReadTimeouts,
    SetTimeouts,
    TableRead,
)
from stayalived.ipvs.main import Hands
from stayalived.ipvs.model import Connections, Destination, Operation, Service, ServiceKey
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Message, Start
from stayalived.messages.notify import Event
from stayalived.messages.services import CheckState, FirstRound, Override, ServiceState
from stayalived.timing import Duration, Instant, after, seconds

START = Instant(1_000_000_000_000)

WEB = ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80))
OTHERS = ServiceKey(Family.IPV4, "tcp", Endpoint("203.0.113.1", 25))
ONE, TWO, SORRY = (Endpoint(f"192.0.2.{number}", 80) for number in (10, 11, 99))
RR = Service(scheduler="rr")
THERE = Destination(method="NAT", weight=1)
IDLE = Destination(method="NAT", weight=0)

NAT = Forwarding(method="NAT", tunnel="", port=0, checksum="")
DR = Forwarding(method="DR", tunnel="", port=0, checksum="")
TUN = Forwarding(method="TUN", tunnel="ipip", port=0, checksum="")


def make_globals(**changes: Any) -> Globals:
    return Globals(
        **{
            "router_id": "lb1",
            "host_id": "lb1",
            "child_wait_time": seconds(5),
            "script_user": "keepalived_script",
            "start_hold": seconds(6),
            "start_rate": 1000,
            "dynamic_interfaces": False,
            "realtime": False,
            "flush": False,
            "log": "stderr",
            "log_facility": "daemon",
            "log_level": "info",
            **changes,
        }
    )


def configuration(*services: VirtualServer, **changes: Any) -> Configuration:
    return Configuration(
        globals=make_globals(**changes),
        instances=(),
        virtual_servers=services,
        tracked_checks=(),
        actions=(),
        distributions=(),
    )


def check(subject: str, number: int = 0, *, alpha: bool = True, distribution: str = "stayalived") -> Check:
    timing = Timing(
        delay_loop=seconds(5),
        connect_timeout=seconds(3),
        retry=1,
        delay_before_retry=seconds(1),
        warmup=Duration(0),
        rise=1,
        fall=1,
        alpha=alpha,
        weight=0,
        reverse=False,
    )
    return Check(
        subject=subject,
        number=number,
        name="answers",
        type="tcp",
        distribution=distribution,
        options=b"",
        target=Endpoint("192.0.2.10", 80),
        virtual_host="",
        source=Source(bindto="", bind_port=0, bind_if="", fwmark=0),
        timing=timing,
    )


def server(
    name: str, *addresses: str, checks: int = 1, alpha: bool = True, vs: str = "web", **changes: Any
) -> RealServer:
    """Return a real server; an address without a port has that of its service."""
    return RealServer(
        **{
            "name": name,
            "addresses": tuple(Endpoint.parse(address) for address in addresses),
            "weight": 1,
            "forward": NAT,
            "upper_threshold": 0,
            "lower_threshold": 0,
            "inhibit_on_failure": False,
            "checks": tuple(check(f"{vs}/{name}", number, alpha=alpha) for number in range(checks)),
            **changes,
        }
    )


def manners(**changes: Any) -> PoolManners:
    return PoolManners(**changes)


def service(
    *servers: RealServer, name: str = "web", addresses: Sequence[str] = ("192.0.2.1:80",), **changes: Any
) -> VirtualServer:
    return VirtualServer(
        **{
            "name": name,
            "protocols": ("tcp",),
            "addresses": tuple(Endpoint.parse(address) for address in addresses),
            "fwmarks": (),
            "fwmark_families": (Family.IPV4,),
            "scheduler": "rr",
            "scheduler_flags": (),
            "policy": "rr",
            "policy_distribution": "stayalived",
            "policy_options": b"",
            "computes_weights": False,
            "persistence_timeout": Duration(0),
            "persistence_granularity": 32,
            "one_packet": False,
            "alpha": True,
            "quorum": 1,
            "hysteresis": 0,
            "sorry_servers": (),
            "sorry_forward": NAT,
            "real_servers": servers,
            **changes,
        }
    )


def check_state(
    subject: str,
    up: bool | None,
    *,
    number: int = 0,
    weight: int = 0,
    reason: str = "",
    stale: bool = False,
    latency: int = 0,
) -> CheckState:
    return CheckState(
        subject=subject,
        number=number,
        check="answers",
        up=up,
        weight=weight,
        reason=reason,
        latency=latency,
        since=0,
        stale=stale,
    )


def two_servers(**changes: object) -> Configuration:
    return configuration(service(server("one", "192.0.2.10"), server("two", "192.0.2.11"), **changes))


@dataclass
class Director:
    """An engine on a kernel in memory. What it asks for is carried out; what it tells is kept."""

    kernel: MemoryIpvs = field(default_factory=MemoryIpvs)
    now: Instant = START
    engine: IpvsEngine = field(default_factory=IpvsEngine)
    effects: list[AnyEffect] = field(default_factory=list)
    generation: int = 0
    slow: bool = False  # answers of the kernel wait until `answer`
    waiting: list[AnyEvent] = field(default_factory=list)

    def handle(self, event: AnyEvent) -> None:
        """Give the engine an event, then all that becomes of it, at the present moment."""
        self._carry_out(self.engine.handle(event, self.now))
        self._work()

    def answer(self) -> None:
        """Let the kernel answer what it was asked so far."""
        events, self.waiting = self.waiting, []
        for event in events:
            self.handle(event)

    def start(self, wanted: Configuration, start: Start = Start.FIRST) -> None:
        """Prepare and commit a configuration."""
        self.generation += 1
        self.handle(Prepare(generation=self.generation, configuration=wanted))
        self.handle(Commit(generation=self.generation, start=start))

    def reload(self, wanted: Configuration) -> None:
        self.start(wanted, Start.RELOAD)

    def hear(self, subject: str, up: bool | None, **more: Any) -> None:
        """Tell the engine where a check stands; see `check_state`."""
        self.hear_all([check_state(subject, up, **more)])

    def hear_from(self, sender: str, subject: str, up: bool | None) -> None:
        """Tell the engine what one process says of a check."""
        self.hear_all([check_state(subject, up)], sender)

    def hear_all(self, states: Sequence[CheckState], sender: str = "checker") -> None:
        """Tell the engine of several checks that came together."""
        for state in states:
            key = f"{state.subject}#{state.number}"
            event = Received(topic="services.check", key=key, sender=sender, message=state)
            self._carry_out(self.engine.handle(event, self.now))
        self._work()

    def want(self, subject: str, mode: str, value: float = 0, *, source: str = "command", **more: Any) -> None:
        """Tell the engine what somebody wants of a server."""
        level = Override(server=subject, source=source, mode=mode, value=value, **more)
        key = f"{subject} {source} {mode}"
        self.handle(Received(topic="services.override", key=key, sender="supervisor", message=level))

    def withdraw(self, subject: str, mode: str, *, source: str = "command") -> None:
        """Tell the engine that it is wanted no longer."""
        key = f"{subject} {source} {mode}"
        self.handle(Received(topic="services.override", key=key, sender="supervisor", message=None))

    def count(self, endpoint: Endpoint, *, active: int = 0, inactive: int = 0) -> None:
        """Have the kernel count connections of a destination of `WEB`."""
        self.kernel.connections[WEB, endpoint] = Connections(active=active, inactive=inactive)

    def retell(self, key: str, topic: str, message: Message) -> None:
        self.handle(Received(topic=topic, key=key, sender="ipvs", message=message))

    def stop(self, *, leave: bool = False) -> None:
        self.handle(Stop(leave=leave))

    def advance(self, duration: Duration) -> None:
        """Let time pass; the engine is woken whenever it asked for it."""
        end = after(self.now, duration)
        while (deadline := self.engine.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self._work()
        self.now = end

    def forget_effects(self) -> None:
        self.effects.clear()
        self.kernel.journal.clear()

    def pool(self) -> dict[str, int]:
        """Return the weight of each destination in the kernel, over all services."""
        return {
            str(endpoint): destination.weight
            for entry in self.kernel.table.values()
            for endpoint, destination in entry.destinations.items()
        }

    def told(self, kind: type[Message]) -> list[Any]:
        tells = [effect for effect in self.effects if isinstance(effect, Tell)]
        return [tell.message for tell in tells if isinstance(tell.message, kind)]

    def told_states(self) -> dict[str, ServiceState]:
        """Return what the supervisor would retell of services."""
        tells = [effect for effect in self.effects if isinstance(effect, Tell)]
        return {tell.key: tell.message for tell in tells if isinstance(tell.message, ServiceState)}

    def events(self) -> list[tuple[str, str]]:
        return [(event.kind, event.subject) for event in self.told(Event)]

    def rounds(self) -> list[bool]:
        return [message.open for message in self.told(FirstRound)]

    def state(self, name: str = "web") -> ServiceState:
        return next(state for state in reversed(self.told(ServiceState)) if state.name == name)

    def reports(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, Report)]

    def answers(self) -> list[AnswerPrepared]:
        return [effect for effect in self.effects if isinstance(effect, AnswerPrepared)]

    def forgotten(self) -> list[tuple[type[Message], str]]:
        return [(effect.message, effect.key) for effect in self.effects if isinstance(effect, Forget)]

    def asked(self) -> list[tuple[Operation, ...]]:
        return [effect.operations for effect in self.effects if isinstance(effect, Apply)]

    @property
    def finished(self) -> bool:
        return any(isinstance(effect, Finished) for effect in self.effects)

    def _work(self) -> None:
        for _ in range(1000):
            if (deadline := self.engine.deadline) is None or deadline > self.now:
                return
            self._carry_out(self.engine.wake(self.now))
        raise AssertionError("the engine never comes to rest")

    def _carry_out(self, effects: Sequence[AnyEffect]) -> None:
        queue = list(effects)
        while queue:
            effect = queue.pop(0)
            self.effects.append(effect)
            event = self._ask_kernel(effect)
            if event is None:
                continue
            if self.slow:
                self.waiting.append(event)
            else:
                queue += self.engine.handle(event, self.now)

    def _ask_kernel(self, effect: AnyEffect) -> AnyEvent | None:
        match effect:
            case ReadTable():
                try:
                    table, connections = self.kernel.read()
                except KernelProblem as problem:
                    return KernelRefused(problem=problem)
                return TableRead(table=table, connections=connections)
            case Apply() | FindMissing() | ReadTimeouts() | SetTimeouts():
                return Hands(self.kernel).carry_out(effect)
            case _:
                return None
