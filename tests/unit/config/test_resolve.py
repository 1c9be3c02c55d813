import pytest

from configuration_kit import Knock, good, plugins, read
from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Forwarding, PoolManners, decode, encode
from stayalived.config.problems import Problem
from stayalived.ipvs.projection import keys_of, sorry_endpoint_in
from stayalived.plugin.calls import Observer
from stayalived.timing import seconds

SERVICE = '[virtual_server.web]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\n'
SERVER = '[virtual_server.web.real_server.one]\naddress = "192.0.2.11"\n'
BOTH = '[virtual_server.web]\naddress = ["192.0.2.1:80", "[2001:db8::1]:80"]\nprotocol = "TCP"\n'


def instance(rest: str = "", addresses: str = '"192.0.2.1/24"') -> str:
    return f'[vrrp_instance.a]\ninterface = "eth0"\nvirtual_router_id = 7\nvirtual_ipaddress = [{addresses}]\n{rest}\n'


def test_both_families_make_two_routers_of_version_3() -> None:
    (found,) = good(instance(addresses='"192.0.2.1/24", "2001:db8::1/64", "192.0.2.2"')).instances

    assert [(router.key, router.version) for router in found.routers] == [("a/4", 3), ("a/6", 3)]
    assert [str(address) for address in found.routers[0].advertised] == ["192.0.2.1/24", "192.0.2.2/32"]
    assert [router.group for router in found.routers] == ["224.0.0.18", "ff02::12"]


def test_what_a_service_does_in_rare_moments_is_its_own_or_that_of_global() -> None:
    more = 'sorry_server = "192.0.2.99"\nsorry_server_lvs_method = "DR"\nsorry_server_inhibit = true\nomega = true\n'
    more += "ha_suspend = true\n"

    text = "[global]\npanic_threshold = 40\n" + SERVICE + more + 'stale = "down"\n' + SERVER
    (web,) = good(text).virtual_servers
    (own,) = good(text.replace("omega = true", "panic_threshold = 0")).virtual_servers

    assert web.manners == PoolManners(
        panic_threshold=40, omega=True, sorry_inhibit=True, stale_is_down=True, ha_suspend=True
    )
    assert (web.sorry_forward.method, web.sorry_servers) == ("DR", (Endpoint("192.0.2.99", 80),))
    assert own.manners.panic_threshold == 0


def test_ipv4_alone_speaks_the_version_of_global() -> None:
    versions = [
        good(text + instance()).instances[0].routers[0].version for text in ("", "[global]\nvrrp_version = 3\n")
    ]

    assert versions == [2, 3]


def test_ipv6_is_version_3_whatever_global_says() -> None:
    (found,) = good("[global]\nvrrp_version = 2\n" + instance(addresses='"2001:db8::1/64"')).instances

    assert found.routers[0].version == 3


def test_an_instance_takes_what_it_does_not_say_from_global() -> None:
    text = "[global]\nvrrp_garp_master_delay = 1\nvrrp_garp_master_repeat = 2\nvrrp_down_timer_adverts = 4\n"

    router = good(text + instance("garp_master_repeat = 9")).instances[0].routers[0]

    assert (router.garp_master_delay, router.garp_master_repeat, router.down_timer_adverts) == (seconds(1), 9, 4)
    assert (router.garp_lower_prio_delay, router.garp_lower_prio_repeat) == (seconds(1), 9)


def test_version_3_rounds_to_hundredths() -> None:
    configuration, problems = read(instance("version = 3\nadvert_int = 0.256"))

    assert configuration is not None
    assert configuration.instances[0].routers[0].advert_int == seconds(0.26)
    assert len(problems) == 1


def test_real_time_is_asked_for_by_short_intervals_unless_refused() -> None:
    fast = instance("version = 3\nadvert_int = 0.5")

    wanted = [good(text).globals.realtime for text in (instance(), fast, "[global]\nrealtime = false\n" + fast)]

    assert wanted == [False, True, False]


def test_timing_comes_from_the_check_else_the_server_else_the_service_else_the_type_else_keepalived() -> None:
    text = (
        '[check.c]\ntype = "knock"\nrise = 4\n'
        + SERVICE
        + 'check = "c"\nrise = 2\nfall = 2\ndelay_loop = 20\n'
        + SERVER
        + "rise = 3\nfall = 3"
    )

    timing = good(text).virtual_servers[0].real_servers[0].checks[0].timing

    assert (timing.rise, timing.fall, timing.delay_loop, timing.warmup) == (4, 3, seconds(20), seconds(20))
    assert (timing.delay_before_retry, timing.retry, timing.connect_timeout) == (seconds(3), 1, seconds(5))
    assert (timing.fast_interval, timing.log_all_failures) == (0, False)


