"""The virtual server and the tracked checks of a simulated machine."""

from dataclasses import dataclass

from stayalived.addresses import Endpoint
from stayalived.config.model import BUNDLED, Check, Forwarding, RealServer, Source, Timing, VirtualServer
from stayalived.timing import NO_TIME, Duration, seconds

SORRY = Endpoint("192.0.2.250", 80)
TRACKED_NET = "203.0.113"
"""Where the targets of tracked checks are: each machine has its own for each check."""

_DIRECT = Forwarding(method="DR", tunnel="", port=0, checksum="")
_FROM_ANYWHERE = Source(bindto="", bind_port=0, bind_if="", fwmark=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """One virtual server: the weights of its real servers, and how they are checked."""

    weights: tuple[int, ...]
    quorum: int
    sorry: bool
    delay_loop: Duration


def service_of(plan: ServicePlan) -> VirtualServer:
    """Return the virtual server of a plan."""
    return VirtualServer(
        name="web",
        protocols=("tcp",),
        addresses=(Endpoint("192.0.2.100", 80),),
        fwmarks=(),
        fwmark_families=(),
        scheduler="wlc",
        scheduler_flags=(),
        policy="wlc",
        policy_distribution=BUNDLED,
        policy_options=b"",
        computes_weights=False,
        persistence_timeout=NO_TIME,
        persistence_granularity=32,
        one_packet=False,
        alpha=True,
        quorum=plan.quorum,
        hysteresis=0,
        sorry_servers=(SORRY,) if plan.sorry else (),
        sorry_forward=_DIRECT,
        real_servers=tuple(_server(plan, number) for number in range(len(plan.weights))),
    )


def check_of(name: str, machine: int) -> Check:
    """Return a check that instances of a machine track; `name` is a letter."""
    target = target_of(name, machine)
    return _check(f"track:{name}", name, target, seconds(1), retry=0)


def target_of(name: str, machine: int) -> Endpoint:
    """Return what a tracked check of a machine asks."""
    return Endpoint(f"{TRACKED_NET}.{10 * (ord(name) - ord('a') + 1) + machine}", 80)


def key_of(name: str) -> str:
    """Return the key of a tracked check, by which trackers name it."""
    return f"track:{name}#0"


def _server(plan: ServicePlan, number: int) -> RealServer:
    endpoint = Endpoint(f"192.0.2.{240 + number}", 80)
    return RealServer(
        name=f"s{number}",
        addresses=(endpoint,),
        weight=plan.weights[number],
        forward=_DIRECT,
        upper_threshold=0,
        lower_threshold=0,
        inhibit_on_failure=False,
        checks=(_check(f"web/s{number}", "probe", endpoint, plan.delay_loop, retry=1),),
    )


def _check(subject: str, name: str, target: Endpoint, delay_loop: Duration, *, retry: int) -> Check:
    return Check(
        subject=subject,
        number=0,
        name=name,
        type="probe",
        distribution=BUNDLED,
        options=b"",
        target=target,
        virtual_host="",
        source=_FROM_ANYWHERE,
        timing=Timing(
            delay_loop=delay_loop,
            connect_timeout=seconds(0.4),
            retry=retry,
            delay_before_retry=seconds(0.5),
            warmup=delay_loop,
            rise=1,
            fall=1,
            alpha=True,
            weight=0,
            reverse=False,
        ),
    )
