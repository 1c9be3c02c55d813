"""Steps beyond a plain TCP conversation: datagrams, silence as an answer, certificates of both sides, ALPN."""

import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from stayalived.addresses import Endpoint
from stayalived.checker import session
from stayalived.checker.sockets import OWN_SIDE, open_socket
from stayalived.plugin import (
    Check,
    CheckOptions,
    Connect,
    PeerCertificate,
    PluginFailure,
    Receive,
    Secret,
    Send,
    StartTls,
    Steps,
    Target,
    Verdict,
)
from stayalived.plugin.testing import (
    Hear,
    Say,
    Silence,
    run_check,
    run_probe,
    serve,
    serve_datagrams,
    target_for,
)
from stayalived.timing import milliseconds

SHORT = milliseconds(50)
WAYS = pytest.mark.parametrize("run", [run_check, run_probe], ids=["stepper", "asyncio"])


class Body(Check):
    name = "body"

    def __init__(self, body: Callable[[], Steps]) -> None:
        super().__init__(CheckOptions())
        self._body = body

    def steps(self, target: Target) -> Steps:
        return self._body()


def ask(*, or_nothing: bool = False, twice: bool = False) -> Body:
    def body() -> Steps:
        yield Connect(datagrams=True)
        yield Send(b"ping")
        heard = yield Receive(or_nothing=or_nothing)
        if twice:
            heard += yield Receive()
        return Verdict.passed("heard", heard.decode())

    return Body(body)


@WAYS
async def test_datagrams_are_sent_and_received_one_at_a_time(run: Any) -> None:
    async with serve_datagrams(lambda data: [data + b"1", data + b"2"]) as server:
        assert Verdict.passed("heard", "ping1ping2") == await run(ask(twice=True), target_for(server.endpoint))
    assert [b"ping"] == server.heard


@WAYS
async def test_silence_is_a_failure_unless_it_is_taken_for_an_answer(run: Any) -> None:
    async with serve_datagrams(lambda _: []) as server:
        target = target_for(server.endpoint, connect_timeout=SHORT)
        assert Verdict.failed("receive", "no answer within 50 ms") == await run(ask(), target)
        assert Verdict.passed("heard", "") == await run(ask(or_nothing=True), target)


@WAYS
async def test_what_comes_after_a_silence_has_its_limit_again(run: Any) -> None:
    async with serve_datagrams(lambda _: []) as server:
        target = target_for(server.endpoint, connect_timeout=SHORT)
        verdict = await run(ask(or_nothing=True, twice=True), target)
    assert Verdict.failed("receive", "no answer within 50 ms") == verdict


@pytest.mark.parametrize(("address", "option"), [("127.0.0.1", (socket.IPPROTO_IP, 11)), ("::1", (41, 25))])
def test_a_socket_of_datagrams_is_told_that_a_host_cannot_be_reached(address: str, option: tuple[int, int]) -> None:
    with closing(open_socket(target_for(Endpoint(address, 53)), datagrams=True)) as opened:
        assert 1 == opened.getsockopt(*option)  # IP_RECVERR, IPV6_RECVERR: ip(7), ipv6(7)


async def test_silence_is_no_answer_to_the_whole_probe() -> None:
    def endless() -> Steps:
        yield Connect(datagrams=True)
        while True:
            yield Receive(or_nothing=True)

    async with serve_datagrams(lambda _: []) as server:
        verdict = await run_check(Body(endless), target_for(server.endpoint, connect_timeout=SHORT))
    assert Verdict.failed("receive", "no answer within 150 ms") == verdict


