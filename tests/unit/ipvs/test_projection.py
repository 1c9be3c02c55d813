import pytest

from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Forwarding, RealServer, VirtualServer
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.model import Destination, Entry, Service, ServiceKey
from stayalived.ipvs.projection import Standing, problems_of, project
from stayalived.ipvs.quorum import Quorum
from stayalived.timing import milliseconds, seconds
from unit.ipvs.build import DR, NAT, TUN, configuration, server, service

WEB = ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80))
ONE = Endpoint("192.0.2.10", 80)


def standing(quorum: Quorum = Quorum.UP, **states: str | Health) -> Standing:
    servers = {
        name: state if isinstance(state, Health) else Health(state=State(state)) for name, state in states.items()
    }
    return Standing(servers=servers, quorum=quorum)


def pool_of(one: VirtualServer, known: Standing) -> dict[str, int]:
    (entry,) = project(one, known).values()
    return {str(endpoint): destination.weight for endpoint, destination in entry.destinations.items()}


@pytest.mark.parametrize(
    ("health", "inhibit", "expected"),
    [
        (Health(state=State.UP), False, {"192.0.2.10:80": 5}),
        (Health(state=State.UP, delta=3), False, {"192.0.2.10:80": 8}),
        (Health(state=State.UP, delta=-9), False, {"192.0.2.10:80": 0}),
        (Health(state=State.UP, delta=2**31), False, {"192.0.2.10:80": 2**31 - 1}),
        (Health(state=State.DOWN), False, {}),
        (Health(state=State.DOWN), True, {"192.0.2.10:80": 0}),
        (Health(state=State.UNKNOWN), False, {}),
        (Health(state=State.UNKNOWN), True, {}),
        (Health(state=State.UNKNOWN, held=True), False, {"192.0.2.10:80": 0}),
    ],
)
def test_health_decides_who_is_in_the_pool(health: Health, inhibit: bool, expected: dict[str, int]) -> None:
    one = service(server("one", "192.0.2.10:80", weight=5, inhibit_on_failure=inhibit))

    assert expected == pool_of(one, standing(one=health))


@pytest.mark.parametrize(
    ("quorum", "expected"),
    [
        (Quorum.UP, {"192.0.2.10:80": 1, "192.0.2.11:80": 0}),
        (Quorum.UNDECIDED, {"192.0.2.10:80": 1, "192.0.2.11:80": 0}),
        (Quorum.DOWN, {"192.0.2.11:80": 0, "192.0.2.99:8080": 1}),
    ],
)
def test_without_quorum_the_sorry_server_stands_in_for_the_live_ones(quorum: Quorum, expected: dict[str, int]) -> None:
    servers = (server("one", "192.0.2.10:80"), server("two", "192.0.2.11:80", inhibit_on_failure=True))
    one = service(*servers, sorry_servers=(Endpoint("192.0.2.99", 8080),), quorum=2)

    assert expected == pool_of(one, standing(quorum, one="UP", two="DOWN"))


def test_without_quorum_and_sorry_server_the_live_ones_go_on() -> None:
    one = service(server("one", "192.0.2.10:80"), server("two", "192.0.2.11:80"), quorum=2)

    assert {"192.0.2.10:80": 1} == pool_of(one, standing(Quorum.DOWN, one="UP", two="DOWN"))


@pytest.mark.parametrize(
    ("quorum", "expected"),
    [(Quorum.UNDECIDED, {"192.0.2.99:80": 1}), (Quorum.UP, {}), (Quorum.DOWN, {"192.0.2.99:80": 1})],
)
def test_a_sorry_server_that_was_found_stays_until_quorum_is_decided(quorum: Quorum, expected: dict[str, int]) -> None:
    one = service(server("one", "192.0.2.10:80"), sorry_servers=(Endpoint("192.0.2.99", 0),))
    known = Standing(servers={"one": Health(state=State.UNKNOWN)}, quorum=quorum, sorry_found=True)

    assert expected == pool_of(one, known)


def test_strangers_stay_as_they_were_found() -> None:
    found = Destination(method="DR", weight=7)
    known = Standing(
        servers={"one": Health(state=State.UP)}, quorum=Quorum.UP, strangers={WEB: {Endpoint("192.0.2.50", 80): found}}
    )

    projection = project(service(server("one", "192.0.2.10:80")), known)

    assert found == projection[WEB].destinations[Endpoint("192.0.2.50", 80)]
    assert {ONE, Endpoint("192.0.2.50", 80)} == set(projection[WEB].destinations)


@pytest.mark.parametrize(
    ("forward", "address", "expected"),
    [
        (NAT, "192.0.2.10:8080", "192.0.2.10:8080"),
        (NAT, "192.0.2.10", "192.0.2.10:80"),
        (DR, "192.0.2.10:8080", "192.0.2.10:80"),
        (TUN, "192.0.2.10:8080", "192.0.2.10:80"),
        (TUN, "2001:db8::10", "[2001:db8::10]:80"),
    ],
)
def test_only_nat_translates_ports_and_only_tunnels_cross_families(
    forward: Forwarding, address: str, expected: str
) -> None:
    one = service(server("one", address, forward=forward))

    assert {expected: 1} == pool_of(one, standing(one="UP"))


def test_a_server_without_an_address_of_the_family_is_left_out() -> None:
    one = service(server("one", "2001:db8::10"))

    assert {} == pool_of(one, standing(one="UP"))


