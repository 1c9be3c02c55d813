"""Requests to a real kernel: refusals are told by their number, and a dump that fails says so."""

import errno

import pytest

from namespaces.lab import Lab
from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.kernel import links, routes, rtnetlink
from stayalived.kernel.connection import NETLINK_NETFILTER, Connection
from stayalived.kernel.rtnetlink import AddressSeen, LinkSeen


@pytest.fixture
def connection(lab: Lab) -> Connection:
    with lab.host("tic", "192.0.2.1/24").inside():
        return lab.keep(Connection())


def test_of_many_requests_the_refused_ones_are_told_and_what_is_listed_comes_back(connection: Connection) -> None:
    numbers = [connection.number() for _ in range(4)]
    names = ("lo", "eth7", "eth0", "eth8")

    listed, answers = connection.ask(links.get_link(*each) for each in zip(names, numbers, strict=True))

    assert ["lo", "eth0"] == [links.read_link(message).name for message in listed]
    assert {numbers[1]: errno.ENODEV, numbers[3]: errno.ENODEV} == {
        number: answer.errno for number, answer in answers.items()
    }


def test_nothing_asked_is_nothing_refused(connection: Connection) -> None:
    assert ([], {}) == connection.ask([])


def test_a_single_request_returns_its_refusal(connection: Connection) -> None:
    refused = connection.request(lambda number: links.set_link(4711, number, up=True))

    assert refused is not None
    assert errno.ENODEV == refused.errno


def test_a_dump_of_one_interface_lists_its_addresses_alone(connection: Connection) -> None:
    seen = [rtnetlink.read_message(message) for message in connection.dump(rtnetlink.dump_links)]
    index = next(link.index for link in seen if isinstance(link, LinkSeen) and link.name == "eth0")

    found = map(rtnetlink.read_message, connection.dump(lambda number: rtnetlink.dump_addresses(number, index)))

    assert {index} == {each.index for each in found if isinstance(each, AddressSeen)}


def test_a_dump_that_is_refused_says_why(connection: Connection) -> None:
    def of_a_table_that_is_not_there(number: int) -> bytes:
        request = bytearray(routes.dump_routes(Family.IPV4, number))
        request[16 + 4] = 77  # rtm_table
        return bytes(request)

    with pytest.raises(KernelProblem, match="netlink dump: No such file or directory"):
        connection.dump(of_a_table_that_is_not_there)
    assert connection.dump(rtnetlink.dump_links)


def test_a_connection_that_is_closed_cannot_be_asked(connection: Connection) -> None:
    connection.close()

    with pytest.raises(KernelProblem, match="netlink request: Bad file descriptor"):
        connection.ask([links.get_link("lo", 1)])
    with pytest.raises(KernelProblem, match="netlink dump: Bad file descriptor"):
        connection.dump(rtnetlink.dump_links)


def test_each_connection_has_a_port_of_its_own(lab: Lab) -> None:
    with lab.host("tic").inside():
        ports = [lab.keep(Connection(protocol)).port for protocol in (0, 0, NETLINK_NETFILTER)]

    assert 0 not in ports
    assert ports[0] != ports[1]
