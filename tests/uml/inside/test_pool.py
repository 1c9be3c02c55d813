"""The pool follows its servers; the kernel's table is kept, left behind, taken over and cleaned up."""

import os
import signal
import time

import pytest
from machines import VIP4

from namespaces.capture import ETH_P_IP, Packet
from namespaces.waiting import wait_for_exit, wait_until
from uml.directors import FOREIGN, LIMIT, VIRTUAL, Directors

STOP_LIMIT = 5.0
"""Seconds from TERM to the end; the kernel is slow."""

TCP = 6


def wait_for_pool(directors: Directors, size: int) -> None:
    wait_until(lambda: len(directors.pool()) == size, within=LIMIT, what=f"{size} destinations:\n{directors.tic.log()}")


def test_a_server_that_dies_leaves_the_pool_and_returns(directors: Directors) -> None:
    watch, everything = directors.watch(), directors.table()

    directors.servers["web1"].stop()
    wait_for_pool(directors, 3)
    dropped = time.time()
    directors.wait_for_answers(dropped)
    answers = directors.answers(dropped, time.time())
    directors.servers["web1"].start()
    wait_for_pool(directors, 5)

    assert {"web2"} == {answer.server for answer in answers}
    assert everything == directors.table()
    assert ["DEL_DEST", "DEL_DEST", "NEW_DEST", "NEW_DEST"] == directors.tap.names(watch.begun)
    removed = "Removing service 10.42.0.21:42 [fd42::21]:42 of VS service42 from its pool: connect: "
    watch.wait_for_log(removed)
    watch.wait_for_log("Adding service 10.42.0.21:42 [fd42::21]:42 of VS service42 to its pool")


def test_what_somebody_deletes_is_put_back(directors: Directors) -> None:
    watch = directors.watch()

    directors.tic.host.run(["ipvsadm", "-d", "-t", f"{VIP4}:42", "-r", "10.42.0.21:42"])
    wait_for_pool(directors, 5)

    assert watch.table == directors.table()
    assert ["DEL_DEST", "NEW_DEST"] == directors.tap.names(watch.begun)
    watch.wait_for_log(f"IPVS service -t {VIP4}:42 was changed by somebody else")


def test_a_service_that_somebody_deletes_is_put_back(directors: Directors) -> None:
    watch = directors.watch()

    directors.tic.host.run(["ipvsadm", "-D", "-t", f"{VIP4}:43"])
    wait_for_pool(directors, 5)

    assert watch.table == directors.table()
    assert ["DEL_SERVICE", "NEW_SERVICE", "NEW_DEST"] == directors.tap.names(watch.begun)


@pytest.mark.parametrize("name", ["checker", "ipvs"])
def test_a_server_that_dies_at_the_moment_of_a_process_is_noticed_by_the_next(directors: Directors, name: str) -> None:
    watch = directors.watch()
    before = directors.tic.child(name)

    os.kill(before, signal.SIGKILL)
    directors.servers["web2"].stop()
    wait_for_pool(directors, 3)
    directors.servers["web2"].start()
    wait_for_pool(directors, 5)

    directors.tic.wait_for_child(name, before, within=LIMIT)
    assert watch.table == directors.table()
    assert ["DEL_DEST", "DEL_DEST", "NEW_DEST", "NEW_DEST"] == directors.tap.names(watch.begun)


def test_a_new_daemon_takes_over_what_was_left(directors: Directors) -> None:
    watch = directors.watch()
    tic, web2 = directors.tic, directors.servers["web2"]

    stopped = tic.command("stop", "--leave")
    left, addresses = directors.table(), tic.host.addresses()
    web2.stop()
    checks = web2.host.capture(everything=True)
    tic.launch()
    wait_for_pool(directors, 3)

    assert (0, "stopped; the IPVS table stays in the kernel\n") == (stopped.returncode, stopped.stdout)
    assert watch.table == left
    assert VIRTUAL.isdisjoint(addresses)
    changes = directors.tap.commands(watch.begun)
    assert ["DEL_DEST", "DEL_DEST"] == [change.name for change in changes]
    assert 2 <= sum(packet.time < changes[0].time for packet in checks.packets() if is_check(packet)), (
        "until a check failed"
    )

    web2.start()
    directors.wait_until_complete()
    assert left == directors.table()


def is_check(packet: Packet) -> bool:
    """Is it the first packet of a connection from `tic` to the server itself?"""
    opening = packet.ethertype == ETH_P_IP and packet.data[23] == TCP and packet.data[47] & 0x12 == 0x02
    return opening and packet.data[26:30] == bytes([10, 42, 0, 11]) and packet.data[30:34] == bytes([10, 42, 0, 22])


def test_a_supervisor_that_is_killed_leaves_nothing_of_ours(directors: Directors) -> None:
    tic = directors.tic
    watch, family = directors.watch(), [row["pid"] for row in tic.children().values()]

    tic.process.send(signal.SIGKILL)

    assert all(wait_for_exit(pid, within=STOP_LIMIT) for pid in family)
    assert FOREIGN == directors.table()
    assert VIRTUAL.isdisjoint(tic.host.addresses())
    wait_until(lambda: directors.holds(directors.tac), within=LIMIT, what="tac to take over")
    assert directors.wire.adverts("tac", watch.begun)


def test_a_stop_leaves_nothing_of_ours(directors: Directors) -> None:
    tac, begun = directors.tac, time.monotonic()

    assert 0 == tac.stop(within=LIMIT)

    assert time.monotonic() - begun < STOP_LIMIT
    assert FOREIGN == directors.table(tac)
    assert VIRTUAL.isdisjoint(tac.host.addresses())
    assert [] == [path.name for path in tac.run_dir.iterdir()]
