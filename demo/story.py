"""The acts of the demo: what is done, what is then seen from outside, and what it cost."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from client import LIMIT as PATIENCE
from machines import PORT, VIP4, VIP6, Director, Site
from traffic import Answer, Client

from namespaces.lab import Lab
from namespaces.waiting import TooLate, quiet_for, wait_until

Result = TypeVar("Result")

LIMIT = 60.0
"""Seconds that a step may take, in a slow kernel too, before the demo has failed."""

MASTER_DOWN = 3 * 1.0 + (256 - 100) / 256
"""Seconds until `tac`, of priority 100, takes over from a master that fell silent (RFC 9568 6.1)."""


class Teller:
    """Prints lines with the time since the beginning, in colour on a terminal."""

    def __init__(self) -> None:
        """Begin now."""
        self.begun = time.time()
        self.colour = sys.stdout.isatty()

    def act(self, title: str) -> None:
        """Print the heading of an act."""
        print(f"\n\x1b[1m{title}\x1b[0m" if self.colour else f"\n{title}", flush=True)

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"{time.time() - self.begun:7.2f} s  {text}", flush=True)

    def figure(self, name: str, value: str) -> None:
        """Print one of the figures that matter."""
        text = f"{name}: {value}"
        self.say(f"\x1b[32m{text}\x1b[0m" if self.colour else text)


class Story:
    """The whole demo over one site."""

    def __init__(self, site: Site, teller: Teller) -> None:
        """Take the site as it was built."""
        self.site = site
        self.teller = teller
        self.tic = site.directors["tic"]
        self.tac = site.directors["tac"]
        self.clients: list[Client] = []
        self.figures: list[tuple[str, str]] = []

    def begin(self) -> None:
        """Start everything, see an election and the first checks."""
        self.teller.act("The beginning: two real servers, two directors, one floating address of each family")
        for server in self.site.servers.values():
            server.start()
        started = time.time()
        for director in (self.tac, self.tic):
            director.launch()
        self.teller.say("stayalived run, on tac (priority 100) and on tic (priority 200)")
        self._until(lambda: self.tic.holds() == {VIP4, VIP6}, "tic to carry both addresses")
        self.teller.say(f"tic is MASTER and carries {VIP4} and {VIP6}, {time.time() - started:.2f} s after the start")
        self._until(lambda: not self.tac.holds(), "tac to carry none")
        self.teller.say("tac is BACKUP and carries none")
        self._until(lambda: self._pool(self.tic) == 4, "both servers to pass their checks in both families")
        self.teller.say(f"the checks passed; the kernel of tic balances {VIP4}:{PORT} and [{VIP6}]:{PORT}:")
        for line in self.tic.balances():
            self.teller.say(f"    ipvsadm {line}")

    def ask(self) -> None:
        """Let clients ask, and see who answers."""
        self.clients = [Client(self.site.client, address, PORT) for address in (VIP4, VIP6)]
        self._until(lambda: all(len(client.answers()) >= 20 for client in self.clients), "the first answers")
        shares = Counter(answer.server or answer.error for client in self.clients for answer in client.answers())
        self.teller.say("clients ask 20 times a second in each family; answered by " + _told(shares))
        self._require(set(shares) == {"web1", "web2"}, f"both servers to answer and nobody else: {shares}")

    def lose_server(self) -> None:
        """Stop a real server, see it leave the pool and come back."""
        self.teller.act("A real server stops")
        web1 = self.site.servers["web1"]
        stopped = time.time()
        web1.stop()
        self.teller.say("nginx on web1 is killed")
        self._until(lambda: self._pool(self.tic) == 2, "web1 to leave the pool")
        self._figure("time to drop a dead server", f"{time.time() - stopped:.2f} s")
        dropped = time.time()
        quiet_for(1.0)
        answers = self._between(dropped, time.time() - 0.5)
        self._require(bool(answers) and all(answer.server == "web2" for answer in answers), "web2 to answer everything")
        self._figure("requests refused by the dead server meanwhile", str(self._lost(stopped, dropped)))
        web1.start()
        started = time.time()
        self._until(lambda: self._pool(self.tic) == 4, "web1 to return")
        self.teller.say(f"nginx on web1 is back, and in the pool after {time.time() - started:.2f} s")

    def lose_master(self) -> None:
        """Lose the master's machine, see the other take over, then restore it."""
        self.teller.act("The master's machine is lost: its cable is cut and every process killed at one moment")
        lost = time.time()
        self.tic.lose()
        self._until(lambda: self.tac.holds() == {VIP4, VIP6}, "tac to take over")
        taken = time.time()
        self.teller.say(f"tac carries both addresses (the master-down time of the RFC is {MASTER_DOWN:.2f} s)")
        answer = self._until(lambda: self._answered_after(taken), "an answer through tac")
        self._figure("takeover time", f"{taken - lost:.2f} s to the address, {answer - lost:.2f} s to the first answer")
        self._wait_for_requests_of(answer)
        begun = self._between(lost, answer)
        late = [request.took for request in begun if request.server]
        self._figure("requests lost", f"{len(begun) - len(late)} of {len(begun)} begun meanwhile")
        if late:
            self.teller.say(f"the other {len(late)} were answered when TCP asked again, {max(late):.1f} s late at most")
        self.teller.act("The machine returns")
        returned = time.time()
        self.tic.restore()
        self._until(lambda: self.tic.holds() == {VIP4, VIP6} and not self.tac.holds(), "tic to be MASTER again")
        self.teller.say(
            f"tic is MASTER again {time.time() - returned:.2f} s after it booted, its servers checked before"
        )
        now = time.time()
        self._wait_for_requests_of(now)
        self._figure(
            "requests lost by the return", f"{self._lost(returned, now)} of {len(self._between(returned, now))}"
        )

    def kill_child(self) -> None:
        """Kill the master's vrrp process alone: nobody notices."""
        self.teller.act("Second act: the vrrp process of the master is killed, and nothing else")
        before = self.tic.child("vrrp")
        monitor = self.tic.host.popen(["ip", "monitor", "address"])
        wire = self.site.lab.lan.capture()
        quiet_for(0.5)
        # A process that is back within two intervals of the last advert stays MASTER. In a slow kernel a fork takes
        # half a second, and a busy machine makes that more: the whole of that time is given to it.
        wire.wait_for(
            lambda packet: packet.sender == "tic" and packet.vrrp(),
            within=LIMIT,
            what="an advert of tic",
            since=time.time_ns(),
        )
        killed = time.time()
        os.kill(before, signal.SIGKILL)
        after = self._until(lambda: self._replaced(self.tic, before), "the process to be replaced")
        self.teller.say(f"process {before} is dead, process {after} speaks in its place")
        quiet_for(2 * MASTER_DOWN)
        self._require(not self.tac.holds(), "tac to stay BACKUP")
        self._require("Deleted" not in monitor.log(), f"no address to leave the kernel: {monitor.log()}")
        now = time.time()
        self._wait_for_requests_of(now)
        lost = self._lost(killed, now)
        self._figure("requests lost by the death of the vrrp process", str(lost))
        self._require(lost == 0, "no request to be lost")
        self.teller.say("no address left the kernel, tac stayed BACKUP, no client noticed")

    def end(self) -> None:
        """Stop both directors in order, and print the figures once more."""
        self.teller.act("The end")
        for director in (self.tac, self.tic):
            self._require(director.stop() == 0, f"{director.host.name} to stop in order")
            self._require(not director.holds() and not director.balances(), "nothing to be left in the kernel")
        self.teller.say("both daemons stopped; no address and no service is left")
        self.teller.act("The figures")
        for name, value in self.figures:
            self.teller.figure(name, value)

    def _pool(self, director: Director) -> int:
        return sum(line.startswith("-a ") and not line.endswith("-w 0") for line in director.balances())

    def _replaced(self, director: Director, before: int) -> int:
        now = director.child("vrrp")
        return now if now not in {0, before} else 0

    def _between(self, begin: float, end: float) -> list[Answer]:
        return [answer for client in self.clients for answer in client.between(begin, end)]

    def _lost(self, begin: float, end: float) -> int:
        return sum(not answer.server for answer in self._between(begin, end))

    def _wait_for_requests_of(self, moment: float) -> None:
        """Let every request that began before a moment end, one way or the other."""
        quiet_for(max(0.0, moment + PATIENCE + 0.5 - time.time()))

    def _answered_after(self, moment: float) -> float:
        first = [client.first_good_after(moment) for client in self.clients]
        return max(answer.at + answer.took for answer in first if answer) if all(first) else 0.0

    def _until(self, condition: Callable[[], Result], what: str) -> Result:
        return wait_until(condition, within=LIMIT, what=what)

    def _require(self, condition: bool, what: str) -> None:
        if not condition:
            raise TooLate(f"expected {what}")

    def _figure(self, name: str, value: str) -> None:
        self.figures.append((name, value))
        self.teller.figure(name, value)


def _told(shares: Counter[str]) -> str:
    return ", ".join(f"{name} {count} times" for name, count in sorted(shares.items()))


def tell() -> int:
    """Tell the whole story; return the exit status."""
    teller = Teller()
    with Lab() as lab:
        story = Story(Site(lab), teller)
        try:
            for act in (story.begin, story.ask, story.lose_server, story.lose_master, story.kill_child, story.end):
                act()
        except (TooLate, AssertionError) as error:
            teller.say(f"FAILED: {error}")
            for process in lab.processes():
                print(f"\n--- {process.log_path.name}\n{process.log()[-4000:]}", file=sys.stderr)
            return 1
    print("\nEvery step was seen from outside: on the wire, in the kernel, by the clients.", flush=True)
    return 0
