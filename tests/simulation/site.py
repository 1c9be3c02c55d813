"""A quiet site of two machines for tests that compare histories, or do one thing to it."""

from collections.abc import Callable

from stayalived.addresses import VirtualAddress
from stayalived.config.virtual_routers import Tracker
from stayalived.simulation.cluster import Cluster
from stayalived.simulation.draw import Draw
from stayalived.simulation.machine import Machine
from stayalived.simulation.plans import InstancePlan, Plan, Station
from stayalived.simulation.services import ServicePlan, key_of
from stayalived.simulation.world import World
from stayalived.timing import after, seconds

VIRTUAL = ("192.0.2.100/24", "2001:db8::100/64")
TRACKED = "a"


def instance(**changes: object) -> InstancePlan:
    values: dict[str, object] = {
        "name": "site",
        "segment": 0,
        "number": 42,
        "version": 3,
        "advert_int": seconds(1),
        "priorities": (200, 100),
        "addresses": tuple(map(VirtualAddress.parse, VIRTUAL)),
    }
    return InstancePlan(**(values | changes))


def tracking(weight: int) -> Tracker:
    return Tracker(name=TRACKED, check=key_of(TRACKED), weight=weight)


def cluster(*instances: InstancePlan, seed: int = 7, **changes: object) -> Cluster:
    values: dict[str, object] = {
        "instances": instances or (instance(),),
        "service": ServicePlan(weights=(1, 1, 1), quorum=1, sorry=True, delay_loop=seconds(1)),
    }
    stations = tuple(Station(name=f"r{number}", number=number + 1) for number in range(2))
    return Cluster(World(seed), Draw(stations=stations, plan=Plan(**(values | changes))))


def live(site: Cluster, duration: float, check: Callable[[], None] | None = None) -> None:
    """Let the site live on, and the invariants look."""

    def look() -> None:
        site.look()
        if check is not None:
            check()

    site.world.run(after(site.world.now, seconds(duration)), look)


def booted(site: Cluster | None = None) -> Cluster:
    """Return a site that has elected its master."""
    site = site or cluster()
    for machine in site.machines:
        machine.node.boot()
    live(site, 12)
    return site


def holds(machine: Machine) -> set[str]:
    """Return the virtual addresses that a machine's kernel carries."""
    there = {str(address) for link in machine.links().values() for address in link.addresses}
    own = {str(address) for port in machine.ports.values() for address in port.own}
    return there - own


def states(site: Cluster) -> list[str]:
    """Return the state of the first instance on each machine."""
    found = []
    for machine in site.machines:
        glass = machine.watch.glass
        found.append(next(iter(glass.states.values())).value if glass is not None and glass.states else "")
    return found
