"""The demo is a test of its own: it ends with 0 only when each of its steps was seen from outside."""

import subprocess
import sys

import pytest

from uml.lab import CHECKOUT

FIGURES = (
    "time to drop a dead server",
    "requests refused by the dead server meanwhile",
    "takeover time",
    "requests lost",
    "requests lost by the return",
    "requests lost by the death of the vrrp process",
)


@pytest.mark.timeout(400)
def test_the_demo_succeeds_and_tells_the_figures_that_matter() -> None:
    program = [sys.executable, str(CHECKOUT / "demo" / "demo.py")]

    done = subprocess.run(program, capture_output=True, text=True, timeout=380, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    end = done.stdout.partition("\nThe figures\n")[2]
    assert [] == [name for name in FIGURES if f"  {name}: " not in end]
    assert "\x1b" not in done.stdout, "colour is for terminals"
