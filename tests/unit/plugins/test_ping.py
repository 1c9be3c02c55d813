import pytest

from stayalived.addresses import Endpoint
from stayalived.checker.echo import NO_SOCKET
from stayalived.plugin import NetworkFailure, Target, Verdict
from stayalived.plugin.testing import run_check, target_for
from stayalived_plugins.checks.ping import DATA, PingCheck

CHECK = PingCheck(PingCheck.Options())
TARGET = target_for(Endpoint("192.0.2.1", 0))


async def test_a_host_that_answers_is_up() -> None:
    sent = []

    async def ping(target: Target, data: bytes) -> None:
        sent.append((target.endpoint, data))

    assert Verdict.passed("echo", "reply") == await run_check(CHECK, TARGET, ping=ping)
    assert [(TARGET.endpoint, DATA)] == sent


async def test_a_host_that_does_not_answer_is_down() -> None:
    async def ping(target: Target, data: bytes) -> None:
        raise NetworkFailure(Verdict.failed("echo", "no answer within 1 s"))

    assert Verdict.failed("echo", "no answer within 1 s") == await run_check(CHECK, TARGET, ping=ping)


async def test_a_process_without_a_socket_gives_no_verdict() -> None:
    with pytest.raises(OSError, match=NO_SOCKET):
        await run_check(CHECK, TARGET)
