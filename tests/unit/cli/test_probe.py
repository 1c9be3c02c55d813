"""`stayalived probe` as a user calls it: what it prints and what its exit status says."""

import asyncio
import getpass
import json
import os
import re
import sys
from pathlib import Path

import pytest

from checker_kit import check
from stayalived.checker.probes import LocalFault, PluginFault
from stayalived.cli.probe import read_words, value_of, verdict_of
from stayalived.cli.probing import ended, sender_of
from stayalived.config.probing import Wanted
from stayalived.plugin import Endpoint, Verdict
from stayalived.plugin.testing import Hear, Say, Silence, serve
from stayalived.timing import milliseconds

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def call(*arguments: object) -> tuple[int, str, str]:
    """Call it in a process of its own, as it forks."""
    program = "from stayalived.cli.main import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "probe", *map(str, arguments),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def test_a_type_with_options_shows_each_step_and_the_verdict() -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(ANSWER)) as server:
        code, out, error = await call("http", f"localhost:{server.endpoint.port}", "path=/x", "status_code=200-299")

    lines = out.splitlines()
    assert (code, error) == (0, "")
    assert lines[0] == f"probe#0: http (http of stayalived) at {server.endpoint}, at most 5 s a step"
    assert [re.sub(r"^ *[\d.]+ ms  ", "", line).split(":")[0] for line in lines[1:-1]] == [
        "resolve   localhost",
        lines[2].split("ms  ")[1],
        lines[3].split("ms  ")[1].split(":")[0],
        "receive   received 38 bytes",
    ]
    assert "connected from 127.0.0.1 in" in lines[2]
    assert "sent" in lines[3]
    assert lines[-1].startswith("verdict: UP: status: 200 for /x (")
    assert b"Host: localhost" in bytes(server.heard[0])


async def test_a_real_server_is_probed_by_each_of_its_checks_and_one_that_fails_decides(tmp_path: Path) -> None:
    async with serve(Hear(b"\r\n\r\n"), Say(ANSWER)) as server:
        (tmp_path / "a.toml").write_text(
            f'[virtual_server.web]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\n[virtual_server.web.real_server.tic]\n'
            f'address = "{server.endpoint}"\ncheck = ["tcp", {{ type = "http", status_code = 404 }}]\n'
        )
        code, out, _ = await call("--json", "--config", tmp_path, "web/tic")
        one, _, _ = await call("--config", tmp_path, "web/tic#0")

    found = json.loads(out)["checks"]
    assert (code, one) == (1, 0)
    assert [(entry["check"], entry["type"], entry["up"], entry["step"]) for entry in found] == [
        ("web/tic#0", "tcp", True, "connect"),
        ("web/tic#1", "http", False, "status"),
    ]
    assert found[1]["seen"] == "200"
    assert found[1]["expected"] == "404"
    assert [note["step"] for note in found[1]["trace"]] == ["connect", "send", "receive"]
    assert found[1]["latency"] > 0


async def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_limit() -> None:
    async with serve(Silence()) as server:
        code, out, _ = await call("http", server.endpoint, "connect_timeout=0.2")

    assert code == 1
    assert out.splitlines()[-1].startswith("verdict: DOWN: receive: no answer within 200 ms")


async def test_a_program_is_run_as_the_runner_would_and_its_words_are_shown(tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_text("#!/bin/sh\necho no route to host\nexit 3\n")
    script.chmod(0o755)
    asked = ("command", f'command=["{script}"]', f"user={getpass.getuser()}")
    code, out, _ = await call(*asked)
    script.chmod(0o777)
    refused_code, refused, _ = await call(*asked)

    assert (code, refused_code) == (1, 1)
    assert "verdict: DOWN: command: exit status 3: no route to host (" in out
    assert "verdict: no verdict: it cannot be made on this machine: " in refused
    assert f"{script} has mode 0777: others may change it; run `chmod go-w {script}`" in refused


async def test_a_program_that_runs_too_long_is_ended() -> None:
    code, out, _ = await call("command", 'command=["/bin/sleep", "30"]', "timeout=0.2")

    assert code == 1
    assert out.splitlines()[-1].startswith("verdict: DOWN: command: ran longer than 200 ms")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nope", "192.0.2.1:80"), 'found "nope"; no [check.nope] and no check type'),
        (("tcp",), "check tcp asks somebody"),
        (("tcp", "192.0.2.1:80", "pth=/x"), "probe.pth"),
        (("tcp", "192.0.2.1:80", "192.0.2.2:80"), "one target at a time"),
        (("tcp", "192.0.2.1:99999"), "port from 1 to 65535"),
        (("web/tic", "192.0.2.1:80"), "give neither"),
        (("web/tic", "--config", "/nowhere"), "cannot be read"),
        ((), "Missing argument"),
    ],
)
async def test_a_wrong_call_is_status_2_and_says_what_is_wrong(arguments: tuple[str, ...], text: str) -> None:
    code, out, error = await call(*arguments)

    assert (code, out) == (2, "")
    assert text in error


def test_values_are_toml_or_text() -> None:
    assert [value_of(text) for text in ("5", "true", '"5"', "[1, 2]", "/x", "200-299", "a=b")] == [
        5, True, "5", [1, 2], "/x", "200-299", "a=b",
    ]  # fmt: skip


def test_an_address_needs_no_resolver_and_gives_no_virtual_host() -> None:
    assert read_words("http", ["path=/a=b", "[2001:db8::1]:80"]) == (
        Wanted(check="http", endpoints=(Endpoint("2001:db8::1", 80),), options={"path": "/a=b"}),
        [],
    )


def test_what_is_not_the_servers_fault_is_no_verdict() -> None:
    local = ended(check(), LocalFault(text="no descriptor"), milliseconds(2))
    plugin = ended(check(distribution="acme"), PluginFault(text="raised ValueError"), milliseconds(2))

    assert verdict_of(local) == "verdict: no verdict: it cannot be made on this machine: no descriptor (2 ms)"
    assert verdict_of(plugin) == "verdict: no verdict: plugin acme failed: raised ValueError (2 ms)"
    assert verdict_of(ended(check(), Verdict.passed("connect"), milliseconds(2))) == "verdict: UP: connect (2 ms)"
    assert [sender_of(check()), sender_of(check(distribution="acme"))] == ["checker", "checker/acme"]
