"""What a seed draws: how many routers, of which versions, intervals and priorities, with which servers behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from stayalived.addresses import Endpoint, Family, VirtualAddress
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
from stayalived.config.virtual_routers import PlacedAddress, VirtualRouter, VrrpInstance
from stayalived.timing import NO_TIME, Duration, seconds

INTERFACE = "eth0"
SORRY = Endpoint("192.0.2.99", 80)
INTERVALS = {2: (1.0, 2.0), 3: (0.2, 0.5, 1.0, 1.5)}
PRIORITIES = (100, 100, 150, 200, 254, 255)
GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One machine of the drawn cluster."""

    name: str
    number: int
    priority: int

    @property
    def address(self) -> VirtualAddress:
        """Its own IPv4 address on the segment."""
        return VirtualAddress(f"192.0.2.{self.number}", 24)

    @property
    def link_local(self) -> VirtualAddress:
        """Its own IPv6 link-local address."""
        return VirtualAddress(f"fe80::{self.number:x}", 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Everything that a seed decides before the first event."""

    routers: tuple[Router, ...]
    version: int
    families: tuple[Family, ...]
    advert_int: Duration
    preempt: bool
    servers: int
    quorum: int
    sorry: bool
    delay_loop: Duration

    def configuration(self, router: Router, *, weights: Sequence[int] = ()) -> Configuration:
        """Return the configuration of one machine; `weights` replaces the first servers' weight 1."""
        routers = tuple(self._virtual_router(router, family) for family in self.families)
        instance = VrrpInstance(
            name="site", interface=INTERFACE, priority=router.priority, split=False, routers=routers
        )
        services = (self._service(weights),) if self.servers else ()
        return Configuration(
            globals=_GLOBALS,
            instances=(instance,),
            virtual_servers=services,
            tracked_checks=(),
            actions=(),
            distributions=(),
        )

    def _virtual_router(self, router: Router, family: Family) -> VirtualRouter:
        address = VirtualAddress("192.0.2.100", 24) if family is Family.IPV4 else VirtualAddress("2001:db8::100", 64)
        return VirtualRouter(
            key=f"site/{family}",
            instance="site",
            family=family,
            version=self.version,
            virtual_router_id=42,
            interface=INTERFACE,
            priority=router.priority,
            advert_int=self.advert_int,
            preempt=self.preempt or router.priority == 255,
            preempt_delay=NO_TIME,
            source="",
            group=GROUPS[family],
            addresses=(PlacedAddress(address=address, interface=INTERFACE),),
            garp_master_delay=seconds(5),
            garp_master_repeat=5,
            garp_master_refresh=NO_TIME,
            garp_master_refresh_repeat=1,
            garp_lower_prio_delay=seconds(5),
            garp_lower_prio_repeat=5,
            down_timer_adverts=3,
        )

    def _service(self, weights: Sequence[int]) -> VirtualServer:
        servers = tuple(self._server(i, weights[i] if i < len(weights) else 1) for i in range(self.servers))
        return VirtualServer(
            name="web",
            protocol="tcp",
            addresses=(Endpoint("192.0.2.100", 80),),
            fwmark=0,
            fwmark_family=Family.IPV4,
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
            quorum=self.quorum,
            hysteresis=0,
            sorry_server=SORRY if self.sorry else None,
            sorry_forward=_DIRECT,
            real_servers=servers,
        )

    def _server(self, number: int, weight: int) -> RealServer:
        endpoint = Endpoint(f"192.0.2.{10 + number}", 80)
        return RealServer(
            name=f"s{number}",
            addresses=(endpoint,),
            weight=weight,
            forward=_DIRECT,
            upper_threshold=0,
            lower_threshold=0,
            inhibit_on_failure=False,
            checks=(self._check(number, endpoint),),
        )

    def _check(self, number: int, target: Endpoint) -> Check:
        return Check(
            subject=f"web/s{number}",
            number=0,
            name="probe",
            type="probe",
            distribution=BUNDLED,
            options=b"",
            target=target,
            virtual_host="",
            source=Source(bindto="", bind_port=0, bind_if="", fwmark=0),
            timing=Timing(
                delay_loop=self.delay_loop,
                connect_timeout=seconds(1),
                retry=1,
                delay_before_retry=seconds(0.5),
                warmup=self.delay_loop,
                rise=1,
                fall=1,
                alpha=True,
                weight=0,
                reverse=False,
            ),
        )


def draw(chance: Random) -> Draw:
    """Draw a cluster.

    At most one owner (priority 255) is drawn: two would each be right (RFC 9568 6.1).
    """
    version = chance.choice((2, 3, 3))
    families = ((Family.IPV4,),) if version == 2 else ((Family.IPV4,), (Family.IPV6,), (Family.IPV4, Family.IPV6))
    priorities = [chance.choice(PRIORITIES) for _ in range(chance.choice((2, 2, 2, 3, 3, 4)))]
    for later in [i for i, priority in enumerate(priorities) if priority == 255][1:]:
        priorities[later] = 254
    servers = chance.choice((0, 2, 3))
    return Draw(
        routers=tuple(Router(name=f"r{i}", number=i + 1, priority=p) for i, p in enumerate(priorities)),
        version=version,
        families=chance.choice(families),
        advert_int=seconds(chance.choice(INTERVALS[version])),
        preempt=chance.random() < 0.8,
        servers=servers,
        quorum=chance.choice((1, 1, 2)) if servers else 1,
        sorry=chance.random() < 0.5,
        delay_loop=seconds(chance.choice((1.0, 2.0))),
    )


_DIRECT = Forwarding(method="DR", tunnel="", port=0, checksum="")
_GLOBALS = Globals(
    router_id="site",
    host_id="site",
    child_wait_time=seconds(5),
    script_user="",
    start_hold=seconds(2),
    start_rate=1000,
    dynamic_interfaces=False,
    realtime=False,
    flush=False,
    log="stderr",
    log_facility="daemon",
    log_level="info",
)
