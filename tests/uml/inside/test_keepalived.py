"""From the same configuration, with `alpha = false`, the kernel's table is line by line that of keepalived.

Both daemons run at the same time, each on a host of its own with the same addresses: one start of each for all cases.
"""

import socket
import time
from collections.abc import Collection, Iterator
from contextlib import suppress

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import TooLate, wait_until
from uml.keepalived_cases import CASES, FAMILIES, LINES, OPEN, combinations

LIMIT = 60.0
SETTLED = 1.5
"""Seconds for which both have to be the same: checks run once in a second."""

ONE, TWO = FAMILIES[4][1]


def machine(lab: Lab, name: str) -> Host:
    """A host on a wire of its own that is all real servers itself."""
    own = [f"{address}/64" if ":" in address else f"{address}/24" for _, both in FAMILIES.values() for address in both]
    return lab.host(name, *own, segment=lab.segment(f"lan-{name}"))


class Pair:
    """Both daemons at work on all cases."""

    def __init__(self, lab: Lab) -> None:
        self._hosts = {name: machine(lab, name) for name in ("theirs", "ours")}
        self._listening: dict[str, list[socket.socket]] = {}
        self.serve(ONE)
        file = lab.folder / "keepalived.conf"
        file.write_text("".join(case.theirs for case in CASES))
        pids = ["--pid", str(lab.folder / "pid"), "--checkers_pid", str(lab.folder / "checkers.pid")]
        words = ["keepalived", "--dont-fork", "--log-console", "--check", "--use-file", str(file), *pids]
        self._peer = self._hosts["theirs"].popen(words)
        self._daemon = Daemon(self._hosts["ours"], {"50-services.toml": "\n".join(case.ours for case in CASES)})
        self._daemon.start()

    def serve(self, *addresses: str) -> None:
        """Let these real servers of both accept connections, and the others refuse them."""
        for address in [*self._listening]:
            if address not in addresses:
                for listening in self._listening.pop(address):
                    listening.close()
        for address in addresses:
            if address not in self._listening:
                self._listening[address] = [self._accept(host, address) for host in self._hosts.values()]

    def hold(self, address: str) -> None:
        """Give both machines an address."""
        self._change("add", address)

    def leave(self, address: str) -> None:
        """Take it from both again."""
        self._change("delete", address)

    def _change(self, verb: str, address: str) -> None:
        for host in self._hosts.values():
            host.run(["ip", "address", verb, f"{address}/32", "dev", "lo"])

    def close(self) -> None:
        """Accept nothing any more."""
        self.serve()

    def _accept(self, host: Host, address: str) -> socket.socket:
        with host.inside():
            return socket.create_server((address, OPEN), backlog=1000)

    def expect_same(self, *lines: str, without: Collection[str] = ()) -> list[str]:
        """Wait until keepalived's table has some lines and lacks others, and ours stays the same; return it.

        Raises:
            AssertionError: it does not become so.
        """

        def told() -> bool:
            theirs = self._table("theirs")
            return theirs.issuperset(lines) and not theirs.intersection(without)

        since: list[float] = []

        def same() -> bool:
            if not told() or self._table("theirs") != self._table("ours"):
                since.clear()
            else:
                since.append(time.monotonic())
            return bool(since) and since[-1] - since[0] >= SETTLED

        with suppress(TooLate):  # the assertions show what is missing
            wait_until(told, within=LIMIT, what="what keepalived makes of it")
            wait_until(same, within=LIMIT, what="the same table")
        theirs, ours = sorted(self._table("theirs")), sorted(self._table("ours"))
        assert theirs == ours, self._peer.log() + self._daemon.log()
        assert told(), theirs
        return ours

    def _table(self, name: str) -> set[str]:
        return {line.strip() for line in self._hosts[name].run(["ipvsadm", "-Sn"]).stdout.splitlines()}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        pair = Pair(lab)
        yield pair
        pair.close()


def test_the_tables_are_equal_line_by_line(pair: Pair) -> None:
    assert 13 * 3 * 2 * 3 * 3 == sum(case.lines for case in combinations())

    assert LINES == len(pair.expect_same(*of_half(ONE)))


HALF = "-a -t 198.51.100.2:3000 -r {}:8080 -m -w {}"
"""The lines of the service without quorum and sorry server: what is in its pool tells which checks were seen."""

DAMPED = "-a -t 198.51.100.2:3004 -r 192.0.2.99:80 -m -w 1"


def of_half(*addresses: str) -> list[str]:
    """Return the lines of real servers in the service that has neither quorum nor sorry server."""
    return [HALF.format(address, {ONE: 2, TWO: 3}[address]) for address in addresses]


def test_they_stay_equal_when_servers_die_and_return(pair: Pair) -> None:
    seen = []
    for serving in ((ONE,), (), (TWO,), (ONE, TWO), (ONE,), (ONE, TWO), (TWO,), (), (ONE,)):
        pair.serve(*serving)
        table = pair.expect_same(*of_half(*serving), without=set(of_half(ONE, TWO)) - set(of_half(*serving)))
        seen.append(DAMPED in table)

    # Quorum 3, hysteresis 1: gained at a live weight of 4, lost below 2.
    assert [False, True, True, False, False, False, False, True, True] == seen


def asleep(*addresses: str) -> list[str]:
    """Return the lines of real servers in the service whose checks sleep."""
    return [line.replace(":3000", ":3010") for line in of_half(*addresses)]


def test_checks_sleep_while_the_address_is_away_and_what_was_seen_stays(pair: Pair) -> None:
    pair.serve(ONE)
    pair.expect_same(*of_half(ONE), *asleep(ONE, TWO), without=of_half(TWO))

    pair.hold("198.51.100.2")
    pair.expect_same(*asleep(ONE), without=asleep(TWO))

    pair.leave("198.51.100.2")
    pair.expect_same(*of_half(ONE), *asleep(ONE), without=asleep(TWO))  # what was asked before has its answer by then
    for serving in ((), (TWO,)):  # by way of nobody: which quorum is left of two changes at once is chance
        pair.serve(*serving)
        pair.expect_same(*of_half(*serving), *asleep(ONE), without=[*of_half(ONE), *asleep(TWO)])

    pair.hold("198.51.100.2")
    pair.expect_same(*asleep(TWO), without=asleep(ONE))
    pair.leave("198.51.100.2")
