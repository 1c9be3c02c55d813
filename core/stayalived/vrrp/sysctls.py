"""Sysctls of interfaces that are not ours: set while they are needed, and put back at the end.

What was there before is told to the supervisor's memory, so that the process that replaces this one can put it back.
"""

from collections.abc import Iterable, Mapping

from stayalived.child.events import Forget, Tell
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.messages.vrrp import BorrowedSysctl
from stayalived.vrrp.desk import Desk
from stayalived.vrrp.effects import SetSysctl

_IPV4 = "net/ipv4/conf/{}/{}"


class Sysctls:
    """All sysctls that this process has set."""

    def __init__(self, desk: Desk) -> None:
        """Start with none."""
        self._desk = desk
        self._wanted: dict[str, str] = {}
        self._before: dict[str, str] = {}

    def remember(self, name: str, before: str) -> None:
        """A process before this one has set this one."""
        self._before[name] = before

    def want(self, routers: Iterable[VirtualRouter], present: Mapping[str, object]) -> None:
        """Set what these routers need, on interfaces that are present, and put back what they do not."""
        wanted = dict(_needs(routers, present))
        for name, value in wanted.items():
            if self._wanted.get(name) != value:
                self._desk.tray.before_packets(SetSysctl(name=name, value=value))
        for name in [name for name in self._before if name not in wanted]:
            self._put_back(name)
        self._wanted = wanted

    def lose(self, interface: str) -> None:
        """An interface is gone, and its sysctls with it."""
        for name in [name for name in self._wanted if f"/{interface}/" in name]:
            del self._wanted[name]
            if self._before.pop(name, None) is not None:
                self._desk.tray.tell(Forget(message=BorrowedSysctl, key=name))

    def note(self, name: str, before: str) -> None:
        """One has been set; remember what it was, unless that was our own value."""
        wanted = self._wanted.get(name)
        if wanted is not None and name not in self._before and before != wanted:
            self._before[name] = before
            self._desk.tray.tell(Tell(message=BorrowedSysctl(name=name, before=before), key=name))

    def put_all_back(self) -> None:
        """Put everything back: the process ends in order."""
        self.want((), {})

    def _put_back(self, name: str) -> None:
        self._desk.tray.work(SetSysctl(name=name, value=self._before.pop(name)))
        self._desk.tray.tell(Forget(message=BorrowedSysctl, key=name))


def _needs(routers: Iterable[VirtualRouter], present: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for router in routers:
        if router.promote_secondaries:
            for name in {placed.interface for placed in router.held} & present.keys():
                yield _IPV4.format(name, "promote_secondaries"), "1"
