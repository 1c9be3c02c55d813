import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner, Result

from stayalived.cli.main import main

PAGE = b"All is well with service 42.\n"


class Handler(BaseHTTPRequestHandler):
    """Serves a page, one that is not there, and one that is never the same."""

    hits = 0
    hosts: list[str] = []  # noqa: RUF012  (shared on purpose: each request has a handler of its own)

    def do_GET(self) -> None:
        Handler.hits += 1
        Handler.hosts.append(self.headers["Host"])
        body = {"/page?a=b": PAGE, "/changing": str(Handler.hits).encode()}.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def digest() -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(main, ["digest", *words])


def test_the_digests_are_printed_as_they_stand_in_a_configuration(port: int, digest: Callable[..., Result]) -> None:
    done = digest(f"http://127.0.0.1:{port}/page?a=b")

    assert done.exit_code == 0, done.output
    assert [
        f'digest = "{hashlib.md5(PAGE).hexdigest()}"     # MD5, as genhash and keepalived have it',
        f'digest = "{hashlib.sha256(PAGE).hexdigest()}"     # SHA-256',
    ] == done.output.splitlines()


def test_another_server_may_be_asked_for_the_same_name(port: int, digest: Callable[..., Result]) -> None:
    done = digest("http://www.example.org/page?a=b", "--address", f"127.0.0.1:{port}")

    assert done.exit_code == 0, done.output
    assert Handler.hosts[-1] == "www.example.org"


def test_a_page_that_is_never_the_same_has_none(port: int, digest: Callable[..., Result]) -> None:
    done = digest(f"http://127.0.0.1:{port}/changing")

    assert (1, "Error: the page is another one each time: no digest of it will ever match again\n") == (
        done.exit_code,
        done.output,
    )


def test_a_page_that_is_not_there_is_told_as_the_check_tells_it(port: int, digest: Callable[..., Result]) -> None:
    done = digest(f"http://127.0.0.1:{port}/gone")

    assert (1, "status: 404 for /gone, expected 200-299\n") == (done.exit_code, done.output)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["ftp://127.0.0.1/"], "there is no check that compares a digest for this scheme"),
        (["tcp://127.0.0.1/"], "there is no check that compares a digest for this scheme"),
        (["127.0.0.1"], "there is no check that compares a digest for this scheme"),
        (["http:///x"], "must be a whole URL, with a host"),
        (["http://127.0.0.1:99999/"], "Port out of range"),
        (["http://127.0.0.1/", "--address", "127.0.0.1:x"], "must end in :PORT"),
        (["http://127.0.0.1/a b"], "write %20"),
    ],
)
def test_a_call_that_is_wrong_says_why(words: list[str], text: str, digest: Callable[..., Result]) -> None:
    done = digest(*words)

    assert done.exit_code == 2
    assert text in done.output
