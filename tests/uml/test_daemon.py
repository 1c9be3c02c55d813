"""The whole daemon and its programs, on sites with real IPVS. See `inside` for what is asserted."""

import os

import pytest

from uml import lab

SITES = [("test_iwash.py", "test_talk.py")]
"""Files of `inside`, each with a site of its own; those of one boot stand together.

A site with sync daemons stands last: this kernel may wait for ever for the interface of a namespace that is gone while
one still runs in it, and makes no other namespace meanwhile.
"""

if "STAYALIVED_TEST_LONG" in os.environ:
    SITES += [("test_verdicts.py",), ("test_square.py",), ("test_lasting.py",)]


@pytest.mark.timeout(460)
def test_the_life_of_two_directors() -> None:
    assert "" == lab.failures("test_deaths.py", "test_reload.py", "test_pool.py", timeout=360)


@pytest.mark.timeout(500)
@pytest.mark.parametrize("files", SITES, ids=[" ".join(files) for files in SITES])
def test_the_sites_of_the_talk(files: tuple[str, ...]) -> None:
    assert "" == lab.failures(*files, timeout=400)


@pytest.mark.timeout(460)
def test_a_server_is_taken_out_and_let_in_by_command() -> None:
    assert "" == lab.failures("test_drain.py", timeout=360)
