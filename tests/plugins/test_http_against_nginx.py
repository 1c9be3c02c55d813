"""The check `http` against a web server that nobody here wrote."""

import hashlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from certificates import Authority
from stayalived.addresses import Endpoint
from stayalived.plugin import Secret, Verdict
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
    location /private {{ auth_basic "service 42"; auth_basic_user_file {folder}/users; alias {folder}/page.txt; }}
    location /token {{ if ($http_authorization != "Bearer t0ken") {{ return 401; }} return 200 "in"; }}
    location /hop/ {{ rewrite ^/hop/(.*)$ /page.txt redirect; }}
  }}
  server {{
    listen 127.0.0.1:{secure} ssl http2; server_name good.example;
    ssl_certificate {good}; ssl_certificate_key {good}; ssl_client_certificate {authority}; ssl_verify_client optional;
    location /version {{ return 200 "$server_protocol $ssl_server_name $host $ssl_client_verify"; }}
    location /clients {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} return 200 "$ssl_client_s_dn"; }}
  }}
  server {{
    listen 127.0.0.1:{secure} ssl; server_name expired.example;
    ssl_certificate {expired}; ssl_certificate_key {expired};
    location /version {{ return 200 "$ssl_server_name $host"; }}
  }}
  server {{ listen 127.0.0.1:{prior} http2; location / {{ return 200 "$server_protocol"; }} }}
}}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@dataclass(frozen=True)
class Ports:
    """Where nginx listens: plainly, with TLS, with HTTP/2 and no TLS."""

    port: int
    secure: int
    prior: int


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Ports]:
    folder = tmp_path_factory.mktemp("nginx")
    ports = Ports(*free_ports(3))
    (folder / "page.txt").write_bytes(PAGE)
    (folder / "long.txt").write_bytes(PAGE * 20000)
    (folder / "users").write_text("tic:{PLAIN}tac\n")
    names = {"good": authority.issue("good.example"), "expired": authority.issue("expired.example", -1)}
    text = CONFIGURATION.format(folder=folder, authority=authority.path, **names, **asdict(ports))
    (folder / "nginx.conf").write_text(text)
    program = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    wait_for(folder / "pid", program)
    yield ports
    program.send_signal(signal.SIGTERM)
    program.wait(10)


@pytest.fixture(scope="module")
def nginx(ports: Ports) -> Endpoint:
    return Endpoint("127.0.0.1", ports.port)


@pytest.fixture(scope="module")
def secure(ports: Ports) -> Endpoint:
    return Endpoint("127.0.0.1", ports.secure)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody listens on, all at once so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(path: Path, program: "subprocess.Popen[bytes]") -> None:
    """Wait until nginx has written its pid file, which it does after it listens."""
    while not path.exists() or not path.read_text().strip():
        with pytest.raises(subprocess.TimeoutExpired):  # an nginx that ends has failed
            program.wait(0.02)


async def verdict_on(endpoint: Endpoint, **options: Any) -> Verdict:
    check = HttpCheck(msgspec.convert(options, HttpCheck.Options, dec_hook=lambda _, text: Secret(text)))
    return await run_check(check, target_for(endpoint))


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


async def test_redirects_are_followed_where_it_is_wanted(nginx: Endpoint) -> None:
    assert await verdict_on(nginx, path="/hop/1") == Verdict.failed("status", "302 for /hop/1", "200-299")
    assert await verdict_on(nginx, path="/hop/1", follow_redirects=1) == Verdict.passed("status", "200 for /hop/1")


async def test_user_and_password_open_what_is_closed(nginx: Endpoint) -> None:
    assert (await verdict_on(nginx, path="/private")).seen == "401 for /private"
    assert (await verdict_on(nginx, path="/private", user="tic", password="toc")).seen == "401 for /private"
    assert (await verdict_on(nginx, path="/private", user="tic", password="tac")).up