@pytest.mark.parametrize(("written", "pause"), [("", 20), ("delay_before_retry = 2", 2)])
def test_a_type_may_wait_a_whole_period_between_tries(
    written: str, pause: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Knock, "tries_each_period", True)
    monkeypatch.setattr(Knock, "defaults", {})
    text = f'[check.c]\ntype = "knock"\n{SERVICE}check = "c"\ndelay_loop = 20\n{written}\n{SERVER}'

    timing = good(text).virtual_servers[0].real_servers[0].checks[0].timing

    assert timing.delay_before_retry == seconds(pause)


def test_a_fast_interval_and_the_log_of_all_failures_are_inherited_as_well() -> None:
    text = (
        '[virtual_server.web]\naddress = "192.0.2.100:80"\nprotocol = "tcp"\nfast_interval = 0.5\n'
        'log_all_failures = true\n[virtual_server.web.real_server.tic]\naddress = "192.0.2.1"\n'
        'check = { type = "knock", log_all_failures = false }\n'
    )
    timing = good(text).virtual_servers[0].real_servers[0].checks[0].timing

    assert (timing.fast_interval, timing.log_all_failures) == (seconds(0.5), False)
    assert timing.alpha


def test_a_server_takes_the_family_and_the_port_of_its_service() -> None:
    text = BOTH + 'check = "knock"\n' + SERVER.replace("192.0.2.11", "tic")

    (server,) = good(text).virtual_servers[0].real_servers

    assert server.endpoint(Family.IPV4) == Endpoint("192.0.2.130", 80)
    assert server.endpoint(Family.IPV6) == Endpoint("2001:db8::130", 80)
    assert [(check.key, check.name, str(check.target)) for check in server.checks] == [
        ("web/one#0", "knock/4", "192.0.2.130:80"),
        ("web/one#1", "knock/6", "[2001:db8::130]:80"),
    ]


def test_a_server_without_the_other_family_serves_one_and_says_so() -> None:
    configuration, problems = read(BOTH + SERVER.replace("192.0.2.11", "tac"))

    assert configuration is not None
    assert configuration.virtual_servers[0].real_servers[0].addresses == (Endpoint("192.0.2.131", 80),)
    assert problems == [
        (
            "a.toml:5:1: virtual_server.web.real_server.one.address: warning: "
            "has no IPv6 address: it serves nothing of the service's IPv6 addresses"
        )
    ]


def test_bindto_is_taken_of_the_family_that_is_checked() -> None:
    text = (
        BOTH + 'check = { type = "knock", bindto = "tic", connect_port = 81 }\n' + SERVER.replace("192.0.2.11", "tic")
    )

    checks = good(text).virtual_servers[0].real_servers[0].checks

    assert [check.source.bindto for check in checks] == ["192.0.2.130", "2001:db8::130"]
    assert {check.target.port for check in checks} == {81}


def test_several_checks_are_numbered_through_and_a_server_may_have_its_own() -> None:
    text = SERVICE + 'check = ["knock", "echo"]\n' + SERVER + SERVER.replace("one", "two").replace("11", "12")
    text += 'check = "echo"'

    one, two = good(text).virtual_servers[0].real_servers

    assert [(check.key, check.type, check.distribution) for check in one.checks] == [
        ("web/one#0", "knock", "stayalived"),
        ("web/one#1", "echo", "acme-checks"),
    ]
    assert [check.key for check in two.checks] == ["web/two#0"]


def test_the_virtual_host_of_the_check_wins_over_that_of_the_servers() -> None:
    text = SERVICE + 'virtualhost = "v"\ncheck = ["knock", { type = "knock", virtualhost = "c" }]\n' + SERVER

    checks = good(text).virtual_servers[0].real_servers[0].checks

    assert [check.virtual_host for check in checks] == ["v", "c"]


def test_weight_and_forwarding_of_a_server_win_over_the_service() -> None:
    text = SERVICE + 'weight = 5\nforward = "dr"\n' + SERVER
    text += SERVER.replace("one", "two").replace("11", "12")
    text += 'weight = 0\nforward = { type = "TUN", tunnel = "gue", port = 6080, checksum = "csum" }'

    one, two = good(text).virtual_servers[0].real_servers

    assert (one.weight, one.forward) == (5, Forwarding(method="DR", tunnel="", port=0, checksum=""))
    assert (two.weight, two.forward) == (0, Forwarding(method="TUN", tunnel="gue", port=6080, checksum="csum"))


