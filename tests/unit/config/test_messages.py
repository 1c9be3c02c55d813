import pytest

from configuration_kit import read
from unit.config import bad_inputs, bad_vrrp_inputs

BAD = {**bad_inputs.BAD, **bad_vrrp_inputs.BAD}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_mistake_gets_the_lines_that_people_know(text: str) -> None:
    _, problems = read(text)

    assert tuple(problems) == BAD[text]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_only_warnings_leave_a_configuration(text: str) -> None:
    configuration, problems = read(text)

    assert (configuration is None) == any(": warning: " not in problem for problem in problems)


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 180
    assert len(BAD) == len(bad_inputs.BAD) + len(bad_vrrp_inputs.BAD)
