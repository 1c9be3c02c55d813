from configuration_kit import good, plugins, read
from plain_configuration import action, configuration
from stayalived.config.needs import needs_of
from stayalived.messages.census import take_census
from stayalived.plugin.calls import Observer
from stayalived.timing import seconds

SERVICE = """\
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
check = "knock"
[virtual_server.web.real_server.one]
address = "192.0.2.11"
"""
INSTANCE = """\
[vrrp_instance.a]
interface = "eth0"
virtual_router_id = 7
priority = 156
virtual_ipaddress = ["192.0.2.1/24", "2001:db8::1/64"]
"""


def test_an_empty_configuration_needs_log_and_api_only() -> None:
    needs = needs_of(good(""))

    assert (needs.children, needs.shortest_master_down, needs.objects) == (("log", "api"), 0, 0)


def test_each_part_brings_its_children() -> None:
    assert needs_of(good(INSTANCE)).children == ("log", "vrrp", "api")
    assert needs_of(good(SERVICE)).children == ("log", "ipvs", "checker", "api")
    assert needs_of(good(INSTANCE + 'notify = "shout"')).children == ("log", "vrrp", "notify", "runner", "api")


def test_servers_without_a_check_need_no_checker() -> None:
    unchecked = SERVICE.replace('check = "knock"', "")

    assert needs_of(good(unchecked)).children == ("log", "ipvs", "api")


def test_a_third_party_check_brings_a_checker_of_its_own() -> None:
    needs = needs_of(good(SERVICE.replace("knock", "echo")))

    assert needs.children == ("log", "ipvs", "checker", "checker/acme-checks", "api")
    assert needs.plugins == ("acme-checks 2.0", "stayalived 0.1.0")


def test_a_third_party_observer_of_events_brings_a_notify_of_its_own() -> None:
    loaded = plugins()
    loaded.events.observers = (Observer("acme-checks", print),)

    needs = needs_of(good("", loaded=loaded))

    assert needs.children == ("log", "notify", "notify/acme-checks", "runner", "api")


def test_the_shortest_master_down_interval_is_exact() -> None:
    needs = needs_of(good(INSTANCE))

    assert needs.shortest_master_down == 3 * seconds(1) + seconds(100) // 256


def test_the_shortest_master_down_interval_counts_the_adverts_that_may_be_missed() -> None:
    patient = INSTANCE + "down_timer_adverts = 7\n"
    strict = patient + "strict_mode = true\n"

    found = [needs_of(read(text)[0] or good("")).shortest_master_down for text in (patient, strict)]

    assert found == [7 * seconds(1) + seconds(100) // 256, 3 * seconds(1) + seconds(100) // 256]


def test_a_group_is_an_object_and_does_not_count_among_what_a_reload_removes() -> None:
    other = INSTANCE.replace(".a]", ".b]").replace("id = 7", "id = 8").replace("2.1/", "2.2/").replace("::1/", "::2/")
    needs = needs_of(good(INSTANCE + other + '[vrrp_sync_group.all]\ngroup = ["a", "b"]'))

    assert needs.objects == 2 + 2 + 1
    assert needs.removable == (take_census("vrrp_instance", ["a", "b"]), take_census("virtual_server", []))


def test_objects_and_what_a_reload_may_remove_are_counted() -> None:
    needs = needs_of(good(INSTANCE + SERVICE))

    assert needs.objects == 2 + 1 + 1 + 1
    assert needs.removable == (take_census("vrrp_instance", ["a"]), take_census("virtual_server", ["web"]))


def test_several_processes_share_the_bundled_checks_where_that_is_asked_for() -> None:
    asked = good("[global]\nchecker_processes = 3\n" + SERVICE)

    assert [name for name in needs_of(asked).children if "checker" in name] == ["checker", "checker#2", "checker#3"]
    assert [name for name in needs_of(good(SERVICE)).children if "checker" in name] == ["checker"]


def test_the_fifos_of_all_actions_are_named_once_and_the_folder_of_what_outlives_the_daemon() -> None:
    actions = (action(fifo="/run/a"), action(kind="shout"), action(fifo="/run/b", on=("up",)), action(fifo="/run/a"))

    needs = needs_of(configuration(*actions, state_dir="/srv/state"))

    assert needs.fifos == ("/run/a", "/run/b")
    assert needs.state_dir == "/srv/state"


def test_what_needs_a_restart_is_named_as_it_is_written() -> None:
    needs = needs_of(good('[global]\nlog = "syslog"'))

    assert needs.start_only == (
        "global.log=syslog",
        "global.log_facility=daemon",
        "global.checker_processes=1",
        "global.state_dir=/var/lib/stayalived",
        "global.nftables=stayalived",
        "global.nftables_priority=-1",
    )


def test_marks_and_low_ports_of_bundled_checks_are_rights_that_the_checker_keeps() -> None:
    check = '{ type = "knock", fwmark = 7, bind_port = 443 }'

    marked = needs_of(good(SERVICE.replace('check = "knock"', f"check = {check}")))

    assert marked.checker_capabilities == ("NET_RAW", "NET_BIND_SERVICE")
    assert needs_of(good(SERVICE)).checker_capabilities == ()


def test_a_strangers_check_gets_no_right_for_its_mark() -> None:
    check = '{ type = "echo", fwmark = 7, bind_port = 443 }'

    needs = needs_of(good(SERVICE.replace('check = "knock"', f"check = {check}")))

    assert needs.checker_capabilities == ()
