"""Checks of third parties in the whole daemon: those that work, and those whose worst costs their own verdicts only."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest

from namespaces.capture import ETH_P_IP, Capture, Packet
from namespaces.daemon import Daemon
from namespaces.lab import Lab
from namespaces.processes import Process
from namespaces.waiting import quiet_for, wait_for_exit, wait_until
from plugins.installation import SOURCES, install

PERIOD = 0.1
SLOT = 0.01
"""Seconds by which the checker's own schedule rounds."""
MARGIN = 0.05
"""Seconds by which a plugin may delay the checks of others."""
OBSERVED = 1.5
LOOKS = 3
LIMIT = 30.0
RELOAD_LIMIT = 6.0
"""Seconds that a reload may take then: the silent checker is replaced after three."""
STOP_LIMIT = 3.0
"""Seconds that a stop may take when a plugin blocks a checker, which is killed after two."""
TCP = 6
SERVER = "192.0.2.21"
PORTS = {"bundled": 8001, "polite": 8002, "greeting": 8003, "misbehaving": 8009}

BROKEN = {
    "raising": '{ type = "raising", how = "raise" }',
    "leaving": '{ type = "raising", how = "exit" }',
    "nonsense": '{ type = "raising", how = "nonsense" }',
    "hanging": '{ type = "hanging" }',
    "stubborn": '{ type = "stubborn" }',
    "blocking": '{ type = "blocking" }',
    "sockets": '{ type = "socket-leak" }',
    "memory": '{ type = "memory-leak" }',
    "tasks": '{ type = "task-leak" }',
}
"""Checks that misbehave, by the name of the service that uses them. Those of one distribution share a process."""

NAMED = {
    "raising": "Plugin raising: check raising failed: ValueError: this plugin is broken",
    "leaving": "Plugin raising: check raising failed: raised SystemExit",
    "nonsense": "Plugin raising: check raising failed: answered 'up'; a check answers a Verdict",
    "stubborn": "Plugin hanging: check stubborn failed: its last run has not ended",
    "blocking": "checker/blocking: check blocking at 192.0.2.21:8009 keeps the loop for more than 100 ms",
    "sockets": "Checks of leaking cannot be made on this machine: OSError: [Errno 24] Too many open files",
    "memory": "Plugin leaking: check memory-leak failed: MemoryError",
    "ending": "plugin ending 1.0: import ended the process (exit status 3)",
    "unimportable": "import of unimportable failed: ModuleNotFoundError",
}


def service(mark: int, name: str, check: str) -> str:
    """Return a service by a mark of its own: what its address is makes no difference to a check."""
    port = PORTS.get(name, PORTS["misbehaving"])
    return f"""
[virtual_server.{name}]
fwmark = {mark}
family = "ipv4"
scheduler = "rr"
forward = "NAT"
delay_loop = {PERIOD}
connect_timeout = 0.5
retry = 0
check = {check}
real_server.one.address = "{SERVER}:{port}"
"""


def serve(port: int) -> None:
    """Greet whoever connects."""
    with socket.create_server((SERVER, port), backlog=256) as listening:
        while True:
            client, _ = listening.accept()
            with client:
                client.sendall(b"HELLO\n")


class Site:
    """A daemon whose checks go to one machine with a server for each port."""

    def __init__(self, lab: Lab, checks: Mapping[str, str], *distributions: str) -> None:
        self.tic, self.machine = lab.host("tic", "192.0.2.11/24"), lab.host("machine", f"{SERVER}/24")
        self.servers = {name: self.start(name) for name in PORTS}
        self.wire: Capture = lab.lan.capture(everything=True)
        folder = lab.folder / "site-packages"
        folder.mkdir()
        for name in distributions:
            install(name, folder)
        text = "".join(service(mark, name, check) for mark, (name, check) in enumerate(checks.items(), 1))
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self.daemon = Daemon(self.tic, {"50-services.toml": text}, env=environment)
        self.daemon.start()

    def start(self, name: str) -> Process:
        """Start the server of a name."""
        return self.machine.fork(lambda: serve(PORTS[name]), name)

    def state(self, name: str) -> str:
        """Return the state of the one server of a service."""
        return next(str(row["servers"][0]["state"]) for row in self.daemon.peek()["services"] if row["name"] == name)

    def wait_for(self, name: str, state: str) -> None:
        wait_until(
            lambda: self.state(name) == state, within=LIMIT, what=f"{name} to be {state}:\n{self.daemon.log()[-4000:]}"
        )

    def observed(self, name: str) -> int:
        """Return a count of what observers of plugins were shown."""
        return sum(int(row[name]) for row in self.daemon.peek()["notify"] if row["name"] == "observers")

    def worst_gap(self, name: str) -> float:
        """Watch for a while and return the longest time between two connections of a check, in seconds."""
        since = time.time_ns()
        quiet_for(OBSERVED / LOOKS)
        times = [p.time for p in self.wire.packets() if p.time >= since and self._opens(p, PORTS[name])]
        assert len(times) >= 3, f"{len(times)} checks of {name}"
        return max(after - before for before, after in pairwise(times)) / 1e9

    def news(self, name: str) -> float:
        """Kill the server of a name, and return how long it takes until it is told to be down, in seconds."""
        begun = time.monotonic()
        self.servers[name].kill_group()
        wait_for_exit(self.servers[name].pid, within=LIMIT)
        wait_until(lambda: self.state(name) == "DOWN", within=LIMIT, what=f"{name} to be DOWN")
        took = time.monotonic() - begun
        self.servers[name] = self.start(name)
        self.wait_for(name, "UP")
        return took

    def _opens(self, packet: Packet, port: int) -> bool:
        if packet.sender != "tic" or packet.ethertype != ETH_P_IP or packet.data[23] != TCP:
            return False
        opening = packet.data[47] & 0x12 == 0x02  # SYN without ACK
        return opening and int.from_bytes(packet.data[36:38]) == port