def test_keepalived_s_scheduler_is_taken_where_none_is_named() -> None:
    (service,) = good(SERVICE + SERVER).virtual_servers

    assert (service.scheduler, service.policy, service.scheduler_flags) == ("wlc", "wlc", ())


def test_flags_of_a_scheduler_are_those_of_ipvsadm() -> None:
    (service,) = good(SERVICE + 'scheduler = { type = "SH", port = true, fallback = true }\n' + SERVER).virtual_servers

    assert (service.scheduler, service.scheduler_flags) == ("sh", ("flag-1", "flag-2"))


def test_persistence_needs_no_port_and_a_netmask_asks_for_it() -> None:
    text = SERVICE.replace(":80", "") + 'persistence_granularity = "255.255.255.0"\n' + SERVER

    (service,) = good(text).virtual_servers

    assert (service.persistence_timeout, service.persistence_granularity) == (seconds(360), 24)


def test_a_service_by_mark_takes_the_family_of_its_servers() -> None:
    text = '[virtual_server.web]\nfwmark = 7\nforward = "DR"\n' + SERVER.replace("192.0.2.11", "2001:db8::11")

    (service,) = good(text).virtual_servers

    assert (service.fwmarks, service.fwmark_families, service.addresses) == ((7,), (Family.IPV6,), ())


@pytest.mark.parametrize(
    ("one", "two", "families"),
    [
        ('["192.0.2.11", "2001:db8::11"]', '"192.0.2.12"', (Family.IPV4, Family.IPV6)),
        ('"192.0.2.11"', '"2001:db8::11"', (Family.IPV4, Family.IPV6)),
        ('"2001:db8::11"\nforward = "TUN"', '"2001:db8::12"\nforward = "TUN"', (Family.IPV6,)),
        ('"2001:db8::11"\nforward = "TUN"', '"192.0.2.11"\nforward = "TUN"', (Family.IPV4,)),
        ('"192.0.2.11"\nforward = "TUN"', '"2001:db8::12"', (Family.IPV6,)),
    ],
)
def test_a_mark_is_balanced_in_every_family_of_servers_that_are_not_tunnelled(
    one: str, two: str, families: tuple[Family, ...]
) -> None:
    servers = "".join(
        f"[virtual_server.web.real_server.{name}]\naddress = {text}\n" for name, text in (("one", one), ("two", two))
    )

    (service,) = good("[virtual_server.web]\nfwmark = 7\n" + servers).virtual_servers

    assert families == service.fwmark_families


def test_a_mark_of_a_family_has_servers_of_the_other_behind_tunnels() -> None:
    text = '[virtual_server.web]\nfwmark = 7\nfamily = "ipv6"\nforward = "TUN"\n' + SERVER

    (service,) = good(text).virtual_servers

    assert (Family.IPV6,) == service.fwmark_families
    assert (Endpoint("192.0.2.11", 0),) == service.real_servers[0].addresses


def test_a_tunnel_leads_to_a_server_of_the_other_family() -> None:
    text = (
        SERVICE + 'forward = "TUN"\nsorry_server = "[2001:db8::99]:80"\n' + SERVER.replace("192.0.2.11", "2001:db8::11")
    )

    (service,) = good(text).virtual_servers

    assert (Endpoint("2001:db8::11", 80),) == service.real_servers[0].addresses
    assert (Endpoint("2001:db8::99", 80),) == service.sorry_servers


def test_a_tunnel_serves_both_families_from_one_address() -> None:
    configuration, problems = read(BOTH + 'forward = "TUN"\n' + SERVER)

    assert configuration is not None
    assert [] == problems
    assert (Endpoint("192.0.2.11", 80),) == configuration.virtual_servers[0].real_servers[0].addresses


def test_a_name_may_have_several_protocols() -> None:
    (service,) = good(SERVICE.replace('"tcp"', '["TCP", "udp", "sctp"]') + SERVER).virtual_servers

    assert (("tcp", "udp", "sctp"), "") == (service.protocols, service.persistence_engine)


def test_ranges_stand_for_all_their_addresses() -> None:
    address = '["192.0.2.1-3:80", "192.0.2.8/31:80", "[2001:db8::e-10]:80", "192.0.2.20:81"]'
    both = SERVER.replace('"192.0.2.11"', '["192.0.2.11:80", "[2001:db8::11]:80"]')

    (service,) = good(SERVICE.replace('"192.0.2.1:80"', address) + both).virtual_servers

    expected = [f"192.0.2.{number}:80" for number in (1, 2, 3, 8, 9)]
    expected += [f"[2001:db8::{number}]:80" for number in ("e", "f", "10")]
    assert [*expected, "192.0.2.20:81"] == [str(one) for one in service.addresses]


