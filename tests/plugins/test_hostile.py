"""Every check that opens a connection against servers that mean harm: down, in bounded time, with bounded memory."""

import ssl
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from stayalived.plugin import Check, Verdict
from stayalived.plugin.testing import Act, Flood, Hear, Reset, Say, Silence, Trickle, run_check, serve, target_for
from stayalived.timing import in_seconds, milliseconds
from stayalived_plugins.checks.certificate import CertificateCheck
from stayalived_plugins.checks.dns import DnsCheck
from stayalived_plugins.checks.grpc import GrpcCheck
from stayalived_plugins.checks.http import HttpCheck
from stayalived_plugins.checks.http_page import Page
from stayalived_plugins.checks.smtp import SmtpCheck
from stayalived_plugins.checks.tcp import TcpCheck

STEP = milliseconds(60)
MARGIN = 1.5  # seconds in which a busy machine still comes round
MOST_MEMORY = 8 << 20
PAGES = (Page(regex="never there"),)
NOISE = bytes(range(256)) * 64
CHECKS: dict[str, Check] = {
    "tcp": TcpCheck(TcpCheck.Options(payload="PING", expect="PONG")),
    "http": HttpCheck(HttpCheck.Options(url=PAGES)),
    "http2": HttpCheck(HttpCheck.Options(url=PAGES, http_protocol="2")),
    "https": HttpCheck(HttpCheck.Options(url=PAGES, tls=True, verify=False)),
    "smtp": SmtpCheck(SmtpCheck.Options()),
    "smtps": SmtpCheck(SmtpCheck.Options(tls=True, verify=False)),
    "dns": DnsCheck(DnsCheck.Options(protocol="tcp")),
    "grpc": GrpcCheck(GrpcCheck.Options()),
    "certificate": CertificateCheck(CertificateCheck.Options()),
}
SCRIPTS: dict[str, tuple[Act, ...]] = {
    "closes at once": (),
    "says nothing": (Silence(),),
    "resets": (Reset(),),
    "resets in the middle": (Hear(b""), Say(b"2"), Reset()),
    "a byte now and then": (Trickle(b"HTTP/1.1 200 OK\r\n" * 99, milliseconds(10)),),
    "zeros without end": (Flood(bytes(65536)),),
    "noise without end": (Flood(NOISE),),
    "letters without end": (Flood(b"x" * 65536),),
    "a head without end": (Say(b"HTTP/1.1 200 OK\r\n"), Flood(b"X-More: of the same\r\n" * 999)),
    "10 GB of body": (Say(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"), Flood(b"x" * 65536)),
    "chunks without end": (
        Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Flood(b"1\r\nx\r\n" * 9999),
    ),
    "lines of mail without end": (Flood(b"220-and more\r\n" * 999),),
    "another protocol": (Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Silence()),
}


async def judged(
    check: Check, script: tuple[Act, ...], tls: ssl.SSLContext | None = None
) -> tuple[Verdict, int, float]:
    """Return the verdict on a script, the most memory that it took, and how long."""
    began = time.monotonic()
    async with serve(*script, tls=tls) as server:
        tracemalloc.start()
        try:
            verdict = await run_check(check, target_for(server.endpoint, connect_timeout=STEP))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    return verdict, peak, time.monotonic() - began


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("name", CHECKS)
async def test_a_hostile_server_is_down_in_bounded_time_and_memory(name: str, script: tuple[Act, ...]) -> None:
    verdict, peak, took = await judged(CHECKS[name], script)

    assert (False, True) == (verdict.up, bool(verdict.step and verdict.seen)), verdict
    assert peak < MOST_MEMORY
    assert took < 3 * in_seconds(STEP) + MARGIN


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(Authority(folder).issue("example.org"))
    return made


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("name", ["https", "smtps"])
async def test_and_so_is_one_that_means_it_under_tls(
    name: str, script: tuple[Act, ...], context: ssl.SSLContext
) -> None:
    verdict, peak, took = await judged(CHECKS[name], script, context)

    assert (False, True) == (verdict.up, bool(verdict.step and verdict.seen)), verdict
    assert peak < MOST_MEMORY
    assert took < 3 * in_seconds(STEP) + 2 * MARGIN


VERDICTS: dict[str, Any] = {
    "tcp": "reply: 554 No, expected PONG",
    "http": "answer: no HTTP: ",
    "http2": "answer: no HTTP/2: b'554 No",
    "https": "tls: ",
    "smtp": "greeting: 554 No, expected 220",
    "smtps": "tls: ",
    "dns": "answer: ",
    "grpc": "answer: no HTTP/2: b'554 No",
    "certificate": "tls: ",
}


@pytest.mark.parametrize("name", CHECKS)
async def test_each_says_at_which_step_what_was_seen_and_what_was_expected(name: str) -> None:
    first = {"tcp": b"PING", "dns": b"\0", "http": b"\r\n\r\n", "http2": b"PRI", "grpc": b"PRI"}.get(name, b"")

    verdict, _, _ = await judged(CHECKS[name], (Hear(first), Say(b"554 No\r\n")))

    assert str(verdict).startswith(VERDICTS[name]), verdict