def test_checks_of_third_parties_work_from_conf_d(lab: Lab) -> None:
    checks = {"bundled": '"tcp"', "polite": '"polite"', "greeting": '{ type = "greeting", word = "HELLO" }'}

    site = Site(lab, checks, "polite", "greeting", "watching")

    assert {"checker", "checker/polite", "checker/greeting", "notify/watching"} <= set(site.daemon.children())
    for name in checks:
        site.wait_for(name, "UP")
        site.news(name)
    wait_until(lambda: site.observed("failed") == len(checks), within=LIMIT, what="every death to be observed")
    assert site.observed("told") > 0
    for name in checks:
        text = f"plugin watching: stayalived_event: ValueError: {name}/one is down, it was UP"
        site.daemon.process.wait_for_log(text, within=LIMIT)
    assert "ERROR" not in site.daemon.log()
    assert site.daemon.stop() == 0


def test_an_option_of_a_third_party_is_checked_as_any_other(lab: Lab) -> None:
    site = Site(lab, {"greeting": '{ type = "greeting", word = "HELLO" }'}, "greeting")
    wrong = service(1, "greeting", '{ type = "greeting", wrd = "HELLO" }')
    site.daemon.write({"50-services.toml": wrong})

    done = site.daemon.reload()

    assert done.returncode == 1
    assert "50-services.toml:10:30: virtual_server.greeting.check.wrd: unknown key; did you mean word?" in done.stderr


def test_one_that_cannot_be_imported_is_named_by_the_command_check(lab: Lab) -> None:
    site = Site(lab, {"bundled": '"tcp"'}, "unimportable")

    done = site.daemon.host.run(
        [*site.daemon.program, "check", "--config", str(site.daemon.conf_d)],
        check=False,
        env=dict(site.daemon.env or {}),
    )

    assert 0 == done.returncode, done.stdout
    assert NAMED["unimportable"] in done.stdout


@pytest.fixture(scope="module")
def beside() -> Iterator[Site]:
    """A daemon with one distribution that works, beside all that do not, all at once."""
    checks = {"bundled": '"tcp"', "polite": '"polite"', **BROKEN}
    with Lab() as lab:
        yield Site(lab, checks, *(path.stem for path in sorted(SOURCES.glob("*.py"))))


@pytest.mark.parametrize("name", ["bundled", "polite"])
def test_the_checks_of_others_come_in_time(beside: Site, name: str) -> None:
    """What a plugin does to others it does always; a busy machine does it now and then: the best look counts."""
    beside.wait_for(name, "UP")

    assert min(beside.worst_gap(name) for _ in range(LOOKS)) <= PERIOD + SLOT + MARGIN
    assert min(beside.news(name) for _ in range(LOOKS)) <= PERIOD + SLOT + MARGIN


@pytest.mark.parametrize("name", NAMED)
def test_those_that_misbehave_are_named(beside: Site, name: str) -> None:
    beside.daemon.process.wait_for_log(NAMED[name], within=LIMIT)

    assert NAMED[name] in beside.daemon.log()


def test_one_that_blocks_is_replaced(beside: Site) -> None:
    beside.daemon.process.wait_for_log("checker/blocking died: ", within=LIMIT)

    others = {row["name"]: row["restarts"] for row in beside.daemon.peek()["children"]}
    assert others.pop("checker/blocking") >= 1
    assert {name for name, restarts in others.items() if restarts} <= {"checker/leaking"}


def test_none_of_them_stands_in_the_way_of_a_reload(beside: Site) -> None:
    begun = time.monotonic()
    file = beside.daemon.conf_d / "50-services.toml"
    file.write_text(file.read_text().replace("retry = 0", "retry = 1"))

    done = beside.daemon.reload()

    assert 0 == done.returncode, done.stderr
    assert time.monotonic() - begun < RELOAD_LIMIT


def test_none_of_them_keeps_the_daemon_from_stopping(beside: Site) -> None:
    begun = time.monotonic()

    assert beside.daemon.stop() == 0

    assert time.monotonic() - begun < STOP_LIMIT
