"""One server is taken out and let in again by command, under traffic, with a connection that lives on."""

import os
import signal
import socket
import time

import pytest
from machines import PORT, VIP4

from namespaces.waiting import wait_until
from uml.directors import LIMIT, Directors, files

WEB1 = "10.42.0.21:42"
WEB2 = "10.42.0.22:42"


def weights(directors: Directors) -> dict[str, int]:
    """Return the weights of the IPv4 servers of the service in the kernel of `tic`."""
    rows = [line.split() for line in directors.pool() if f"-t {VIP4}:{PORT} " in line]
    return {row[row.index("-r") + 1]: int(row[row.index("-w") + 1]) for row in rows}


def wait_for_weights(directors: Directors, expected: dict[str, int]) -> None:
    wait_until(
        lambda: weights(directors) == expected,
        within=LIMIT,
        what=f"{expected}, not {weights(directors)}:\n{directors.tic.log()[-2000:]}",
    )


def hold_connection(directors: Directors, server: str) -> socket.socket:
    """Open connections until one is with a server, and keep that one."""
    with directors.site.client.inside():
        for _ in range(10):
            connection = socket.create_connection((VIP4, PORT), timeout=LIMIT)
            counts = directors.tic.host.run(["ipvsadm", "-Lnc"]).stdout
            port = f":{connection.getsockname()[1]} "
            if any(port in line and server in line and "ESTABLISHED" in line for line in counts.splitlines()):
                return connection
            connection.close()
    raise AssertionError(f"no connection came to {server}:\n{counts}")


@pytest.mark.timeout(300)  # the site is made within it
def test_a_server_is_drained_under_a_connection_and_comes_back(directors: Directors) -> None:
    connection = hold_connection(directors, WEB1)

    said = directors.tic.command("drain", "service42/web1", "--timeout", "20")
    begun = time.time()
    assert 0 == said.returncode
    assert said.stdout.startswith("draining service42/web1: weight 0")
    wait_for_weights(directors, {WEB1: 0, WEB2: 1})
    drained = time.time()
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert b"web1" in connection.recv(4096)

    wait_for_weights(directors, {WEB2: 1})
    assert 15 < time.time() - begun < 40
    connection.close()
    directors.wait_for_answers(time.time())
    answers = directors.clients[0].between(drained, time.time())
    assert {"web2"} == {answer.server for answer in answers}

    ipvs = directors.tic.child("ipvs")
    os.kill(ipvs, signal.SIGKILL)
    directors.tic.wait_for_child("ipvs", ipvs, within=LIMIT)
    directors.wait_for_answers(time.time())
    assert {WEB2: 1} == weights(directors)

    undone = directors.tic.command("undrain", "service42/web1")
    assert (0, "service42/web1 is no longer drained\n") == (undone.returncode, undone.stdout)
    wait_for_weights(directors, {WEB1: 1, WEB2: 1})


def test_a_weight_by_command_outlives_the_daemon(directors: Directors) -> None:
    tic = directors.tic

    assert 0 == tic.command("weight", "service42/web1", "5").returncode
    wait_for_weights(directors, {WEB1: 5, WEB2: 1})
    assert 0 == tic.command("stop", "--leave").returncode
    tic.launch()
    directors.wait_until_complete()

    wait_for_weights(directors, {WEB1: 5, WEB2: 1})
    assert "set 5: command" in tic.command("status").stdout
    assert 0 == tic.command("weight", "service42/web1", "--reset").returncode
    wait_for_weights(directors, {WEB1: 1, WEB2: 1})


WEIGHT = """
[[global.notify]]
type = "weight"
on = ["reload_refused"]
servers = ["service42/web1"]
set = 7
"""


def test_an_event_gives_a_server_another_weight_until_its_opposite_comes(directors: Directors) -> None:
    tic, good = directors.tic, files()
    with_action = {**good, "60-state.toml": good["60-state.toml"] + WEIGHT}
    tic.write(with_action)
    assert 0 == tic.reload().returncode

    tic.write({**with_action, "70-wrong.toml": "nonsense = 1\n"})
    assert 1 == tic.reload().returncode
    wait_for_weights(directors, {WEB1: 7, WEB2: 1})
    assert "set 7: global weight#0 for stayalived, reload_refused of stayalived" in tic.command("status").stdout
    notify = tic.child("notify")
    os.kill(notify, signal.SIGKILL)
    tic.wait_for_child("notify", notify, within=LIMIT)
    assert {WEB1: 7, WEB2: 1} == weights(directors)

    tic.write({**with_action, "70-wrong.toml": ""})
    assert 0 == tic.reload().returncode
    wait_for_weights(directors, {WEB1: 1, WEB2: 1})
    assert "set 7" not in tic.command("status").stdout


def test_a_wrong_name_is_refused_with_the_right_one(directors: Directors) -> None:
    said = directors.tic.command("drain", "service42/web11")

    assert 1 == said.returncode
    assert "no real server is called 'service42/web11'; did you mean service42/web1?" in said.stderr
