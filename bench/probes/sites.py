"""The configurations that are measured: targets of one type, and a farm as it is found in the field."""

from random import Random

import msgspec

from probes.web import HTTP, HTTPS, NAME
from stayalived.addresses import Endpoint, Family
from stayalived.config.model import (
    BUNDLED,
    Check,
    Configuration,
    Forwarding,
    Globals,
    RealServer,
    Source,
    Timing,
    VirtualServer,
)
from stayalived.timing import NO_TIME, Duration, seconds

FARM_SERVICES, FARM_HOSTS, FARM_SERVERS = 2277, 500, 37205
"""Virtual servers, hosts that they share, real servers in all of them."""

_NOTHING = Forwarding(method="DR", tunnel="", port=0, checksum="")
_SOURCE = Source(bindto="", bind_port=0, bind_if="", fwmark=0)


def address(number: int) -> str:
    """Return one of 32,512 addresses of the loopback."""
    return f"127.{1 + number // 254 // 128}.{1 + number // 254 % 128}.{1 + number % 254}"


def options(kind: str, certificate: str) -> bytes:
    """Return the options of a type as they travel in a configuration."""
    return msgspec.msgpack.encode({"tls": True, "ca": certificate} if kind == "https" else {})


def many(kind: str, targets: int, rate: int, certificate: str) -> Configuration:
    """Return checks of one type, each of another address."""
    port = HTTPS if kind == "https" else HTTP
    written, period = options(kind, certificate), Duration(seconds(1) * targets // rate)
    checks = tuple(
        _check(f"bench/{number}", kind, Endpoint(address(number), port), _timing(period), written)
        for number in range(targets)
    )
    return _configuration(checks, (), rate)


def farm(kind: str, rate: int, certificate: str) -> Configuration:
    """Return 2,277 virtual servers of 16 or 17 real servers each, on 500 hosts that answer for all of them."""
    chance, written = Random(1), options(kind, certificate)
    timing = _timing(Duration(seconds(1) * FARM_HOSTS // rate))
    services = []
    for number in range(FARM_SERVICES):
        size = FARM_SERVERS // FARM_SERVICES + (number < FARM_SERVERS % FARM_SERVICES)
        hosts = chance.sample(range(FARM_HOSTS), size)
        name = f"service{number}"
        services.append(_service(name, number, [_server(name, host, kind, timing, written) for host in hosts]))
    return _configuration((), tuple(services), rate)


def _server(service: str, host: int, kind: str, timing: Timing, written: bytes) -> RealServer:
    target = Endpoint(address(host), HTTPS if kind == "https" else HTTP)
    return RealServer(
        name=f"host{host}", addresses=(target,), weight=1, forward=_NOTHING, upper_threshold=0, lower_threshold=0,
        inhibit_on_failure=False, checks=(_check(f"{service}/host{host}", kind, target, timing, written),),
    )  # fmt: skip


def _service(name: str, number: int, servers: list[RealServer]) -> VirtualServer:
    return VirtualServer(
        name=name, protocols=("tcp",), addresses=(Endpoint(f"198.51.{number // 250}.{number % 250}", 80),), fwmarks=(),
        fwmark_families=(Family.IPV4,), scheduler="rr", scheduler_flags=(), policy="rr", policy_distribution=BUNDLED,
        policy_options=b"", computes_weights=False, persistence_timeout=NO_TIME, persistence_granularity=32,
        one_packet=False, alpha=True, quorum=1, hysteresis=0, sorry_servers=(), sorry_forward=_NOTHING,
        real_servers=tuple(servers),
    )  # fmt: skip


def _timing(period: Duration) -> Timing:
    return Timing(
        delay_loop=period, connect_timeout=seconds(5), retry=1, delay_before_retry=seconds(1), warmup=period,
        rise=1, fall=1, alpha=True, weight=0, reverse=False,
    )  # fmt: skip


def _check(subject: str, kind: str, target: Endpoint, timing: Timing, written: bytes) -> Check:
    return Check(
        subject=subject, number=0, name=kind, type="http" if kind == "https" else kind, distribution=BUNDLED,
        options=written, target=target, virtual_host=NAME if kind == "https" else "", source=_SOURCE, timing=timing,
    )  # fmt: skip


def _configuration(checks: tuple[Check, ...], services: tuple[VirtualServer, ...], rate: int) -> Configuration:
    general = Globals(
        router_id="bench", host_id="bench", child_wait_time=seconds(5), script_user="nobody", start_hold=NO_TIME,
        start_rate=rate, dynamic_interfaces=False, realtime=False, flush=False, log="stderr", log_facility="daemon",
        log_level="info",
    )  # fmt: skip
    return Configuration(
        globals=general, instances=(), virtual_servers=services, tracked_checks=checks, actions=(), distributions=()
    )
