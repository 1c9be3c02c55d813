"""Can this configuration be used? Asked before anything changes, because afterwards nothing may be refused."""

from collections.abc import Collection, Iterator, Mapping

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import PRIORITY_OWNER
from stayalived.vrrp.voice import compose

SLOTS = 8192
"""Virtual routers of one process: as many as the page of send times has places for (64 KiB)."""

_ANY_SOURCE = {4: "0.0.0.0", 6: "::"}  # noqa: S104  (only stands in for a source address in a trial encoding)


def problems_of(
    configuration: Configuration,
    running: Configuration | None,
    links: Mapping[str, Link],
    told: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Return what stands against using a configuration.

    Args:
        configuration: the new one.
        running: the one in force; what is equal there has been looked at already.
        links: interfaces by name, with those that do not exist.
        told: names of the instances that a process before this one was working for.
    """
    routers = list(_routers(configuration))
    known = {router.key: router for router in _routers(running)} if running else {}
    problems = [*_overflow(routers), *_clashes(routers)]
    problems += [problem for router in routers if known.get(router.key) != router for problem in _misfits(router)]
    if not configuration.globals.dynamic_interfaces:
        present = (name for name, link in links.items() if link.interface is not None)
        there = {*present, *(name for _, _, name in _interfaces(running))}
        named = [place for place in _interfaces(configuration) if place[0] not in told]
        problems += _missing(named, there)
    return tuple(problems)


def _routers(configuration: Configuration) -> Iterator[VirtualRouter]:
    return (router for instance in configuration.instances for router in instance.routers)


def _overflow(routers: list[VirtualRouter]) -> Iterator[Problem]:
    """More virtual routers than one process has places for."""
    if len(routers) > SLOTS:
        yield Problem(path="vrrp_instance", found=f"{len(routers)} virtual routers", expected=f"at most {SLOTS} fit")


def _clashes(routers: list[VirtualRouter]) -> Iterator[Problem]:
    """Two virtual routers that nobody on the link could tell apart."""
    seen: dict[tuple[str, int, int, str], VirtualRouter] = {}
    for router in routers:
        heard = f"unicast {router.source}" if router.peers else router.group
        other = seen.setdefault((router.interface, router.family, router.virtual_router_id, heard), router)
        if other is not router:
            yield Problem(
                path=f"vrrp_instance.{router.instance}.virtual_router_id",
                found=str(router.virtual_router_id),
                expected=f"a number that {other.instance} does not use on {router.interface}",
            )


def _interfaces(configuration: Configuration | None) -> Iterator[tuple[str, str, str]]:
    """Return the interfaces that instances name: instance, key, name. Macvlans are made by ourselves."""
    for instance in configuration.instances if configuration else ():
        made = {router.virtual_mac.name for router in instance.routers if router.virtual_mac}
        for router in instance.routers:
            yield instance.name, "interface", router.interface
            for key, placed in (
                ("virtual_ipaddress", router.addresses),
                ("virtual_ipaddress_excluded", router.excluded),
            ):
                yield from ((instance.name, key, one.interface) for one in placed if one.interface not in made)
        for tracker in instance.trackers:
            if tracker.interface:
                yield instance.name, "track", tracker.interface


def _missing(named: list[tuple[str, str, str]], interfaces: Collection[str]) -> Iterator[Problem]:
    """Interfaces that do not exist: a slip of the pen, unless `dynamic_interfaces` says that they will (P34)."""
    for instance, key, interface in dict.fromkeys(named):
        if interface not in interfaces and (key == "interface" or (instance, "interface", interface) not in named):
            yield Problem(
                path=f"vrrp_instance.{instance}.{key}",
                found=interface,
                expected=f"an interface that exists ({', '.join(sorted(interfaces)) or 'there is none'}), "
                "or `dynamic_interfaces = true` in [global] if it appears later",
            )


def _misfits(router: VirtualRouter) -> Iterator[Problem]:
    """What an advert cannot carry."""
    path = f"vrrp_instance.{router.instance}"
    if not 1 <= router.virtual_router_id <= 255:
        yield Problem(path=f"{path}.virtual_router_id", found=str(router.virtual_router_id), expected="1 to 255")
    elif not 1 <= router.priority <= PRIORITY_OWNER:
        yield Problem(path=f"{path}.priority", found=str(router.priority), expected="1 to 255")
    else:
        source = _ANY_SOURCE[router.family]
        try:
            compose(router, router.priority, source, source)
        except ValueError as error:
            yield Problem(path=path, expected=str(error))
