import hashlib
import ssl
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stayalived.plugin import Secret, Verdict
from stayalived.plugin.testing import (
    Act,
    Flood,
    Hear,
    Reset,
    Say,
    Silence,
    Trickle,
    run_check,
    run_probe,
    serve,
    target_for,
)
from stayalived.timing import Duration, milliseconds, seconds
from stayalived_plugins.checks.http import HttpCheck

PAGE = b"All is well with service 42.\n"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n" + PAGE
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n" + PAGE[:28] + b"\r\n1\r\n\n\r\n0\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\n" + PAGE
MD5 = hashlib.md5(PAGE).hexdigest()
SHORT = milliseconds(50)


def http(**options: Any) -> HttpCheck:
    return HttpCheck(msgspec.convert(options, HttpCheck.Options, dec_hook=lambda _, text: Secret(text)))


async def verdict_on(check: HttpCheck, *script: Act, limit: Duration = SHORT) -> Verdict:
    async with serve(*script) as server:
        return await run_check(check, target_for(server.endpoint, connect_timeout=limit))


async def test_the_request_says_what_keepalived_says_but_for_the_name() -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD)) as server:
        verdict = await run_check(http(path="/healthz"), target_for(server.endpoint))
    request = f"GET /healthz HTTP/1.0\r\nUser-Agent: StayalivedClient\r\nHost: {server.endpoint}\r\n\r\n"
    assert verdict == Verdict.passed("status", "200 for /healthz")
    assert [request.encode()] == server.heard


@pytest.mark.parametrize(
    ("protocol", "line", "closing"),
    [
        ("1.0", b"HTTP/1.0\r\n", b""),
        ("1.0C", b"HTTP/1.0\r\n", b"Connection: close\r\n"),
        ("1.1", b"HTTP/1.1\r\n", b"Connection: close\r\n"),
    ],
)
async def test_each_protocol_is_asked_for_as_it_should_be(protocol: str, line: bytes, closing: bytes) -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD)) as server:
        verdict = await run_check(http(http_protocol=protocol), target_for(server.endpoint, virtual_host="example.org"))
    assert verdict.up
    assert [
        b"GET / " + line + b"User-Agent: StayalivedClient\r\nHost: example.org\r\n" + closing + b"\r\n"
    ] == server.heard


async def test_the_name_of_a_page_wins_over_that_of_the_check_and_that_over_the_servers() -> None:
    check = http(virtualhost="check.example", url=[{"path": "/"}, {"path": "/b", "virtualhost": "page.example"}])
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD)) as server:
        verdict = await run_check(check, target_for(server.endpoint, virtual_host="server.example"))
    assert verdict == Verdict.passed("status", "200 for /b")
    assert [b"check.example", b"page.example"] == [
        heard.split(b"Host: ")[1].split(b"\r\n")[0] for heard in server.heard
    ]


@pytest.mark.parametrize(
    ("accepted", "status", "up"),
    [
        ("200-299", 204, True),
        ("200-299", 301, False),
        (503, 503, True),
        ([200, "301-302"], 302, True),
        ([200, "301-302"], 303, False),
        ("100-599", 599, True),
    ],
)
async def test_the_status_decides(accepted: Any, status: int, up: bool) -> None:
    answer = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n".encode()
    verdict = await verdict_on(http(status_code=accepted), Hear(b"\r\n\r\n"), Say(answer))
    assert up == verdict.up
    assert str(status) == verdict.seen


async def test_a_wrong_status_says_what_was_expected() -> None:
    verdict = await verdict_on(http(status_code=[200, "204-206"]), Hear(b"\r\n\r\n"), Say(b"HTTP/1.1 503 No\r\n\r\n"))
    assert str(verdict) == "status: 503, expected 200, 204-206"


async def test_an_interim_answer_is_not_the_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    verdict = await verdict_on(http(http_protocol="1.1"), Hear(b"\r\n\r\n"), Say(early + GOOD))
    assert verdict == Verdict.passed("status", "200")


@pytest.mark.parametrize("answer", [GOOD, CHUNKED, TO_THE_END])
@pytest.mark.parametrize("digest", [MD5, MD5.upper(), hashlib.sha256(PAGE).hexdigest()])
async def test_a_digest_of_the_body_is_compared(answer: bytes, digest: str) -> None:
    verdict = await verdict_on(http(url=[{"digest": digest}]), Hear(b"\r\n\r\n"), Say(answer))
    assert verdict.up


async def test_a_wrong_digest_shows_both() -> None:
    verdict = await verdict_on(http(url=[{"digest": "0" * 32}]), Hear(b"\r\n\r\n"), Say(GOOD))
    assert verdict == Verdict.failed("digest", MD5, "0" * 32)


