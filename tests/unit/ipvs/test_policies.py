"""Weights that a policy computes: when it is asked, what it sees, what the kernel gets."""

from stayalived.config.model import Configuration
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.main import make_policy
from stayalived.messages.control import Start
from stayalived.timing import seconds
from unit.ipvs.build import SORRY, Director, configuration, manners, server, service

SLOW = b"\x81\xa4time\x0a"  # {"time": 10}, as MessagePack


def director() -> Director:
    return Director(engine=IpvsEngine(policies=make_policy))


def slow(**changes: object) -> Configuration:
    values = {"policy": "slow_start", "policy_options": SLOW, "computes_weights": True, "scheduler": "wrr"}
    servers = (server("one", "192.0.2.10"), server("two", "192.0.2.11"))
    return configuration(service(*servers, **(values | changes)))


def started(**changes: object) -> Director:
    made = director()
    made.start(slow(**changes))
    made.hear("web/one", up=True)
    made.hear("web/two", up=True)
    return made


def test_at_the_start_all_have_their_whole_weight() -> None:
    assert {"192.0.2.10:80": 100, "192.0.2.11:80": 100} == started().pool()


def test_one_that_returns_begins_with_little_and_has_all_after_its_time() -> None:
    site = started()
    site.hear("web/one", up=False)

    site.hear("web/one", up=True)

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 100} == site.pool()
    site.advance(seconds(5))
    assert 20 <= site.pool()["192.0.2.10:80"] <= 50
    site.advance(seconds(7))
    assert {"192.0.2.10:80": 100, "192.0.2.11:80": 100} == site.pool()
    site.forget_effects()
    site.advance(seconds(60))
    assert [] == site.kernel.journal


def test_one_that_was_drained_begins_with_little() -> None:
    site = started()
    site.want("web/one", "drain")
    site.advance(seconds(5))

    site.withdraw("web/one", "drain")

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 100} == site.pool()


def test_a_weight_by_command_is_the_whole_that_it_is_a_part_of() -> None:
    site = started()

    site.want("web/one", "set", 3)

    assert {"192.0.2.10:80": 300, "192.0.2.11:80": 100} == site.pool()


def test_the_quorum_does_not_wait_for_a_slow_start() -> None:
    site = started(quorum=2, sorry_servers=(SORRY,))
    site.hear("web/one", up=False)

    site.hear("web/one", up=True)

    assert "up" == site.state().quorum
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 100} == site.pool()


def test_those_that_a_panic_keeps_are_weighed_like_the_others() -> None:
    site = started(manners=manners(panic_threshold=60))

    site.hear("web/one", up=False)

    assert {"192.0.2.10:80": 100, "192.0.2.11:80": 100} == site.pool()


def test_a_new_process_goes_on_where_the_old_one_was() -> None:
    site = started()
    site.hear("web/one", up=False)
    site.hear("web/one", up=True)
    site.advance(seconds(3))
    before, states = site.pool(), site.told_states()
    site.engine = IpvsEngine(policies=make_policy)
    for key, state in states.items():
        site.retell(key, "services.state", state)

    site.start(slow(), Start.RESPAWNED)

    assert 1 < before["192.0.2.10:80"] < 100
    assert before["192.0.2.10:80"] <= site.pool()["192.0.2.10:80"] < 100


def test_a_reload_to_a_scheduler_of_the_kernel_gives_back_the_configured_weights() -> None:
    site = started()

    site.reload(slow(policy="wrr", policy_options=b"", computes_weights=False))

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == site.pool()


def test_weights_follow_the_latency_of_the_checks() -> None:
    site = director()
    site.start(slow(policy="least_latency", policy_options=b"\x80"))

    site.hear("web/one", up=True, latency=10_000_000)
    site.hear("web/two", up=True, latency=30_000_000)
    site.advance(seconds(60))

    pool = site.pool()
    assert 150 < pool["192.0.2.10:80"] <= 200
    assert 66 <= pool["192.0.2.11:80"] < 90
