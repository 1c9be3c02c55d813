"""Real connections reach the real servers: through NAT, DR and TUN, over IPv4 and IPv6."""

from collections import Counter
from collections.abc import Iterator

import pytest

from namespaces.lab import Lab
from stayalived.addresses import Endpoint, Family
from stayalived.timing import seconds
from uml.site import PORT, SERVERS, VIRTUAL, Site, address
from unit.ipvs.build import DR, NAT, TUN, Director, configuration, server, service

METHODS = {"NAT": NAT, "DR": DR, "TUN": TUN}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Lab() as lab:
        yield Site(lab)


def director_of(site: Site, method: str, family: Family) -> tuple[Director, str]:
    """Return an engine that works on the director's kernel, with both servers up, and the virtual address."""
    virtual = address(VIRTUAL[method], family)
    servers = [
        server(name, str(Endpoint(address(number, family), PORT)), forward=METHODS[method])
        for name, number in SERVERS.items()
    ]
    director = Director(kernel=site.kernel)
    director.start(configuration(service(*servers, addresses=[str(Endpoint(virtual, PORT))])))
    for name in SERVERS:
        director.hear(f"web/{name}", up=True)
    return director, virtual


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("method", METHODS)
def test_connections_are_balanced_and_follow_health(site: Site, method: str, family: Family) -> None:
    director, virtual = director_of(site, method, family)
    assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)

    director.hear("web/web1", up=False)
    assert Counter(web2=3) == site.ask_often(virtual, 3)
    director.hear("web/web1", up=True)
    assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)

    director.stop()
    assert {"": 1} == site.ask_often(virtual, 1)


def test_connections_are_counted(site: Site) -> None:
    director, virtual = director_of(site, "NAT", Family.IPV4)
    director.advance(seconds(3))
    before = counted(director)

    site.ask_often(virtual, 4)
    director.advance(seconds(3))

    assert [2, 2] == [now - then for now, then in zip(counted(director), before, strict=True)]
    director.stop()


def counted(director: Director) -> list[int]:
    return [row.active + row.inactive for row in director.state().servers]


def test_a_replacement_of_the_engine_is_not_noticed(site: Site) -> None:
    before, virtual = director_of(site, "DR", Family.IPV4)
    before.stop(leave=True)

    after, _ = director_of(site, "DR", Family.IPV4)

    assert [] == after.asked()
    assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)
    after.stop()