def test_the_persistence_engine_is_kept_with_its_time() -> None:
    text = SERVICE.replace("tcp", "UDP") + 'persistence_engine = "SIP"\npersistence_timeout = 60\n' + SERVER

    (service,) = good(text).virtual_servers

    assert ("sip", seconds(60)) == (service.persistence_engine, service.persistence_timeout)


def test_a_sorry_server_has_the_port_of_the_service() -> None:
    (service,) = good(SERVICE + 'sorry_server = "192.0.2.99"\n' + SERVER).virtual_servers

    assert service.sorry_servers == (Endpoint("192.0.2.99", 80),)


def test_start_hold_follows_the_longest_step_up_to_ten_seconds() -> None:
    def held(rest: str) -> int:
        return good(rest + SERVICE + 'check = "knock"\n' + SERVER).globals.start_hold

    assert held("") == seconds(6)
    assert held('[check.other]\ntype = "knock"\nconnect_timeout = 3\n') == seconds(6)
    assert held("[global]\nstart_hold = 0\n") == 0
    assert good(SERVICE + SERVER).globals.start_hold == 0


def test_actions_name_subject_events_and_options() -> None:
    text = instance('notify = ["shout", { type = "SHOUT", on = "Master", volume = 4 }]')

    actions = good(text).actions

    assert [(action.subject, action.type, action.on) for action in actions] == [
        ("instance a", "shout", ()),
        ("instance a", "shout", ("master",)),
    ]


def test_distributions_are_listed_with_the_roles_that_run_them() -> None:
    text = SERVICE + 'check = ["knock", "echo"]\n' + SERVER + instance('notify = "shout"')

    found = {used.name: (used.version, used.roles) for used in good(text).distributions}

    assert found == {"stayalived": ("0.1.0", ("checker", "notify")), "acme-checks": ("2.0", ("checker",))}


def test_what_was_resolved_survives_the_pipe() -> None:
    found = good(BOTH + 'check = "knock"\n' + SERVER.replace("192.0.2.11", "tic") + instance())

    assert decode(encode(found)) == found


def test_a_plugin_that_looks_at_the_whole_may_refuse_it_and_one_that_raises_only_warns() -> None:
    def refuse(config: object) -> list[Problem]:
        return [Problem(path="vrrp_instance.a", expected="not on a Sunday")]

    def stumble(config: object) -> list[Problem]:
        raise ValueError("oh")

    loaded = plugins()
    loaded.config_loaded.observers = (Observer("acme-checks", refuse), Observer("zeta", stumble))

    configuration, problems = read(instance(), loaded=loaded)

    assert configuration is None
    assert problems == [
        "vrrp_instance.a: not on a Sunday",
        "warning: plugin zeta: stayalived_config_loaded: ValueError: oh",
    ]


def test_a_service_may_have_several_marks() -> None:
    text = "[virtual_server.web]\nfwmark = [7, 9]\n[virtual_server.web.real_server.one]\n"

    (web,) = good(text + 'address = ["192.0.2.11:80", "[2001:db8::11]:80"]\n').virtual_servers

    assert ["-f 7", "-f 7 -6", "-f 9", "-f 9 -6"] == [str(key) for key in keys_of(web)]


def test_a_service_of_both_families_has_a_sorry_server_in_each() -> None:
    addresses = 'address = ["192.0.2.1:80", "[2001:db8::1]:81"]\nprotocol = "tcp"\n'
    text = f'[virtual_server.web]\n{addresses}sorry_server = ["192.0.2.99", "[2001:db8::99]:8080"]\n'
    server = '[virtual_server.web.real_server.one]\naddress = ["192.0.2.11", "2001:db8::11"]\n'

    (web,) = good(text + server).virtual_servers

    assert (Endpoint("192.0.2.99", 80), Endpoint("2001:db8::99", 8080)) == web.sorry_servers
    assert [Endpoint("192.0.2.99", 80), Endpoint("2001:db8::99", 8080)] == [
        sorry_endpoint_in(key, web) for key in keys_of(web)
    ]


def test_flags_by_number_join_those_with_a_name() -> None:
    scheduler = 'scheduler = { type = "sh", port = true, flags = ["flag-3", "flag-2"] }\n'

    (web,) = good(SERVICE + scheduler + SERVER).virtual_servers

    assert ("flag-2", "flag-3") == web.scheduler_flags


def test_with_a_sync_daemon_a_tunnel_stays_in_its_family() -> None:
    daemon = '[global.lvs_sync_daemon]\ninterface = "eth0"\n'

    (web,) = good(daemon + SERVICE + 'forward = "TUN"\n' + SERVER).virtual_servers

    assert "TUN" == web.real_servers[0].forward.method
