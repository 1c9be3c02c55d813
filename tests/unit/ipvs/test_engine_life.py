import errno

from stayalived.addresses import Endpoint, Family
from stayalived.child.events import Prepare, Tell
from stayalived.ipvs.model import (
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Service,
    ServiceKey,
)
from stayalived.kernel.memory_ipvs import MemoryIpvs
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import AdoptedServer, FirstRound, ServiceState
from stayalived.timing import after, seconds
from unit.ipvs.build import (
    ONE,
    RR,
    THERE,
    TWO,
    WEB,
    Director,
    configuration,
    server,
    service,
    two_servers,
)

# -- reload


def test_an_unchanged_configuration_changes_nothing(serving: Director) -> None:
    serving.reload(two_servers())

    assert [] == serving.asked()
    assert [] == [effect for effect in serving.effects if isinstance(effect, Tell)]


def test_a_changed_weight_is_one_operation(serving: Director) -> None:
    serving.reload(configuration(service(server("one", "192.0.2.10", weight=5), server("two", "192.0.2.11"))))

    assert [(EditDestination(WEB, ONE, Destination(method="NAT", weight=5)),)] == serving.asked()
    assert [] == serving.events()


def test_another_scheduler_is_an_edit(serving: Director) -> None:
    serving.reload(two_servers(scheduler="wlc"))

    assert [(EditService(WEB, Service(scheduler="wlc")),)] == serving.asked()


def test_a_new_server_waits_for_its_check_and_one_that_is_gone_goes_at_once(serving: Director) -> None:
    serving.reload(configuration(service(server("one", "192.0.2.10"), server("three", "192.0.2.12"))))
    assert {"192.0.2.10:80": 1} == serving.pool()

    serving.hear("web/three", up=True)

    assert {"192.0.2.10:80": 1, "192.0.2.12:80": 1} == serving.pool()


def test_another_name_for_the_same_service_empties_no_pool(serving: Director) -> None:
    servers = (server("one", "192.0.2.10", vs="site"), server("two", "192.0.2.11", vs="site"))

    serving.reload(configuration(service(*servers, name="site")))

    assert [] == serving.asked()
    assert (ServiceState, "web") in serving.forgotten()
    assert ["site/one", "site/two"] == [message.subject for message in serving.told(AdoptedServer)]


def test_a_service_that_is_gone_is_deleted_and_forgotten(serving: Director) -> None:
    mail = service(server("one", "192.0.2.20:25", checks=0, vs="mail"), name="mail", addresses=("192.0.2.1:25",))

    serving.reload(configuration(mail))

    assert DeleteService(WEB) == serving.kernel.journal[-1]
    assert (ServiceState, "web") in serving.forgotten()
    assert {"192.0.2.20:25": 1} == serving.pool()


def test_a_server_that_moves_is_another_server(serving: Director) -> None:
    serving.hear("web/one", up=None)

    serving.reload(configuration(service(server("one", "192.0.2.50"), server("two", "192.0.2.11"))))

    assert {"192.0.2.11:80": 1} == serving.pool()


def test_what_was_adopted_is_forgotten_with_its_server() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))
    director.start(two_servers())

    director.reload(configuration(service(server("two", "192.0.2.11"))))

    assert [(AdoptedServer, "web/one")] == director.forgotten()


# -- respawn


def respawn(before: Director, **states: bool) -> Director:
    """Return a director whose engine is new and is retold what the supervisor kept."""
    director = Director(before.kernel, now=after(before.now, seconds(1)))
    director.kernel.journal.clear()
    for effect in before.effects:
        if isinstance(effect, Tell) and isinstance(effect.message, ServiceState | AdoptedServer):
            director.retell(effect.key, "services", effect.message)
    for name, up in states.items():
        director.hear(f"web/{name}", up=up)
    return director


def test_a_replacement_finds_everything_as_it_was() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)
    first.hear("web/two", up=False)

    second = respawn(first, one=True, two=False)
    second.start(two_servers(), Start.RESPAWNED)

    assert [] == second.kernel.journal
    assert [] == second.events()
    assert [False] == second.rounds()
    assert [FirstRound] == [type(effect.message) for effect in second.effects if isinstance(effect, Tell)]


