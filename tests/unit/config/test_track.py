"""What `track` means: trackers of instances, and the checks that they need."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from configuration_kit import good, plugins, read
from stayalived.addresses import NOWHERE, Endpoint
from stayalived.config.findings import Findings
from stayalived.config.needs import needs_of
from stayalived.config.places import Places
from stayalived.config.resolve_track import look_at_groups
from stayalived.config.virtual_routers import SyncGroup, Tracker
from stayalived.plugin import Check, CheckOptions, Duration, seconds
from stayalived.plugin.catalogue import Provided
from stayalived.plugin.manager import Plugins
from stayalived.timing import NO_TIME

KNOCK = '[check.answers]\ntype = "knock"\n'


class WatchOptions(CheckOptions, frozen=True):
    what: str = ""
    command: tuple[str, ...] = ()


class Watch(Check):
    """Looks at this machine."""

    name = "watch"
    aim = "none"
    needs_port = False
    most_weight = 254
    Options: ClassVar[type[CheckOptions]] = WatchOptions
    defaults: ClassVar[Mapping[str, float]] = {"retry": 0, "weight": 1, "delay_loop": 2}


class Launch(Check):
    """Runs a program, for somebody or for nobody in particular."""

    name = "launch"
    aim = "optional"
    needs_port = False
    from_start = True
    Options: ClassVar[type[CheckOptions]] = WatchOptions

    def limit(self, delay_loop: Duration) -> Duration:
        """Twice the period."""
        return Duration(2 * delay_loop)


class Moody(Check):
    """Says nonsense about itself."""

    name = "moody"
    defaults: ClassVar[Mapping[str, float]] = {"colour": 3}

    def limit(self, delay_loop: Duration) -> Any:
        """Answer no number."""
        return "soon"


def with_local_types() -> Plugins:
    loaded = plugins()
    for kind in (Watch, Launch, Moody):
        loaded.catalogue.checks[kind.name] = Provided(kind.name, kind, "stayalived", "0.1.0")  # type: ignore[index]
    return loaded


def instance(*entries: str, name: str = "tic", number: int = 1, rest: str = "") -> str:
    address = f'"192.0.2.{number}/24"'
    head = f'[vrrp_instance.{name}]\ninterface = "eth0"\nvirtual_router_id = {number}\n'
    return f"{head}virtual_ipaddress = [{address}]\n{rest}\ntrack = [{', '.join(entries)}]\n"


def trackers(*entries: str, before: str = KNOCK) -> tuple[Tracker, ...]:
    (found,) = good(before + instance(*entries), loaded=with_local_types()).instances
    return found.trackers


def checks(text: str) -> Mapping[str, Any]:
    return {check.key: check for check in good(text, loaded=with_local_types()).tracked_checks}


def keys(*entries: str, before: str = KNOCK) -> list[str]:
    return list(checks(before + instance(*entries)))


# ----------------------------------------------------------------------------------------------------------- trackers


def test_an_interface_is_tracked_by_its_name() -> None:
    assert trackers('{ interface = "eth1" }', '{ interface = "eth2", weight = -20, reverse = true }') == (
        Tracker(name="eth1", interface="eth1"),
        Tracker(name="eth2", interface="eth2", weight=-20, reverse=True),
    )


def test_a_check_is_tracked_by_its_key() -> None:
    found = trackers('{ check = "answers", target = "192.0.2.9:42", weight = -60, init_fail = true }')

    assert found == (
        Tracker(
            name="answers@192.0.2.9:42", check="track:answers@192.0.2.9:42#0", weight=-60, reverse=False, init_fail=True
        ),
    )


def test_weight_and_reverse_of_the_entry_beat_those_of_the_check() -> None:
    text = KNOCK + "weight = 7\nreverse = true\n"
    target = 'target = "192.0.2.9:1"'

    inherited, own = (
        trackers(entry, before=text)[0]
        for entry in (
            f'{{ check = "answers", {target} }}',
            f'{{ check = "answers", {target}, weight = 0, reverse = false }}',
        )
    )

    assert (inherited.weight, inherited.reverse) == (7, True)
    assert (own.weight, own.reverse) == (0, False)


def test_a_type_may_have_a_weight_of_its_own() -> None:
    before = '[check.disk]\ntype = "watch"\n[check.light]\ntype = "watch"\nweight = -3\n'

    found = trackers('{ check = "disk" }', '{ check = "light" }', before=before)

    assert [tracker.weight for tracker in found] == [1, -3]


@pytest.mark.parametrize("weight", [-254, 254])
def test_a_type_may_take_more_weight_than_others(weight: int) -> None:
    assert trackers(f'{{ check = "watch", weight = {weight} }}')[0].weight == weight


def test_weight_0_turned_round_is_a_fault_while_it_is_up() -> None:
    (tracker,) = trackers('{ interface = "eth1", weight = 0, reverse = true }')

    assert (tracker.weight, tracker.reverse) == (0, True)


def test_the_owner_of_the_addresses_may_track_what_takes_it_out_of_service() -> None:
    (found,) = good(KNOCK + instance('{ interface = "eth1" }', rest="priority = 255")).instances

    assert found.trackers == (Tracker(name="eth1", interface="eth1"),)


def test_the_own_interface_is_left_out_with_a_warning() -> None:
    configuration, problems = read(instance('{ interface = "eth0" }', '{ interface = "eth1" }'))

    assert configuration is not None
    assert [tracker.name for tracker in configuration.instances[0].trackers] == ["eth1"]
    (problem,) = problems
    assert problem.endswith("is the instance's own, whose link counts anyway: this entry is ignored")


# ------------------------------------------------------------------------------------------------------- their checks


def test_one_check_serves_all_who_track_it() -> None:
    entry = '{ check = "answers", target = "192.0.2.9:42", weight = %d }'
    text = KNOCK + instance(entry % 5) + instance(entry % -9, name="tac", number=2)

    configuration = good(text)

    assert [check.key for check in configuration.tracked_checks] == ["track:answers@192.0.2.9:42#0"]
    assert [found.trackers[0].check for found in configuration.instances] == ["track:answers@192.0.2.9:42#0"] * 2


def test_another_target_is_another_check() -> None:
    entries = [f'{{ check = "answers", target = "{target}" }}' for target in ("192.0.2.9:42", "[2001:db8::9]:42")]

    assert keys(*entries) == ["track:answers@192.0.2.9:42#0", "track:answers@[2001:db8::9]:42#0"]


def test_a_named_check_keeps_its_key_whatever_comes_and_goes() -> None:
    one, two = (f'{{ check = "answers", target = "192.0.2.{number}:42" }}' for number in (8, 9))

    assert keys(two)[0] == keys(one, two)[1] == keys('{ check = "knock", target = "192.0.2.7:1" }', two)[1]


def test_a_check_without_a_name_keeps_its_key_too() -> None:
    one, two = (f'{{ check = {{ type = "watch", what = "{what}" }} }}' for what in "ab")

    assert keys(two)[0] == keys(one, two)[1]
    assert keys(one, two)[0] != keys(one, two)[1]
    assert all(key.startswith("track:watch#") for key in keys(one, two))
    assert "track:watch#0" not in keys(one, two), "that is the key of a [check.watch]"


def test_checks_that_ask_the_same_at_other_times_are_two() -> None:
    first, second = keys('{ check = "watch" }', '{ check = { type = "watch", delay_loop = 9 } }')

    assert first != second


def test_a_weight_of_the_entry_makes_no_other_check() -> None:
    text = instance('{ check = "watch" }') + instance('{ check = "watch", weight = 9 }', name="tac", number=2)

    assert len(checks(text)) == 1


def test_the_check_itself_is_never_turned_round() -> None:
    text = KNOCK + "reverse = true\n" + instance('{ check = "answers", target = "192.0.2.9:1" }')

    (check,) = checks(text).values()

    assert check.timing.reverse is False


def test_it_is_made_each_second_unless_it_says_otherwise() -> None:
    text = KNOCK + '[check.slow]\ntype = "knock"\ndelay_loop = 7\nrise = 3\nretry = 0\nconnect_timeout = 2\n'
    entries = [f'{{ check = "{name}", target = "192.0.2.9:1" }}' for name in ("answers", "slow")]

    quick, slow, typed = (check.timing for check in checks(text + instance(*entries, '{ check = "watch" }')).values())

    assert (quick.delay_loop, typed.delay_loop) == (seconds(1), seconds(2))
    assert (slow.delay_loop, slow.rise, slow.retry, slow.connect_timeout) == (seconds(7), 3, 0, seconds(2))


def test_a_host_name_is_resolved_and_its_port_may_be_the_checks() -> None:
    text = KNOCK + "connect_port = 42\n" + instance('{ check = "answers", target = "tac" }')

    (check,) = checks(text).values()

    assert (check.target, check.key) == (Endpoint("192.0.2.131", 42), "track:answers@192.0.2.131:42#0")


def test_a_check_that_says_whom_it_asks_needs_no_target() -> None:
    for address in ('"192.0.2.9"', '["192.0.2.9"]'):
        text = KNOCK + f"connect_ip = {address}\nconnect_port = 42\n" + instance('{ check = "answers" }')

        (check,) = checks(text).values()

        assert check.target == Endpoint("192.0.2.9", 42)


def test_what_looks_at_this_machine_has_no_target() -> None:
    (check,) = checks(instance('{ check = "watch" }')).values()

    assert (check.target, str(check.target)) == (NOWHERE, "this machine")


def test_what_may_ask_somebody_may_have_a_target() -> None:
    found = checks(instance('{ check = "launch" }', '{ check = "launch", target = "192.0.2.9:25" }'))

    assert [str(check.target) for check in found.values()] == ["this machine", "192.0.2.9:25"]


def test_a_target_without_a_port_will_do_where_none_is_needed() -> None:
    (key,) = keys('{ check = "launch", target = "192.0.2.9" }')

    assert key.startswith("track:launch@192.0.2.9#")


def test_what_a_type_says_of_its_time_goes_along() -> None:
    (check,) = checks('[check.script]\ntype = "launch"\ndelay_loop = 4\n' + instance('{ check = "script" }')).values()

    assert (check.timing.limit, check.timing.from_start) == (seconds(8), True)
    (check,) = checks(instance('{ check = "watch" }')).values()
    assert (check.timing.limit, check.timing.from_start) == (NO_TIME, False)


# ------------------------------------------------------------------------------------------------ as checks of servers

SERVICE = """\
[virtual_server.web]
address = ["192.0.2.1:80", "[2001:db8::1]:80"]
protocol = "tcp"
weight = 5
check = ["watch", { type = "launch", delay_loop = 3 }]
[virtual_server.web.real_server.one]
address = ["192.0.2.11", "2001:db8::11"]
"""


def server_checks(text: str = SERVICE) -> Any:
    return good(text, loaded=with_local_types()).virtual_servers[0].real_servers[0].checks


def test_what_looks_at_this_machine_is_one_check_for_all_addresses_of_a_server() -> None:
    found = [(check.key, check.name, str(check.target)) for check in server_checks()]

    assert found == [
        ("web/one#0", "watch", "this machine"),
        ("web/one#1", "launch/4", "192.0.2.11:80"),
        ("web/one#2", "launch/6", "[2001:db8::11]:80"),
    ]


def test_types_have_their_defaults_at_servers_too_and_a_minute_otherwise() -> None:
    assert [check.timing.delay_loop for check in server_checks()] == [seconds(2), seconds(3), seconds(3)]
    assert [check.timing.weight for check in server_checks()] == [1, 0, 0]
    assert {check.server_weight for check in server_checks()} == {5}
    plain = server_checks(SERVICE.replace('check = ["watch", { type = "launch", delay_loop = 3 }]', 'check = "launch"'))
    assert {check.timing.delay_loop for check in plain} == {seconds(60)}


def test_what_a_type_says_of_itself_is_looked_at() -> None:
    configuration, problems = read(
        '[check.m]\ntype = "moody"\n' + SERVICE.replace('["watch", ', '["m", '), loaded=with_local_types()
    )

    whose = "the defaults of check type moody (stayalived)"
    assert configuration is None
    assert [problem.partition(": ")[2] for problem in problems] == [
        f"check.m: warning: {whose} are wrong: Object contains unknown field `colour`",
        "check.m: limit() of check type moody (stayalived) failed: Expected `int`, got `str`",
    ]


# -------------------------------------------------------------------------------------------------- what else it needs


def test_a_tracked_check_brings_a_checker_and_a_strangers_one_of_its_own() -> None:
    ours = needs_of(good(KNOCK + instance('{ check = "answers", target = "192.0.2.9:1" }')))
    theirs = needs_of(good(instance('{ check = "echo", target = "192.0.2.9" }')))

    assert ours.children == ("log", "vrrp", "checker", "api")
    assert theirs.children == ("log", "vrrp", "checker", "checker/acme-checks", "api")
    assert (ours.objects, theirs.plugins) == (2, ("acme-checks 2.0",))


def test_a_command_of_a_check_brings_the_runner() -> None:
    entry = '{ check = { type = "launch", command = ["/bin/true"] } }'
    server = SERVICE.replace('check = ["watch",', 'check = [{ type = "watch", command = ["/bin/true"] },')

    tracked = needs_of(good(instance(entry), loaded=with_local_types()))
    assert tracked.children == ("log", "vrrp", "checker", "runner", "api")
    assert "runner" in needs_of(good(server, loaded=with_local_types())).children
    assert "runner" not in needs_of(good(SERVICE, loaded=with_local_types())).children


def test_the_command_of_a_check_is_looked_for_like_that_of_an_action() -> None:
    text = '[check.script]\ntype = "launch"\ncommand = ["/nope"]\n' + instance('{ check = "script" }')

    configuration, problems = read(text, loaded=with_local_types())

    assert configuration is not None
    assert problems == ["a.toml:3:1: check.script.command: warning: would not be run: /nope is not for uid 0"]


# --------------------------------------------------------------------------------------------------------------- groups


def test_a_weight_of_a_member_of_a_group_has_no_effect_and_says_so() -> None:
    text = instance('{ interface = "eth1" }', '{ interface = "eth2", weight = 3 }') + instance(
        '{ interface = "eth2", weight = 3 }', name="tac", number=2
    )
    instances = good(text).instances
    findings = Findings()

    look_at_groups([SyncGroup(name="both", instances=("tic", "other"))], instances, findings)

    (problem,) = findings.problems(Places([], "tic"))
    text = "has no effect in sync group both: put it on the group"
    assert str(problem) == f"vrrp_instance.tic.track: warning: found weight 3 of eth2; {text}"
