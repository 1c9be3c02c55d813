import socket
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certificates import Authority
from stayalived.addresses import Endpoint
from stayalived.plugin import Secret, Verdict
from stayalived.plugin.testing import (
    Act,
    Flood,
    Hear,
    Reset,
    Say,
    Silence,
    Trickle,
    run_check,
    run_probe,
    serve,
    target_for,
)
from stayalived.timing import milliseconds
from stayalived_plugins.checks.tcp import TcpCheck

CHECK = TcpCheck(TcpCheck.Options())


def closed_port() -> Endpoint:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return Endpoint("127.0.0.1", listening.getsockname()[1])


async def test_a_server_that_accepts_is_up() -> None:
    async with serve(Silence()) as server:
        verdict = await run_check(CHECK, target_for(server.endpoint))
    assert verdict == Verdict.passed("connect")


async def test_a_server_that_greets_is_left_with_fin_not_with_reset() -> None:
    async with serve(Say(b"220 mail\r\n"), Silence()) as server:
        verdict = await run_check(CHECK, target_for(server.endpoint))
    assert verdict.up
    assert server.failed == 0


async def test_a_server_that_resets_after_accepting_is_up() -> None:
    async with serve(Reset()) as server:
        verdict = await run_check(CHECK, target_for(server.endpoint))
    assert verdict.up


async def test_a_port_that_nobody_listens_on_is_down_and_says_so() -> None:
    verdict = await run_check(CHECK, target_for(closed_port()))
    assert verdict == Verdict.failed("connect", "refused")


async def test_an_ipv6_server_is_checked_too() -> None:
    async with serve(Silence(), host="::1") as server:
        verdict = await run_check(CHECK, target_for(server.endpoint))
    assert verdict.up


async def test_a_server_that_does_not_answer_the_syn_is_down_within_the_limit() -> None:
    with socket.socket() as listening, socket.socket() as filler:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        filler.connect(listening.getsockname())  # the queue is full: further SYNs are dropped
        endpoint = Endpoint("127.0.0.1", listening.getsockname()[1])
        verdict = await run_check(CHECK, target_for(endpoint, connect_timeout=milliseconds(100)))
    assert verdict == Verdict.failed("connect", "no answer within 100 ms")


async def test_the_same_check_can_be_driven_by_a_coroutine() -> None:
    async with serve(Silence()) as server:
        verdict = await run_probe(CHECK, target_for(server.endpoint))
    assert verdict == Verdict.passed("connect")
    assert await run_probe(CHECK, target_for(closed_port())) == Verdict.failed("connect", "refused")


def tcp(**options: Any) -> TcpCheck:
    return TcpCheck(msgspec.convert(options, TcpCheck.Options, dec_hook=lambda _, text: Secret(text)))


@pytest.mark.parametrize(
    "payload", [{"payload": "PING\r\n"}, {"payload_hex": "50 49:4e47 0d0a"}, {"payload_secret": "PING\r\n"}]
)
@pytest.mark.parametrize(
    "expect", [{"expect": "+PONG"}, {"expect_hex": "2b504F4e47"}, {"expect_regex": "^[+]P.NG"}, {"expect": "PONG\r"}]
)
async def test_what_is_said_and_expected_has_three_ways_of_writing_it(
    payload: dict[str, Any], expect: dict[str, Any]
) -> None:
    async with serve(Hear(b"PING\r\n"), Trickle(b"+PONG\r\n", milliseconds(0)), Silence()) as server:
        verdict = await run_check(tcp(**payload, **expect), target_for(server.endpoint))
    assert verdict.up
    assert [b"PING\r\n"] == server.heard


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([Hear(b"PING"), Say(b"-LOADING\r\n")], "reply: -LOADING, expected PONG"),
        ([Hear(b"PING"), Say(bytes(range(200, 206)))], "reply: c8c9 cacb cccd, expected PONG"),
        ([Say(b"x" * 500)], f"reply: {'x' * 60} … (100 bytes), expected PONG"),
        ([Flood(b"x" * 9999)], f"reply: {'x' * 60} … (100 bytes), expected PONG"),
        ([Hear(b"P")], "reply: nothing, expected PONG"),
        ([Silence()], "receive: no answer within 50 ms"),
        ([Hear(b"P"), Reset()], "receive: reset"),
        ([Trickle(b"x" * 99, milliseconds(5))], "receive: no answer within 150 ms"),
    ],
)  # fmt: skip
async def test_another_answer_shows_what_came_and_what_should_have(script: list[Act], verdict: str) -> None:
    check = tcp(payload="PING", expect="PONG", reply_limit=100)
    async with serve(*script) as server:
        assert verdict == str(await run_check(check, target_for(server.endpoint, connect_timeout=milliseconds(50))))


async def test_tls_is_spoken_where_it_is_wanted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("example.org"))
    async with serve(Hear(b"PING"), Say(b"PONG"), tls=context) as server:
        target = target_for(server.endpoint, virtual_host="example.org")
        good = tcp(tls=True, ca=str(authority.path), payload="PING", expect="PONG")
        assert Verdict.passed("reply", "PONG") == await run_check(good, target)
        assert Verdict.passed("tls") == await run_check(tcp(tls=True, ca=str(authority.path)), target)
        assert Verdict.failed("tls", "unable to get local issuer certificate") == await run_check(tcp(tls=True), target)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prot": 80}, "unknown field `prot`"),
        ({"payload": "a", "payload_hex": "61"}, "payload and payload_hex exclude each other"),
        ({"payload": "a", "payload_secret": "b"}, "payload_secret and payload exclude each other"),
        ({"expect": "a", "expect_regex": "a"}, "expect and expect_regex exclude each other"),
        ({"expect_hex": "6"}, "expect_hex '6' must be pairs"),
        ({"payload_hex": "zz"}, "payload_hex 'zz' must be pairs"),
        ({"expect_regex": "("}, "expect_regex"),
        ({"expect": "a", "reply_limit": 0}, "reply_limit must be from 1"),
        ({"sni_name": "example.org"}, "sni_name is of no use without tls = true"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        tcp(**options)
