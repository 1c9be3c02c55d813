import ssl
from typing import Any

import msgspec
import pytest

from certificates import Authority
from stayalived.plugin import Verdict
from stayalived.plugin.testing import Say, Silence, run_check, serve, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.certificate import DAY, CertificateCheck

END = 1_800_000_000.0  # 2027-01-15 08:00 UTC


def certificate(**options: Any) -> CertificateCheck:
    return CertificateCheck(msgspec.convert(options, CertificateCheck.Options))


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (90 * DAY, "expiry: 90 days left, until 2027-01-15 08:00 UTC"),
        (21 * DAY, "expiry: 21 days left, until 2027-01-15 08:00 UTC"),
        (21 * DAY - 1, "expiry: 20 days left, until 2027-01-15 08:00 UTC (warning below 21)"),
        (7 * DAY, "expiry: 7 days left, until 2027-01-15 08:00 UTC (warning below 21)"),
        (7 * DAY - 1, "expiry: 6 days left, until 2027-01-15 08:00 UTC, expected at least 7 days"),
        (DAY, "expiry: 1 day left, until 2027-01-15 08:00 UTC, expected at least 7 days"),
        (0, "expiry: 0 days left, until 2027-01-15 08:00 UTC, expected at least 7 days"),
        (-1, "expiry: ended on 2027-01-15 08:00 UTC, expected at least 7 days"),
    ],
)
def test_the_days_that_are_left_decide(left: int, verdict: str) -> None:
    check = certificate(days=7)

    assert verdict == str(check.judge(0, END, END - left))


def test_a_warning_changes_the_weight() -> None:
    check = certificate(warning=30, warning_weight=-5)

    assert (0, -5) == (check.judge(0, END, END - 31 * DAY).weight, check.judge(0, END, END - 29 * DAY).weight)


def test_one_that_is_not_good_yet_is_down() -> None:
    verdict = certificate().judge(END, END + 90 * DAY, END - 1)

    assert Verdict.failed("expiry", "not good before 2027-01-15 08:00 UTC", "one that is good now") == verdict


def test_without_a_limit_the_last_second_counts() -> None:
    check = certificate(days=0)

    assert (True, False) == (check.judge(0, END, END - 1).up, check.judge(0, END, END).up)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def server_side(authority: Authority, days: float) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("example.org", days))
    return context


@pytest.mark.parametrize(
    ("days", "options", "verdict"),
    [
        (90.5, {}, "expiry: 90 days left, until "),
        (10.5, {}, "expiry: 10 days left, until "),
        (10.5, {"days": 14}, "expiry: 10 days left, until "),
        (-1, {}, "tls: certificate has expired"),
        (-1, {"verify": False}, "expiry: ended on "),
        (90.5, {"sni_name": "other.example"}, "tls: hostname mismatch"),
        (90.5, {"ca": ""}, "tls: unable to get local issuer certificate"),
    ],
)
async def test_a_server_is_looked_at(authority: Authority, days: float, options: dict[str, Any], verdict: str) -> None:
    async with serve(Silence(), tls=server_side(authority, days)) as server:
        check = certificate(**{"ca": str(authority.path), **options})
        found = await run_check(check, target_for(server.endpoint, virtual_host="example.org"))
    assert str(found).startswith(verdict)
    assert found.up == (days > options.get("days", 1) and verdict.startswith("expiry"))


async def test_a_server_that_speaks_no_tls_is_down() -> None:
    async with serve(Say(b"220 mail\r\n"), Silence()) as server:
        assert (await run_check(certificate(), target_for(server.endpoint))).seen == "wrong_version_number"
    async with serve(Silence()) as server:
        silent = await run_check(certificate(), target_for(server.endpoint, connect_timeout=milliseconds(50)))
    assert Verdict.failed("tls", "no answer within 50 ms") == silent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"days": -1}, "days must be from 0"),
        ({"days": 30, "warning": 20}, "days must be from 0 to `warning`"),
        ({"warning": 99999}, "warning at most 10000"),
        ({"warning_weight": -99999}, "warning_weight must be from"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        certificate(**options)
