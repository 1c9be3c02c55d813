"""Configurations, results and a small driver for the tests of the checker's engine."""

from collections.abc import Collection, Sequence
from random import Random
from typing import Any

from stayalived.addresses import Endpoint
from stayalived.checker.engine import CheckerEffect, CheckerEngine, CheckerEvent
from stayalived.checker.probes import AbandonProbe, ProbeEnded, StartProbe
from stayalived.child.events import Commit, Forget, Prepare, Received, Report, Tell
from stayalived.child.programs import Answer
from stayalived.config.model import (
    BUNDLED,
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
from stayalived.messages.control import Message, Start
from stayalived.messages.notify import Cancel, Run
from stayalived.messages.services import AddressPresent, AdoptedServer, CheckState, state_type
from stayalived.plugin import Verdict
from stayalived.timing import Duration, Instant, after, milliseconds, seconds

START = Instant(seconds(1000))
PASSED = Verdict.passed("connect")
REFUSED = Verdict.failed("connect", "refused")
PERIOD = seconds(5)
LATENCY = milliseconds(2)
NOWHERE = Source(bindto="", bind_port=0, bind_if="", fwmark=0)
FORWARD = Forwarding(method="DR", tunnel="", port=0, checksum="")


def timing(**changes: Any) -> Timing:
    values: dict[str, Any] = {
        "delay_loop": PERIOD,
        "connect_timeout": seconds(3),
        "retry": 1,
        "delay_before_retry": seconds(1),
        "warmup": Duration(0),
        "rise": 1,
        "fall": 1,
        "alpha": True,
        "weight": 0,
        "reverse": False,
    }
    return Timing(**(values | changes))


def check(subject: str = "web/one", number: int = 0, target: str = "192.0.2.1:80", **changes: Any) -> Check:
    own = {name: changes.pop(name) for name in list(changes) if name in Check.__struct_fields__}
    values: dict[str, Any] = {
        "subject": subject,
        "number": number,
        "name": "tcp",
        "type": "tcp",
        "distribution": BUNDLED,
        "options": b"\x80",
        "target": Endpoint.parse(target),
        "virtual_host": "",
        "source": NOWHERE,
        "timing": timing(**changes),
    }
    return Check(**(values | own))


def configuration(
    *checks: Check, start_rate: int = 1000, checker_processes: int = 1, ha_suspend: Collection[str] = ()
) -> Configuration:
    """Put checks of `SERVICE/SERVER` into real servers, and those of `track:NAME` beside them.

    Args:
        checks: of whatever subjects.
        start_rate: of `[global]`.
        checker_processes: that share them.
        ha_suspend: names of the services whose checks sleep while no address of theirs is here.
    """
    services: dict[str, dict[str, list[Check]]] = {}
    for one in checks:
        if "/" in one.subject:
            service, server = one.subject.split("/")
            services.setdefault(service, {}).setdefault(server, []).append(one)
    tracked = tuple(one for one in checks if "/" not in one.subject)
    general = Globals(
        router_id="lb1",
        host_id="lb1",
        child_wait_time=seconds(5),
        script_user="nobody",
        start_hold=seconds(4),
        start_rate=start_rate,
        dynamic_interfaces=False,
        realtime=False,
        flush=False,
        log="stderr",
        log_facility="daemon",
        log_level="info",
        checker_processes=checker_processes,
    )
    return Configuration(
        globals=general,
        instances=(),
        virtual_servers=tuple(_service(name, servers, name in ha_suspend) for name, servers in services.items()),
        tracked_checks=tracked,
        actions=(),
        distributions=(),
    )


def _service(name: str, servers: dict[str, list[Check]], ha_suspend: bool) -> VirtualServer:
    return VirtualServer(
        name=name,
        protocols=("tcp",),
        addresses=(Endpoint("192.0.2.100", 80),),
        fwmarks=(),
        fwmark_families=(),
        scheduler="rr",
        scheduler_flags=(),
        policy="rr",
        policy_distribution=BUNDLED,
        policy_options=b"",
        computes_weights=False,
        persistence_timeout=Duration(0),
        persistence_granularity=32,
        one_packet=False,
        alpha=True,
        quorum=1,
        hysteresis=0,
        sorry_servers=(),
        sorry_forward=FORWARD,
        manners=PoolManners(ha_suspend=ha_suspend),
        real_servers=tuple(
            RealServer(
                name=server,
                addresses=(checks[0].target,),
                weight=1,
                forward=FORWARD,
                upper_threshold=0,
                lower_threshold=0,
                inhibit_on_failure=False,
                checks=tuple(checks),
            )
            for server, checks in servers.items()
        ),
    )


class Driver:
    """An engine, its clock, and everything that it has said."""

    def __init__(self, name: str = "checker", seed: int = 1) -> None:
        self.engine = CheckerEngine(name, Random(seed))
        self.now = START
        self.states: dict[str, CheckState] = {}
        self.told: list[CheckState] = []
        self.events: list[Message] = []
        self.forgotten: list[str] = []
        self.reports: list[Report] = []
        self.running: dict[int, StartProbe] = {}
        self.abandoned: list[int] = []
        self.requests: list[Tell] = []
        self.answers: list[Answer] = []
        self._generation = 0

    def take(self, effects: Sequence[CheckerEffect]) -> Sequence[CheckerEffect]:
        for effect in effects:
            match effect:
                case StartProbe():
                    assert effect.probe not in self.running, "a probe was started that runs already"
                    self.running[effect.probe] = effect
                case AbandonProbe():
                    self.running.pop(effect.probe, None)
                    self.abandoned.append(effect.probe)
                case Tell(message=CheckState() as state):
                    self.states[effect.key] = state
                    self.told.append(state)
                case Tell(message=Run() | Cancel()):
                    self.requests.append(effect)
                case Answer():
                    self.answers.append(effect)
                case Tell():
                    self.events.append(effect.message)
                case Forget():
                    assert effect.message is state_type(effect.key)
                    self.states.pop(effect.key, None)
                    self.forgotten.append(effect.key)
                case Report():
                    self.reports.append(effect)
        return effects

    def send(self, event: CheckerEvent) -> Sequence[CheckerEffect]:
        return self.take(self.engine.handle(event, self.now))

    def commit(self, *checks: Check, start: Start = Start.FIRST, **options: Any) -> Sequence[CheckerEffect]:
        self._generation += 1
        self.send(Prepare(generation=self._generation, configuration=configuration(*checks, **options)))
        return self.send(Commit(generation=self._generation, start=start))

    def adopted(self, subject: str, weight: int = 1) -> None:
        message = AdoptedServer(subject=subject, weight=weight)
        self.send(Received(topic="services.adopted", key=subject, sender="ipvs", message=message))

    def here(self, service: str, present: bool = True) -> None:
        """Say whether an address of a service is on this machine."""
        message = AddressPresent(service=service, present=present)
        self.send(Received(topic="services.address", key=service, sender="ipvs", message=message))

    def retell(self, before: "Driver") -> None:
        """Say again what another process of this name told last."""
        for key, state in before.states.items():
            self.send(Received(topic="services.check", key=key, sender=before.engine.name, message=state))

    def wake_until(self, moment: Instant) -> None:
        """Let time pass up to a moment and wake the engine whenever it asks."""
        while (deadline := self.engine.deadline) is not None and deadline <= moment:
            self.now = max(self.now, deadline)
            self.take(self.engine.wake(self.now))
        self.now = max(self.now, moment)

    def pass_time(self, duration: Duration) -> None:
        self.wake_until(after(self.now, duration))

    def end(self, outcome: Any, probe: int | None = None, latency: Duration = LATENCY) -> None:
        """Let one running probe end, the only one unless it is named."""
        if probe is None:
            (probe,) = self.running
        del self.running[probe]
        self.now = after(self.now, latency)
        self.send(ProbeEnded(probe=probe, outcome=outcome, latency=latency))

    def round(self, outcome: Any) -> Duration:
        """Wait for the next start, let it end, and return how long the wait was."""
        before = self.now
        while not self.running:
            assert self.engine.deadline is not None
            self.wake_until(self.engine.deadline)
        waited = Duration(self.now - before)
        for probe in list(self.running):
            self.end(outcome, probe)
        return waited

    def up(self, key: str = "web/one#0") -> bool | None:
        return self.states[key].up if key in self.states else None

    def lines(self, level: int) -> list[str]:
        return [report.text for report in self.reports if report.level >= level]