async def test_a_regular_expression_is_looked_for_across_pieces() -> None:
    script = (Hear(b"\r\n\r\n"), Trickle(GOOD, milliseconds(0)))
    assert (await verdict_on(http(url=[{"regex": r"service \d+"}]), *script)).up
    verdict = await verdict_on(http(url=[{"regex": "broken"}]), *script)
    assert verdict == Verdict.failed("regex", "no match in 29 bytes", "broken")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([Hear(b"\r\n\r\n")], "answer: the end after 0 bytes", id="closes"),
        pytest.param([Say(b"SSH-2.0-OpenSSH_9\r\n"), Silence()], "answer: no HTTP", id="another protocol"),
        pytest.param([Hear(b"\r\n\r\n"), Say(bytes(range(256))), Silence()], "answer: no HTTP", id="garbage"),
        pytest.param([Silence()], "receive: no answer within 50 ms", id="silence"),
        pytest.param(
            [Say(b"HTTP/1.1 200 OK\r\nA: b\r\n"), Silence()], "receive: no answer within 50 ms", id="half a head"
        ),
        pytest.param([Trickle(GOOD * 9, milliseconds(5))], "receive: no answer within", id="a byte now and then"),
        pytest.param(
            [Say(b"HTTP/1.1 200 OK\r\n"), Flood(b"X-More: yes\r\n" * 99)], "answer: a head of more", id="endless head"
        ),
        pytest.param(
            [Say(b"HTTP/1.1 200 OK\r\nX: "), Flood(b"x" * 9999)], "answer: a head of more", id="endless header"
        ),
        pytest.param([Hear(b"\r\n\r\n"), Reset()], "receive: reset", id="reset"),
    ],
)
async def test_a_hostile_server_is_down_in_bounded_time_and_memory(script: list[Act], expected: str) -> None:
    tracemalloc.start()
    try:
        verdict = await verdict_on(http(), *script)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not verdict.up
    assert str(verdict).startswith(expected)
    assert peak < 4 << 20


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + PAGE, "the end after 29 bytes of the body"),
        (CHUNKED[:-7], "the end after 29 bytes of the body"),
        (TO_THE_END + bytes(100), "a body of more than 100 bytes (body_limit)"),
    ],
)
async def test_a_body_that_is_cut_off_or_too_long_is_no_answer(answer: bytes, flaw: str) -> None:
    check = http(url=[{"digest": MD5}], body_limit=100)
    verdict = await verdict_on(check, Hear(b"\r\n\r\n"), Say(answer))
    assert verdict == Verdict.failed("answer", flaw)


@pytest.mark.parametrize("then", [b"more than was announced", b"HTTP/1.1 503 No\r\n\r\n", b"\x00\xff"])
@pytest.mark.parametrize("digest", ["", MD5])
async def test_what_follows_the_answer_decides_nothing_in_one_segment_or_in_two(then: bytes, digest: str) -> None:
    check = http(url=[{"digest": digest}])

    together = await verdict_on(check, Hear(b"\r\n\r\n"), Say(GOOD + then))
    apart = await verdict_on(check, Hear(b"\r\n\r\n"), Say(GOOD), Say(then))

    assert Verdict.passed("status", "200") == together == apart


async def test_a_body_that_breaks_decides_nothing_where_nobody_looks_at_it() -> None:
    broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n"

    assert (await verdict_on(http(), Hear(b"\r\n\r\n"), Say(broken))).up
    looked_at = await verdict_on(http(url=[{"regex": "chunk"}]), Hear(b"\r\n\r\n"), Say(broken))
    assert str(looked_at).startswith("answer: no HTTP: ")


async def test_an_endless_body_that_nobody_asked_for_is_not_read() -> None:
    verdict = await verdict_on(http(), Hear(b"\r\n\r\n"), Say(b"HTTP/1.1 200 OK\r\n\r\n"), Flood(b"x" * 9999))
    assert verdict == Verdict.passed("status", "200")


