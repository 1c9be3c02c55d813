import random
from typing import Any

import msgspec
import pytest

from stayalived.plugin import Verdict
from stayalived.plugin.testing import Act, Flood, Hear, Say, Silence, run_check, serve, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.http import HttpCheck
from unit.plugins.http2_server import Answers

SHORT = milliseconds(100)
CHECK = HttpCheck(HttpCheck.Options(http_protocol="2"))


async def verdict_on(*script: Act, **options: Any) -> Verdict:
    check = HttpCheck(msgspec.convert({"http_protocol": "2", **options}, HttpCheck.Options))
    async with serve(*script) as server:
        return await run_check(check, target_for(server.endpoint, virtual_host="example.org", connect_timeout=SHORT))


async def test_a_page_is_asked_for_and_judged() -> None:
    script = Answers({":status": "200"}, body=b"All is well")
    verdict = await verdict_on(script, url=[{"path": "/x", "regex": "well"}], headers={"X-Probe": "1"})
    assert Verdict.passed("status", "200 for /x") == verdict
    assert {
        ":method": "GET",
        ":scheme": "http",
        ":authority": "example.org",
        ":path": "/x",
        "user-agent": "StayalivedClient",
        "x-probe": "1",
    } == script.asked


async def test_a_body_is_sent() -> None:
    script = Answers({":status": "204"})
    assert (await verdict_on(script, method="POST", body="ping")).up
    assert script.got == b"ping"


async def test_an_interim_answer_is_not_the_answer() -> None:
    verdict = await verdict_on(Answers({":status": "103"}, {":status": "503"}))
    assert Verdict.failed("status", "503", "200-299") == verdict


async def test_a_body_over_the_limit_is_no_answer() -> None:
    verdict = await verdict_on(Answers({":status": "200"}, body=b"x" * 60000), url=[{"regex": "y"}], body_limit=50000)
    assert Verdict.failed("answer", "a body of more than 50000 bytes (body_limit)") == verdict


async def test_a_redirect_is_followed_where_it_is_wanted() -> None:
    script = Answers({":status": "302", "location": "/there"})
    verdict = await verdict_on(script, follow_redirects=1)
    assert Verdict.failed("redirect", "one more, to /there", "at most 1") == verdict


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([Silence()], "receive: no answer within 100 ms", id="silence"),
        pytest.param([Hear(b"PRI")], "answer: the end of the connection before that of the answer", id="closes"),
        pytest.param([Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Silence()], "answer: no HTTP/2: ", id="speaks HTTP/1"),
        pytest.param([Flood(bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) * 999)], "receive: no answer", id="endless settings"),
        pytest.param(
            [Say(bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) + b"\xff" * 9), Flood(b"x" * 9999)],
            "answer: no HTTP/2: ",
            id="endless frame",
        ),
        pytest.param([Answers({":status": "200"}, ends=False)], "receive: no answer within", id="never ends"),
        pytest.param([Say(bytes((0, 0, 8, 7, *bytes(9), 0, 0, 0, 11))), Silence()], "answer: ", id="goes away"),
    ],
)
async def test_a_hostile_server_is_down(script: list[Act], expected: str) -> None:
    verdict = await verdict_on(*script, url=[{"regex": "x"}])
    assert str(verdict).startswith(expected), verdict


@pytest.mark.parametrize("seed", range(40))
async def test_garbage_is_down_and_never_a_fault_of_ours(seed: int) -> None:
    noise = random.Random(seed)
    frames = b"".join(
        len(body).to_bytes(3, "big")
        + bytes((noise.randrange(12), noise.randrange(256), 0, 0, 0, noise.randrange(4)))
        + body
        for body in (noise.randbytes(noise.randrange(40)) for _ in range(9))
    )
    settings = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
    assert not (await verdict_on(Say(settings + frames))).up
    assert not (await verdict_on(Say(noise.randbytes(200)))).up
