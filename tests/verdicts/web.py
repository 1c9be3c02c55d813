"""Behaviours of web servers, with TLS and without."""

import hashlib
import re

from stayalived.plugin.testing import Act, Hear, Reset, Say, Silence, Trickle
from stayalived.timing import milliseconds
from verdicts.acts import ByHost, Vanish, Wait
from verdicts.behaviour import CLOSED, SERVER, SERVER6, Behaviour, Script

ASKED = Hear(b"\r\n\r\n")
PAGE = b"<html>hello, world</html>\n"
DIGEST = hashlib.md5(PAGE, usedforsecurity=False).hexdigest()
WRONG = "0" * 32
BIG = b"0123456789abcdef" * 8192  # 128 KiB
BIG_DIGEST = hashlib.md5(BIG, usedforsecurity=False).hexdigest()
CHUNKS = b"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def head(status: str = "200 OK", length: int | None = None, *, version: str = "HTTP/1.1", more: str = "") -> bytes:
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return f"{version} {status}\r\nServer: test\r\n{size}{more}\r\n".encode()


def page(status: str = "200 OK", body: bytes = PAGE, *, version: str = "HTTP/1.1", more: str = "") -> Say:
    return Say(head(status, len(body), version=version, more=more) + body)


def digest(value: str) -> dict[str, str]:
    return {"theirs": f"url {{\n path /\n digest {value}\n }}", "ours": f'url = [{{ digest = "{value}" }}]'}


def regex(pattern: str, theirs: str = "", ours: str = "") -> dict[str, str]:
    return {
        "theirs": f'url {{\n path /\n regex "{pattern}"\n {theirs} }}',
        "ours": f"url = [{{ regex = '{pattern}'{ours} }}]",
    }


def status(theirs: str, ours: str) -> dict[str, str]:
    return {"theirs": f"url {{\n path /\n status_code {theirs}\n }}", "ours": f"status_code = {ours}"}


def http(
    name: str,
    *acts: Act,
    theirs: str = "url {\n path /\n }",
    ours: str = "",
    address: str = SERVER,
    waits: bool = False,
    asked: Act = ASKED,
) -> Behaviour:
    return Behaviour(
        type="http",
        name=name,
        theirs=f"HTTP_GET {{\n {theirs}\n %s\n }}",
        ours=ours,
        serving=Script(acts=(asked, *acts)),
        address=address,
        waits=waits,
    )


def https(
    name: str,
    *acts: Act,
    tls: str = "good",
    theirs: str = "url {\n path /\n }",
    ours: str = "",
    verified: bool = False,
    waits: bool = False,
) -> Behaviour:
    """As with `verify = false`, unless it is verified."""
    keys = ["tls = true", *([] if verified else ["verify = false"]), *([ours] if ours else [])]
    return Behaviour(
        type="https",
        name=name,
        theirs=f"SSL_GET {{\n {theirs}\n %s\n }}",
        ours=", ".join(keys),
        serving=Script(acts=acts or (ASKED, page()), tls=tls),
        waits=waits,
    )


