"""The whole daemon and its programs, on sites with real IPVS. See `inside` for what is asserted."""

import os

import pytest

from uml import lab

SITES = {"test_talk.py": 200, "test_iwash.py": 100}
"""Files of `inside`, each with a site of its own, and the seconds that it may take."""

if "STAYALIVED_TEST_LONG" in os.environ:
    SITES |= {"test_square.py": 400, "test_lasting.py": 400}


@pytest.mark.timeout(460)
def test_the_life_of_two_directors() -> None:
    lab.run_tests("test_deaths.py", "test_reload.py", "test_pool.py", timeout=360)


@pytest.mark.timeout(1300)
def test_the_sites_of_the_talk() -> None:
    lab.run_tests(*SITES, timeout=sum(SITES.values()))


@pytest.mark.timeout(460)
def test_a_server_is_taken_out_and_let_in_by_command() -> None:
    lab.run_tests("test_drain.py", timeout=360)
