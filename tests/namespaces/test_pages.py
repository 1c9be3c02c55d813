"""The site that the pages configure does what they say, and their commands show what they show."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from namespaces.daemon import STAYALIVED, Daemon
from namespaces.lab import Host, Lab, ip
from namespaces.waiting import wait_until

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()
CONFIGURATION = (DOCS / "configuration.md").read_text()
CONSOLE = re.compile(r"^<!-- test_pages: ([^>]*) -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIFFERS = (
    (r"\b\d+\.\d+s\b|\b\d+[mh]\d\d[sm]\b|\b\d+d\d\dh\b", "TIME"),
    (r"\bfe80::[0-9a-f:]+", "LINK-LOCAL"),
    (r"(advert of higher priority:) \S+", r"\1 WHOEVER-IS-HEARD-FIRST"),
    (r"[ \t]+", " "),
    (r" +$", ""),
)
"""What differs from one machine and moment to the next; columns are as wide as what stands in them."""

ELECTION = 10.0
"""Seconds within which mastership must be where it belongs: a master-down interval, and a machine that is busy."""

GATEWAY = """
[vrrp_instance.gateway]
interface = "eth0"
virtual_router_id = 51
virtual_ipaddress = ["192.0.2.1/24", "2001:db8::1/64"]
use_vmac = true
accept = false
priority = {priority}
"""


def examples() -> dict[str, str]:
    """Return the consoles of the page by what they show."""
    return dict(CONSOLE.findall(OPERATIONS))


def plain(text: str) -> str:
    """Return a text without what differs from one machine to the next."""
    for pattern, instead in DIFFERS:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


def steps(console: str) -> list[tuple[str, str]]:
    """Return the commands of a console, each with what it answers."""
    parts = re.split(r"^\$ (.*)\n", console, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def pattern_of(answer: str) -> str:
    """Return what an answer must match: `…` alone stands for any lines, in a line for anything."""
    lines = [re.escape(line).replace("…", ".*") for line in plain(answer).splitlines()]
    return "".join("(?:.*\n)*?" if line == ".*" else f"{line}\n" for line in lines)


def look(daemon: Daemon, command: str) -> str:
    """Run a command of a page on the daemon's machine."""
    own = f'stayalived() {{ {shlex.quote(str(STAYALIVED))} "$@" --run-dir {shlex.quote(str(daemon.run_dir))}; }}'
    return daemon.host.run(["sh", "-c", f"{own}\n{command}"]).stdout


def differences(daemon: Daemon, name: str) -> list[str]:
    """Run the commands of a console; return what they answer otherwise than on the page."""
    shown = [(command, plain(look(daemon, command)), answer) for command, answer in steps(examples()[name])]
    return [
        f"$ {command}\n{found}\nis on the page\n{plain(answer)}"
        for command, found, answer in shown
        if not re.fullmatch(pattern_of(answer), found)
    ]


def configured(heading: str) -> dict[str, str]:
    """Return the example under a heading of the page as files."""
    part = CONFIGURATION.split(f"\n## {heading}\n", 1)[1]
    return {"page.toml": part.split("```toml\n", 1)[1].split("```", 1)[0]}


class Pair:
    """The pair of firewalls, with the provider's router on one side."""

    def __init__(self, lab: Lab) -> None:
        outside, third = lab.segment("outside"), lab.segment("third")
        self.provider = lab.host("provider", "198.51.100.14/28", segment=outside)
        self.tic, self.tac = (self.firewall(lab, name, number) for number, name in enumerate(("tic", "tac"), 3))
        for number, host in enumerate((self.tic, self.tac), 3):
            host.attach(outside, "eth1", f"198.51.100.{number}/28")
            host.attach(third, "eth2", f"203.0.113.{number}/24")
        self.daemons = [Daemon(host, configured("A pair of firewalls")) for host in (self.tic, self.tac)]

    @staticmethod
    def firewall(lab: Lab, name: str, number: int) -> Host:
        return lab.host(name, f"10.42.0.{number - 1}/24", f"2001:db8:42::{number - 1}/64")

    def start(self) -> None:
        for daemon in self.daemons:
            daemon.start()

    def wait_for_master(self, master: Daemon) -> None:
        """Wait until one machine is master of both instances, with all that belongs to it, and the other is not."""
        (other,) = [daemon for daemon in self.daemons if daemon is not master]
        for name in ("inside", "outside"):
            master.wait_for_state("MASTER", within=ELECTION, instance=name)
        wait_until(
            lambda: all(held(master.host)), within=1.0, what=f"all addresses and the route on {master.host.name}"
        )
        wait_until(lambda: not any(held(other.host)), within=1.0, what=f"nothing on {other.host.name}")
        wait_until(lambda: all(self.follows(other)), within=3.0, what=f"{other.host.name} to follow, or to be in FAULT")

    @staticmethod
    def follows(daemon: Daemon) -> list[bool]:
        rows = [daemon.instance(name) for name in ("inside", "outside")]
        return [row["state"] == "FAULT" or all(router["master"] for router in row["routers"]) for row in rows]


