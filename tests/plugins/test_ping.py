"""The check `ping` with the kernel's own ICMP, in a network namespace of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from stayalived.checker.echo import NO_SOCKET

TESTS = Path(__file__).parents[1]


def test_ping_is_answered_by_the_kernel_and_every_refusal_is_told_for_what_it_is() -> None:
    paths = [str(TESTS.parent / "core"), str(TESTS.parent / "plugins"), str(TESTS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = ["unshare", "--net", sys.executable, str(TESTS / "plugins" / "pinging.py")]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert {
        "sockets": 2,
        "restored": True,
        "IPv4": "echo: reply",
        "IPv6": "echo: reply",
        "source": "echo: reply",
        "interface": "echo: reply",
        "no such source": "echo: network is unreachable",
        "no such interface": "local: bind_if eth9: No such device; name an interface of this host",
        "no route": "echo: network is unreachable",
        "no way": "echo: no route to host",
        "silent": "echo: no answer within 200 ms",
        "closed": f"local: {NO_SOCKET}",
    } == json.loads(done.stdout)
