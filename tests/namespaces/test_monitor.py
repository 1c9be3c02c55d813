"""The monitor on real interfaces: what becomes of them is told, in order, with nothing lost."""

import pytest

from namespaces.lab import Lab
from namespaces.network_steps import address
from namespaces.test_network import Real
from namespaces.waiting import wait_until
from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress
from stayalived.kernel.api import Gone, Interface, Verb
from stayalived.kernel.monitor import Monitor
from stayalived.kernel.subscription import RECEIVE_BUFFER

TINY = 2048
"""Bytes of a receive buffer that a few events overflow."""


class Watch(Real):
    """A host, its kernel and its monitor."""

    def __init__(self, lab: Lab, buffer: int = RECEIVE_BUFFER) -> None:
        super().__init__(lab, "192.0.2.1/24")
        with self.host.inside():
            self.monitor = lab.keep(Monitor(self.netlink, buffer))
        self.index = self.monitor.interfaces()["eth0"].index
        self.told: list[Interface | Gone] = []

    def wait_for(self, what: str, condition) -> Interface | Gone:  # noqa: ANN001
        """Collect what is told until the newest of it fulfils the condition; return that."""

        def newest_fits() -> bool:
            self.told += iter(self.monitor.next_change, None)
            return bool(self.told) and condition(self.told[-1])

        wait_until(newest_fits, within=5.0, what=what, descriptor=self.monitor.fileno())
        return self.told[-1]

    def held(self) -> set[str]:
        """Return the IPv4 addresses that the monitor knows of."""
        return {str(one) for one in self.monitor.interfaces()["eth0"].addresses if one.family is Family.IPV4}


@pytest.fixture
def watch(lab: Lab) -> Watch:
    return Watch(lab)


def carries(text: str, *, present: bool = True):  # noqa: ANN201
    awaited = VirtualAddress.parse(text)
    return lambda change: isinstance(change, Interface) and (awaited in change.addresses) == present


def addresses(count: int) -> list[PlacedAddress]:
    return [address(f"10.0.{number // 200}.{number % 200 + 1}/32") for number in range(count)]


def test_nothing_is_told_while_nothing_happens(watch: Watch) -> None:
    assert watch.monitor.next_change() is None
    assert {"lo", "eth0"} == watch.monitor.interfaces().keys()


def test_addresses_that_come_and_go_are_told(watch: Watch) -> None:
    watch.host.add_address("192.0.2.9/32")
    watch.wait_for("the new address", carries("192.0.2.9/32"))
    assert {"192.0.2.1/24", "192.0.2.9/32"} == watch.held()

    watch.host.run(["ip", "address", "del", "192.0.2.9/32", "dev", "eth0"])
    watch.wait_for("the loss of the address", carries("192.0.2.9/32", present=False))
    assert {"192.0.2.1/24"} == watch.held()


def test_what_was_answered_before_is_never_told_as_it_was_then(watch: Watch) -> None:
    watch.apply(Verb.ADD, *addresses(500))
    watch.wait_for("500 addresses", carries("10.0.2.100/32"))

    assert len(watch.told) == 1


def test_a_pulled_cable_is_told_and_its_return(watch: Watch) -> None:
    watch.host.plug(into=False)
    down = watch.wait_for("the link to go down", lambda change: not change.up)

    watch.host.plug(into=True)
    up = watch.wait_for("the link to come up", lambda change: change.up)
    assert [("eth0", False), ("eth0", True)] == [(change.name, change.up) for change in (down, up)]


def test_a_short_loss_of_the_link_is_told_even_when_it_is_back_already(watch: Watch) -> None:
    watch.host.plug(into=False)
    watch.host.plug(into=True)
    watch.wait_for("the link to come up", lambda change: change.up)

    assert [False, True] == [change.up for change in watch.told if isinstance(change, Interface)][:2]


def test_an_interface_that_comes_changes_its_name_and_goes_is_told(watch: Watch) -> None:
    watch.host.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "other"])
    watch.host.run(["ip", "link", "set", "one", "name", "two"])
    watch.host.run(["ip", "link", "del", "two"])
    watch.wait_for("its end", lambda _: {Gone(name="two"), Gone(name="other")} <= set(watch.told))

    names = [change.name for change in watch.told if isinstance(change, Gone)]
    assert names.index("one") < names.index("two")
    assert {"lo", "eth0"} == watch.monitor.interfaces().keys()


