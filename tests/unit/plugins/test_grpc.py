from typing import Any

import msgspec
import pytest

from stayalived.plugin import Verdict
from stayalived.plugin.testing import Act, Say, Silence, run_check, serve, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.grpc import GrpcCheck
from unit.plugins.http2_server import Answers

SHORT = milliseconds(100)
OK = {":status": "200", "content-type": "application/grpc"}
DONE = {"grpc-status": "0"}
SERVING = b"\0\0\0\0\2\x08\1"


def grpc(**options: Any) -> GrpcCheck:
    return GrpcCheck(msgspec.convert(options, GrpcCheck.Options))


async def verdict_on(*script: Act, **options: Any) -> Verdict:
    async with serve(*script) as server:
        return await run_check(grpc(**options), target_for(server.endpoint, connect_timeout=SHORT))


@pytest.mark.parametrize(
    ("service", "message"), [("", b"\0\0\0\0\0"), ("site.Pages", b"\0\0\0\0\x0c\x0a\x0asite.Pages")]
)
async def test_the_question_is_a_health_check_request(service: str, message: bytes) -> None:
    script = Answers(OK, body=SERVING, trailers=DONE)
    assert Verdict.passed("status", "SERVING") == await verdict_on(script, service=service)
    assert message == script.got
    assert ("POST", "/grpc.health.v1.Health/Check") == (script.asked[":method"], script.asked[":path"])
    assert ("application/grpc", "trailers") == (script.asked["content-type"], script.asked["te"])


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        (Answers(OK, body=b"\0\0\0\0\2\x08\2", trailers=DONE), "status: NOT_SERVING, expected SERVING"),
        (Answers(OK, body=b"\0\0\0\0\2\x08\3", trailers=DONE), "status: SERVICE_UNKNOWN, expected SERVING"),
        (Answers(OK, body=b"\0\0\0\0\0", trailers=DONE), "status: UNKNOWN, expected SERVING"),
        (Answers(OK, body=b"\0\0\0\0\2\x08\x09", trailers=DONE), "status: an unknown message 0809, expected SERVING"),
        (Answers(OK, body=SERVING, trailers={"grpc-status": "14"}), "grpc: UNAVAILABLE, expected OK"),
        (
            Answers({**OK, "grpc-status": "5", "grpc-message": "unknown%20service"}),
            "grpc: NOT_FOUND: unknown service, expected OK",
        ),
        (Answers({**OK, "grpc-status": "99"}), "grpc: 99, expected OK"),
        (Answers(OK, body=SERVING), "grpc: none, expected OK"),
        (Answers({":status": "404"}), "http: 404, expected 200"),
        (Answers(OK, body=b"x" * 5000, trailers=DONE), "answer: a message of more than 4096 bytes"),
        (Answers(OK, body=SERVING, ends=False), "receive: no answer within 100 ms"),
        (Silence(), "receive: no answer within 100 ms"),
        (Say(b"HTTP/1.1 400 No\r\n\r\n"), "answer: no HTTP/2: b'HTTP/1.1 400 No\\r\\n\\r\\n'"),
    ],
)
async def test_each_place_where_the_answer_can_be_no_is_told(script: Act, verdict: str) -> None:
    assert verdict == str(await verdict_on(script))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"service": "é"}, "service must be ASCII"),
        ({"service": "x" * 121}, "at most 120 characters"),
        ({"ca": "/x.pem"}, "ca is of no use without tls = true"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        grpc(**options)
