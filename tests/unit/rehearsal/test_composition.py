from pathlib import Path

from stayalived.addresses import Endpoint
from stayalived.cli.plan import exit_status, lines_of
from stayalived.config.problems import Problem
from stayalived.ipvs.model import Entry
from stayalived.rehearsal.composition import Read, plan_of
from stayalived.rehearsal.document import Plan
from stayalived.rehearsal.situation import Situation
from unit.ipvs.build import RR, START, THERE, WEB, configuration, server, service
from unit.rehearsal.test_table import running, table

OLD = configuration(service(server("one", "192.0.2.10"), server("two", "192.0.2.11")))
NEW = configuration(service(server("one", "192.0.2.10", weight=5), server("two", "192.0.2.11")))
WRONG = Problem(file="a.toml", line=3, path="global.router_id", found="7", expected="a text")


OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"


def reload(wanted: object) -> Plan:
    return plan_of(Read(host="lb1", configuration=wanted), running(OLD, table(1, 1)), START, generation=4)  # type: ignore[arg-type]


def test_a_plan_for_people_names_what_changes_and_how() -> None:
    plan = reload(NEW)

    assert list(lines_of(plan)) == [
        "host lb1: a reload, from generation 4, would do this:",
        "  changed: real_server web/one",
        "at once:",
        "  ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 5  # web/one",
    ]
    assert exit_status(plan) == 3


def test_the_example_of_the_page_is_what_people_see() -> None:
    names = {"a": "192.0.2.11", "b": "192.0.2.12", "c": "192.0.2.13"}
    before = configuration(service(*(server(name, address) for name, address in names.items())))
    wanted = configuration(service(server("a", names["a"]), server("b", names["b"], weight=5)))
    there = {WEB: Entry(RR, {Endpoint(address, 80): THERE for address in names.values()})}

    plan = plan_of(Read(host="lb1", configuration=wanted), running(before, there), START, generation=4)

    example = OPERATIONS.read_text().partition("$ stayalived plan\n")[2].partition("```")[0]
    assert list(lines_of(plan)) == example.splitlines()


def test_nothing_to_do_is_one_line_and_status_0() -> None:
    plan = reload(OLD)

    assert list(lines_of(plan)) == ["host lb1: a reload, from generation 4, would do nothing"]
    assert exit_status(plan) == 0


def test_a_configuration_that_cannot_be_read_is_status_1_and_plans_nothing() -> None:
    plan = plan_of(Read(host="lb1", configuration=None, problems=(WRONG,)), running(OLD, table(1, 1)), START)

    assert exit_status(plan) == 1
    assert list(lines_of(plan)) == [str(WRONG), "host lb1: the configuration is not good: nothing would be done"]
    assert (plan.steps, plan.changed) == ([], [])


def test_what_a_process_would_refuse_is_not_good() -> None:
    twice = configuration(
        service(server("one", "192.0.2.10")), service(server("one", "192.0.2.10", vs="again"), name="again")
    )

    plan = reload(twice)

    assert (plan.good, exit_status(plan)) == (False, 1)
    assert "virtual_server.again.address" in plan.problems[0]


def test_a_warning_is_shown_and_does_not_make_it_bad() -> None:
    warning = Problem(path="global", expected="is odd", warning=True)

    plan = plan_of(Read(host="lb1", configuration=OLD, problems=(warning,)), running(OLD, table(1, 1)), START)

    assert (plan.good, exit_status(plan), plan.problems) == (True, 0, [str(warning)])


def test_the_limit_on_removals_is_a_reason_to_refuse_beside_what_would_be_done() -> None:
    plan = reload(configuration())

    assert exit_status(plan) == 3
    assert "reload --force" in plan.refused[0]
    assert [step.line for step in plan.steps] == ["ipvsadm -D -t 192.0.2.1:80"]
    assert plan.processes.stopped == ["checker", "ipvs"]


def test_what_the_kernel_does_not_see_is_something_all_the_same() -> None:
    plan = reload(configuration(OLD.virtual_servers[0], start_rate=50))

    assert (plan.steps, plan.changed, exit_status(plan)) == ([], ["global"], 3)


def test_a_start_lists_its_processes_and_the_names_that_were_resolved() -> None:
    read = Read(host="lb1", configuration=OLD, names={"tic": ("192.0.2.10", "2001:db8::10")})

    plan = plan_of(read, Situation(), START)

    lines = list(lines_of(plan))
    assert lines[:2] == ["name tic: 192.0.2.10 2001:db8::10", "host lb1: a start, would do this:"]
    assert "  processes that start: log ipvs checker api" in lines
    assert "when the checks have passed that have no result yet:" in lines


def test_a_start_that_finds_everything_done_has_nothing_to_do() -> None:
    read = Read(host="lb1", configuration=OLD)

    assert exit_status(plan_of(read, Situation(table=table(1, 1)), START)) == 0
