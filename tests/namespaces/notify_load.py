"""Many instances that change all the time, each with a script that notes every event and one that behaves badly."""

import json
import socket
import time
from collections.abc import Mapping, Sequence

from namespaces.capture import Capture
from namespaces.daemon import Daemon
from namespaces.lab import Lab
from namespaces.voices import GROUP, VRRP, advert
from namespaces.waiting import TooLate, wait_until

ADVERT_INTERVAL, PRIORITY = 0.2, 100
MASTER_DOWN = (3 + (256 - PRIORITY) / 256) * ADVERT_INTERVAL  # RFC 9568 6.1
CYCLE = MASTER_DOWN + 0.1
"""Seconds in which each instance becomes BACKUP and MASTER again."""

BAD: Mapping[str, str] = {
    "sleeps": "sleep 1",
    "forks": "for i in 1 2 3; do sleep 30 & done",
    "dies": "kill -KILL $$",
    "fills": "head -c 1000000 /dev/zero | tr '\\0' x; echo; exit 3",
    "ignores": "trap '' TERM; while :; do sleep 1; done",
}
NOTES = 'echo "$STAYALIVED_SUBJECT $STAYALIVED_SEQUENCE $STAYALIVED_OLD $STAYALIVED_NEW $STAYALIVED_MERGED" >>{out}'


