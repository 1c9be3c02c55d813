"""Every case is played on the engine."""

import pytest

from conformance.catalogue import CASES, FILES
from conformance.driver import LateDirector, check


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    check(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_case_whose_packets_waited(name: str) -> None:
    check(CASES[name], LateDirector)


def test_no_two_cases_have_one_name() -> None:
    assert len(CASES) == sum(len(file.CASES) for file in FILES)
