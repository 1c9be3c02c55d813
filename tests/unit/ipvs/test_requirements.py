"""What the kernel lacks is known before anything changes."""

import pytest

from stayalived.child.events import Abort, Prepare
from stayalived.config.problems import Problem
from stayalived.ipvs.events import FindMissing
from stayalived.ipvs.model import Destination, Entry, Need, Service
from stayalived.ipvs.requirements import held, needs_of, new_needs
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.timing import seconds
from unit.ipvs.build import ONE, OTHERS, RR, THERE, WEB, Director, configuration, server, service, two_servers

MODERN = service(server("one", "192.0.2.20", vs="modern"), name="modern", addresses=("192.0.2.3:80",), scheduler="twos")
CALLS = service(
    server("one", "192.0.2.20", vs="calls"),
    name="calls",
    protocols=("udp",),
    persistence_timeout=seconds(60),
    persistence_engine="rtp",
)


def problems(director: Director) -> list[Problem]:
    return [problem for answer in director.answers() for problem in answer.problems]


def test_a_configuration_needs_its_schedulers_and_engines_once() -> None:
    twice = configuration(MODERN, service(), service(name="again"), CALLS)

    assert {
        Need("twos"): ("modern",),
        Need("rr"): ("web", "again"),
        Need("rr", "rtp"): ("calls",),
    } == needs_of(twice)
    assert (Need("twos"), Need("rr", "rtp")) == new_needs(twice, two_servers())


def test_a_start_warns_and_serves_what_it_can(director: Director) -> None:
    director.start(configuration(MODERN, *two_servers().virtual_servers))
    director.hear("web/one", up=True)

    (problem,) = problems(director)
    assert ("virtual_server.modern", True) == (problem.path, problem.warning)
    assert "find twos: No such file or directory; `modprobe`" == problem.expected
    assert {"192.0.2.10:80": 1} == director.pool()
    assert director.state("modern").problem.startswith("ipvsadm -A -t 192.0.2.3:80 -s twos")


@pytest.mark.parametrize("added", [MODERN, CALLS])
def test_a_reload_to_what_the_kernel_cannot_do_is_refused_and_changes_nothing(serving: Director, added: object) -> None:
    wanted = configuration(*two_servers().virtual_servers, added)  # type: ignore[arg-type]

    serving.handle(Prepare(generation=9, configuration=wanted))

    (problem,) = problems(serving)
    assert not problem.warning
    assert [] == serving.kernel.journal


def test_what_was_missing_before_does_not_hold_up_a_reload(director: Director) -> None:
    director.start(configuration(MODERN))

    director.handle(Prepare(generation=9, configuration=configuration(MODERN, *two_servers().virtual_servers)))

    assert () == director.answers()[-1].problems


def test_an_unchanged_need_is_not_asked_for_again(serving: Director) -> None:
    serving.reload(two_servers(quorum=2))

    assert [] == [effect for effect in serving.effects if isinstance(effect, FindMissing)]


def test_a_kernel_without_ipvs_is_one_warning(director: Director) -> None:
    director.kernel.absent = True

    director.start(configuration(MODERN, *two_servers().virtual_servers))

    (problem,) = problems(director)
    assert "find IPVS in the kernel: No such file or directory; `modprobe ip_vs`" == problem.expected


def test_an_answer_to_what_was_aborted_is_none_of_a_later_one_s(serving: Director) -> None:
    serving.slow = True
    serving.handle(Prepare(generation=8, configuration=configuration(MODERN)))
    serving.handle(Abort(generation=8))
    serving.forget_effects()

    serving.answer()

    assert [] == serving.answers()


def test_an_answer_after_a_stop_is_none(director: Director) -> None:
    director.slow = True
    director.handle(Prepare(generation=1, configuration=two_servers()))

    director.stop()
    director.answer()

    assert director.finished
    assert [] == director.answers()


def test_a_service_that_the_kernel_has_with_other_settings_is_told_before_it_is_changed() -> None:
    table = {WEB: Entry(Service(scheduler="wlc"), {ONE: THERE}), OTHERS: Entry(RR)}
    director = Director(MemoryIpvs(table))

    director.handle(Prepare(generation=1, configuration=two_servers()))

    (problem,) = problems(director)
    expected = (
        "virtual_server.web: warning: found -t 192.0.2.1:80 -s wlc in the kernel; "
        "becomes -t 192.0.2.1:80 -s rr; if another program keeps it, stop that one"
    )
    assert expected == str(problem)
    assert [] == director.kernel.journal


def test_a_range_of_such_services_is_told_once() -> None:
    many = service(addresses=("192.0.2.1:80", "192.0.2.2:80"))
    other = Service(scheduler="lc")
    two = type(WEB)(WEB.family, "tcp", type(ONE)("192.0.2.2", 80))

    assert 1 == len(held(configuration(many), {WEB: Entry(other), two: Entry(other)}))
    assert () == held(configuration(many), {WEB: Entry(RR, {ONE: Destination(method="DR", weight=7)})})
