"""Checks against servers that nobody here wrote: postfix, bind9, grpcio's health server; and a UDP echo."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certificates import Authority
from plugins import daemons
from stayalived.addresses import Endpoint
from stayalived.plugin import Check, Verdict
from stayalived.plugin.testing import run_check, target_for
from stayalived.timing import milliseconds, seconds
from stayalived_plugins.checks.certificate import CertificateCheck
from stayalived_plugins.checks.dns import DnsCheck
from stayalived_plugins.checks.grpc import GrpcCheck
from stayalived_plugins.checks.smtp import SmtpCheck
from stayalived_plugins.checks.tcp import TcpCheck
from stayalived_plugins.checks.udp import UdpCheck

Mail = tuple[Endpoint, Endpoint, Endpoint]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users can enter: daemons give up root."""
    with tempfile.TemporaryDirectory(prefix="stayalived-daemons-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def room(folder: Path, name: str) -> Path:
    (folder / name).mkdir(mode=0o755)
    return folder / name


@pytest.fixture(scope="module")
def mail(folder: Path, authority: Authority) -> Iterator[Mail]:
    with daemons.postfix(room(folder, "postfix"), authority.issue("mail.example.org")) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def names(folder: Path) -> Iterator[Endpoint]:
    with daemons.bind9(room(folder, "bind9")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def echo() -> Iterator[Endpoint]:
    with daemons.udp_echo() as endpoint:
        yield endpoint


async def verdict_on(kind: type[Check], endpoint: Endpoint, **options: Any) -> str:
    check = kind(msgspec.convert(options, kind.Options))
    target = target_for(endpoint, virtual_host="mail.example.org", connect_timeout=seconds(3))
    return str(await run_check(check, target))


@pytest.mark.parametrize("command", ["HELO", "EHLO"])
async def test_postfix_is_up_with_answers_of_one_line_and_of_many(mail: Mail, command: str) -> None:
    assert f"{command.lower()}: 250" == await verdict_on(SmtpCheck, mail[0], command=command)


async def test_postfix_is_up_over_starttls_and_over_tls(mail: Mail, authority: Authority) -> None:
    ca = str(authority.path)
    assert await verdict_on(SmtpCheck, mail[0], starttls=True, ca=ca) == "ehlo: 250"
    assert await verdict_on(SmtpCheck, mail[1], tls=True, ca=ca) == "helo: 250"
    assert await verdict_on(SmtpCheck, mail[0], starttls=True) == "tls: unable to get local issuer certificate"
    wrong = await verdict_on(SmtpCheck, mail[0], starttls=True, ca=ca, sni_name="www.example.org")
    assert wrong.startswith("tls: hostname mismatch")


async def test_a_name_that_postfix_bars_is_told_with_its_answer(mail: Mail) -> None:
    seen = await verdict_on(SmtpCheck, mail[0], helo_name="barred.example")
    assert seen.startswith("helo: 554 5.7.1 <barred.example>: Helo command rejected")
    assert (await verdict_on(SmtpCheck, mail[2])).startswith("greeting: 554 ")


async def test_tcp_hears_the_greeting_of_postfix(mail: Mail) -> None:
    greeted = await verdict_on(TcpCheck, mail[0], expect="ESMTP")
    assert greeted.startswith("reply: 220 mail.example.org ESMTP Postfix")
    told = await verdict_on(TcpCheck, mail[0], payload="QUIT\r\n", expect_regex="(?m)^221 .*Bye")
    assert told.startswith("reply: ")


async def test_bind9_answers(names: Endpoint) -> None:
    assert await verdict_on(DnsCheck, names, name="example.org") == (
        "answer: NOERROR, ns.example.org. root.example.org. 1 60 60 60 60"
    )
    www = {"name": "www.example.org", "record_type": "A"}
    assert (await verdict_on(DnsCheck, names, **www, answer=["192.0.2.2"])).startswith("answer: NOERROR, 192.0.2.")
    wrong = await verdict_on(DnsCheck, names, **www, answer=["192.0.2.3"])
    assert wrong.endswith(", expected 192.0.2.3")
    assert await verdict_on(DnsCheck, names, **www, protocol="tcp", answer=["192.0.2.2", "192.0.2.1"])


async def test_bind9_says_no(names: Endpoint) -> None:
    assert await verdict_on(DnsCheck, names) == "rcode: REFUSED, expected NOERROR"
    assert await verdict_on(DnsCheck, names, rcode="REFUSED") == "answer: REFUSED, no record"
    assert await verdict_on(DnsCheck, names, name="gone.example.org") == "rcode: NXDOMAIN, expected NOERROR"
    assert await verdict_on(DnsCheck, names, name="www.example.org", record_type="TXT") == "answer: NOERROR, no record"


async def test_what_has_no_room_in_a_datagram_is_got_over_tcp(names: Endpoint) -> None:
    text = " ".join(f'"{"x" * 250}"' for _ in range(8))
    long = await verdict_on(DnsCheck, names, name="long.example.org", record_type="TXT", answer=[text])
    assert long.startswith("answer: NOERROR, ")


async def test_a_udp_echo_is_up(echo: Endpoint) -> None:
    assert await verdict_on(UdpCheck, echo, payload="hello", reply_hex="68 6X") == "reply: hello"
    assert await verdict_on(UdpCheck, echo, payload="hello", reply_hex="69") == "reply: 68, expected 69"
    short = await verdict_on(UdpCheck, echo, payload="hello", min_reply_length=6)
    assert short == "reply: 5 bytes, expected 6 to 255 bytes"


async def test_a_silent_udp_server_is_up_unless_it_must_answer(echo: Endpoint) -> None:
    target = target_for(echo, connect_timeout=milliseconds(50))
    quiet = UdpCheck(UdpCheck.Options(payload="be silent"))
    asking = UdpCheck(UdpCheck.Options(payload="be silent", require_reply=True))
    assert Verdict.passed("reply", "nothing") == await run_check(quiet, target)
    assert Verdict.failed("receive", "no answer within 50 ms") == await run_check(asking, target)


@pytest.fixture(scope="module")
def health(folder: Path, authority: Authority) -> Iterator[tuple[Endpoint, Endpoint]]:
    with daemons.grpc_health(authority.issue("mail.example.org")) as endpoints:
        yield endpoints


async def test_a_grpc_server_tells_of_itself_and_of_its_services(health: tuple[Endpoint, Endpoint]) -> None:
    plain, _ = health
    assert await verdict_on(GrpcCheck, plain) == "status: SERVING"
    assert await verdict_on(GrpcCheck, plain, service="site.Good") == "status: SERVING"
    assert await verdict_on(GrpcCheck, plain, service="site.Bad") == "status: NOT_SERVING, expected SERVING"
    assert await verdict_on(GrpcCheck, plain, service="site.None") == "grpc: NOT_FOUND, expected OK"


async def test_a_grpc_server_is_asked_over_tls(health: tuple[Endpoint, Endpoint], authority: Authority) -> None:
    plain, secure = health
    assert await verdict_on(GrpcCheck, secure, tls=True, ca=str(authority.path)) == "status: SERVING"
    assert await verdict_on(GrpcCheck, secure, tls=True) == "tls: unable to get local issuer certificate"
    assert (await verdict_on(GrpcCheck, plain, tls=True)).startswith("tls: ")


async def test_a_web_server_is_no_grpc_server(names: Endpoint, mail: Mail) -> None:
    assert (await verdict_on(GrpcCheck, mail[0])).startswith("answer: no HTTP/2: b'220 mail.example.org")


async def test_the_certificate_of_postfix_has_days_left(mail: Mail, authority: Authority) -> None:
    left = await verdict_on(CertificateCheck, mail[1], ca=str(authority.path))
    assert left.startswith("expiry: 89 days left, until ")