def held(host: Host) -> list[bool]:
    """Tell which of the virtual addresses and the route of the firewall a machine has."""
    return [
        "10.42.0.1/24" in host.addresses(),
        "2001:db8:42::1/64" in host.addresses(),
        "198.51.100.2/28" in host.addresses("eth1"),
        "via 198.51.100.14 dev eth1" in ip("-n", host.namespace, "route", "show", "default"),
    ]


@pytest.fixture
def pair(lab: Lab) -> Pair:
    return Pair(lab)


def test_the_firewalls_move_together_and_say_so(pair: Pair) -> None:
    tic, tac = pair.daemons
    pair.start()
    pair.wait_for_master(tic)
    assert [] == differences(tic, "all is well")

    ip("-n", pair.provider.namespace, "route", "add", "blackhole", "198.51.100.3/32")
    pair.wait_for_master(tac)
    assert [] == differences(tic, "the provider is out of reach")

    ip("-n", pair.provider.namespace, "route", "del", "blackhole", "198.51.100.3/32")
    pair.wait_for_master(tic)
    pair.tic.link(up=False, interface="eth2")
    pair.wait_for_master(tac)
    assert [] == differences(tic, "a link is lost")


def test_a_virtual_mac_looks_as_on_the_page(lab: Lab) -> None:
    hosts = lab.host("tic", "192.0.2.11/24", "2001:db8::11/64"), lab.host("tac", "192.0.2.12/24", "2001:db8::12/64")
    priorities = (200, 100)
    files: Sequence[dict[str, str]] = [{"gateway.toml": GATEWAY.format(priority=each)} for each in priorities]
    tic, tac = (Daemon(host, file) for host, file in zip(hosts, files, strict=True))
    for daemon in (tic, tac):
        daemon.start()
    tic.wait_for_state("MASTER", within=ELECTION, instance="gateway")
    tic.host.wait_for_address("192.0.2.1/24", interface="vrrp.51")

    assert [] == differences(tic, "virtual MAC of a master")
    assert [] == differences(tic, "nobody is answered")
    assert [] == differences(tac, "virtual MAC of a backup")

    tic.stop()
    assert tic.host.run(["nft", "list", "ruleset"]).stdout == ""


def test_with_both_machines_at_work_whoever_is_left_has_both_addresses(lab: Lab) -> None:
    hosts = lab.host("tic", "192.0.2.11/24"), lab.host("tac", "192.0.2.12/24")
    tic, tac = (Daemon(host, configured("Both machines at work")) for host in hosts)
    for daemon in (tic, tac):
        daemon.start()
    tic.host.wait_for_address("192.0.2.101/24", within=ELECTION)
    tac.host.wait_for_address("192.0.2.102/24", within=ELECTION)
    tic.host.wait_for_address("192.0.2.102/24", present=False)  # which it has when the other one starts late
    assert tic.host.addresses() == {"192.0.2.11/24", "192.0.2.101/24"}
    assert tac.host.addresses() == {"192.0.2.12/24", "192.0.2.102/24"}

    tic.kill_machine()

    tac.host.wait_for_address("192.0.2.101/24", within=ELECTION)
    assert tac.host.addresses() == {"192.0.2.12/24", "192.0.2.101/24", "192.0.2.102/24"}


def test_every_console_of_the_page_is_compared() -> None:
    source = Path(__file__).read_text()

    assert [name for name in examples() if f'"{name}"' not in source] == []
    assert OPERATIONS.count("```console") == len(examples()) >= 6
