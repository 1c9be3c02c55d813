from collections.abc import Sequence

from stayalived.child.events import Received
from stayalived.config.model import Configuration
from stayalived.ipvs.model import Entry, Table, copy_of, in_words
from stayalived.messages.services import CheckState, ServerRow, ServiceState
from stayalived.rehearsal.situation import Situation
from stayalived.rehearsal.table import TableSteps, rehearse_table
from unit.ipvs.build import (
    IDLE,
    ONE,
    OTHERS,
    RR,
    START,
    THERE,
    TWO,
    WEB,
    check_state,
    configuration,
    server,
    service,
)

ONE_SERVER, TWO_SERVER = server("one", "192.0.2.10"), server("two", "192.0.2.11")


def lines(named: Sequence[tuple[object, str]]) -> list[str]:
    return [in_words(operation) for operation, _ in named]  # type: ignore[arg-type]


def row(name: str, state: str, weight: int) -> ServerRow:
    return ServerRow(
        subject=f"web/{name}",
        addresses=(),
        state=state,
        reason="",
        weight=weight,
        configured_weight=1,
        active=0,
        inactive=0,
    )


def told(*rows: ServerRow, quorum: str = "up", checks: Sequence[CheckState] = ()) -> tuple[Received, ...]:
    """What a process that starts anew is retold of the service web."""
    state = ServiceState(
        name="web",
        protocol="tcp",
        addresses=("192.0.2.1:80",),
        scheduler="rr",
        forward="NAT",
        quorum=quorum,
        sorry=False,
        servers=rows,
        problem="",
    )
    events = [Received(topic="services.state", key="web", sender="ipvs", message=state)]
    events += [
        Received(topic="services.check", key=f"{one.subject}#{one.number}", sender="checker", message=one)
        for one in checks
    ]
    return tuple(events)


def running(configured: Configuration, table: Table, *, down: Sequence[str] = ()) -> Situation:
    """A daemon with this configuration, in whose eyes every server but some is up."""
    servers = [one.name for virtual in configured.virtual_servers for one in virtual.real_servers]
    rows = [row(name, "DOWN", -1) if name in down else row(name, "UP", 1) for name in servers]
    checks = [check_state(f"web/{name}", up=name not in down) for name in servers]
    return Situation(running=configured, told=told(*rows, checks=checks), table=table)


def table(*weights: int) -> Table:
    """The service web with servers one and two, by their weights."""
    there = {end: THERE if weight else IDLE for end, weight in zip((ONE, TWO), weights, strict=False)}
    return {WEB: Entry(RR, there)}


def test_a_start_on_an_empty_table_adds_the_service_and_each_server_once_it_is_checked() -> None:
    steps = rehearse_table(configuration(service(ONE_SERVER, TWO_SERVER)), Situation(), START)

    assert lines(steps.at_once) == ["ipvsadm -A -t 192.0.2.1:80 -s rr"]
    assert lines(steps.later) == [
        "ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1",
        "ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.11:80 -m -w 1",
    ]
    assert [about for _, about in steps.at_once + steps.later] == ["web", "web/one", "web/two"]


def test_a_start_without_alpha_adds_servers_at_once() -> None:
    wanted = configuration(service(server("one", "192.0.2.10", alpha=False)))

    steps = rehearse_table(wanted, Situation(), START)

    assert "ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1" in lines(steps.at_once)
    assert steps.later == ()


def test_a_start_takes_over_what_it_finds_and_removes_strangers_after_the_first_round() -> None:
    there = table(1, 1) | {OTHERS: Entry(RR, {})}

    wanted = configuration(service(ONE_SERVER, server("three", "192.0.2.12")))

    steps = rehearse_table(wanted, Situation(table=there), START)

    assert steps.at_once == ()
    assert lines(steps.later) == [
        "ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.12:80 -m -w 1",
        "ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.11:80",
    ]


def test_a_reload_with_nothing_changed_does_nothing() -> None:
    same = configuration(service(ONE_SERVER, TWO_SERVER))

    assert rehearse_table(same, running(same, table(1, 1)), START) == TableSteps()


def test_a_server_that_is_down_stays_out() -> None:
    same = configuration(service(ONE_SERVER, TWO_SERVER))

    assert rehearse_table(same, running(same, table(1), down=["two"]), START) == TableSteps()


def test_a_reload_with_another_weight_edits_that_server() -> None:
    old = configuration(service(ONE_SERVER, TWO_SERVER))
    new = configuration(service(server("one", "192.0.2.10", weight=5), TWO_SERVER))

    steps = rehearse_table(new, running(old, table(1, 1)), START)

    assert lines(steps.at_once) == ["ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 5"]
    assert steps.later == ()


def test_a_reload_takes_servers_out_at_once_and_puts_new_ones_in_when_they_are_checked() -> None:
    old = configuration(service(ONE_SERVER))
    new = configuration(service(TWO_SERVER))

    steps = rehearse_table(new, running(old, table(1)), START)

    assert lines(steps.at_once) == ["ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.10:80"]
    assert lines(steps.later) == ["ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.11:80 -m -w 1"]


def test_a_reload_without_services_deletes_those_that_are_ours_alone() -> None:
    old = configuration(service(ONE_SERVER))

    steps = rehearse_table(configuration(), running(old, table(1) | {OTHERS: Entry(RR, {})}), START)

    assert lines(steps.at_once) == ["ipvsadm -D -t 192.0.2.1:80"]


def test_a_service_that_two_virtual_servers_claim_is_a_problem_and_nothing_is_done() -> None:
    other = service(server("one", "192.0.2.10", vs="again"), name="again")

    steps = rehearse_table(configuration(service(ONE_SERVER), other), Situation(), START)

    assert [problem.path for problem in steps.problems] == ["virtual_server.again.address"]
    assert (steps.at_once, steps.later) == ((), ())


def test_the_table_that_it_was_given_is_not_touched() -> None:
    there = table(1, 1)
    before = copy_of(there)

    rehearse_table(configuration(), running(configuration(service(ONE_SERVER)), there), START)

    assert there == before
