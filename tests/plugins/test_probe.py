"""`stayalived probe` of what others wrote: in a process of its own, whatever it does there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.real_server import RealServer

TOP = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[RealServer]:
    real = RealServer()
    yield real
    real.go_away()


def probe(site: Path, *words: str) -> tuple[int, str]:
    """Call the command with the third-party distributions installed; return its status and last line."""
    path = os.pathsep.join((str(TOP / "core"), str(TOP / "plugins"), str(site)))
    program = "from stayalived.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, "probe", *words],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path}, cwd="/", timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()[-1]


def test_one_that_works_gives_its_verdict(site: Path, server: RealServer) -> None:
    good, bad = (probe(site, "greeting", str(server.endpoint), f"word={word}") for word in ("HELLO", "BYE"))

    assert good[0] == 0
    assert good[1].startswith("verdict: UP: greeting")
    assert bad[0] == 1
    assert bad[1].startswith("verdict: DOWN: greeting: b'HELLO\\n', expected BYE")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("raising",), "plugin raising failed: ValueError: this plugin is broken"),
        (("raising", "how=exit"), "plugin raising failed: raised SystemExit"),
        (("raising", "how=nonsense"), "plugin raising failed: answered 'up'; a check answers a Verdict"),
        (("raising-steps",), "plugin raising failed: SystemExit: 3"),
        (("blocking", "connect_timeout=0.2"), "plugin blocking failed: kept its process to itself: ended after 5.6 s"),
    ],
)
def test_one_that_does_not_is_no_verdict_on_the_server(
    site: Path, server: RealServer, words: tuple[str, ...], text: str
) -> None:
    status, line = probe(site, words[0], str(server.endpoint), *words[1:])

    assert status == 1
    assert line.startswith(f"verdict: no verdict: {text} (")
