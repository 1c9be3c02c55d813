"""IPVS side by side with keepalived, in turn and in the same boot of a kernel of its own (user-mode Linux).

    PYTHONPATH=core:plugins:tests python bench/ipvs.py                      2,277 virtual and 37,205 real servers
    … python bench/ipvs.py --services 200 --servers 3000 --repeat 3 --json FILE

From the same table: start until it is full, a reload with nothing changed, with one weight changed, with every tenth
server replaced, and stop, each program in a network of its own; after each step the kernel's table is compared with the
plan. Read the ratios: a system call costs tens of microseconds in that kernel, which has one processor. Needs root,
user-mode-linux, keepalived, ipvsadm.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from balancers.plan import SERVERS, SERVICES
from balancers.stacks import OURS, THEIRS
from routers.report import Runs, as_json, table

from uml import lab

HERE = Path(__file__).resolve().parent
PATHS = [str(HERE.parent / name) for name in ("core", "plugins", "tests", "bench")]
COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": "/run/compiled"}
"""An installed program is compiled; a checkout that is only looked at is not."""
MODULES = (*lab.LOADED, "ip_vs_wrr")


def measure(words: argparse.Namespace) -> Runs:
    """Return the figures of all runs, all of them in one boot; the programs take turns."""
    with tempfile.NamedTemporaryFile(prefix="stayalived-bench-", suffix=".json") as file:
        stacks = [name for _ in range(words.repeat) for name in words.stacks]
        inside = [str(HERE / "balancers" / "inside.py"), file.name, str(words.services), str(words.servers), *stacks]
        result = lab.run(
            [sys.executable, *inside],
            timeout=words.limit,
            modules=MODULES,
            memory="3G",
            environment=COMPILED | {"PYTHONPATH": ":".join(PATHS)},
            stream=True,
        )
        assert result.status == 0, result.output[-2000:]
        runs: Runs = {name: [] for name in words.stacks}
        for name, figures in json.loads(Path(file.name).read_text()):
            runs[name].append(figures)
    return runs


def machine() -> dict[str, object]:
    """Return what this was measured on."""
    version = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=False).stderr
    return {
        "processors": os.cpu_count(),
        "kernel": f"user-mode Linux on {platform.release()}",
        "python": platform.python_version(),
        "keepalived": version.partition("\n")[0],
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=SERVICES, help="virtual servers")
    parser.add_argument("--servers", type=int, default=SERVERS, help="real servers, spread evenly")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the table has their medians")
    parser.add_argument("--stacks", nargs="*", default=[THEIRS, OURS], help="in this order")
    parser.add_argument("--limit", type=float, default=1200.0, help="seconds for all of it")
    parser.add_argument("--json", type=Path, help="file for all figures of all runs")
    words = parser.parse_args()
    runs = measure(words)
    name = f"{words.services} virtual, {words.servers} real servers"
    print("\n".join(table(name, runs)), flush=True)
    if words.json:
        words.json.write_text(as_json({name: runs}, machine()))


if __name__ == "__main__":
    main()
