"""The check `ping` with the kernel's own ICMP, in a network namespace of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from checker_kit import check, configuration
from plugins.checker_process import CheckerProcess, pump
from stayalived.checker.echo import NO_SOCKET
from stayalived.timing import seconds

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
        "refused": "echo: host unreachable, says 192.0.2.3",
        "refused, IPv6": "echo: host unreachable, says 2001:db8::3",
        "beside": ["192.0.2.1: None", "192.0.2.3: echo: host unreachable, says 192.0.2.3"],
        "silent": "echo: no answer within 200 ms",
        "closed": f"local: {NO_SOCKET}",
    } == json.loads(done.stdout)


def test_a_checker_that_has_given_up_root_pings(checker: Callable[[str], CheckerProcess]) -> None:
    """The socket was opened before, whatever `ping_group_range` says."""
    process = checker("checker")

    process.begin(configuration(check("web/one", target="127.0.0.1:0", type="ping", connect_timeout=seconds(2))))

    pump([process], lambda: any(state.up is not None for state in process.states.values()))
    assert [(True, "echo: reply")] == [(state.up, state.reason) for state in process.states.values()], process.log
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "Uid:\t0" not in status
