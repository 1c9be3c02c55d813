"""Whole daemons on the same targets, one after the other: ours and keepalived, where there is IPVS. I/O.

Processor time is that of all processes of the daemon, and of the busiest of them, which is the checker; for `command`,
whose programs are processes that end, it is all that the machine has spent. Probes are counted by nginx, those of
`command` by the kernel, as processes made.
"""

import subprocess
import time
from pathlib import Path

from routers.usage import Reading, by_process, look, memory, spent_between

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from probes.sites import address
from probes.web import HTTP, HTTPS, Counter, Web

KINDS = ("tcp", "http", "https", "command")
OURS, THEIRS = "stayalived", "keepalived"
SETTLE = 6.0
FEWER_PROGRAMS = 20
"""To start a program takes user-mode Linux 50 ms: it gets this many times fewer of them."""

_THEIR_CHECKS = {
    "tcp": "TCP_CHECK { connect_timeout 5 }",
    "http": "HTTP_GET { connect_timeout 5 url { path / status_code 200 } }",
    "https": "SSL_GET { connect_timeout 5 url { path / status_code 200 } }",
    "command": 'MISC_CHECK { misc_path "/bin/true" }',
}
_OUR_CHECKS = {
    "tcp": 'type = "tcp"',
    "http": 'type = "http"',
    "https": 'type = "http"\ntls = true\nverify = false',
    "command": 'type = "command"\ncommand = ["/bin/true"]\nuser = "root"',
}

Figures = dict[str, float]


def theirs(kind: str, targets: int, service_size: int = 0) -> str:
    """Return keepalived's configuration of one virtual server, or of several of so many real servers."""
    port, size = HTTPS if kind == "https" else HTTP, service_size or targets
    text = "global_defs {\n script_user root\n enable_script_security\n}\n"
    for service in range(-(-targets // size)):
        text += f"virtual_server 198.51.100.{1 + service} 80 {{\n"
        text += " delay_loop 1\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
        for number in range(service * size, min(targets, (service + 1) * size)):
            check = _broken(_THEIR_CHECKS[kind])
            text += f" real_server {address(number)} {port} {{\n weight 1\n {check} }}\n"
        text += "}\n"
    return text


def _broken(block: str) -> str:
    """Break a block into lines: keepalived wants each brace at the end of one."""
    return block.replace("{ ", "{\n ").replace(" }", "\n }").replace(" url", "\n url").replace(" status", "\n status")


def ours(kind: str, targets: int) -> str:
    """Return the same as ours."""
    port = HTTPS if kind == "https" else HTTP
    servers = "".join(
        f'real_server.s{number} = {{ address = "{address(number)}:{port}" }}\n' for number in range(targets)
    )
    return (
        f"[check.bench]\n{_OUR_CHECKS[kind]}\nconnect_timeout = 5\ndelay_loop = 1\nwarmup = 1\n"
        f'[virtual_server.bench]\naddress = "198.51.100.1:80"\nprotocol = "tcp"\nscheduler = "rr"\nforward = "NAT"\n'
        f'check = "bench"\n{servers}'
    )


def beside(kinds: list[str], programs: list[str], targets: int, length: float) -> dict[str, dict[str, Figures]]:
    """Measure each program with each kind."""
    found: dict[str, dict[str, Figures]] = {kind: {} for kind in kinds}
    with Lab() as lab:
        host = lab.host("bench", "192.0.2.1/24")
        for kind in kinds:
            for program in programs:
                with host.inside():
                    found[kind][program] = _measure(host, program, kind, targets, length)
    return found


def _measure(host: Host, program: str, kind: str, targets: int, length: float) -> Figures:
    folder = host.lab.folder / f"web-{program}-{kind}"
    folder.mkdir()
    targets = max(1, targets // FEWER_PROGRAMS) if kind == "command" else targets
    with Web(folder):
        if program == OURS:
            daemon = Daemon(host, {"a.toml": f'[global]\nlog = "stderr"\n{ours(kind, targets)}'})
            process = daemon.launch()
        else:
            config = folder / "keepalived.conf"
            config.write_text(theirs(kind, targets))
            files = [f"-{letter}{folder}/{letter}.pid" for letter in "prc"]
            process = host.popen(["keepalived", "-n", "-l", "-f", str(config), *files])
        try:
            return _watch(process.pid, kind, targets, length)
        finally:
            process.kill_group()
            process.wait(within=10.0)
            subprocess.run(["ipvsadm", "-C"], check=False, capture_output=True)


def _watch(group: int, kind: str, targets: int, length: float) -> Figures:
    count = Counter() if kind != "command" else _processes
    first = count()
    wait_until(lambda: count() >= first + 2 * targets, within=90.0, what="two rounds of probes")
    time.sleep(SETTLE)
    before, made = look(group), count()
    time.sleep(length)
    after, made = look(group), count() - made
    spent = _all_spent(before, after) if kind == "command" else spent_between(before, after, group)
    return {
        "probes/s": made / ((after.at - before.at) / 1e9),
        "us a probe": spent / max(made, 1) / 1000,
        "us, busiest": max(by_process(before, after, group).values()) / max(made, 1) / 1000,
        "memory, MiB": memory(group) / 1024,
    }


def _processes() -> int:
    """Return how many processes the machine has made."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("processes"))


def _all_spent(before: Reading, after: Reading) -> int:
    return after.busy - before.busy