async def test_a_token_opens_what_is_closed(nginx: Endpoint) -> None:
    assert (await verdict_on(nginx, path="/token", bearer="other")).seen == "401 for /token"
    assert (await verdict_on(nginx, path="/token", bearer="t0ken")).up


def tls(authority: Authority, **options: Any) -> dict[str, Any]:
    return {"tls": True, "ca": str(authority.path), "virtualhost": "good.example", **options}


@pytest.mark.parametrize(("protocol", "seen"), [("1.0C", "HTTP/1.0"), ("1.1", "HTTP/1.1"), ("2", "HTTP/2.0")])
async def test_tls_speaks_the_version_and_the_name_that_are_wanted(
    secure: Endpoint, authority: Authority, protocol: str, seen: str
) -> None:
    url = [{"path": "/version", "regex": f"^{seen} good.example good.example NONE$"}]
    assert Verdict.passed("status", "200 for /version") == await verdict_on(
        secure, **tls(authority, url=url, http_protocol=protocol)
    )


async def test_the_name_of_tls_may_be_another_than_that_of_the_page(secure: Endpoint, authority: Authority) -> None:
    url = [{"path": "/version", "regex": "^expired.example expired.example$", "virtualhost": "expired.example"}]
    assert (await verdict_on(secure, tls=True, verify=False, url=url)).up
    url = [{"path": "/version", "regex": "^good.example expired.example$", "virtualhost": "expired.example"}]
    assert (await verdict_on(secure, **tls(authority, url=url, sni_name="good.example"))).up


async def test_a_client_certificate_opens_what_is_closed(secure: Endpoint, authority: Authority) -> None:
    own = authority.issue("probe.example")
    url = [{"path": "/clients", "regex": "CN=probe.example"}]
    assert (await verdict_on(secure, **tls(authority, url=url))).seen == "403 for /clients"
    assert (await verdict_on(secure, **tls(authority, url=url, certificate=str(own)))).up
    assert (await verdict_on(secure, **tls(authority, url=url, certificate=str(own), key=own.read_text()))).up


@pytest.mark.parametrize("protocol", ["1.1", "2"])
async def test_an_expired_a_wrong_and_an_untrusted_certificate_are_down(
    secure: Endpoint, authority: Authority, protocol: str
) -> None:
    expired = tls(authority, virtualhost="expired.example", http_protocol=protocol)
    assert await verdict_on(secure, **expired) == Verdict.failed("tls", "certificate has expired")
    wrong = await verdict_on(secure, **tls(authority, virtualhost="other.example", http_protocol=protocol))
    assert str(wrong).startswith("tls: hostname mismatch, certificate is not valid for 'other.example'")
    stranger = await verdict_on(secure, tls=True, virtualhost="good.example", http_protocol=protocol)
    assert str(stranger) == "tls: unable to get local issuer certificate"
    unverified = await verdict_on(secure, tls=True, verify=False, path="/page.txt", virtualhost="expired.example")
    assert unverified == Verdict.passed("status", "200 for /page.txt")


async def test_http2_without_tls_begins_at_once(ports: Ports) -> None:
    prior = Endpoint("127.0.0.1", ports.prior)
    url = [{"regex": "^HTTP/2.0$"}]
    assert (await verdict_on(prior, url=url, http_protocol="2")).up


async def test_a_server_that_speaks_no_http2_is_down(nginx: Endpoint, secure: Endpoint, authority: Authority) -> None:
    assert (await verdict_on(nginx, http_protocol="2")).step == "answer"
    plain = await verdict_on(secure, **tls(authority, virtualhost="good.example", http_protocol="2", path="/gone"))
    assert plain == Verdict.failed("status", "404 for /gone", "200-299")


async def test_a_long_page_over_http2_comes_whole(ports: Ports, secure: Endpoint, authority: Authority) -> None:
    url = [{"path": "/long.txt", "digest": hashlib.sha256(PAGE * 20000).hexdigest()}]
    assert Verdict.passed("status", "200 for /long.txt") == await verdict_on(
        secure, **tls(authority, url=url, http_protocol="2")
    )
