import socket
from typing import Any

import msgspec
import pytest

from stayalived.addresses import Endpoint
from stayalived.plugin import Verdict
from stayalived.plugin.testing import run_check, serve_datagrams, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.udp import UdpCheck

SHORT = milliseconds(50)


def udp(**options: Any) -> UdpCheck:
    return UdpCheck(msgspec.convert(options, UdpCheck.Options))


async def verdict_on(check: UdpCheck, *answers: bytes) -> Verdict:
    async with serve_datagrams(lambda _: answers) as server:
        return await run_check(check, target_for(server.endpoint, connect_timeout=SHORT))


async def test_silence_is_good_unless_an_answer_is_required() -> None:
    assert Verdict.passed("reply", "nothing") == await verdict_on(udp(payload="hello"))
    assert Verdict.failed("receive", "no answer within 50 ms") == await verdict_on(udp(require_reply=True))
    assert Verdict.failed("receive", "no answer within 50 ms") == await verdict_on(udp(reply_hex="XX"))


async def test_a_port_that_nobody_listens_on_is_down_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", closed.getsockname()[1])
    assert Verdict.failed("receive", "refused") == await run_check(udp(), target_for(endpoint))


@pytest.mark.parametrize(
    ("options", "sent"), [({}, b""), ({"payload": "hé"}, "hé".encode()), ({"payload_hex": "00 ff"}, b"\x00\xff")]
)
async def test_the_payload_is_sent(options: dict[str, Any], sent: bytes) -> None:
    async with serve_datagrams(lambda data: [b"got " + data]) as server:
        assert (await run_check(udp(require_reply=True, **options), target_for(server.endpoint))).up
    assert [sent] == server.heard


@pytest.mark.parametrize(
    ("options", "answer", "verdict"),
    [
        ({"require_reply": True}, b"\n", "reply: nothing"),
        ({"require_reply": True}, b"here", "reply: here"),
        ({"reply_hex": "68 65"}, b"hello", "reply: hello"),
        ({"reply_hex": "6X X5"}, b"hello", "reply: hello"),
        ({"reply_hex": "6865"}, b"bye", "reply: 6279, expected 6865"),
        ({"reply_hex": "6865"}, b"h", "reply: 68, expected 6865"),
        ({"reply_hex": "XXXX"}, b"h", "reply: 68, expected XXXX"),
        ({"min_reply_length": 5}, b"hell", "reply: 4 bytes, expected 5 to 255 bytes"),
        ({"require_reply": True}, bytes(256), "reply: 256 bytes, expected 0 to 255 bytes"),
        ({"min_reply_length": 2, "max_reply_length": 300}, bytes(256), f"reply: {'0000 ' * 30}… (256 bytes)"),
    ],
)
async def test_the_answer_is_looked_at(options: dict[str, Any], answer: bytes, verdict: str) -> None:
    assert verdict == str(await verdict_on(udp(**options), answer))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"payload": "a", "payload_hex": "61"}, "exclude each other"),
        ({"payload": "x" * 70000}, "payload must have at most 65507 bytes"),
        ({"reply_hex": "6"}, "reply_hex '6' must be pairs"),
        ({"reply_hex": "6Y"}, "or X for any digit"),
        ({"min_reply_length": -1}, "min_reply_length must be from 0"),
        ({"min_reply_length": 300}, "max_reply_length must be at least min_reply_length"),
        ({"reply_hex": "6161", "max_reply_length": 1}, "the length of reply_hex"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        udp(**options)
