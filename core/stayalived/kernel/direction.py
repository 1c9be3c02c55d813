"""Makes it so who balances: sync daemons, `backup_only`, marks of packets from other directors. I/O.

What one of them is refused does not keep the others from being done.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from stayalived.errors import KernelProblem
from stayalived.ipvs.daemons import Daemon, Role, steps
from stayalived.ipvs.events import Direct, Directed
from stayalived.ipvs.surroundings import BACKUP_ONLY
from stayalived.kernel import sysctl
from stayalived.kernel.around import read_addresses
from stayalived.kernel.ipvs_daemons import LinuxDaemons
from stayalived.kernel.peer_marks import PeerMarks
from stayalived.kernel.peers import Neighbours


class Direction:
    """The hand of the engine for all this."""

    def __init__(self) -> None:
        """Touch nothing yet."""
        self._daemons = LinuxDaemons()
        self._marks = PeerMarks()
        self._neighbours = Neighbours()
        self._asked: dict[Role, int] = {}  # maxlen: the kernel shows what became of it

    def close(self) -> None:
        """Close what is open; what was made so stays so."""
        self._daemons.close()

    def carry_out(self, wanted: Direct) -> Directed:
        """Make it so, where it is not."""
        problems: list[str] = []

        def attempt(action: Callable[[], None]) -> None:
            try:
                action()
            except KernelProblem as problem:
                problems.append(str(problem))

        # First the switch: a BACKUP must not balance for a moment because its daemon was quicker.
        if wanted.backup_only is not None:
            attempt(lambda: _switch(backup_only=bool(wanted.backup_only)))
        daemons = wanted.daemons
        if daemons is not None:
            attempt(lambda: self._run(daemons, attempt))
        local: frozenset[str] = frozenset()
        try:
            local = frozenset().union(*read_addresses().values())
        except KernelProblem as problem:
            problems.append(str(problem))
        if wanted.table:
            attempt(lambda: self._mark(wanted, local, problems))
        return Directed(problems=tuple(problems), local=local)

    def _mark(self, wanted: Direct, local: frozenset[str], problems: list[str]) -> None:
        """Mark the packets of the peers that are known by now."""
        marks = wanted.marks
        if marks is not None and marks.peers:
            macs, unknown = self._neighbours.find(marks.peers, local)
            problems += unknown
            marks = replace(marks, macs=tuple(dict.fromkeys((*marks.macs, *macs))))
        self._marks.make(wanted.table, marks)

    def _run(self, wanted: frozenset[Daemon], attempt: Callable[[Callable[[], None]], None]) -> None:
        """Run these daemons and no others."""
        stopped, started = steps(self._daemons.read(), wanted)
        other = [one for one in wanted - set(started) if self._asked.get(one.role, one.maxlen) != one.maxlen]
        for role in (*stopped, *(one.role for one in other)):
            attempt(partial(self._daemons.stop, role))
        for daemon in (*started, *other):
            attempt(partial(self._daemons.start, daemon))
        self._asked = {one.role: one.maxlen for one in wanted}


def _switch(*, backup_only: bool) -> None:
    sysctl.write(BACKUP_ONLY, int(backup_only))
