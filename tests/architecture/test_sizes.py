from architecture.sizes import (
    FUNCTION_LIMIT,
    MODULE_LIMIT,
    long_functions,
    long_modules,
    recorded,
)

REMEDY = "split it; if it became shorter, run `python tests/architecture/refresh.py`"


def test_no_module_is_over_the_limit() -> None:
    assert {name: length for name, length in long_modules().items() if length > MODULE_LIMIT} == {}


def test_no_function_is_over_the_limit() -> None:
    assert {name: length for name, length in long_functions().items() if length > FUNCTION_LIMIT} == {}


def test_what_is_longer_than_the_habit_does_not_grow() -> None:
    assert recorded("modules") == long_modules(), REMEDY
    assert recorded("functions") == long_functions(), REMEDY