@WAYS
async def test_an_icmp_error_is_a_failure_at_once(run: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", closed.getsockname()[1])
    assert Verdict.failed("receive", "refused") == await run(ask(or_nothing=True), target_for(endpoint))


@WAYS
@pytest.mark.parametrize("number", sorted(OWN_SIDE.keys() - {errno.EAGAIN}), ids=errno.errorcode.get)
async def test_what_this_machine_lacks_while_sending_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, number: int, run: Any
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "refused for a test")

    monkeypatch.setattr(session.Session, "_send_rest", refuse)
    async with serve(Silence()) as server:
        with pytest.raises(Exception, match="send: "):
            await run(Body(lambda: talk(StartTls(), tls=False)), target_for(server.endpoint))


def talk(step: StartTls, *, tls: bool = True) -> Steps:
    yield Connect()
    protocol = (yield step) if tls else b""
    yield Send(b"HELLO\n")
    heard = yield Receive()
    return Verdict.passed(protocol.decode() or "none", heard.decode())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def server_side(authority: Authority, *, alpn: tuple[str, ...] = (), asks: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("example.org"))
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


@WAYS
@pytest.mark.parametrize(("spoken", "chosen"), [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), ((), "none")])
async def test_the_protocol_that_alpn_chose_is_told(
    authority: Authority, spoken: tuple[str, ...], chosen: str, run: Any
) -> None:
    step = StartTls("example.org", ca=str(authority.path), alpn=("h2", "http/1.1"))
    async with serve(Hear(b"HELLO\n"), Say(b"WELL"), tls=server_side(authority, alpn=spoken)) as server:
        assert Verdict.passed(chosen, "WELL") == await run(Body(lambda: talk(step)), target_for(server.endpoint))


@pytest.mark.parametrize("apart", [True, False], ids=["key as text", "key in the file"])
async def test_our_own_certificate_is_shown_to_a_server_that_asks(authority: Authority, apart: bool) -> None:
    own = authority.issue("client.example")
    key = Secret(own.read_text()) if apart else None
    step = StartTls("example.org", ca=str(authority.path), certificate=str(own), key=key)
    async with serve(Hear(b"HELLO\n"), Say(b"WELL"), tls=server_side(authority, asks=True)) as server:
        target = target_for(server.endpoint)
        assert (await run_check(Body(lambda: talk(step)), target)).up
        without = await run_check(Body(lambda: talk(StartTls(verify=False))), target)
    assert without.seen != "WELL"


@pytest.mark.parametrize("key", [None, Secret("no key at all")])
async def test_a_certificate_that_cannot_be_used_is_no_verdict_and_shows_no_key(
    authority: Authority, tmp_path: Path, key: Secret | None
) -> None:
    path = tmp_path / "client.pem"
    path.write_text("nothing")
    async with serve(Silence()) as server:
        with pytest.raises(OSError, match=r"tls certificate .*client\.pem: .*; give a readable certificate") as caught:
            await run_check(Body(lambda: talk(StartTls(certificate=str(path), key=key))), target_for(server.endpoint))
    assert "no key" not in str(caught.value)


async def test_the_certificate_of_the_server_is_told_verified_or_not(authority: Authority) -> None:
    def body() -> Steps:
        yield Connect()
        yield StartTls(verify=False)
        return Verdict.passed(seen=(yield PeerCertificate()).hex())

    context = server_side(authority)
    async with serve(Silence(), tls=context) as server:
        verdict = await run_check(Body(body), target_for(server.endpoint))
    pem = authority.issue("example.org").read_text()  # another one for the same name
    assert ssl.PEM_cert_to_DER_cert(pem[: pem.index("-----END CERT") + 25] + "\n")[:1].hex() == verdict.seen[:2]
    assert b"example.org" in bytes.fromhex(verdict.seen)


async def test_a_body_that_asks_for_a_certificate_without_tls_is_a_faulty_plugin() -> None:
    def body() -> Steps:
        yield Connect()
        yield PeerCertificate()
        return Verdict.passed()

    async with serve(Silence()) as server:
        with pytest.raises(PluginFailure, match="yielded PeerCertificate before StartTls"):
            await run_check(Body(body), target_for(server.endpoint))
