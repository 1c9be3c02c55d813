"""What a simulated kernel tells vrrp of its own accord: links and addresses as they are now, routes that were lost.

As `kernel/monitor.py` and `kernel/route_monitor.py` do it: each loss of an interface is told, even when it came back
meanwhile; addresses are told as they are by the time of telling; after an overflow everything is told anew.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from stayalived.kernel.api import Gone, Interface
from stayalived.kernel.losses import RouteDeleted, RuleDeleted
from stayalived.simulation.ipvs_role import NETLINK_TIME
from stayalived.simulation.process import Process
from stayalived.timing import Instant
from stayalived.vrrp import events

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine


class Monitor:
    """Brings the news of one kernel to one vrrp process.

    Attributes:
        is_deaf: it has lost some, and does not know it yet.
    """

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine
        self._process: Process | None = None
        self._told: dict[str, Interface] = {}
        self._is_planned = False
        self.is_deaf = False

    def begin(self, process: Process) -> list[Interface]:
        """Return what there is, for a process that begins; the news of before are nothing to it."""
        self._drop_news()
        self._process, self._is_planned, self.is_deaf = process, False, False
        self._told = self.machine.links()
        return list(self._told.values())

    def look(self) -> None:
        """Let the news that there are be told a little later."""
        if not (self._is_planned or self.is_deaf):
            self._is_planned = True
            node = self.machine.node
            node.at(Instant(node.world.now + NETLINK_TIME), self._tell)

    def reset(self) -> None:
        """Begin anew with the machine."""
        self._process, self._is_planned, self.is_deaf = None, False, False

    def overflow(self) -> None:
        """Lose all news from now on."""
        self.is_deaf = True

    def recover(self) -> None:
        """Hear again, and tell everything anew that is not as it was told."""
        if not self.is_deaf:
            return
        self.is_deaf = False
        self._drop_news()
        process = self._listener()
        if process is None:
            return
        now = self.machine.links()
        for name in [name for name, told in self._told.items() if name not in now or now[name].index != told.index]:
            self._say_gone(process, name)
        for name, interface in now.items():
            if self._told.get(name) != interface:
                self._say(process, interface)
        process.post(events.ItemsUnknown())

    def _tell(self) -> None:
        self._is_planned = False
        process = self._listener()
        if process is None or self.is_deaf:
            return
        kernel = self.machine.kernel
        changed: dict[str, None] = {}
        while (change := kernel.next_change()) is not None:
            if isinstance(change, Gone):
                self._say_all(process, changed)
                self._say_gone(process, change.name)
            elif self._is_step(change):
                self._say_all(process, changed)
                self._say(process, self._as_now(change))
            else:
                changed[change.name] = None
        self._say_all(process, changed)
        while (loss := kernel.next_loss()) is not None:
            if isinstance(loss, RouteDeleted | RuleDeleted):
                item = loss.route if isinstance(loss, RouteDeleted) else loss.rule
                process.post(events.ItemLost(item=item))

    def _is_step(self, change: Interface) -> bool:
        """Tell whether more than addresses has changed; these are told as they are by the time of telling."""
        told = self._told.get(change.name)
        return told is None or replace(told, addresses=change.addresses) != change

    def _as_now(self, step: Interface) -> Interface:
        present = self.machine.links().get(step.name)
        same = present is not None and present.index == step.index
        return replace(step, addresses=present.addresses) if same and present else step

    def _say_all(self, process: Process, changed: dict[str, None]) -> None:
        for name in changed:
            if name in self.machine.links():
                self._say(process, self.machine.links()[name])
        changed.clear()

    def _listener(self) -> Process | None:
        process = self._process
        return process if process is not None and process.alive else None

    def _say(self, process: Process, interface: Interface) -> None:
        self._told = self._told | {interface.name: interface}
        process.post(events.InterfaceChanged(interface=interface))

    def _say_gone(self, process: Process, name: str) -> None:
        self._told = {known: interface for known, interface in self._told.items() if known != name}
        self.machine.vrrp_role.lose_interface(name)
        process.post(events.InterfaceGone(name=name))

    def _drop_news(self) -> None:
        kernel = self.machine.kernel
        while kernel.next_change() is not None:
            pass
        while kernel.next_loss() is not None:
            pass
