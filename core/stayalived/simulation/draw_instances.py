"""One drawn instance: version, families, interval, priorities, what it holds and how it behaves."""

from random import Random

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import Route, Rule
from stayalived.simulation.plans import NETS, OWNER, InstancePlan
from stayalived.timing import NO_TIME, seconds

INTERVALS = {2: (1.0, 2.0), 3: (0.2, 0.5, 1.0, 1.0, 1.5)}
FAMILIES: tuple[tuple[Family, ...], ...] = (
    (Family.IPV4,),
    (Family.IPV4,),
    (Family.IPV6,),
    (Family.IPV4, Family.IPV6),
)
BULK = 150
"""Addresses of each family of a router that has many."""

_PASSWORD = b"s3cr3t\0\0"
_FIRST_NUMBER = 10


def draw_instance(
    chance: Random, place: int, *, segment: int, orders: tuple[int, ...], needs_route: bool, is_bulky: bool
) -> InstancePlan:
    """Draw one instance.

    Args:
        chance: decides.
        place: among the instances; its number and its addresses follow from it.
        segment: where it is.
        orders: priorities of the machines, from which its own differ a little.
        needs_route: it must have routes and rules.
        is_bulky: it has very many addresses.
    """
    version = chance.choice((2, 3, 3))
    families = FAMILIES[0] if version == 2 else chance.choice(FAMILIES)
    held = 1 + BULK if is_bulky else chance.choice((1, 1, 2, 3))
    addresses = tuple(_address(family, segment, place, number) for family in families for number in range(min(held, 3)))
    others = families if is_bulky else (chance.choice(tuple(Family)),)
    extra = BULK if is_bulky else chance.choice((0, 0, 0, 1, 2))
    excluded = tuple(_address(family, segment, place, 3 + number) for family in others for number in range(extra))
    has_routes = needs_route or chance.random() < 0.3
    preempt = chance.random() < 0.8
    return InstancePlan(
        name="abcdefgh"[place],
        segment=segment,
        number=_FIRST_NUMBER + place,
        version=version,
        advert_int=seconds(chance.choice(INTERVALS[version])),
        priorities=_shifted(orders, chance.choice((0, 0, -20))),
        addresses=addresses,
        excluded=excluded,
        untracked=addresses[-1:] if chance.random() < 0.1 else (),
        routes=_routes(families, segment, place) if has_routes else (),
        rules=_rules(families, place) if has_routes else (),
        stretches=tuple(chance.choice((1, 4)) for _ in orders) if version == 3 and chance.random() < 0.25 else (),
        split=len(families) == 2 and chance.random() < 0.4,
        has_mac=not is_bulky and chance.random() < 0.25,
        unicast=chance.random() < 0.25,
        preempt=preempt,
        preempt_delay=seconds(chance.choice((2, 5))) if preempt and chance.random() < 0.25 else NO_TIME,
        accept=chance.random() < 0.75,
        authentication=_PASSWORD if version == 2 and chance.random() < 0.4 else b"",
        manners=_manners(chance, version),
    )


def draw_many(chance: Random, count: int, orders: tuple[int, ...]) -> tuple[InstancePlan, ...]:
    """Draw many small instances on one link; their interval is the same, so that they share beats."""
    interval = seconds(chance.choice((1.0, 2.0)))
    return tuple(
        InstancePlan(
            name=f"m{number}",
            segment=0,
            number=number + 1,
            version=3,
            advert_int=interval,
            priorities=orders if chance.random() < 0.7 else orders[::-1],
            addresses=(VirtualAddress(f"{NETS[0]}.{100 + number}", 24),),
        )
        for number in range(count)
    )


def _shifted(priorities: tuple[int, ...], by: int) -> tuple[int, ...]:
    """Return priorities that are in the same order."""
    return tuple(priority if priority == OWNER else priority + by for priority in priorities)


def _address(family: Family, segment: int, place: int, number: int) -> VirtualAddress:
    """Return an address that no other instance has, in the machines' own net or (IPv6) in one that they are not in."""
    if family is Family.IPV6:
        return VirtualAddress.parse(f"2001:db8:{segment + 1:x}:{place:x}::{100 + number:x}/64")
    if number < 6:
        return VirtualAddress(f"{NETS[segment]}.{100 + 10 * place + number}", 24)
    return VirtualAddress(f"10.{segment}.{place}.{number}", 16)


def _routes(families: tuple[Family, ...], segment: int, place: int) -> tuple[Route, ...]:
    """Return a route through the segment for each family, and one of IPv4 by the interface alone."""
    device = f"eth{segment}"
    gateways = {Family.IPV4: f"{NETS[segment]}.254", Family.IPV6: "fe80::ffff"}
    nets = {Family.IPV4: f"10.9{place}.0.0/16", Family.IPV6: f"2001:db8:9{place}::/48"}
    through = tuple(
        Route(
            family=family,
            destination=VirtualAddress.parse(nets[family]),
            gateway=gateways[family],
            interface=device,
            metric=0 if family is Family.IPV4 else 1024,
        )
        for family in families
    )
    direct = Route(
        family=families[0], destination=VirtualAddress.parse(nets[families[0]]), interface=device, table=100 + place,
        metric=0 if families[0] is Family.IPV4 else 1024, scope=253 if families[0] is Family.IPV4 else 0,
    )  # fmt: skip
    return (*through, direct)


def _rules(families: tuple[Family, ...], place: int) -> tuple[Rule, ...]:
    return tuple(Rule(family=family, preference=1000 + place, table=100 + place) for family in families)


def _manners(chance: Random, version: int) -> tuple[tuple[str, object], ...]:
    """Return what seldom differs from the defaults."""
    odds = {
        "lower_prio_no_advert": 0.1,
        "higher_prio_send_advert": 0.1,
        "skip_check_adv_addr": 0.1,
        "promote_secondaries": 0.15,
        "checksum_as_v2": 0.15 if version == 3 else 0.0,
    }
    drawn: list[tuple[str, object]] = [(name, True) for name, odd in odds.items() if chance.random() < odd]
    if chance.random() < 0.1:
        drawn.append(("down_timer_adverts", 2))
    if chance.random() < 0.1:
        drawn += [("garp_master_refresh", seconds(2)), ("garp_interval", seconds(0.001))]
    return tuple(drawn)