@pytest.mark.parametrize(("forward", "expected"), [(NAT, "192.0.2.10:8080"), (DR, "192.0.2.10:0")])
def test_a_mark_has_no_port(forward: Forwarding, expected: str) -> None:
    one = service(server("one", "192.0.2.10:8080", forward=forward), addresses=(), fwmarks=(7,))

    projection = project(one, standing(one="UP"))

    key = ServiceKey(Family.IPV4, "", None, 7)
    assert [key] == list(projection)
    assert [expected] == [str(endpoint) for endpoint in projection[key].destinations]


def test_a_mark_of_two_families_is_two_services() -> None:
    both = (Family.IPV4, Family.IPV6)
    one = service(server("one", "192.0.2.10", "2001:db8::10"), addresses=(), fwmarks=(7,), fwmark_families=both)

    table = project(one, standing(one="UP"))

    assert {"-f 7": ["192.0.2.10:0"], "-f 7 -6": ["[2001:db8::10]:0"]} == {
        str(key): [str(endpoint) for endpoint in entry.destinations] for key, entry in table.items()
    }


def test_a_service_of_several_protocols_is_one_service_for_each() -> None:
    one = service(server("one", "192.0.2.10"), protocols=("tcp", "udp", "sctp"))

    table = project(one, standing(one="UP"))

    assert ["-t 192.0.2.1:80", "-u 192.0.2.1:80", "--sctp-service 192.0.2.1:80"] == [str(key) for key in table]
    assert [{ONE}] * 3 == [set(entry.destinations) for entry in table.values()]


@pytest.mark.parametrize(("timeout", "engine"), [(60, "sip"), (0, "")])
def test_a_persistence_engine_is_nothing_without_a_time(timeout: int, engine: str) -> None:
    one = service(persistence_timeout=seconds(timeout), persistence_engine="sip", protocols=("udp",))

    (entry,) = project(one, standing()).values()

    assert engine == entry.service.engine


def test_a_service_of_two_families_is_two_services_of_one_health() -> None:
    one = service(
        server("one", "192.0.2.10", "2001:db8::10"),
        addresses=("192.0.2.1:80", "[2001:db8::1]:80"),
        scheduler="sh",
        scheduler_flags=("flag-2", "flag-1"),
        persistence_timeout=milliseconds(1500),
        persistence_granularity=24,
    )

    table = project(one, standing(one="UP"))

    flags = ("flag-1", "flag-2")
    sticky = Service(scheduler="sh", flags=flags, timeout=2, granularity=24)
    there = Destination(method="NAT", weight=1)
    web6 = ServiceKey(Family.IPV6, "tcp", Endpoint("2001:db8::1", 80))
    assert {
        WEB: Entry(sticky, {ONE: there}),
        web6: Entry(sticky, {Endpoint("2001:db8::10", 80): there}),
    } == table


def test_without_persistence_the_granularity_is_the_whole_address() -> None:
    one = service(addresses=("192.0.2.1:80", "[2001:db8::1]:80"), persistence_granularity=24)

    table = project(one, standing())

    assert [32, 128] == [entry.service.granularity for entry in table.values()]


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (TUN, Destination(method="TUN", weight=1, tunnel="ipip")),
        (
            Forwarding(method="TUN", tunnel="gue", port=6080, checksum="remcsum"),
            Destination(method="TUN", weight=1, tunnel="gue", tunnel_port=6080, tunnel_checksum="remcsum"),
        ),
        (
            Forwarding(method="TUN", tunnel="gre", port=6080, checksum="csum"),
            Destination(method="TUN", weight=1, tunnel="gre", tunnel_checksum="csum"),
        ),
        (Forwarding(method="DR", tunnel="gue", port=6080, checksum="csum"), Destination(method="DR", weight=1)),
    ],
)
def test_settings_of_tunnels(forward: Forwarding, expected: Destination) -> None:
    one = service(server("one", "192.0.2.10", forward=forward))

    assert expected == project(one, standing(one="UP"))[WEB].destinations[ONE]


def test_of_two_servers_at_one_address_the_first_counts() -> None:
    servers = (server("one", "192.0.2.10", weight=2), server("two", "192.0.2.10", weight=3))

    assert {"192.0.2.10:80": 2} == pool_of(service(*servers), standing(one="UP", two="UP"))


def test_two_virtual_servers_cannot_have_one_address_and_protocol() -> None:
    web, other = service(), service(name="other", addresses=("192.0.2.1:80",))
    names = service(name="names", protocols=("udp",))

    (problem,) = problems_of(configuration(web, other, names))

    expected = "found -t 192.0.2.1:80; an address that virtual_server.web does not have with this protocol"
    assert f"virtual_server.other.address: {expected}" == str(problem)


def test_thresholds_are_passed_on() -> None:
    one: RealServer = server("one", "192.0.2.10", upper_threshold=100, lower_threshold=50)

    there = project(service(one), standing(one="UP"))[WEB].destinations[ONE]

    assert (100, 50) == (there.upper_threshold, there.lower_threshold)


def test_a_persistence_of_whole_seconds_is_itself() -> None:
    one = service(persistence_timeout=seconds(300))

    assert 300 == project(one, standing())[WEB].service.timeout


def test_the_sorry_server_leaves_live_servers_that_are_inhibited_at_weight_0() -> None:
    live = server("one", "192.0.2.10:80", inhibit_on_failure=True)
    one = service(live, server("two", "192.0.2.11:80"), sorry_servers=(Endpoint("192.0.2.99", 80),), quorum=3)
    up = Health(state=State.UP)

    (entry,) = project(one, Standing(servers={"one": up, "two": up}, quorum=Quorum.DOWN)).values()

    assert {"192.0.2.99:80": 1, "192.0.2.10:80": 0} == {
        str(endpoint): destination.weight for endpoint, destination in entry.destinations.items()
    }
