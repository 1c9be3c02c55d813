import pytest

from stayalived.ipvs.health import UNKNOWN, Health, Result, State, judge


def results(text: str, *, alpha: bool = True) -> list[Result]:
    """Return results written as `+` up, `-` down, `?` missing."""
    return [Result(up={"+": True, "-": False, "?": None}[sign], alpha=alpha) for sign in text]


@pytest.mark.parametrize(
    ("before", "checks", "expected"),
    [
        ("UNKNOWN", "", "UP"),  # LV44: without checks always up
        ("UNKNOWN", "?", "UNKNOWN"),
        ("UNKNOWN", "+?", "UNKNOWN"),
        ("UNKNOWN", "-?", "UNKNOWN"),
        ("UNKNOWN", "++", "UP"),
        ("UNKNOWN", "+-", "DOWN"),
        ("UP", "+-", "DOWN"),  # LV43: down at the first
        ("UP", "+?", "UP"),
        ("UP", "-?", "DOWN"),
        ("UP", "?", "UP"),
        ("DOWN", "?", "DOWN"),
        ("DOWN", "+?", "DOWN"),
        ("DOWN", "-+", "DOWN"),
        ("DOWN", "++", "UP"),
    ],
)
def test_judges_a_server_by_its_checks(before: str, checks: str, expected: str) -> None:
    assert expected == judge(Health(state=State(before)), results(checks)).state


@pytest.mark.parametrize(("checks", "expected"), [("?", "UP"), ("+?", "UP"), ("-?", "DOWN")])
def test_without_alpha_a_missing_result_counts_as_up(checks: str, expected: str) -> None:
    assert expected == judge(UNKNOWN, results(checks, alpha=False)).state


def test_a_server_found_with_weight_0_waits_for_its_checks_even_without_alpha() -> None:
    found = Health(state=State.UNKNOWN, held=True)

    assert State.UNKNOWN is judge(found, results("?", alpha=False)).state
    assert State.UP is judge(found, results("+", alpha=False)).state


def test_adds_up_what_checks_ask_for_and_keeps_the_reason_of_the_guilty() -> None:
    checks = [
        Result(up=True, alpha=True, delta=-3, reason="fine"),
        Result(up=False, alpha=True, delta=5, reason="refused"),
    ]

    health = judge(UNKNOWN, checks)

    assert (2, "refused") == (health.delta, health.reason)
