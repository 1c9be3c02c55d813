"""The heads that the check `http` takes at a glance: all others are read by the parser, with the same result."""

import pytest

from stayalived_plugins.checks.http_answer import HEAD, Http1Answer

CLEAR = [
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 404 \r\nServer: x\r\n\r\n",
    b"HTTP/1.1 503 Out of order\r\ncontent-LENGTH: 13 \r\nX-A:\r\n\r\nan error page",
    b"HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nX: \xe4\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=b; Path=/\r\n\r\n",
]
OTHERS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nServer: x\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nUPGRADE: x\r\n\r\n",
    b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"SSH-2.0-OpenSSH\r\n",
]


def parsed(data: bytes) -> Http1Answer:
    answer = Http1Answer(wants_body=False, body_limit=0)
    answer.feed(data)
    return answer


@pytest.mark.parametrize("data", CLEAR)
def test_a_clear_head_means_what_the_parser_makes_of_it(data: bytes) -> None:
    found = HEAD.match(data)
    assert found is not None
    assert ("", parsed(data).status) == (parsed(data).flaw, int(found[1]))


@pytest.mark.parametrize("data", OTHERS)
def test_any_other_head_is_left_to_the_parser(data: bytes) -> None:
    assert HEAD.match(data) is None


def test_the_longest_head_without_an_end_is_given_up_at_once() -> None:
    """Whatever is repeated is never tried another way: the time grows as the head does."""
    assert HEAD.match(b"HTTP/1.1 200 OK\r\n" + b"a:" * 8000) is None
    assert HEAD.match(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 3000) is None
