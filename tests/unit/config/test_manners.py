import pytest

from configuration_kit import good, read
from stayalived.config.secrets import Vault
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import milliseconds, seconds
from unit.config import bad_vrrp_inputs
from unit.config.instance_kit import V4, V6, instance, router, routers, warned

FLAGS = (
    "lower_prio_no_advert",
    "higher_prio_send_advert",
    "owner_ignore_adverts",
    "skip_check_adv_addr",
)
STRICT = "strict_mode = true"


def blocks(found: VirtualRouter) -> tuple[float, int, int]:
    return found.garp_master_delay / seconds(1), found.garp_master_repeat, found.garp_lower_prio_repeat


@pytest.mark.parametrize("key", FLAGS)
def test_a_flag_is_off_until_somebody_sets_it_and_the_instance_wins(key: str) -> None:
    texts = (("", ""), (f"{key} = true", ""), ("", f"vrrp_{key} = true"), (f"{key} = false", f"vrrp_{key} = true"))

    assert [getattr(router(own, common=common), key) for own, common in texts] == [False, True, True, False]


def test_a_global_table_reaches_instances_of_files_before_it() -> None:
    found = good(instance(), "[global]\nvrrp_skip_check_adv_addr = true\nvrrp_garp_interval = 0.5")

    assert found.instances[0].routers[0].skip_check_adv_addr
    assert found.instances[0].routers[0].garp_interval == milliseconds(500)


def test_addresses_are_announced_five_times_and_again_after_five_seconds() -> None:
    assert blocks(router()) == (5, 5, 5)


def test_few_announcements_are_one_for_each_address_where_nobody_says_otherwise() -> None:
    common = "vrrp_min_garp = true\n"

    assert blocks(router(common=common)) == (0, 1, 1)
    assert blocks(router("garp_master_repeat = 3", common=common)) == (0, 3, 3)
    assert blocks(router(common=common + "vrrp_garp_master_delay = 2")) == (2, 1, 1)


def test_intervals_between_announcements_are_those_of_the_instance_else_of_all() -> None:
    common = "vrrp_garp_interval = 0.25\nvrrp_gna_interval = 0.5"

    found = router("garp_interval = 0.000001", common=common)

    assert (found.garp_interval, found.gna_interval) == (1000, milliseconds(500))


def test_a_checksum_without_pseudo_header_is_one_of_version_3_over_ipv4() -> None:
    four, six = routers("v3_checksum_as_v2 = true", addresses=f"{V4}, {V6}")

    assert (four.checksum_as_v2, six.checksum_as_v2) == (True, False)
    assert router("version = 3", common="v3_checksum_as_v2 = true").checksum_as_v2
    assert not router("version = 2", common="v3_checksum_as_v2 = true").checksum_as_v2
    assert not router("version = 3\nv3_checksum_as_v2 = false", common="v3_checksum_as_v2 = true").checksum_as_v2


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("", True),
        ("accept = true", True),
        ("accept = false", False),
        ("no_accept = true", False),
        ("no_accept = false", True),
        ("priority = 255", True),
        (STRICT, False),
        (f"{STRICT}\npriority = 255", True),
        (f"{STRICT}\naccept = false", False),
    ],
)
def test_a_master_answers_to_its_addresses_unless_it_shall_not(text: str, accepts: bool) -> None:
    assert router(text).accept == accepts


def test_secondaries_are_promoted_where_the_instance_says_so() -> None:
    assert [router(text).promote_secondaries for text in ("", "promote_secondaries = true")] == [False, True]


# Strict mode


def test_strict_mode_says_nothing_of_what_nobody_wrote() -> None:
    found = router(STRICT)

    assert (found.lower_prio_no_advert, found.higher_prio_send_advert, found.owner_ignore_adverts) == (
        True,
        False,
        True,
    )
    assert (found.preempt_delay, found.down_timer_adverts, found.garp_lower_prio_repeat) == (0, 3, 0)


def test_strict_mode_says_nothing_of_what_is_as_it_wants_it() -> None:
    text = "preempt_delay = 0\ndown_timer_adverts = 3\nlower_prio_no_advert = true\nowner_ignore_adverts = true\n"

    assert router(f"{text}{STRICT}") == router(STRICT)


def test_strict_mode_fixes_what_is_otherwise_and_says_so() -> None:
    text = "preempt_delay = 5\ndown_timer_adverts = 9\ngarp_lower_prio_repeat = 2\nlower_prio_no_advert = false\n"
    text += "higher_prio_send_advert = true\nowner_ignore_adverts = false\naccept = true\n"

    found, warnings = warned(text + STRICT)

    assert found == router(STRICT)
    assert len(warnings) == 7
    assert all("strict mode fixes it at" in warning and "(RFC " in warning for warning in warnings)


def test_strict_mode_for_everybody_can_be_left_by_one() -> None:
    common = "vrrp_strict = true"

    assert router(common=common) == router(STRICT)
    assert router("strict_mode = false", common=common) == router()


def test_strict_mode_is_content_with_a_link_local_address_as_the_first_of_ipv6() -> None:
    found = routers(STRICT, addresses=f'{V4}, "fe80::1/64", {V6}')

    assert [str(address) for address in found[1].advertised] == ["fe80::1/64", "2001:db8::1/64"]


# Authentication


def test_without_a_password_there_is_none() -> None:
    assert router().authentication == b""


@pytest.mark.parametrize(
    ("password", "wire"), [("secret", b"secret\0\0"), ("12345678", b"12345678"), ("x", b"x" + b"\0" * 7)]
)
def test_a_password_is_eight_bytes(password: str, wire: bytes) -> None:
    text = f'authentication = {{ auth_type = "pass", auth_pass = "{password}" }}'

    assert router(text).authentication == wire


def test_a_password_may_stand_in_a_file() -> None:
    vault = Vault(contents={("file", "/etc/secret"): "hunter2"})
    text = 'authentication = { auth_type = "PASS", auth_pass = { file = "/etc/secret" } }'

    found = good(instance(text), vault=vault).instances[0].routers[0]

    assert found.authentication == b"hunter2\0"


def test_no_message_shows_a_password() -> None:
    texts = [text for text in bad_vrrp_inputs.BAD if "verysecret" in text]

    assert len(texts) >= 4
    assert [text for text in texts if "verysec" in "".join(read(text)[1])] == []