STATUSES = [
    http(f"status {code}", page(code))
    for code in (
        "200 OK",
        "201 Created",
        "206 Partial",
        "299 Odd",
        "300 Many",
        "301 Moved",
        "302 Found",
        "304 Same",
        "400 Bad",
        "401 Who",
        "403 No",
        "404 Not Found",
        "429 Slowly",
        "500 Error",
        "502 Bad",
        "503 Busy",
        "599 Odd",
    )
]
HEADS = [
    http("status 204 without a body, closed", Say(head("204 No Content"))),
    http("status 204 without a body, kept open", Say(head("204 No Content")), Silence()),
    http("status 304 without a body, kept open", Say(head("304 Same")), Silence(), **status("304", "304")),
    http("status 100, then 200", Say(b"HTTP/1.1 100 Continue\r\n\r\n" + head(length=len(PAGE)) + PAGE)),
    http("status 100, then 503", Say(b"HTTP/1.1 100 Continue\r\n\r\n" + head("503 Busy", 0))),
    http("status 100 alone", Say(b"HTTP/1.1 100 Continue\r\n\r\n")),
    http("status 101", Say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
    http("status 99", Say(head("99 Odd", 0))),
    http("status 600", Say(head("600 Odd", 0))),
    http("status 999", Say(head("999 Odd", 0))),
    http("status of two digits", Say(head("20 OK", 0))),
    http("status of four digits", Say(head("2000 OK", 0))),
    http("status that is no number", Say(head("OK", 0))),
    http("status without a reason", Say(head("200", 0))),
    http("status with an empty reason", Say(head("200 ", 0))),
    http("two blanks before the status", Say(head(" 200 OK", 0))),
    http("HTTP/1.0", page(version="HTTP/1.0")),
    http("HTTP/1.0 without a length", Say(head(version="HTTP/1.0") + PAGE)),
    http("HTTP/0.9", Say(PAGE)),
    http("HTTP/1.2", page(version="HTTP/1.2")),
    http("HTTP/2.0", page(version="HTTP/2.0")),
    http("HTTP/2", page(version="HTTP/2")),
    http("HTTP/3.0", page(version="HTTP/3.0")),
    http("protocol in lower case", page(version="http/1.1")),
    http("protocol ICY", page(version="ICY")),
    http("no protocol", Say(b"200 OK\r\nContent-Length: 0\r\n\r\n")),
    http("an empty line before the status", Say(b"\r\n" + head(length=0))),
    http("a blank before the status line", Say(b" " + head(length=0))),
    http("line feeds alone", Say(head(length=0).replace(b"\r\n", b"\n"))),
    http("garbage", Say(bytes(range(256)))),
    http("zeros", Say(bytes(500))),
    http("greets as SSH", Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Silence(), asked=Hear(b""), waits=True),
    http("greets as SMTP and closes", Say(b"220 mail.example\r\n"), asked=Hear(b"")),
    http(
        "status line in two segments",
        Say(b"HTTP/1.1 2"),
        Wait(milliseconds(100)),
        Say(b"00 OK\r\nContent-Length: 0\r\n\r\n"),
    ),
    http(
        "header in two segments",
        Say(b"HTTP/1.1 200 OK\r\nContent-Le"),
        Wait(milliseconds(100)),
        Say(b"ngth: 0\r\n\r\n"),
    ),
    http("end of the header in two segments", Say(head(length=5)[:-2]), Wait(milliseconds(100)), Say(b"\r\nhello")),
    http("a byte at a time", Trickle(head(length=5) + b"hello", milliseconds(5))),
    http("header of 3000 bytes", Say(head(length=0, more=f"X-Long: {'x' * 2900}\r\n"))),
    http("header of 8000 bytes", Say(head(length=0, more=f"X-Long: {'x' * 7900}\r\n"))),
    http("header of 60000 bytes", Say(head(length=0, more=f"X-Long: {'x' * 59_900}\r\n"))),
    http(
        "header of 100000 bytes and no end", Say(b"HTTP/1.1 200 OK\r\n" + b"X-More: of the same\r\n" * 5000), Silence()
    ),
    http("header that stops, kept open", Say(b"HTTP/1.1 200 OK\r\nServer: test\r\n"), Silence(), waits=True),
    http("header that stops, closed", Say(b"HTTP/1.1 200 OK\r\nServer: test\r\n")),
    http("header that stops, reset", Say(b"HTTP/1.1 200 OK\r\nServer: test\r\n"), Reset()),
    http("status line alone, closed", Say(b"HTTP/1.1 200 OK\r\n")),
    http("status line cut, closed", Say(b"HTTP/1.1 200")),
    http("header without a colon", Say(b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n")),
    http("header with a blank before the colon", Say(b"HTTP/1.1 200 OK\r\nServer : test\r\nContent-Length: 0\r\n\r\n")),
    http("header that is folded", Say(b"HTTP/1.1 200 OK\r\nServer: a\r\n b\r\nContent-Length: 0\r\n\r\n")),
    http("header with bytes above 127", Say(b"HTTP/1.1 200 OK\r\nServer: t\xe9st\r\nContent-Length: 0\r\n\r\n")),
    http("header with a zero", Say(b"HTTP/1.1 200 OK\r\nServer: t\x00st\r\nContent-Length: 0\r\n\r\n")),
    http("header names in lower case", Say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")),
    http("no header fields", Say(b"HTTP/1.1 200 OK\r\n\r\n")),
]
LENGTHS = [
    http("no length, closed", Say(head() + PAGE)),
    http("no length, kept open", Say(head() + PAGE), Silence()),
    http("an empty body of length 0, kept open", Say(head(length=0)), Silence()),
    http("a body of its length, kept open", page(), Silence()),
    http("a body that is shorter, closed", Say(head(length=100) + PAGE)),
    http("a body that is shorter, kept open", Say(head(length=100) + PAGE), Silence()),
    http("a body that is longer", Say(head(length=5) + PAGE)),
    http("no body at all, closed", Say(head(length=100))),
    http("no body at all, reset", Say(head(length=100)), Reset()),
    http("reset in the body", Say(head(length=100) + PAGE), Reset()),
    http("reset after the body", page(), Reset()),
    http("a length that is no number", Say(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + PAGE)),
    http("a negative length", Say(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + PAGE)),
    http("an empty length", Say(b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n" + PAGE)),
    http("a length beyond 64 bits", Say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n" + PAGE)),
    http("two lengths that agree", Say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello")),
    http("two lengths that differ", Say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")),
    http(
        "a length and chunks",
        Say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    ),
    http("chunks, closed", Say(CHUNKED + CHUNKS)),
    http("chunks, kept open", Say(CHUNKED + CHUNKS), Silence()),
    http("chunks without the last, closed", Say(CHUNKED + b"5\r\nhello\r\n")),
    http("chunks that are none", Say(CHUNKED + b"hello, world\r\n")),
    http("a big body", page(body=BIG)),
    http("a big body without a length", Say(head() + BIG)),
    http("compressed", page(body=b"\x1f\x8b\x08" + bytes(30), more="Content-Encoding: gzip\r\n")),
]
CONNECTIONS = [
    Behaviour(type="http", name="refuses", theirs="HTTP_GET {\n url {\n path /\n }\n %s\n }", port=CLOSED),
    http("works over IPv6", page(), address=SERVER6),
    http("closes before it is asked", asked=Hear(b"")),
    http("closes when it is asked"),
    http("resets when it is asked", Reset()),
    http("resets at once", Reset(), asked=Hear(b"")),
    http("is silent", Silence(), waits=True),
    http("answers late", Wait(milliseconds(300)), page()),
    http("answers too late", Wait(milliseconds(60_000)), page(), waits=True),
    http("answers before it is asked", page(), Silence(), asked=Hear(b"")),
    http("answers twice", Say((head(length=5) + b"hello") * 2)),
]
WANTS = [
    http("the status that is wanted", page("404 Not Found"), **status("404", "404")),
    http("another status than is wanted", page("200 OK"), **status("404", "404")),
    http("a status in a range", page("302 Found"), **status("300-399", '"300-399"')),
    http("a status out of a range", page("400 Bad"), **status("300-399", '"300-399"')),
    http("the last status of a range", page("399 Odd"), **status("300-399", '"300-399"')),
    http("a status of several", page("404 Not Found"), **status("200 301-302 404", '[200, "301-302", 404]')),
    http("a status of none of several", page("303 Other"), **status("200 301-302 404", '[200, "301-302", 404]')),
    http("the digest", page(), **digest(DIGEST)),
    http("the digest in capitals", page(), **digest(DIGEST.upper())),
    http("another digest", page(), **digest(WRONG)),
    http("the digest and status 500", page("500 Error"), **digest(DIGEST)),
    http("the digest, and no length", Say(head() + PAGE), **digest(DIGEST)),
    http("the digest of no body", page(body=b""), **digest(hashlib.md5(b"", usedforsecurity=False).hexdigest())),
    http(
        "the digest of a body that is longer",
        Say(head(length=5) + PAGE),
        **digest(hashlib.md5(PAGE[:5], usedforsecurity=False).hexdigest()),
    ),
    http("the digest of a body that is shorter", Say(head(length=100) + PAGE), **digest(DIGEST)),
    http(
        "the digest in two segments",
        Say(head(length=len(PAGE)) + PAGE[:9]),
        Wait(milliseconds(100)),
        Say(PAGE[9:]),
        **digest(DIGEST),
    ),
    http("the digest a byte at a time", Trickle(head(length=len(PAGE)) + PAGE, milliseconds(5)), **digest(DIGEST)),
    http(
        "the digest of chunks as they came",
        Say(CHUNKED + CHUNKS),
        **digest(hashlib.md5(CHUNKS, usedforsecurity=False).hexdigest()),
    ),
    http(
        "the digest of what is in chunks",
        Say(CHUNKED + CHUNKS),
        **digest(hashlib.md5(b"hello, world", usedforsecurity=False).hexdigest()),
    ),
    http("the digest of a big body", page(body=BIG), **digest(BIG_DIGEST)),
    http("the digest of a big body without a length", Say(head() + BIG), **digest(BIG_DIGEST)),
    http("the digest of another big body", page(body=BIG + b"x"), **digest(BIG_DIGEST)),
    http("a digest and a reset in the body", Say(head(length=len(PAGE)) + PAGE[:9]), Reset(), **digest(DIGEST)),
    http("a match", page(), **regex("hello")),
    http("no match", page(), **regex("goodbye")),
    http("a match that must not be", page(), **regex("hello", "regex_no_match\n", ", regex_no_match = true")),
    http("no match as it must be", page(), **regex("goodbye", "regex_no_match\n", ", regex_no_match = true")),
    http("a match and status 500", page("500 Error"), **regex("hello")),
    http(
        "a match over two segments",
        Say(head(length=len(PAGE)) + PAGE[:9]),
        Wait(milliseconds(100)),
        Say(PAGE[9:]),
        **regex("hello, world"),
    ),
    http("a match a byte at a time", Trickle(head(length=len(PAGE)) + PAGE, milliseconds(5)), **regex("hello, world")),
    http("a match far down", page(body=BIG + b"needle"), **regex("needle")),
    http("a match across 4096 bytes", page(body=b"x" * 4090 + b"needlework" + b"x" * 5000), **regex("needlework")),
    http("a match in another case", page(), **regex("HELLO")),
    http(
        "a match in another case that is let",
        page(),
        **regex("HELLO", "regex_options caseless\n", ', regex_options = ["caseless"]'),
    ),
    http("a match at the beginning alone", page(body=b"hello"), **regex("^hello")),
    http("no match at the beginning", page(body=b"oh, hello"), **regex("^hello")),
    http("a match at the end", page(body=b"oh, hello"), **regex("hello$")),
    http("a match before a last line feed", page(body=b"oh, hello\n"), **regex("hello$")),
    http(
        "a match of a line",
        page(body=b"one\ntwo\nthree"),
        **regex("^two$", "regex_options multiline\n", ', regex_options = ["multiline"]'),
    ),
    http("no match of a line", page(body=b"one\ntwo\nthree"), **regex("^two$")),
    http("a dot and a line feed", page(body=b"one\ntwo"), **regex("one.two")),
    http(
        "a dot that takes a line feed",
        page(body=b"one\ntwo"),
        **regex("one.two", "regex_options dotall\n", ', regex_options = ["dotall"]'),
    ),
    http(
        "a match below the least offset",
        page(body=b"hello, world"),
        **regex("hello", "regex_min_offset 3\n", ", regex_min_offset = 3"),
    ),
    http(
        "a match at the least offset",
        page(body=b"oh hello"),
        **regex("hello", "regex_min_offset 3\n", ", regex_min_offset = 3"),
    ),
    http(
        "a second match beyond the least offset",
        page(body=b"hello hello"),
        **regex("hello", "regex_min_offset 3\n", ", regex_min_offset = 3"),
    ),
    http(
        "a match beyond the greatest offset",
        page(body=b"x" * 20 + b"hello"),
        **regex("hello", "regex_max_offset 10\n", ", regex_max_offset = 10"),
    ),
    http(
        "a match at the greatest offset",
        page(body=b"x" * 10 + b"hello"),
        **regex("hello", "regex_max_offset 10\n", ", regex_max_offset = 10"),
    ),
    http(
        "a match that is anchored",
        page(),
        **regex("<html", "regex_options anchored\n", ', regex_options = ["anchored"]'),
    ),
    http(
        "no match that is anchored",
        page(),
        **regex("hello", "regex_options anchored\n", ', regex_options = ["anchored"]'),
    ),
    http("a match of no body", page(body=b""), **regex("^$")),
    http("a match across two chunks", Say(CHUNKED + CHUNKS), **regex("hello, world")),
    http("a match in the header alone", page(more="X-Where: needle\r\n"), **regex("needle")),
    http("a match in a body of another length", Say(head(length=5) + b"xxxxxneedle"), **regex("needle")),
]
TWO = "url {\n path /\n status_code 200\n }\n url {\n path /second\n status_code %s\n }"
VHOST = ByHost(b"Host: www.example\r\n", head(length=0), head("404 Not Found", 0))
ASKS = [
    http("two pages, both right", page(), theirs=TWO % 200, ours='url = [{ path = "/" }, { path = "/second" }]'),
    http(
        "two pages, the second wrong",
        ByHost(b"GET /second", head("404 No", 0), head(length=0)),
        theirs=TWO % 200,
        ours='url = [{ path = "/" }, { path = "/second" }]',
    ),
    http(
        "two pages, the first wrong",
        ByHost(b"GET /second", head(length=0), head("404 No", 0)),
        theirs=TWO % 200,
        ours='url = [{ path = "/" }, { path = "/second" }]',
    ),
    http(
        "two pages, each with its status",
        ByHost(b"GET /second", head("404 No", 0), head(length=0)),
        theirs=TWO % 404,
        ours='url = [{ path = "/", status_code = 200 }, { path = "/second", status_code = 404 }]',
    ),
    http(
        "a virtual host of the page",
        VHOST,
        theirs="url {\n path /\n virtualhost www.example\n }",
        ours='url = [{ virtualhost = "www.example" }]',
    ),
    http(
        "a virtual host of the check",
        VHOST,
        theirs="virtualhost www.example\n url {\n path /\n }",
        ours='virtualhost = "www.example"',
    ),
    http(
        "a virtual host of both",
        VHOST,
        theirs="virtualhost no.example\n url {\n path /\n virtualhost www.example\n }",
        ours='virtualhost = "no.example", url = [{ virtualhost = "www.example" }]',
    ),
    http("no virtual host", VHOST),
    http(
        "a query in the path",
        ByHost(b"GET /a?b=c&d HTTP/1.0\r\n", head(length=0), head("404 No", 0)),
        theirs='url {\n path "/a?b=c&d"\n }',
        ours='path = "/a?b=c&d"',
    ),
    http("takes HTTP/1.0 alone", ByHost(b"GET / HTTP/1.0\r\n", head(length=0), head("505 No", 0))),
    http(
        "takes HTTP/1.1 alone",
        ByHost(b"GET / HTTP/1.1\r\n", head(length=0), head("505 No", 0)),
        theirs="http_protocol 1.1\n url {\n path /\n }",
        ours='http_protocol = "1.1"',
    ),
    http("takes HTTP/1.1 alone and is asked by 1.0", ByHost(b"HTTP/1.1\r\n", head(length=0), head("505 No", 0))),
    http(
        "wants Connection: close by 1.0C",
        ByHost(b"Connection: close\r\n", head(length=0), head("400 No", 0)),
        theirs="http_protocol 1.0C\n url {\n path /\n }",
        ours='http_protocol = "1.0C"',
    ),
    http(
        "wants Connection: close by 1.1",
        ByHost(b"Connection: close\r\n", head(length=0), head("400 No", 0)),
        theirs="http_protocol 1.1\n url {\n path /\n }",
        ours='http_protocol = "1.1"',
    ),
    http("minds Connection: close by 1.0", ByHost(b"Connection:", head("400 No", 0), head(length=0))),
    http("wants a Host of address and port", ByHost(b"Host: 192.0.2.10:", head(length=0), head("400 No", 0))),
    http(
        "wants the agent of keepalived", ByHost(b"User-Agent: KeepAliveClient\r\n", head(length=0), head("403 No", 0))
    ),
    http(
        "minds a port that is not there", page(), theirs="connect_port 9\n url {\n path /\n }", ours="connect_port = 9"
    ),
]
NAMED = "virtualhost www.example\n"
TLS = [
    https("works"),
    https("a certificate of nobody", tls="self-signed"),
    https("a certificate that is over", tls="expired"),
    https(
        "a certificate of another name",
        tls="other",
        ours='virtualhost = "www.example"',
        theirs=NAMED + "url {\n path /\n }",
    ),
    https("a certificate of an authority that is unknown, verified", verified=True),
    https("a certificate of nobody, verified", tls="self-signed", verified=True),
    https("a certificate that is over, verified", tls="expired", verified=True, ours='ca = "{ca}"'),
    https(
        "a certificate of another name, verified",
        tls="other",
        verified=True,
        ours='ca = "{ca}", virtualhost = "www.example"',
        theirs=NAMED + "url {\n path /\n }",
    ),
    https(
        "a certificate that is right, verified",
        verified=True,
        ours='ca = "{ca}", virtualhost = "www.example"',
        theirs=NAMED + "url {\n path /\n }",
    ),
    https("wants a certificate of ours", tls="mutual"),
    https("TLS 1.1 at most", tls="old"),
    https("TLS 1.2 at most", tls="1.2"),
    https("TLS 1.3 at least", tls="1.3"),
    https("plain HTTP", ASKED, page(), tls="", waits=True),
    https("plain HTTP that answers at once", page(), tls=""),
    https("garbage in place of the handshake", Say(bytes(range(256))), Silence(), tls=""),
    https("an alert in place of the handshake", Say(b"\x15\x03\x01\x00\x02\x02\x28"), Silence(), tls=""),
    https("closes before the handshake", Wait(milliseconds(20)), tls=""),
    https("resets before the handshake", Reset(), tls=""),
    https("silence in place of the handshake", Silence(), tls="", waits=True),
    https("refuses a handshake without a name", tls="picky"),
    https(
        "a name by enable_sni",
        tls="picky",
        theirs="enable_sni\n" + NAMED + "url {\n path /\n }",
        ours='virtualhost = "www.example"',
    ),
    https("status 503", ASKED, page("503 Busy")),
    https("is silent", Silence(), waits=True),
    https("closes when it is asked", ASKED),
    https("closes without a word when it is asked", ASKED, Vanish()),
    https("closes without a word after the body", ASKED, page(), Vanish()),
    https("closes without a word, and no length", ASKED, Say(head() + PAGE), Vanish()),
    https("no length, closed", ASKED, Say(head() + PAGE)),
    https("no length, kept open", ASKED, Say(head() + PAGE), Silence()),
    https(
        "a body that is shorter, closed without a word", ASKED, Say(head(length=100) + PAGE), Vanish(), **digest(DIGEST)
    ),
    https("the digest", ASKED, page(), **digest(DIGEST)),
    https("another digest", ASKED, page(), **digest(WRONG)),
    https("the digest of a big body", ASKED, page(body=BIG), **digest(BIG_DIGEST)),
    https("a match", ASKED, page(), **regex("hello")),
    https("no match", ASKED, page(), **regex("goodbye")),
    https(
        "a match a byte at a time",
        ASKED,
        Trickle(head(length=len(PAGE)) + PAGE, milliseconds(10)),
        **regex("hello, world"),
    ),
]
BEHAVIOURS = (*STATUSES, *HEADS, *LENGTHS, *CONNECTIONS, *WANTS, *ASKS, *TLS)
assert re.fullmatch("[0-9a-f]{32}", DIGEST)
