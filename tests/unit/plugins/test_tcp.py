import socket

from stayalived.addresses import Endpoint
from stayalived.plugin import Verdict
from stayalived.plugin.testing import Reset, Say, Silence, run_check, run_probe, serve, target_for
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


def test_an_option_that_does_not_exist_is_refused() -> None:
    import msgspec
    import pytest

    with pytest.raises(msgspec.ValidationError, match="unknown field `prot`"):
        msgspec.convert({"prot": 80}, TcpCheck.Options)
