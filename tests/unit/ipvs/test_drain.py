"""Drains and weights by command or action: what the kernel gets, what is told, what a restart makes of it."""

from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.model import DeleteDestination, EditDestination
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.timing import after, seconds
from unit.ipvs.build import (
    IDLE,
    ONE,
    SORRY,
    THERE,
    TWO,
    WEB,
    Director,
    configuration,
    manners,
    server,
    service,
    two_servers,
)


def test_a_drained_server_gets_weight_0_then_goes_when_its_connections_have_ended(serving: Director) -> None:
    serving.count(ONE, active=3, inactive=1)

    serving.want("web/one", "drain")
    serving.advance(seconds(10))

    assert [EditDestination(WEB, ONE, IDLE)] == serving.kernel.journal
    assert [("drain", "web/one")] == serving.events()
    assert ("draining: command",) == serving.state().servers[0].overrides
    serving.count(ONE, inactive=1)  # one is closing still
    serving.advance(seconds(10))
    assert {"192.0.2.10:80": 0, "192.0.2.11:80": 1} == serving.pool()

    serving.count(ONE)
    serving.advance(seconds(10))

    assert {"192.0.2.11:80": 1} == serving.pool()
    assert [("drain", "web/one"), ("drained", "web/one")] == serving.events()
    assert ("drained: command",) == serving.state().servers[0].overrides
    assert "UP" == serving.state().servers[0].state


def test_at_the_deadline_it_goes_whatever_connections_it_has(serving: Director) -> None:
    serving.count(ONE, active=3)

    serving.want("web/one", "drain", deadline=after(serving.now, seconds(60)))
    serving.advance(seconds(59))
    assert {"192.0.2.10:80": 0, "192.0.2.11:80": 1} == serving.pool()
    serving.advance(seconds(2))

    assert {"192.0.2.11:80": 1} == serving.pool()
    assert [("drain", "web/one"), ("drained", "web/one")] == serving.events()


def test_undone_it_comes_back_with_its_weight(serving: Director) -> None:
    serving.want("web/one", "drain")
    serving.advance(seconds(5))
    serving.forget_effects()

    serving.withdraw("web/one", "drain")

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    (event,) = serving.told(Event)
    assert ("undrain", "web/one", "0", "1", "command") == (
        event.kind,
        event.subject,
        event.old,
        event.new,
        event.reason,
    )


def test_one_that_is_down_while_it_is_drained_stays_out_when_it_is_up_again(serving: Director) -> None:
    serving.want("web/one", "drain")
    serving.advance(seconds(5))

    serving.hear("web/one", up=False)
    serving.hear("web/one", up=True)

    assert {"192.0.2.11:80": 1} == serving.pool()


def test_a_drained_server_counts_nothing_for_the_quorum(director: Director) -> None:
    director.start(two_servers(sorry_servers=(SORRY,), quorum=2))
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)

    director.want("web/one", "drain")

    assert "down" == director.state().quorum
    assert {"192.0.2.99:80": 1} == {address: weight for address, weight in director.pool().items() if weight}


def test_a_weight_by_command_is_an_edit_and_an_event(serving: Director) -> None:
    serving.want("web/one", "set", 5)

    assert {"192.0.2.10:80": 5, "192.0.2.11:80": 1} == serving.pool()
    (event,) = serving.told(Event)
    assert ("weight", "web/one", "1", "5", "command") == (event.kind, event.subject, event.old, event.new, event.reason)
    row = serving.state().servers[0]
    assert (5, 1, ("set 5: command",)) == (row.weight, row.configured_weight, row.overrides)
    assert ["Changing weight of service 192.0.2.10:80 of VS web: 1 to 5 (command)"] == serving.reports()


def test_a_weight_ends_at_its_time(serving: Director) -> None:
    serving.want("web/one", "set", 5, until=after(serving.now, seconds(30)))

    serving.advance(seconds(31))

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()