@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        ({"regex": "ALL IS", "regex_options": ["caseless"]}, "status: 200"),
        ({"regex": "^well", "regex_options": ["multiline", "caseless"]}, "regex: no match in 29 bytes, expected ^well"),
        ({"regex": "service .*2.$", "regex_options": ["dotall"]}, "status: 200"),
        ({"regex": " is   # spaces count for nothing", "regex_options": ["extended"]}, "status: 200"),
        ({"regex": "is", "regex_min_offset": 4, "regex_max_offset": 4}, "status: 200"),
        ({"regex": "is", "regex_min_offset": 5}, "regex: no match in 29 bytes, expected is"),
        ({"regex": "is", "regex_max_offset": 3}, "regex: no match in 29 bytes, expected is"),
        ({"regex": "is", "regex_options": ["anchored"]}, "regex: no match in 29 bytes, expected is"),
        ({"regex": "is", "regex_options": ["anchored"], "regex_min_offset": 4}, "status: 200"),
        ({"regex": "broken", "regex_no_match": True}, "status: 200"),
        ({"regex": "is well", "regex_no_match": True}, "regex: a match at byte 4, expected no is well"),
        ({"regex": "is", "digest": "0" * 32}, f"digest: {MD5}, expected {'0' * 32}"),
    ],
)
async def test_how_a_regular_expression_is_looked_for(page: dict[str, Any], verdict: str) -> None:
    assert verdict == str(await verdict_on(http(url=[page]), Hear(b"\r\n\r\n"), Say(GOOD)))


async def test_method_headers_body_and_authentication_are_sent() -> None:
    check = http(method="POST", headers={"X-Probe": "1", "user-agent": "me"}, body="what=é", user="tic", password="tac")
    async with serve(Hear("é".encode()), Say(GOOD)) as server:
        assert (await run_check(check, target_for(server.endpoint, virtual_host="example.org"))).up
    request = (
        "POST / HTTP/1.0\r\nUser-Agent: me\r\nHost: example.org\r\nContent-Length: 7\r\nX-Probe: 1\r\n"
        "Authorization: Basic dGljOnRhYw==\r\n\r\nwhat=é"
    )
    assert [request.encode()] == server.heard


async def test_a_token_is_sent_as_it_should_be() -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD)) as server:
        assert (await run_check(http(bearer="t0ken"), target_for(server.endpoint))).up
    assert b"\r\nAuthorization: Bearer t0ken\r\n" in server.heard[0]


def moved(place: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("place", "verdict"),
    [
        ("/there?a=b", "redirect: one more, to /there?a=b, expected at most 2"),
        ("there", "redirect: one more, to /there, expected at most 2"),
        ("https://example.org/", "redirect: to 'https://example.org/', expected a place of http here"),
        ("//[", "redirect: to '//[', expected a place of http here"),
        ("/a b", "redirect: to '/a b', expected a place of http here"),
    ],
)
async def test_redirects_are_followed_as_often_as_is_wanted_and_no_further(place: str, verdict: str) -> None:
    check = http(follow_redirects=2)
    async with serve(Hear(b"\r\n\r\n"), Say(moved(place))) as server:
        assert verdict == str(await run_check(check, target_for(server.endpoint)))
    assert len(server.heard) <= 3


async def test_a_redirect_to_another_name_asks_this_server_for_that_name() -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(moved("http://other.example/x"))) as server:
        await run_check(http(follow_redirects=1), target_for(server.endpoint, virtual_host="example.org"))
    assert b"GET /x HTTP/1.0\r\nUser-Agent: StayalivedClient\r\nHost: other.example\r\n\r\n" == server.heard[1]


