"""Barriers on a real kernel, tried by pings and listed by nft."""

import json
import os

import pytest

from namespaces.lab import Host, Lab
from namespaces.network_steps import barrier
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Verb
from stayalived.kernel.barriers import Barriers

ADDRESSES = ("192.0.2.9", "2001:db8::9")


class Fence:
    """A host with two virtual addresses behind barriers, and a client that tries them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.host = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64", "192.0.2.9/32", "2001:db8::9/128")
        self.client = lab.host("client", "192.0.2.100/24", "2001:db8::100/64")
        self.barriers = self.opened()

    def opened(self, **options) -> Barriers:  # noqa: ANN003
        barriers = self.lab.keep(Barriers(**options))
        with self.host.inside():
            barriers.change([Change(verb=Verb.REMOVE, item=barrier("192.0.2.77"))])  # opens its socket here
        return barriers

    def change(self, verb: Verb, *addresses: str, barriers: Barriers | None = None) -> None:
        changes = [Change(verb=verb, item=barrier(each)) for each in addresses or ADDRESSES]
        assert [None] * len(changes) == (barriers or self.barriers).change(changes)

    def answered(self, *addresses: str) -> list[bool]:
        return [ping(self.client, each) for each in addresses or ADDRESSES]

    def listed(self) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for thing in json.loads(self.host.run(["nft", "-j", "list", "ruleset"]).stdout)["nftables"]:
            for kind, value in thing.items():
                found.setdefault(kind, []).append(value)
        return found

    def elements(self) -> set[str]:
        return {element for each in self.listed().get("set", ()) for element in each.get("elem", ())}


@pytest.fixture
def fence(lab: Lab) -> Fence:
    return Fence(lab)


def ping(client: Host, target: str) -> bool:
    return client.run(["ping", "-c1", "-W1", target], check=False).returncode == 0


def test_behind_a_barrier_nothing_answers_and_without_it_all_does(fence: Fence) -> None:
    assert [True, True] == fence.answered()
    fence.change(Verb.ADD)
    assert [False, False] == fence.answered()
    assert [True, True] == fence.answered("192.0.2.1", "2001:db8::1")
    fence.change(Verb.REMOVE)
    assert [True, True] == fence.answered()


def test_an_address_behind_a_barrier_is_still_found_on_the_link(fence: Fence) -> None:
    fence.change(Verb.ADD)
    fence.answered()

    for address in ADDRESSES:
        (neighbour,) = json.loads(fence.client.run(["ip", "-j", "neigh", "show", "to", address]).stdout)
        assert fence.host.mac() == neighbour["lladdr"]
    # The solicitation that asks whether it is still there goes to the address itself (RFC 4861 7.3.3).
    fence.client.run(
        ["ip", "neigh", "replace", "2001:db8::9", "lladdr", fence.host.mac(), "dev", "eth0", "nud", "probe"]
    )
    fence.client.run(["ping", "-c1", "-W1", "2001:db8::9"], check=False)
    (neighbour,) = json.loads(fence.client.run(["ip", "-j", "neigh", "show", "to", "2001:db8::9"]).stdout)
    assert ["REACHABLE"] == neighbour["state"]


def test_nft_lists_a_table_with_one_chain_and_a_set_for_each_family(fence: Fence) -> None:
    fence.change(Verb.ADD)

    listed = fence.listed()
    assert [("inet", "stayalived")] == [(table["family"], table["name"]) for table in listed["table"]]
    chain = {key: listed["chain"][0][key] for key in ("name", "type", "hook", "prio", "policy")}
    assert {"name": "input", "type": "filter", "hook": "input", "prio": -1, "policy": "accept"} == chain
    assert {("ipv4", "ipv4_addr"), ("ipv6", "ipv6_addr")} == {(each["name"], each["type"]) for each in listed["set"]}
    assert set(ADDRESSES) == fence.elements()
    assert 3 == len(listed["rule"])


def test_the_table_has_the_name_and_the_priority_that_it_is_given(fence: Fence) -> None:
    other = fence.opened(table="mine", priority=-150)
    fence.change(Verb.ADD)
    fence.change(Verb.ADD, "192.0.2.8", barriers=other)

    assert {("stayalived", -1), ("mine", -150)} == {(each["table"], each["prio"]) for each in fence.listed()["chain"]}
    other.clear()
    assert ["stayalived"] == [table["name"] for table in fence.listed()["table"]]


def test_no_table_is_made_before_it_is_needed(fence: Fence) -> None:
    fence.change(Verb.REMOVE)

    assert "table" not in fence.listed()


def test_to_put_up_what_is_up_changes_nothing(fence: Fence) -> None:
    fence.change(Verb.ADD)
    fence.change(Verb.ADD)
    fence.change(Verb.ADD, "192.0.2.9", "192.0.2.9")

    assert (set(ADDRESSES), 3) == (fence.elements(), len(fence.listed()["rule"]))


def test_a_replacement_adopts_what_it_finds_and_a_first_start_clears_it(fence: Fence) -> None:
    fence.change(Verb.ADD)
    fence.barriers.close()

    replacement = fence.opened()
    fence.change(Verb.ADD, "192.0.2.10", barriers=replacement)
    assert ({*ADDRESSES, "192.0.2.10"}, 3) == (fence.elements(), len(fence.listed()["rule"]))
    fence.change(Verb.REMOVE, "192.0.2.9", barriers=replacement)
    assert {"2001:db8::9", "192.0.2.10"} == fence.elements()

    first = fence.opened()
    first.clear()
    first.clear()
    assert "table" not in fence.listed()
    fence.change(Verb.ADD, barriers=first)
    assert set(ADDRESSES) == fence.elements()


def test_when_somebody_flushes_the_ruleset_the_next_barrier_brings_back_the_others(fence: Fence) -> None:
    fence.change(Verb.ADD)

    fence.host.run(["nft", "flush", "ruleset"])
    fence.change(Verb.ADD, "192.0.2.10")

    assert {*ADDRESSES, "192.0.2.10"} == fence.elements()
    fence.host.run(["nft", "flush", "ruleset"])
    fence.change(Verb.REMOVE)
    assert "table" not in fence.listed()
    fence.change(Verb.ADD, "192.0.2.11")
    assert {"192.0.2.10", "192.0.2.11"} == fence.elements()


def test_the_tables_of_others_are_left_alone(fence: Fence) -> None:
    fence.host.run(["nft", "add", "table", "inet", "site"])
    fence.change(Verb.ADD)
    fence.barriers.clear()

    assert ["site"] == [table["name"] for table in fence.listed()["table"]]


def test_hundreds_go_in_one_call(fence: Fence) -> None:
    many = [f"10.0.{number // 200}.{number % 200 + 1}" for number in range(250)]
    many += [f"2001:db8::1:{number:x}" for number in range(1, 251)]

    fence.change(Verb.ADD, *many)
    there = fence.elements()
    fence.change(Verb.REMOVE, *many)

    assert (set(many), set()) == (there, fence.elements())


def test_what_has_the_name_of_our_chain_and_is_something_else_is_told(fence: Fence) -> None:
    fence.host.run(["nft", "add", "table", "inet", "stayalived"])
    fence.host.run(["nft", "add chain inet stayalived input { type filter hook input priority 10; }"])

    (problem,) = fence.barriers.change([Change(verb=Verb.ADD, item=barrier("192.0.2.9"))])

    assert str(problem).startswith("nft add element inet stayalived ipv4 { 192.0.2.9 }: Operation not supported")
    assert str(problem).endswith("there is a table of this name that is not ours: nft list ruleset")


def test_without_the_right_each_is_refused_and_the_right_named(lab: Lab) -> None:
    host = lab.host("tic")

    def refused() -> None:
        os.setresuid(65534, 65534, 65534)
        barriers = Barriers()
        for problem in barriers.change([Change(verb=Verb.ADD, item=barrier(each)) for each in ADDRESSES]):
            print(problem, flush=True)  # noqa: T201
        try:
            barriers.clear()
        except KernelProblem as problem:
            print(problem, flush=True)  # noqa: T201

    process = host.fork(refused)

    assert process.wait(within=5.0) == 0
    assert [
        "nft add element inet stayalived ipv4 { 192.0.2.9 }: Operation not permitted; vrrp needs CAP_NET_ADMIN",
        "nft add element inet stayalived ipv6 { 2001:db8::9 }: Operation not permitted; vrrp needs CAP_NET_ADMIN",
        "nft delete table inet stayalived: Operation not permitted; vrrp needs CAP_NET_ADMIN",
    ] == process.log().splitlines()
