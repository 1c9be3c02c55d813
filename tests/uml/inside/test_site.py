"""Real connections reach the real servers: through NAT, DR and TUN, over IPv4 and IPv6."""

from collections import Counter
from collections.abc import Iterator

import pytest

from namespaces.lab import Lab
from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Forwarding
from stayalived.timing import seconds
from uml.site import DIRECTOR, GUE_PORT, PORT, SERVERS, VIRTUAL, Site, address
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


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("method", ["NAT", "DR"])
def test_the_director_is_a_real_server_of_itself(site: Site, method: str, family: Family) -> None:
    virtual, forward = address(VIRTUAL[method], family), METHODS[method]
    servers = [
        server(name, str(Endpoint(address(number, family), PORT)), forward=forward, checks=0)
        for name, number in (("web1", SERVERS["web1"]), ("director", DIRECTOR))
    ]
    serving = site.serve_on_director()
    director = Director(kernel=site.kernel)
    director.start(configuration(service(*servers, addresses=[str(Endpoint(virtual, PORT))])))

    assert Counter(web1=3, director=3) == site.ask_often(virtual, 6)

    director.stop()
    serving.kill_group()


TUNNELLED = {
    "gue": Forwarding(method="TUN", tunnel="gue", port=GUE_PORT, checksum=""),
    "gue-csum": Forwarding(method="TUN", tunnel="gue", port=GUE_PORT, checksum="csum"),
    "gre": Forwarding(method="TUN", tunnel="gre", port=0, checksum=""),
}
SUMMED = Forwarding(method="TUN", tunnel="gre", port=0, checksum="csum")


@pytest.mark.parametrize("forward", TUNNELLED.values(), ids=TUNNELLED)
def test_every_kind_of_tunnel_carries_connections(site: Site, forward: Forwarding) -> None:
    virtual = address(VIRTUAL["TUN"], Family.IPV4)
    director = through(site, forward, Family.IPV4, virtual)

    assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)

    director.stop()


def test_a_tunnel_with_checksums_carries_connections_to_devices_that_want_them(site: Site) -> None:
    virtual = address(VIRTUAL["TUN"], Family.IPV4)
    director = through(site, SUMMED, Family.IPV4, virtual)

    with site.summing():
        assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)

    director.stop()


def test_a_tunnel_over_ipv6_carries_connections_over_ipv4(site: Site) -> None:
    virtual = address(VIRTUAL["TUN"], Family.IPV4)
    director = through(site, TUN, Family.IPV6, virtual)

    assert Counter(web1=2, web2=2) == site.ask_often(virtual, 4)

    director.stop()


def through(site: Site, forward: Forwarding, outside: Family, virtual: str) -> Director:
    """Return an engine with a service that reaches both servers by a tunnel between addresses of a family."""
    servers = [
        server(name, str(Endpoint(address(number, outside), PORT)), forward=forward, checks=0)
        for name, number in SERVERS.items()
    ]
    director = Director(kernel=site.kernel)
    director.start(configuration(service(*servers, addresses=[str(Endpoint(virtual, PORT))])))
    return director


def test_a_client_keeps_its_server_under_hashing_and_gets_another_when_it_dies(site: Site) -> None:
    virtual = address(VIRTUAL["DR"], Family.IPV4)
    servers = [
        server(name, str(Endpoint(address(number, Family.IPV4), PORT)), forward=DR) for name, number in SERVERS.items()
    ]
    director = Director(kernel=site.kernel)
    director.start(configuration(service(*servers, addresses=[str(Endpoint(virtual, PORT))], scheduler="mh")))
    for name in SERVERS:
        director.hear(f"web/{name}", up=True)

    (first,) = site.ask_often(virtual, 4)
    director.hear(f"web/{first}", up=False)
    (second,) = site.ask_often(virtual, 4)

    assert {"web1", "web2"} == {first, second}
    director.stop()
