"""The death of any process of the master is noticed by nobody: not by clients, not by the peer, not in the kernel."""

import os
import signal
import time

import pytest
from client import LIMIT as PATIENCE

from namespaces.waiting import quiet_for
from uml.directors import LIMIT, MASTER_DOWN, Directors

CHILDREN = ("log", "api", "runner", "notify", "checker", "ipvs", "vrrp")
ADVERTS = {"vrrp": 4}
"""Adverts to wait for after the death: of vrrp, as many as outlast the time after which the peer would take over."""


@pytest.fixture(scope="module")
def begin(directors: Directors) -> float:
    """The moment when all of it began."""
    return time.time()


@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_dies(directors: Directors, begin: float, name: str) -> None:
    before = directors.tic.child(name)
    watch = directors.watch()
    if name == "vrrp":
        watch.wait_for_adverts(1)  # from then on it has two intervals to be back, and may need them here

    os.kill(before, signal.SIGKILL)
    directors.tic.wait_for_child(name, before, within=LIMIT)
    watch.wait_for_adverts(ADVERTS.get(name, 1))
    directors.wait_for_answers(time.time())

    watch.expect_service()
    watch.expect_table()
    assert watch.silence() < MASTER_DOWN
    watch.wait_for_log(f"{name} died: killed by signal 9")


def test_all_of_them_are_back(directors: Directors, begin: float) -> None:
    children = {row["name"]: row for row in directors.tic.status()["children"]}

    assert set(CHILDREN) == set(children)
    assert {("running", 1)} == {(row["state"], row["restarts"]) for row in children.values()}


def test_no_request_failed_meanwhile(directors: Directors, begin: float) -> None:
    end = time.time()
    quiet_for(PATIENCE + 1)

    answers = directors.answers(begin, end)

    assert {"web1", "web2"} == {answer.server for answer in answers}, "some were not answered"
    assert len(answers) > len(CHILDREN)