async def test_the_adapter_under_asyncio_comes_to_the_same_verdicts() -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD)) as server:
        assert await run_probe(http(), target_for(server.endpoint)) == Verdict.passed("status", "200")
    async with serve(Silence()) as server:
        target = target_for(server.endpoint, connect_timeout=SHORT)
        assert await run_probe(http(), target) == Verdict.failed("receive", "no answer within 50 ms")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "no-slash"}, "must start with /"),
        ({"path": "/a b"}, "write %20"),
        ({"path": "/a\r\nX: y"}, "must start with / and be ASCII"),
        ({"virtualhost": "a\r\nb"}, "is no host name"),
        ({"status_code": "2xx"}, "a code from 100 to 599"),
        ({"status_code": "299-200"}, "a code from 100 to 599"),
        ({"status_code": []}, "a code from 100 to 599"),
        ({"status_code": 600}, "a code from 100 to 599"),
        ({"url": [{"digest": "12345"}]}, "32 .MD5. or 64"),
        ({"url": [{"regex": "("}]}, "regex"),
        ({"url": [{"pth": "/"}]}, "unknown field `pth`"),
        ({"path": "/a", "url": [{}]}, "exclude each other"),
        ({"method": "HEAD", "url": [{"regex": "x"}]}, "HEAD gets no body"),
        ({"url": [{"regex": "x", "regex_options": ["greedy"]}]}, "Invalid enum value 'greedy'"),
        ({"url": [{"regex": "x", "regex_min_offset": -1}]}, "regex_min_offset must be at least 0"),
        ({"url": [{"regex": "x", "regex_min_offset": 9, "regex_max_offset": 8}]}, "at least regex_min_offset"),
        ({"url": [{"regex_no_match": True}]}, "regex must be given"),
        ({"method": "POKE"}, "Invalid enum value 'POKE'"),
        ({"http_protocol": "3"}, "Invalid enum value '3'"),
        ({"headers": {"X y": "1"}}, "'X y' is no name of a header"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "X-A must be printable ASCII on one line"),
        ({"headers": {"host": "a"}}, "host is what virtualhost is for"),
        ({"headers": {"Connection": "close"}}, "Connection is for http_protocol"),
        ({"body": "x"}, "body goes with method POST"),
        ({"body": "x" * 20000, "method": "POST"}, "at most 16384 bytes"),
        ({"follow_redirects": 11}, "from 0 to 10"),
        ({"user": "me"}, "user needs a password beside it"),
        ({"user": "m:e", "password": "x"}, "holds no colon"),
        ({"user": "me", "password": "x", "bearer": "y"}, "bearer and user exclude each other"),
        ({"bearer": "a\nb"}, "bearer must be printable"),
        ({"ca": "/x.pem"}, "ca is of no use without tls = true"),
        ({"tls": True, "sni_name": "a b"}, "sni_name 'a b' is no host name"),
        ({"tls": True, "key": "-----BEGIN PRIVATE KEY-----"}, "key needs a certificate"),
        ({"tls": True, "certificate": "/c.pem", "key": "/k.pem"}, "write key = . file"),
        ({"body_limit": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message) as caught:
        http(**options)
    assert not any(secret in str(caught.value) for secret in ("a\nb", "/k.pem"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
         "-subj", "/CN=example.org", "-addext", "subjectAltName=DNS:example.org", "-keyout", path, "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("run", [run_check, run_probe])
async def test_tls_with_a_certificate_that_is_trusted_for_the_name_is_up(certificate: Path, run: Any) -> None:
    check = http(tls=True, ca=str(certificate), url=[{"digest": MD5}])
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD), tls=server_side(certificate)) as server:
        target = target_for(server.endpoint, virtual_host="example.org", connect_timeout=seconds(1))
        assert await run(check, target) == Verdict.passed("status", "200")


@pytest.mark.parametrize(
    ("options", "name", "seen"),
    [
        ({}, "example.org", "self-signed certificate"),
        ({"ca": "PATH"}, "example.net", "hostname mismatch, certificate is not valid for 'example.net'."),
    ],
)
async def test_a_certificate_that_cannot_be_trusted_is_down_and_says_why(
    certificate: Path, options: dict[str, str], name: str, seen: str
) -> None:
    check = http(tls=True, **{key: str(certificate) for key in options})
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD), tls=server_side(certificate)) as server:
        verdict = await run_check(check, target_for(server.endpoint, virtual_host=name, connect_timeout=seconds(1)))
    assert verdict == Verdict.failed("tls", seen)


async def test_without_verification_any_certificate_will_do(certificate: Path) -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(GOOD), tls=server_side(certificate)) as server:
        verdict = await run_check(http(tls=True, verify=False), target_for(server.endpoint, connect_timeout=seconds(1)))
    assert verdict.up


async def test_a_long_body_over_tls_comes_whole(certificate: Path) -> None:
    body = bytes(range(256)) * 2000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    check = http(tls=True, verify=False, url=[{"digest": hashlib.md5(body).hexdigest()}])
    async with serve(Hear(b"\r\n\r\n"), Say(answer), tls=server_side(certificate)) as server:
        verdict = await run_check(check, target_for(server.endpoint, connect_timeout=seconds(1)))
    assert verdict == Verdict.passed("status", "200")


async def test_a_server_that_speaks_no_tls_or_only_begins_to_is_down() -> None:
    check = http(tls=True, verify=False)
    assert (await verdict_on(check, Say(b"220 mail\r\n"), Silence())).seen == "wrong_version_number"
    assert await verdict_on(check, Silence()) == Verdict.failed("tls", "no answer within 50 ms")
    assert (await verdict_on(check, Hear(b"\x01"))).step == "tls"


async def test_a_file_of_authorities_that_cannot_be_read_is_no_verdict_on_the_server() -> None:
    async with serve(Silence()) as server:
        with pytest.raises(OSError, match=r"tls ca /nowhere\.pem: No such file or directory; give a readable file"):
            await run_check(http(tls=True, ca="/nowhere.pem"), target_for(server.endpoint))
