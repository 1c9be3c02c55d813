"""The check `http` against a web server that nobody here wrote."""

import hashlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stayalived.addresses import Endpoint
from stayalived.plugin import Verdict
from stayalived.plugin.testing import run_check, target_for
from stayalived_plugins.checks.http import HttpCheck

PAGE = b"All is well with service 42.\n"
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log {folder}/access.log; root {folder};
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} default_server;
    location /broken {{ return 503; }}
    location /moved {{ return 301 http://127.0.0.1:1/; }}
    location /name {{ return 200 "$host"; }}
    location /agent {{ return 200 "$http_user_agent $server_protocol"; }}
    location /echo {{ return 200 "$request_method"; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "page.txt").write_bytes(PAGE)
    (folder / "long.txt").write_bytes(PAGE * 20000)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    program = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    wait_for(folder / "pid", program)
    yield Endpoint("127.0.0.1", port)
    program.send_signal(signal.SIGTERM)
    program.wait(10)


def wait_for(path: Path, program: "subprocess.Popen[bytes]") -> None:
    """Wait until nginx has written its pid file, which it does after it listens."""
    while not path.exists() or not path.read_text().strip():
        with pytest.raises(subprocess.TimeoutExpired):  # an nginx that ends has failed
            program.wait(0.02)


async def verdict_on(endpoint: Endpoint, **options: Any) -> Verdict:
    return await run_check(HttpCheck(msgspec.convert(options, HttpCheck.Options)), target_for(endpoint))


@pytest.mark.parametrize("protocol", ["1.0", "1.0C", "1.1"])
@pytest.mark.parametrize("path", ["/page.txt", "/long.txt"])
async def test_a_page_is_up(nginx: Endpoint, protocol: str, path: str) -> None:
    assert await verdict_on(nginx, path=path, http_protocol=protocol) == Verdict.passed("status", f"200 for {path}")


async def test_503_is_down_unless_it_is_what_was_asked_for(nginx: Endpoint) -> None:
    assert await verdict_on(nginx, path="/broken") == Verdict.failed("status", "503 for /broken", "200-299")
    assert (await verdict_on(nginx, path="/broken", status_code=[503])).up


async def test_a_redirect_is_not_followed(nginx: Endpoint) -> None:
    assert await verdict_on(nginx, path="/moved") == Verdict.failed("status", "301 for /moved", "200-299")


async def test_a_head_is_enough(nginx: Endpoint) -> None:
    assert (await verdict_on(nginx, path="/long.txt", method="HEAD")).up


@pytest.mark.parametrize("protocol", ["1.0", "1.1"])
async def test_a_digest_of_a_long_page_is_right(nginx: Endpoint, protocol: str) -> None:
    url = [{"path": "/long.txt", "digest": hashlib.md5(PAGE * 20000).hexdigest()}]
    assert (await verdict_on(nginx, url=url, http_protocol=protocol)).up
    wrong = [{"path": "/long.txt", "digest": hashlib.md5(PAGE).hexdigest()}]
    assert (await verdict_on(nginx, url=wrong, http_protocol=protocol)).step == "digest"


async def test_a_regular_expression_is_looked_for(nginx: Endpoint) -> None:
    assert (await verdict_on(nginx, url=[{"path": "/page.txt", "regex": r"service \d+\."}])).up
    assert (await verdict_on(nginx, url=[{"path": "/page.txt", "regex": "service 43"}])).step == "regex"


async def test_several_pages_must_all_be_right(nginx: Endpoint) -> None:
    pages = [{"path": "/page.txt"}, {"path": "/broken", "status_code": "500-599"}, {"path": "/gone"}]
    assert (await verdict_on(nginx, url=pages[:2])).up
    assert await verdict_on(nginx, url=pages) == Verdict.failed("status", "404 for /gone", "200-299")


async def test_the_server_sees_the_name_and_the_agent(nginx: Endpoint) -> None:
    url = [{"path": "/name", "virtualhost": "example.org", "regex": "^example.org$"}]
    assert (await verdict_on(nginx, url=url)).up
    assert (
        await verdict_on(nginx, url=[{"path": "/agent", "regex": "^StayalivedClient HTTP/1.1$"}], http_protocol="1.1")
    ).up