def test_a_replacement_tells_what_happened_meanwhile() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)
    first.hear("web/two", up=True)

    second = respawn(first, one=True, two=False)
    second.start(two_servers(), Start.RESPAWNED)

    assert [DeleteDestination(WEB, TWO)] == second.kernel.journal
    assert [("down", "web/two")] == second.events()
    last = max(event.sequence for event in first.told(Event))
    assert last < second.told(Event)[0].sequence


def test_a_replacement_deletes_what_the_one_before_it_could_not_delete_any_more() -> None:
    first = Director()
    first.start(two_servers())
    first.hear("web/one", up=True)

    second = respawn(first)
    other = service(server("one", "192.0.2.10", checks=0, vs="b"), name="b", addresses=("192.0.2.2:80",))
    second.start(configuration(other), Start.RESPAWNED)

    assert DeleteService(WEB) == second.kernel.journal[-1]
    assert [(ServiceState, "web")] == second.forgotten()


def test_marks_are_remembered_too() -> None:
    mark = ServiceKey(Family.IPV6, "", None, 7)
    first = Director()
    first.start(configuration(service(name="m", addresses=(), fwmarks=(7,), fwmark_families=(Family.IPV6,))))
    assert [mark] == list(first.kernel.table)

    second = respawn(first)
    second.start(two_servers(), Start.RESPAWNED)

    assert DeleteService(mark) in second.kernel.journal


# -- stop


def test_a_stop_deletes_our_services_each_with_one_operation(serving: Director) -> None:
    serving.stop()

    assert [(DeleteService(WEB),)] == serving.asked()
    assert serving.finished


def test_a_stop_that_leaves_the_table_does_not_touch_it(serving: Director) -> None:
    serving.stop(leave=True)

    assert [] == serving.asked()
    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1} == serving.pool()
    assert serving.finished


def test_a_stop_waits_for_the_operations_under_way(serving: Director) -> None:
    serving.slow = True
    serving.hear("web/one", up=False)

    serving.stop()
    assert not serving.finished
    serving.answer()
    serving.answer()

    assert {} == serving.kernel.table
    assert serving.finished


def test_a_stop_before_the_first_commit_deletes_nothing_that_was_found() -> None:
    director = Director(MemoryIpvs({WEB: Entry(RR, {ONE: THERE})}))
    director.handle(Prepare(generation=1, configuration=two_servers()))

    director.stop()

    assert director.finished
    assert {"192.0.2.10:80": 1} == director.pool()


def test_a_stop_ends_even_when_the_kernel_refuses(serving: Director) -> None:
    serving.kernel.refusals.append(errno.EPERM)

    serving.stop()

    assert serving.finished
    assert serving.reports()


def test_a_stop_before_anything_else_ends_at_once(director: Director) -> None:
    director.stop()

    assert director.finished
    assert director.engine.deadline is None


# -- a kernel that takes its time


def test_a_new_server_is_not_judged_before_it_is_known_whether_the_kernel_has_it(serving: Director) -> None:
    serving.slow = True
    three = server("three", "192.0.2.12")
    serving.kernel.table[WEB].destinations[Endpoint("192.0.2.12", 80)] = THERE

    serving.reload(configuration(service(server("one", "192.0.2.10"), server("two", "192.0.2.11"), three)))
    serving.hear("web/three", up=None)
    serving.slow = False
    serving.answer()

    assert {"192.0.2.10:80": 1, "192.0.2.11:80": 1, "192.0.2.12:80": 1} == serving.pool()
    assert "UP" == serving.state().servers[2].state


def test_a_reload_that_comes_while_operations_are_under_way_is_carried_out_after_them(serving: Director) -> None:
    serving.slow = True
    serving.hear("web/one", up=False)

    serving.reload(configuration(service(server("two", "192.0.2.11", weight=7))))
    serving.slow = False
    serving.answer()

    assert {"192.0.2.11:80": 7} == serving.pool()
    assert [] == [text for text in serving.reports() if "somebody else" in text]
