import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from dns import flags, message, rcode, rrset

from stayalived.plugin import Verdict
from stayalived.plugin.testing import Client, Hear, Say, Silence, Trickle, run_check, serve, serve_datagrams, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.dns import DnsCheck

SHORT = milliseconds(100)
Change = Callable[[message.Message], None]


def dns(**options: Any) -> DnsCheck:
    return DnsCheck(msgspec.convert(options, DnsCheck.Options))


def reply(query: bytes, *records: str, change: Change = lambda _: None) -> bytes:
    """Answer a query with records of `example.org`, and with whatever a change makes of it."""
    asked = message.from_wire(query)
    answer = message.make_response(asked)
    for record in records:
        kind, _, data = record.partition(" ")
        answer.answer.append(rrset.from_text("example.org.", 60, "IN", kind, data))
    change(answer)
    return answer.to_wire()


async def verdict_on(check: DnsCheck, answering: Callable[[bytes], Iterable[bytes]]) -> Verdict:
    async with serve_datagrams(answering) as server:
        return await run_check(check, target_for(server.endpoint, connect_timeout=SHORT))


A = dns(record_type="A", name="example.org", answer=["192.0.2.1"])


async def test_a_question_is_asked_as_keepalived_asks_it() -> None:
    async with serve_datagrams(lambda query: [reply(query)]) as server:
        verdict = await run_check(dns(), target_for(server.endpoint))
    assert Verdict.passed("answer", "NOERROR, no record") == verdict
    [query] = server.heard
    asked = message.from_wire(query)
    assert (". IN SOA", flags.RD) == (asked.question[0].to_text(), asked.flags)


@pytest.mark.parametrize(
    ("kind", "record", "expected"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:db8::1", "2001:0db8:0::1"),
        ("MX", "10 mx.example.org.", "10 MX.example.org"),
        ("TXT", '"v=1" "two"', '"v=1" two'),
        ("NS", "ns.example.org.", "ns.example.org."),
        ("SRV", "1 2 3 a.example.org.", "1 2 3 a.example.org."),
    ],
)
async def test_a_record_is_compared_however_it_is_written(kind: str, record: str, expected: str) -> None:
    check = dns(record_type=kind, name="example.org", answer=[expected])
    verdict = await verdict_on(check, lambda query: [reply(query, f"{kind} {record}")])
    assert verdict.up, verdict


@pytest.mark.parametrize(
    ("records", "change", "verdict"),
    [
        (["A 192.0.2.1", "A 192.0.2.2"], None, "answer: NOERROR, 192.0.2.1, 192.0.2.2"),
        (["A 192.0.2.2"], None, "answer: 192.0.2.2, expected 192.0.2.1"),
        (["TXT 192.0.2.1"], None, "answer: no record, expected 192.0.2.1"),
        ([], lambda answer: answer.set_rcode(rcode.SERVFAIL), "rcode: SERVFAIL, expected NOERROR"),
        ([], lambda answer: answer.set_rcode(rcode.NXDOMAIN), "rcode: NXDOMAIN, expected NOERROR"),
    ],
)
async def test_the_answer_decides(records: list[str], change: Change | None, verdict: str) -> None:
    found = await verdict_on(A, lambda query: [reply(query, *records, change=change or (lambda _: None))])
    assert verdict == str(found)


async def test_an_error_may_be_what_is_expected() -> None:
    check = dns(name="gone.example", rcode="NXDOMAIN")
    assert (await verdict_on(check, lambda query: [reply(query, change=lambda a: a.set_rcode(rcode.NXDOMAIN))])).up


def another_id(answer: message.Message) -> None:
    answer.id = (answer.id + 1) % 65536


def a_question(answer: message.Message) -> None:
    answer.flags &= ~flags.QR


@pytest.mark.parametrize("change", [another_id, a_question])
async def test_what_is_no_answer_to_us_is_not_heard(change: Change) -> None:
    wrong = await verdict_on(A, lambda query: [reply(query, change=change)])
    assert Verdict.failed("receive", "no answer within 100 ms") == wrong
    both = await verdict_on(A, lambda query: [b"", b"x", reply(query, change=change), reply(query, "A 192.0.2.1")])
    assert both.up


@pytest.mark.parametrize("seed", range(30))
async def test_a_broken_message_is_down_and_never_a_fault_of_ours(seed: int) -> None:
    noise = random.Random(seed)

    def broken(query: bytes) -> Iterable[bytes]:
        good = bytearray(reply(query, "A 192.0.2.1"))
        for _ in range(4):
            good[noise.randrange(4, len(good))] = noise.randrange(256)
        return [
            bytes(good[: noise.randrange(12, len(good) + 1)])
            if seed % 2
            else query[:2] + b"\x80\0" + noise.randbytes(60)
        ]

    verdict = await verdict_on(dns(name="example.org", record_type="A", answer=["203.0.113.7"]), broken)
    assert not verdict.up
    assert verdict.step in {"answer", "rcode", "receive"}


class OverTcp:
    """An act: answers one question as it came over TCP."""

    async def perform(self, client: Client) -> None:
        await Hear(b"example").perform(client)
        answer = reply(bytes(client.heard[2:]), "A 192.0.2.1")
        await Trickle(len(answer).to_bytes(2, "big") + answer, milliseconds(0)).perform(client)


async def test_tcp_is_spoken_where_it_is_wanted() -> None:
    check = dns(record_type="A", name="example.org", answer=["192.0.2.1"], protocol="tcp")
    async with serve(OverTcp(), Silence()) as server:
        assert Verdict.passed("answer", "NOERROR, 192.0.2.1") == await run_check(check, target_for(server.endpoint))


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([Hear(b"\0")], "answer: nothing, expected a whole answer to our question"),
        ([Hear(b"\0"), Say(b"\xff\xffxx")], "answer: xx, expected a whole answer to our question"),
        ([Silence()], "receive: no answer within 100 ms"),
        ([Hear(b"\0"), Say(b"\xff\xff" + bytes(30)), Silence()], "receive: no answer within 100 ms"),
    ],
)
async def test_half_an_answer_over_tcp_is_none(script: list[Any], verdict: str) -> None:
    async with serve(*script) as server:
        found = await run_check(dns(protocol="tcp"), target_for(server.endpoint, connect_timeout=SHORT))
    assert verdict == str(found)


async def test_an_answer_that_has_no_room_is_asked_for_again_over_tcp() -> None:
    def cut(answer: message.Message) -> None:
        answer.flags |= flags.TC

    # Nobody listens for TCP there: that is what the verdict says, and with which it shows that we tried.
    verdict = await verdict_on(A, lambda query: [reply(query, change=cut)])
    assert Verdict.failed("connect", "refused") == verdict


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "a..b"}, r"name 'a\.\.b' is no name of DNS"),
        ({"name": "x" * 64}, "is no name of DNS"),
        ({"record_type": "ANY"}, "Invalid enum value 'ANY'"),
        ({"record_type": "A", "answer": ["x"]}, "answer 'x' is no A record"),
        ({"record_type": "MX", "answer": ["192.0.2.1"]}, "is no MX record"),
        ({"rcode": "OK"}, "Invalid enum value 'OK'"),
        ({"protocol": "tls"}, "Invalid enum value 'tls'"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        dns(**options)