def test_an_action_and_a_check_change_it_together(serving: Director) -> None:
    serving.want("web/one", "factor", 4, source="real_server web/two weight#0", reason="down of web/two")

    serving.hear("web/one", up=True, weight=2)

    assert {"192.0.2.10:80": 6, "192.0.2.11:80": 1} == serving.pool()


def test_what_is_wanted_of_a_server_that_is_not_there_waits_for_it(serving: Director) -> None:
    serving.want("web/three", "drain")
    assert [] == serving.events()

    three = server("three", "192.0.2.12", checks=0)
    serving.reload(configuration(service(server("one", "192.0.2.10"), server("two", "192.0.2.11"), three)))
    serving.advance(seconds(5))

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    assert [("drained", "web/three")] == serving.events()


def test_a_reload_keeps_a_drain(serving: Director) -> None:
    serving.want("web/one", "drain")
    serving.advance(seconds(5))

    serving.reload(two_servers(quorum=2))

    assert {"192.0.2.11:80": 1} == serving.pool()


def restart(director: Director, start: Start, **more: int) -> Director:
    """A new process on the same kernel, told of everything that its predecessor was."""
    states = director.told_states()
    director.engine = IpvsEngine()
    director.forget_effects()
    if start is Start.RESPAWNED:
        for key, state in states.items():
            director.retell(key, "services.state", state)
    director.want("web/one", "drain", **more)
    director.start(two_servers(), start)
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)
    return director


def test_a_new_process_goes_on_with_a_drain_and_tells_it_to_nobody(serving: Director) -> None:
    serving.count(ONE, active=1)
    serving.want("web/one", "drain")
    deadline = after(serving.now, seconds(20))

    for start in (Start.RESPAWNED, Start.FIRST):
        restart(serving, start, deadline=deadline)
        assert {"192.0.2.10:80": 0, "192.0.2.11:80": 1} == serving.pool()
        assert [] == [kind for kind, _ in serving.events() if kind.startswith("drain")]

    serving.advance(seconds(21))
    assert {"192.0.2.11:80": 1} == serving.pool()


def test_one_that_was_out_stays_out_in_a_new_process(serving: Director) -> None:
    serving.want("web/one", "drain")
    serving.advance(seconds(5))

    restart(serving, Start.FIRST)

    assert {"192.0.2.11:80": 1} == serving.pool()
    assert DeleteDestination(WEB, ONE) not in serving.kernel.journal
    assert [] == [kind for kind, _ in serving.events() if kind.startswith("drain")]


# -- panic


def test_with_too_little_alive_those_that_are_down_serve_too(director: Director) -> None:
    director.start(configuration(service(*four(), manners=manners(panic_threshold=50), hysteresis=1)))
    for name in NAMES:
        director.hear(f"web/{name}", up=True)
    for name in ("one", "two"):
        director.hear(f"web/{name}", up=False, reason="timeout")
    assert {"192.0.2.12:80": 1, "192.0.2.13:80": 1} == director.pool()
    director.forget_effects()

    director.hear("web/three", up=False, reason="timeout")

    assert dict.fromkeys(ALL, 1) == director.pool()
    assert [("down", "web/three"), ("panic_on", "web")] == director.events()
    assert ["DOWN (kept)"] * 3 + ["UP"] == [row.state for row in director.state().servers]
    assert director.state().panic
    director.hear("web/three", up=True)  # 50 per cent: the hysteresis asks for one more
    assert dict.fromkeys(ALL, 1) == director.pool()
    director.hear("web/two", up=True)
    assert {"192.0.2.11:80": 1, "192.0.2.12:80": 1, "192.0.2.13:80": 1} == director.pool()
    assert ("panic_off", "web") in director.events()