class Load:
    """A daemon with so many instances, and somebody who makes all of them BACKUP again and again.

    Args:
        lab: where it is.
        count: how many instances.
        bad: whether scripts are there at all.
    """

    def __init__(self, lab: Lab, count: int, *, bad: bool = True) -> None:
        self.count, self.sent = count, 0
        self.tic, self.voice = lab.host("tic", "192.0.2.1/24"), lab.host("voice", "192.0.2.9/24")
        self.wire: Capture = lab.lan.capture()
        lab.folder.chmod(0o755)
        self.out = lab.folder / "noted"
        scripts = {name: f"#!/bin/sh\n{body}\n" for name, body in BAD.items()}
        scripts["notes"] = f"#!/bin/sh\n{NOTES.format(out=self.out)}\n"
        for name, text in scripts.items():
            (lab.folder / f"{name}.sh").write_text(text)
            (lab.folder / f"{name}.sh").chmod(0o755)
        self.folder = lab.folder
        self.daemon = Daemon(self.tic, {"10-vrrp.toml": self._text(bad)})
        self.messages = [
            advert([self._vip(number)], priority=200, source="192.0.2.9", number=number)
            for number in range(1, count + 1)
        ]
        self.moments: list[int] = []

    def start(self) -> None:
        """Start the daemon and wait until all instances are MASTER."""
        self.daemon.start()

        def all_masters() -> bool:
            rows = self.daemon.peek().get("instances", [])
            return [row["state"] for row in rows] == ["MASTER"] * self.count

        wait_until(all_masters, within=10.0 + self.count * 0.05, what="all instances to be MASTER", glance=0.2)

    def play(self, cycles: int) -> None:
        """Make all BACKUP so many times, each time when the others have had the time to be MASTER again."""
        with self.voice.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            for _ in range(cycles):
                begun = time.monotonic()
                self.moments.append(time.time_ns())
                for message in self.messages:
                    sock.sendto(message, (GROUP, 0))
                self.sent += self.count
                self.wire.adverts("nobody", since=time.time_ns())  # reads what has come, lest the capture overflows
                _pass_time(begun + CYCLE)

    def noted(self) -> dict[str, list[list[str]]]:
        """Return what the noting scripts have written, by instance: number, old state, new state, merged."""
        found: dict[str, list[list[str]]] = {}
        for line in self.out.read_text().splitlines() if self.out.exists() else ():
            name, *rest = line.split()
            found.setdefault(name, []).append(rest)
        return found

    def events(self) -> dict[str, list[int]]:
        """Return the numbers of all events of the instances, by name."""
        done = self.daemon.command("events", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, list[int]] = {}
        for line in done.stdout.splitlines():
            event = json.loads(line)
            if event.get("subject_type") == "instance":
                found.setdefault(event["subject"], []).append(event["sequence"])
        return found

    def counts(self) -> dict[str, int]:
        """Return what status says of the scripts."""
        rows = self.daemon.status()["notify"]
        return next((row for row in rows if row["name"] == "script"), {})

    def wait_until_told(self, *, within: float) -> None:
        """Wait until the noting scripts have told the last event of each instance."""
        wait_until(lambda: not self.untold(), within=within, what="the last events to be told", glance=0.5)

    def untold(self) -> list[str]:
        """Return the instances whose last event has not been noted."""
        noted = self.noted()
        return [name for name, numbers in self.events().items() if _last(noted.get(name, [])) != numbers[-1]]

    def disorder(self) -> list[str]:
        """Return what was noted in a wrong order, or without the one before it although nothing was merged."""
        found = []
        for name, rows in self.noted().items():
            before_number, before_state = 0, "INIT"
            for number, old, new, _merged in rows:
                if int(number) <= before_number or old != before_state:
                    found.append(f"{name}: {number} from {old} to {new} after {before_number} to {before_state}")
                before_number, before_state = int(number), new
        return found

    def lateness(self) -> list[float]:
        """Return by how many seconds takeovers were late: first adverts after the last of the other's, in order."""
        late = []
        firsts: dict[tuple[int, int], int] = {}
        for packet in self.wire.adverts(self.tic.name):
            header = packet.vrrp()
            if header is None:
                continue
            moment = max((at for at in self.moments if at < packet.time), default=0)
            firsts.setdefault((header.virtual_router_id, moment), packet.time)
        spoken = self._spoken()
        for (number, moment), first in firsts.items():
            at = spoken.get((number, moment))
            if at is not None and first - at > MASTER_DOWN * 0.9e9:
                late.append((first - at) / 1e9 - MASTER_DOWN)
        return sorted(late)

    def _spoken(self) -> dict[tuple[int, int], int]:
        """Return when each virtual router heard the other in each cycle."""
        found: dict[tuple[int, int], int] = {}
        for packet in self.wire.adverts(self.voice.name):
            header = packet.vrrp()
            if header is not None:
                moment = max((at for at in self.moments if at <= packet.time), default=0)
                found[header.virtual_router_id, moment] = packet.time
        return found

    def _text(self, bad: bool) -> str:
        kinds = sorted(BAD)
        return '[global]\nscript_user = "root"\n' + "\n".join(
            f'[vrrp_instance.i{number}]\ninterface = "eth0"\nvirtual_router_id = {number}\npriority = {PRIORITY}\n'
            f"advert_int = {ADVERT_INTERVAL}\nversion = 3\ngarp_master_delay = 0\n"
            f'virtual_ipaddress = ["{self._vip(number)}/24"]\n'
            + (self._notify(kinds[number % len(kinds)]) if bad else "")
            for number in range(1, self.count + 1)
        )

    def _notify(self, bad: str) -> str:
        notes = f'{{ type = "script", command = ["{self.folder}/notes.sh"] }}'
        other = f'{{ type = "script", command = ["{self.folder}/{bad}.sh"], timeout = 1, on_overlap = "latest" }}'
        return f"notify = [{notes}, {other}]\n"

    @staticmethod
    def _vip(number: int) -> str:
        return f"192.0.2.{100 + number}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def _last(rows: Sequence[Sequence[str]]) -> int:
    return int(rows[-1][0]) if rows else 0


def _pass_time(until: float) -> None:
    """Let time pass until a moment of the monotonic clock."""
    left = until - time.monotonic()
    try:
        wait_until(lambda: time.monotonic() >= until, within=max(left, 0) + 1, what="time to pass", glance=0.02)
    except TooLate:  # the machine stood still: the next cycle is late, too
        return
