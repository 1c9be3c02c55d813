"""The whole daemon and its programs, on sites with real IPVS. See `inside` for what is asserted."""

import pytest

from uml import lab


@pytest.mark.timeout(460)
def test_the_life_of_two_directors() -> None:
    lab.run_tests("test_deaths.py", "test_reload.py", "test_pool.py", timeout=360)


@pytest.mark.timeout(460)
def test_a_server_is_taken_out_and_let_in_by_command() -> None:
    lab.run_tests("test_drain.py", timeout=360)


@pytest.mark.timeout(300)
def test_the_example_that_comes_along() -> None:
    lab.run_tests("test_talk.py", timeout=200)
