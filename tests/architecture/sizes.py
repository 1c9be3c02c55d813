"""The ratchet: what is longer than the habit, with its length. `refresh.py` beside it writes it anew."""

import tomllib
from pathlib import Path

from architecture.tree import HERE, modules

MODULE_HABIT, MODULE_LIMIT = 250, 400
FUNCTION_HABIT, FUNCTION_LIMIT = 25, 50
RATCHET = HERE / "ratchet.toml"
OUTSIDE_LIST = HERE / "outside.toml"


def long_modules() -> dict[str, int]:
    """Return the modules that are longer than the habit."""
    return {name: module.length for name, module in modules().items() if module.length > MODULE_HABIT}


def long_functions() -> dict[str, int]:
    """Return the functions that are longer than the habit, as `module:function`."""
    return {
        f"{name}:{function.name}": function.length
        for name, module in modules().items()
        for function in module.functions()
        if function.length > FUNCTION_HABIT
    }


def recorded(section: str, path: Path = RATCHET) -> dict[str, int]:
    """Return one section of the ratchet."""
    return dict(tomllib.loads(path.read_text()).get(section, {}))
