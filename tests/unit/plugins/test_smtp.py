import ssl
from typing import Any

import msgspec
import pytest

from certificates import Authority
from stayalived.plugin import Verdict
from stayalived.plugin.testing import Act, Flood, Hear, Reset, Say, Silence, Trickle, run_check, serve, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.smtp import SmtpCheck

SHORT = milliseconds(50)
GREETING = Say(b"220 mail.example.org ESMTP\r\n")
MANY_LINES = Say(b"220-mail.example.org\r\n220-has much to say\r\n220 and ends\r\n")
OK = Say(b"250 hello\r\n")
BYE = (Hear(b"QUIT"), Say(b"221 bye\r\n"))
FEATURES = Say(b"250-mail.example.org\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n")


def smtp(**options: Any) -> SmtpCheck:
    return SmtpCheck(msgspec.convert(options, SmtpCheck.Options))


async def verdict_on(check: SmtpCheck, *script: Act) -> Verdict:
    async with serve(*script) as server:
        return await run_check(check, target_for(server.endpoint, connect_timeout=SHORT))


async def test_the_conversation_is_as_it_should_be() -> None:
    async with serve(GREETING, Hear(b"\r\n"), OK, *BYE) as server:
        verdict = await run_check(smtp(helo_name="lb1.example.org"), target_for(server.endpoint))
    assert Verdict.passed("helo", "250") == verdict
    assert [b"HELO lb1.example.org\r\nQUIT\r\n"] == server.heard


@pytest.mark.parametrize("greeting", [GREETING, MANY_LINES, Say(b"220\r\n"), Say(b"220 no carriage return\n")])
@pytest.mark.parametrize("answer", [OK, FEATURES])
async def test_answers_of_one_line_and_of_many_are_taken(greeting: Act, answer: Act) -> None:
    assert (await verdict_on(smtp(command="EHLO"), greeting, Hear(b"\r\n"), answer, *BYE)).up


async def test_answers_may_come_a_byte_at_a_time() -> None:
    script = (Trickle(MANY_LINES.data, milliseconds(0)), Hear(b"\r\n"), Trickle(FEATURES.data, milliseconds(0)))
    assert (await verdict_on(smtp(), *script, *BYE)).up


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([Say(b"554 go away\r\n")], "greeting: 554 go away, expected 220"),
        ([Say(b"220-one\r\n421 busy\r\n")], "greeting: 421 busy, expected 220"),
        ([GREETING, Hear(b"\r\n"), Say(b"501 no such name\r\n")], "helo: 501 no such name, expected 250"),
        ([GREETING, Hear(b"\r\n")], "helo: the end after nothing, expected 250"),
        ([Say(b"220-half a\r\n"), Hear(b"x")], "receive: no answer within 50 ms"),
        ([Say(b"HTTP/1.1 400 No\r\n\r\n"), Silence()], "greeting: no SMTP: HTTP/1.1 400 No, expected 220"),
        ([Say(b"\x16\x03\x01"), Silence()], "greeting: no SMTP: 16 0301, expected 220"),
        ([Silence()], "receive: no answer within 50 ms"),
        ([Hear(b"x"), Silence()], "receive: no answer within 50 ms"),
        ([GREETING, Hear(b"\r\n"), Reset()], "receive: reset"),
        ([GREETING, Hear(b"\r\n"), OK, Hear(b"QUIT"), Silence()], "receive: no answer within 50 ms"),
        ([GREETING, Hear(b"\r\n"), OK, Hear(b"QUIT")], "quit: the end after nothing, expected an answer"),
        ([GREETING, Hear(b"\r\n"), OK, Hear(b"QUIT"), Say(b"?\r\n")], "quit: no SMTP: ?, expected an answer"),
        ([GREETING, Hear(b"\r\n"), OK, Hear(b"QUIT"), Say(b"500 what?\r\n")], "helo: 250"),
        ([Flood(b"220-and more\r\n" * 9)], "greeting: no SMTP: "),
        ([Flood(b"220 " + b"x" * 999)], "greeting: no SMTP: "),
        ([Trickle(b"220-slow\r\n" * 99, milliseconds(5))], "receive: no answer within"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_with_its_step(script: list[Act], verdict: str) -> None:
    assert str(await verdict_on(smtp(), *script)).startswith(verdict)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def test_tls_from_the_start(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("mail.example.org"))
    async with serve(GREETING, Hear(b"\r\n"), OK, *BYE, tls=context) as server:
        target = target_for(server.endpoint, virtual_host="mail.example.org")
        assert (await run_check(smtp(tls=True, ca=str(authority.path)), target)).up
        wrong = await run_check(smtp(tls=True, ca=str(authority.path), sni_name="other.example"), target)
    assert wrong.step == "tls"


async def test_starttls_that_is_refused_is_down() -> None:
    script = (GREETING, Hear(b"EHLO"), FEATURES, Hear(b"STARTTLS\r\n"), Say(b"454 not now\r\n"), Silence())
    assert Verdict.failed("starttls", "454 not now", "220") == await verdict_on(smtp(starttls=True), *script)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"helo_name": "a\r\nRSET"}, "is no host name"),
        ({"helo_name": ""}, "is no host name"),
        ({"command": "LHLO"}, "Invalid enum value"),
        ({"tls": True, "starttls": True}, "exclude each other"),
        ({"ca": "/x"}, "ca is of no use without tls = true or starttls = true"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        smtp(**options)