def test_a_port_that_leaves_a_bridge_is_not_gone(watch: Watch) -> None:
    watch.host.run(["ip", "link", "add", "br0", "type", "bridge"])
    watch.host.run(["ip", "link", "set", "eth0", "master", "br0"])
    watch.host.run(["ip", "link", "set", "eth0", "nomaster"])
    watch.host.add_address("192.0.2.9/32")
    watch.wait_for("the address after it", carries("192.0.2.9/32"))

    assert Gone(name="eth0") not in watch.told


def test_a_changed_hardware_address_is_told(watch: Watch) -> None:
    watch.host.run(["ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"])
    changed = watch.wait_for("the new address", lambda change: change.mac.hex(":") == "02:00:00:00:00:99")
    assert changed == watch.monitor.interfaces()["eth0"]


def test_after_an_overflow_the_difference_is_told_and_later_events_too(lab: Lab) -> None:
    watch = Watch(lab, TINY)
    many = addresses(1000)

    watch.apply(Verb.ADD, *many)
    watch.host.run(["ip", "link", "add", "new", "type", "veth", "peer", "name", "other"])
    watch.wait_for("what was lost", lambda _: "new" in watch.monitor.interfaces())

    assert watch.monitor.overflows > 0
    assert {item.address for item in many} <= set(watch.monitor.interfaces()["eth0"].addresses)
    assert {"eth0", "new", "other"} == {change.name for change in watch.told}

    watch.apply(Verb.REMOVE, *many)
    watch.wait_for("their removal", lambda change: change.name == "eth0" and len(change.addresses) < 10)
    assert watch.kernel.interfaces() == watch.monitor.interfaces()


def test_an_interface_that_went_during_an_overflow_is_told_as_gone_and_a_flap_as_a_flap(lab: Lab) -> None:
    watch = Watch(lab, TINY)
    watch.host.run(["ip", "link", "add", "one", "type", "veth", "peer", "name", "other"])
    watch.wait_for("the new interfaces", lambda _: {"one", "other"} <= watch.monitor.interfaces().keys())
    watch.told.clear()

    watch.apply(Verb.ADD, *addresses(1000))
    watch.host.run(["ip", "link", "del", "one"])
    watch.host.plug(into=False)
    watch.host.plug(into=True)
    watch.wait_for("what was lost", lambda _: "one" not in watch.monitor.interfaces())

    assert {Gone(name="one"), Gone(name="other")} <= set(watch.told)
    assert [False, True] == [change.up for change in watch.told if isinstance(change, Interface)][:2]


def test_a_macvlan_has_its_kind_and_its_parent_and_keeps_them(watch: Watch) -> None:
    watch.host.run(["ip", "link", "add", "mac0", "link", "eth0", "type", "macvlan", "mode", "private"])
    watch.host.run(["ip", "link", "set", "mac0", "up"])
    watch.wait_for("the macvlan", lambda change: change.name == "mac0" and change.up)

    there = watch.monitor.interfaces()
    assert ("macvlan", watch.index) == (there["mac0"].kind, there["mac0"].parent)
    assert ("veth", 0) == (there["eth0"].kind, there["eth0"].parent)
    assert there == watch.kernel.interfaces()


def test_an_address_that_changes_its_label_or_its_lifetime_alone_is_no_change(watch: Watch) -> None:
    watch.host.run(["ip", "address", "add", "2001:db8::9/64", "dev", "eth0", "nodad"])
    watch.wait_for("the address", carries("2001:db8::9/64"))

    six = ["ip", "address", "change", "2001:db8::9/64", "dev", "eth0", "valid_lft", "3600", "preferred_lft", "1800"]
    four = ["ip", "address", "change", "192.0.2.1/24", "dev", "eth0", "valid_lft", "3600", "preferred_lft", "1800"]
    for words in (six, four):
        watch.host.run(words)

    assert "1800sec" in watch.host.run(["ip", "address", "show", "dev", "eth0"]).stdout
    assert watch.monitor.next_change() is None
