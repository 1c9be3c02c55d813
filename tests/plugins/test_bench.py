"""The benchmark of checks runs, so that it can be believed when it is needed; how fast is not said here."""

import json
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ROWS = {"tcp, 20 targets, 200/s", "http, 20 targets, 200/s", "https, 20 targets, 200/s", "http, the farm, 2000/s"}


def test_the_benchmark_of_checks_measures_each_kind_without_a_failure(tmp_path: Path) -> None:
    path = os.pathsep.join(str(TOP / part) for part in ("core", "plugins", "tests"))
    command = [sys.executable, TOP / "bench/checks.py", "--short", "--seconds", "0.2", "--json", tmp_path / "figures"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=True, timeout=120)
    figures = json.loads((tmp_path / "figures").read_text())
    assert set(figures) == ROWS
    assert dict.fromkeys(ROWS, 0.0) == {row: measured["failed"] for row, measured in figures.items()}
    farm = figures["http, the farm, 2000/s"]
    assert (37205, 500) == (farm["checks"], farm["probes"])
