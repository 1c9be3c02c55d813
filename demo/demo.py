"""`./dev demo`: a whole site on this machine, its faults, and what they cost, told with times as they happen.

Real IPVS serves the traffic: in this machine's kernel where it has it, else the same program runs in user-mode Linux.
It ends with status 0 only when each step was seen from outside: on the wire, in the kernel, by the client.
"""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "demo"), str(TOP / "tests")]


def host_has_ipvs() -> bool:
    """Tell whether this kernel balances, now or after loading its module."""
    if not Path("/proc/net/ip_vs").exists() and Path("/proc/modules").exists():
        subprocess.run(["modprobe", "ip_vs"], check=False, capture_output=True)
    return Path("/proc/net/ip_vs").exists()


def main() -> int:
    """Tell the story here or in user-mode Linux."""
    if os.geteuid() != 0:
        print("the demo makes network namespaces: run it as root, sudo ./dev demo", file=sys.stderr)
        return 2
    if host_has_ipvs():
        from story import tell  # noqa: PLC0415

        return tell()
    from uml import lab  # noqa: PLC0415

    print("This kernel has no IPVS: the site runs in user-mode Linux, which takes a few seconds to boot.", flush=True)
    return lab.run([sys.executable, str(TOP / "demo" / "demo.py")], timeout=300.0, stream=True).status


if __name__ == "__main__":
    sys.exit(main())
