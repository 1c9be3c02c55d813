"""From the plan of a machine's files to the configuration that its config child would make of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.model import Check, Configuration, Globals, VirtualServer
from stayalived.config.virtual_routers import (
    PlacedAddress,
    Route,
    Rule,
    SyncGroup,
    UnicastPeer,
    VirtualMac,
    VirtualRouter,
    VrrpInstance,
)
from stayalived.simulation.plans import GROUPS, OWNER, InstancePlan, Plan, Station
from stayalived.simulation.services import check_of, service_of
from stayalived.timing import NO_TIME, Duration, seconds

_MAC_PREFIX = {Family.IPV4: bytes.fromhex("00005e0001"), Family.IPV6: bytes.fromhex("00005e0002")}  # RFC 9568 7.3
_MAC_NAME = {Family.IPV4: "vrrp", Family.IPV6: "vrrp6"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a plan is made a configuration: a machine among the others."""

    station: Station
    others: tuple[Station, ...] = field(default=())


@lru_cache(maxsize=256)
def configuration_of(plan: Plan, place: Place) -> Configuration:
    """Return the configuration that one machine makes of a plan."""
    services: tuple[VirtualServer, ...] = (service_of(plan.service),) if plan.service else ()
    checks: tuple[Check, ...] = tuple(check_of(name, place.station.number) for name in plan.checks)
    return Configuration(
        globals=_globals(plan),
        instances=tuple(_instance(instance, place) for instance in plan.instances),
        virtual_servers=services,
        tracked_checks=checks,
        actions=(),
        distributions=(),
        sync_groups=tuple(
            SyncGroup(name=group.name, instances=group.members, trackers=group.trackers) for group in plan.groups
        ),
    )


def _instance(plan: InstancePlan, place: Place) -> VrrpInstance:
    return VrrpInstance(
        name=plan.name,
        interface=plan.interface,
        priority=plan.priorities[place.station.number - 1],
        split=plan.split,
        routers=tuple(_router(plan, place, family) for family in plan.families),
        trackers=plan.trackers,
    )


def _router(plan: InstancePlan, place: Place, family: Family) -> VirtualRouter:
    priority = plan.priorities[place.station.number - 1]
    fields: dict[str, object] = {
        "garp_master_delay": seconds(5),
        "garp_master_repeat": 5,
        "garp_master_refresh": NO_TIME,
        "garp_master_refresh_repeat": 1,
        "garp_lower_prio_delay": seconds(5),
        "garp_lower_prio_repeat": 5,
        "down_timer_adverts": 3,
    }
    fields |= dict(plan.manners)
    return VirtualRouter(
        key=f"{plan.name}/{family}",
        instance=plan.name,
        family=family,
        version=plan.version,
        virtual_router_id=plan.number,
        interface=plan.interface,
        priority=priority,
        advert_int=Duration(plan.advert_int * (plan.stretches[place.station.number - 1] if plan.stretches else 1)),
        preempt=plan.preempt or priority == OWNER,
        preempt_delay=plan.preempt_delay,
        source=place.station.own(family, plan.segment) if plan.unicast else "",
        group="" if plan.unicast else GROUPS[family],
        addresses=_placed(plan, plan.addresses, family),
        excluded=_placed(plan, plan.excluded, family),
        routes=_share(plan, plan.routes, family),
        rules=_share(plan, plan.rules, family),
        peers=_peers(plan, place, family) if plan.unicast else (),
        authentication=plan.authentication,
        virtual_mac=_virtual_mac(plan, family) if plan.has_mac else None,
        transmit_on_base=plan.has_mac and plan.unicast,
        accept=plan.accept or priority == OWNER,
        **fields,  # type: ignore[arg-type]  # fields of VirtualRouter by their names
    )


_Held = TypeVar("_Held", VirtualAddress, Route, Rule)


def _share(plan: InstancePlan, held: Sequence[_Held], family: Family) -> tuple[_Held, ...]:
    """Return what a family's router holds: what is of its family, the first one also what is of no router's."""
    stray = family is plan.families[0]
    return tuple(one for one in held if one.family is family or (stray and one.family not in plan.families))


def _placed(plan: InstancePlan, addresses: Sequence[VirtualAddress], family: Family) -> tuple[PlacedAddress, ...]:
    interface = _mac_name(plan, family) if plan.has_mac else plan.interface
    return tuple(
        PlacedAddress(address=address, interface=interface, tracked=address not in plan.untracked)
        for address in _share(plan, addresses, family)
    )


def _peers(plan: InstancePlan, place: Place, family: Family) -> tuple[UnicastPeer, ...]:
    return tuple(UnicastPeer(address=other.own(family, plan.segment)) for other in place.others)


def _mac_name(plan: InstancePlan, family: Family) -> str:
    return f"{_MAC_NAME[family]}.{plan.number}"


def _virtual_mac(plan: InstancePlan, family: Family) -> VirtualMac:
    carried = _share(plan, (*plan.addresses, *plan.excluded), family)
    return VirtualMac(
        name=_mac_name(plan, family),
        parent=plan.interface,
        mac=_MAC_PREFIX[family] + bytes((plan.number,)),
        ipv6=any(address.family is Family.IPV6 for address in carried),
    )


def _globals(plan: Plan) -> Globals:
    return Globals(
        router_id="site",
        host_id="site",
        child_wait_time=seconds(5),
        script_user="",
        start_hold=seconds(2),
        start_rate=1000,
        dynamic_interfaces=plan.dynamic_interfaces,
        realtime=False,
        flush=False,
        log="stderr",
        log_facility="daemon",
        log_level="info",
        vrrp_startup_delay=plan.startup_delay,
        vrrp_delay_after_boot=plan.delay_after_boot,
    )