def test_a_panic_keeps_nobody_who_never_was_up_or_is_drained(director: Director) -> None:
    director.start(configuration(service(*four(), manners=manners(panic_threshold=60))))
    for name in ("one", "two", "three"):
        director.hear(f"web/{name}", up=True)
    director.hear("web/four", up=False)
    director.want("web/one", "drain")
    director.advance(seconds(5))

    director.hear("web/one", up=False)
    director.hear("web/two", up=False)

    assert {"192.0.2.11:80": 1, "192.0.2.12:80": 1} == director.pool()


def test_a_sorry_server_serves_before_there_is_a_panic(director: Director) -> None:
    wanted = configuration(service(*four(), manners=manners(panic_threshold=100), sorry_servers=(SORRY,), quorum=2))
    director.start(wanted)
    for name in NAMES:
        director.hear(f"web/{name}", up=True)

    director.hear("web/one", up=False)
    assert dict.fromkeys(ALL, 1) == director.pool()
    for name in NAMES[1:]:
        director.hear(f"web/{name}", up=False)

    assert {"192.0.2.99:80": 1} == director.pool()
    assert not director.state().panic


def test_all_down_at_the_start_is_no_panic(director: Director) -> None:
    director.start(configuration(service(*four(), manners=manners(panic_threshold=50))))

    for name in NAMES:
        director.hear(f"web/{name}", up=False)

    assert {} == director.pool()
    assert "panic_on" not in [kind for kind, _ in director.events()]


def test_a_new_process_keeps_what_the_old_one_kept(director: Director) -> None:
    wanted = configuration(service(*four(), manners=manners(panic_threshold=50)))
    director.start(wanted)
    for name in NAMES:
        director.hear(f"web/{name}", up=True)
    for name in NAMES:
        director.hear(f"web/{name}", up=False)
    states = director.told_states()
    director.engine = IpvsEngine()
    director.forget_effects()
    for key, state in states.items():
        director.retell(key, "services.state", state)

    director.start(wanted, Start.RESPAWNED)
    for name in NAMES:
        director.hear(f"web/{name}", up=False)

    assert dict.fromkeys(ALL, 1) == director.pool()
    assert [] == director.kernel.journal
    assert [] == director.events()


# -- other manners


def test_a_sorry_server_that_has_served_may_stay_at_weight_0(director: Director) -> None:
    director.start(two_servers(sorry_servers=(SORRY,), manners=manners(sorry_inhibit=True)))
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == director.pool()
    for up in (False, True):
        director.hear("web/one", up=up)
        director.hear("web/two", up=up)

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1, "192.0.2.99:80": 0} == director.pool()
    assert (
        EditDestination(WEB, SORRY, IDLE) == director.kernel.journal[-1]
        or director.kernel.table[WEB].destinations[TWO] == THERE
    )


def test_with_omega_the_stop_is_told(director: Director) -> None:
    director.start(two_servers(manners=manners(omega=True)))
    director.hear("web/one", up=True)
    director.hear("web/two", up=False)
    director.forget_effects()

    director.stop()

    assert [("down", "web/one"), ("quorum_down", "web")] == director.events()
    assert director.finished


def test_without_omega_the_stop_is_told_to_nobody(serving: Director) -> None:
    serving.stop()

    assert [] == serving.events()


def test_a_stale_verdict_is_told_once_and_kept(serving: Director) -> None:
    serving.hear("web/one", up=True, stale=True)
    serving.hear("web/one", up=True, stale=True)

    assert [("stale", "web/one")] == serving.events()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()


def test_a_stale_verdict_may_count_as_down(director: Director) -> None:
    director.start(two_servers(manners=manners(stale_is_down=True)))
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)

    director.hear("web/one", up=True, stale=True, reason="connected")
    assert {"192.0.2.11:80": 1} == director.pool()
    assert "stale: connected" == director.state().servers[0].reason
    director.hear("web/one", up=True)

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == director.pool()


NAMES = ("one", "two", "three", "four")
ALL = tuple(f"192.0.2.{10 + number}:80" for number in range(4))


def four() -> list:
    return [server(name, f"192.0.2.{10 + number}") for number, name in enumerate(NAMES)]
