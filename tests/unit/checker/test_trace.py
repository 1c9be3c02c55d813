"""What a probe does is told step by step; who is told sees what `stayalived probe` shows."""

import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stayalived.checker.once import probe_once
from stayalived.checker.probes import ProbeIdentity
from stayalived.checker.trace import MOST_NOTES, Note, Trace
from stayalived.child.base import read_clock
from stayalived.config.model import Source
from stayalived.plugin import Check, Net, Receive, Send, Steps, Target, Verdict
from stayalived.plugin.checks import Connect
from stayalived.plugin.testing import Act, Hear, Reset, Say, Silence, serve
from stayalived.timing import Duration, milliseconds, seconds
from stayalived_plugins.checks.http import HttpCheck

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LIMIT = seconds(1)
TIME = re.compile(r"\d[\d.]* m?s\b")


class Asks(Check):
    """The same in a coroutine."""

    async def probe(self, target: Target, net: Net) -> Verdict:
        async with net.connect(target) as connection:
            await connection.send(b"QUIT\x00")
            return Verdict.passed("quit", (await connection.receive()).decode())


class Reads(Check):
    """Reads a byte at a time."""

    def steps(self, target: Target) -> Steps:
        yield Connect()
        yield Send(b"go")
        for _ in range(2 * MOST_NOTES):
            yield Receive(1)
        return Verdict.passed()


def http(**options: Any) -> HttpCheck:
    return HttpCheck(msgspec.convert(options, HttpCheck.Options))


async def trace(
    check: Check, *script: Act, limit: Duration = LIMIT, tls: ssl.SSLContext | None = None, name: str = ""
) -> list[str]:
    """Return `STEP: TEXT` of a probe of a server with this script; `T` stands for each time."""
    notes: list[Note] = []
    async with serve(*script, tls=tls) as server:
        identity = ProbeIdentity(
            type="x", distribution="x", options=b"", target=server.endpoint, virtual_host=name, connect_timeout=limit,
            source=Source(bindto="", bind_port=0, bind_if="", fwmark=0),
        )  # fmt: skip
        await probe_once(identity, lambda _: check, open_session=Trace(read_clock, notes.append).open)
    assert [note.at for note in notes] == sorted(note.at for note in notes)
    return [TIME.sub("T", f"{note.step}: {note.text}") for note in notes]


async def test_each_page_is_a_connection_a_request_and_an_answer() -> None:
    lines = await trace(http(url=[{"path": "/a"}, {"path": "/b"}]), Hear(b"\r\n\r\n"), Say(ANSWER))

    sent = r"send: sent \d+ bytes: GET /{} HTTP/1\.0"
    assert len(lines) == 6
    for number, page in ((0, "a"), (3, "b")):
        assert lines[number] == "connect: connected from 127.0.0.1 in T"
        assert re.fullmatch(sent.format(page), lines[number + 1])
        assert lines[number + 2] == "receive: received 38 bytes: HTTP/1.1 200 OK"


async def test_a_coroutine_is_traced_as_steps_are_and_binary_is_only_counted() -> None:
    lines = await trace(Asks(Asks.Options()), Hear(b"QUIT"), Say(b"bye\r\n"))

    assert lines == ["connect: connected from 127.0.0.1 in T", "send: sent 5 bytes", "receive: received 5 bytes: bye"]


async def test_a_step_that_is_never_done_is_told_with_how_long_it_was_waited_for() -> None:
    lines = await trace(http(), Silence(), limit=milliseconds(30))

    assert lines[2:] == ["receive: nothing for T: given up"]


async def test_a_step_that_fails_is_told_with_what_the_network_said() -> None:
    lines = await trace(http(), Hear(b"\r\n\r\n"), Reset())

    assert lines[2:] == ["receive: reset, after T"]


async def test_the_end_of_the_stream_is_a_step_of_its_own() -> None:
    assert (await trace(http(), Hear(b"\r\n\r\n")))[2:] == ["receive: end of the stream"]


async def test_an_endless_answer_has_a_bounded_trace() -> None:
    lines = await trace(Reads(Reads.Options()), Say(b"x" * 3 * MOST_NOTES), Silence())

    assert len(lines) == MOST_NOTES
    assert lines[-1] == "receive: and more of the same"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
         "-subj", "/CN=example.org", "-addext", "subjectAltName=DNS:example.org", "-keyout", path, "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


@pytest.mark.parametrize("verify", [True, False])
async def test_tls_is_told_with_version_cipher_and_certificate(certificate: Path, verify: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    check = http(tls=True, verify=verify, ca=str(certificate))
    lines = await trace(check, Hear(b"\r\n\r\n"), Say(ANSWER), tls=context, name="example.org")

    whose = "certificate of example.org from example.org, valid until .* GMT" if verify else "certificate not verified"
    assert re.fullmatch(rf"tls: TLSv1\.3, TLS_AES_\w+, {whose}", lines[1])
    assert lines[3] == "receive: received 38 bytes: HTTP/1.1 200 OK"
