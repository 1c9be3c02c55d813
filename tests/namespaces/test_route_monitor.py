"""The route monitor on a real kernel: what others delete is told, what is not ours does not even wake it."""

from pathlib import Path

import pytest

from namespaces.lab import Lab
from namespaces.network_cases import DEFAULT_6, DIRECT, GATEWAY_4, GATEWAY_6
from namespaces.network_steps import address, changes, route, rule
from namespaces.test_network import Real
from namespaces.waiting import wait_until
from stayalived.kernel.api import Verb
from stayalived.kernel.losses import Loss, RouteDeleted, RuleDeleted, Unknown
from stayalived.kernel.route_monitor import RECEIVE_BUFFER, RouteMonitor
from stayalived.kernel.routes import identity

TINY = 2048
"""Bytes of a receive buffer that a few events overflow."""

FULL_TABLE = 20_000
"""Routes of others that come and go."""


class Watch(Real):
    """A host, its kernel and its route monitor."""

    def __init__(self, lab: Lab, buffer: int = RECEIVE_BUFFER) -> None:
        super().__init__(lab, "192.0.2.1/24", "2001:db8::1/64")
        names = {interface.index: name for name, interface in self.kernel.interfaces().items()}
        with self.host.inside():
            self.monitor = lab.keep(RouteMonitor(self.netlink.connection.port, lambda: names, buffer))

    def told(self) -> list[Loss]:
        return list(iter(self.monitor.next_loss, None))


@pytest.fixture
def watch(lab: Lab) -> Watch:
    return Watch(lab)


def keys(losses: list[Loss]) -> list[object]:
    return [
        identity(loss.route) if isinstance(loss, RouteDeleted) else loss.rule.key
        for loss in losses
        if not isinstance(loss, Unknown)
    ]


def test_what_somebody_else_deletes_is_told_as_it_was(watch: Watch) -> None:
    watch.apply(Verb.ADD, GATEWAY_4, GATEWAY_6, rule(100, table=1000, mark=7))

    watch.ip("route", "delete", "198.51.100.0/24")
    watch.ip("-6", "route", "delete", "2001:db8:1::/64")
    watch.ip("rule", "delete", "preference", "100")

    told = watch.told()
    assert [identity(GATEWAY_4), identity(GATEWAY_6), rule(100).key] == keys(told)
    assert isinstance(told[0], RouteDeleted)
    assert ("192.0.2.254", "eth0") == (told[0].route.gateway, told[0].route.interface)
    assert told[2] == RuleDeleted(rule=rule(100, table=1000, mark=7))


def test_what_we_remove_ourselves_is_not_told(watch: Watch) -> None:
    items = (GATEWAY_4, GATEWAY_6, DIRECT, rule(100, table=1000))
    watch.apply(Verb.ADD, *items)

    watch.apply(Verb.REMOVE, *items)

    assert [] == watch.told()


def test_what_another_process_of_ours_removes_is_told(watch: Watch, lab: Lab) -> None:
    from stayalived.kernel.netlink import Netlink
    from stayalived.kernel.network import Network

    watch.apply(Verb.ADD, GATEWAY_4)
    with watch.host.inside():
        other = Network(lab.keep(Netlink()))

    other.apply(changes(Verb.REMOVE, [GATEWAY_4], other))

    assert [identity(GATEWAY_4)] == keys(watch.told())


def test_the_routes_and_rules_of_others_are_not_told(watch: Watch) -> None:
    for family, destination in (("-4", "203.0.113.0/24"), ("-6", "2001:db8:7::/64")):
        watch.ip(family, "route", "add", destination, "dev", "eth0")
        watch.ip(family, "route", "delete", destination)
        watch.ip(family, "rule", "add", "preference", "77", "table", "7")
        watch.ip(family, "rule", "delete", "preference", "77")

    assert [] == watch.told()


def test_with_the_preferred_source_a_route_goes_and_is_told(watch: Watch) -> None:
    item = route("10.0.0.0/8", "192.0.2.254", source="192.0.2.9")
    watch.apply(Verb.ADD, address("192.0.2.9/32"), item)

    watch.delete_address("192.0.2.9/32")

    assert [identity(item)] == keys(watch.told())


def test_of_an_interface_that_goes_down_ipv6_routes_are_told_and_ipv4_routes_are_not(watch: Watch) -> None:
    watch.apply(Verb.ADD, GATEWAY_4, DIRECT, DEFAULT_6)

    watch.set_link(up=False)

    assert [identity(DEFAULT_6)] == keys(watch.told())
    assert [] == watch.kernel.routes()


def test_a_full_table_that_comes_and_goes_does_not_flood_it(lab: Lab) -> None:
    watch = Watch(lab, TINY)
    watch.apply(Verb.ADD, GATEWAY_4)
    batch = Path(lab.folder, "full-table")
    destinations = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(FULL_TABLE)]

    for verb in ("add", "delete"):
        batch.write_text("".join(f"route {verb} {destination} via 192.0.2.254\n" for destination in destinations))
        watch.ip("-batch", str(batch))
    watch.ip("route", "delete", "198.51.100.0/24")

    assert [identity(GATEWAY_4)] == keys(watch.told())
    assert 0 == watch.monitor.overflows


def test_after_an_overflow_it_is_told_that_more_may_be_gone_and_later_losses_too(lab: Lab) -> None:
    watch = Watch(lab, TINY)
    many = [route(f"10.0.{number}.0/24", interface="eth0") for number in range(100)]
    watch.apply(Verb.ADD, *many, GATEWAY_4)
    for item in many:
        watch.ip("route", "delete", str(item.destination))

    told = watch.told()

    assert (Unknown(), 1) == (told[-1], watch.monitor.overflows)
    assert [identity(GATEWAY_4)] == [identity(found) for found in watch.kernel.routes()]
    watch.ip("route", "delete", "198.51.100.0/24")
    assert [identity(GATEWAY_4)] == keys(watch.told())


def test_its_descriptor_becomes_readable(watch: Watch) -> None:
    watch.apply(Verb.ADD, GATEWAY_4)
    assert watch.monitor.next_loss() is None

    watch.ip("route", "delete", "198.51.100.0/24")

    wait_until(watch.monitor.next_loss, within=2.0, what="the loss", descriptor=watch.monitor.fileno())
