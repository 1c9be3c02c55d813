"""The vrrp process: the engine's shell, its sockets, the kernel, the page of send times. I/O.

It takes no decision: it performs effects in the order given and says what came of them.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from stayalived.child.bootstrap import Context
from stayalived.child.events import ChildEffect, ChildEvent, Commit, Prepare
from stayalived.child.privileges import Rights
from stayalived.child.shell import Shell
from stayalived.child.timer import Timer
from stayalived.config.model import Configuration
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Gone
from stayalived.kernel.monitor import Monitor
from stayalived.kernel.neighbours import NeighbourSender
from stayalived.kernel.netlink import Netlink
from stayalived.timing import Duration, Instant, milliseconds
from stayalived.vrrp import effects, events
from stayalived.vrrp.effects import VrrpEffect
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.events import EffectFailed, VrrpEvent
from stayalived.vrrp.realtime import RealTime, Tidiness
from stayalived.vrrp.sockets import Sockets

RIGHTS = Rights(user="stayalived", capabilities=("NET_RAW", "NET_ADMIN", "SYS_NICE", "IPC_LOCK"))

_log = logging.getLogger("stayalived.vrrp")

SUSPENSION = milliseconds(100)
"""By how much CLOCK_BOOTTIME must have run ahead of CLOCK_MONOTONIC for it to be a suspension."""


def run(context: Context, _opened: object) -> None:
    """Speak VRRP until the supervisor says stop, or is gone.

    Raises:
        KernelProblem: the kernel does not even list its interfaces.
    """
    _Station(context).run()


class _Attentive:
    """The VRRP engine, overheard: which configuration is in force decides how the process is scheduled."""

    def __init__(self, committed: Callable[[Configuration], None]) -> None:
        self.engine = VrrpEngine()
        self._committed = committed
        self._prepared: dict[int, Configuration] = {}

    @property
    def deadline(self) -> Instant | None:
        return self.engine.deadline

    def handle(self, event: ChildEvent | VrrpEvent, now: Instant) -> Sequence[ChildEffect | VrrpEffect]:
        if isinstance(event, Prepare):
            self._prepared = {event.generation: event.configuration}
        elif isinstance(event, Commit):
            self._committed(self._prepared.pop(event.generation))
        return self.engine.handle(event, now)

    def wake(self, now: Instant) -> Sequence[ChildEffect | VrrpEffect]:
        return self.engine.wake(now)


class _Station:
    """Everything that the process holds."""

    def __init__(self, context: Context) -> None:
        self._netlink = Netlink()
        self._monitor = Monitor(self._netlink)
        self._neighbours = NeighbourSender()
        self._sockets = Sockets()
        self._realtime = RealTime()
        self._tidiness = Tidiness()
        self._tidy_timer = Timer()
        self._send_times = memoryview(context.send_times).cast("q") if context.send_times is not None else None
        self._slept = _time_slept()
        self._performers: dict[type, Callable[[Any], None]] = {
            effects.Listen: self._listen,
            effects.Unlisten: self._sockets.unlisten,
            effects.SendAdvert: self._send_advert,
            effects.AddAddresses: self._add_addresses,
            effects.RemoveAddresses: self._remove_addresses,
            effects.SendGratuitousArp: self._send_gratuitous_arp,
            effects.SendNeighbourAdvert: self._send_neighbour_advert,
        }
        self._engine = _Attentive(self._settle)
        self._shell: Shell[VrrpEvent, VrrpEffect] = Shell(self._engine, context, self._perform)

    def run(self) -> None:
        """Tell the engine what there is, then serve it to the end."""
        for interface in self._monitor.interfaces().values():
            self._shell.post(events.InterfaceChanged(interface=interface))
        self._shell.post(events.SendTimesRead(times=self._read_send_times()))
        self._shell.watch(self._monitor.fileno(), self._read_monitor)
        self._shell.watch(self._sockets.fileno(), self._read_sockets)
        self._shell.watch(self._tidy_timer.fileno(), self._tidy)
        self._shell.before_wake(self._read_sockets)
        self._tidy_timer.set(_now())
        self._shell.run()
        for thing in (self._sockets, self._neighbours, self._monitor, self._netlink, self._tidy_timer):
            thing.close()

    # ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_sockets(self) -> None:
        for event in self._sockets.received():
            self._shell.post(event)
        self._notice_suspension()

    def _read_monitor(self) -> None:
        try:
            self._tell_changes()
        except KernelProblem as problem:
            _log.error("interfaces cannot be read after an overflow: %s; trying again", problem)

    def _tell_changes(self) -> None:
        while (change := self._monitor.next_change()) is not None:
            if isinstance(change, Gone):
                self._sockets.forget(change.name)
                self._shell.post(events.InterfaceGone(name=change.name))
            else:
                self._shell.post(events.InterfaceChanged(interface=change))

    def _notice_suspension(self) -> None:
        """CLOCK_MONOTONIC, which all deadlines are of, stands still while the machine is suspended; peers do not."""
        before, self._slept = self._slept, _time_slept()
        slept = Duration(self._slept - before)
        if slept > SUSPENSION:
            self._shell.post(events.Suspended(slept=slept))

    def _tidy(self) -> None:
        self._tidy_timer.expired()
        self._read_monitor()  # nothing waits, unless reading everything failed the last time
        self._tidy_timer.set(self._tidiness.work(self._engine.deadline, _now()))

    def _settle(self, configuration: Configuration) -> None:
        self._realtime.want(on=configuration.globals.realtime)
        self._tidiness.collect_everything()

    def _read_send_times(self) -> dict[int, Instant]:
        if self._send_times is None:
            return {}
        return {slot: Instant(moment) for slot, moment in enumerate(self._send_times) if moment}

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effect: VrrpEffect) -> None:
        try:
            self._performers[type(effect)](effect)
        except KernelProblem as problem:
            self._shell.post(EffectFailed(effect=effect, problem=str(problem)))

    def _listen(self, effect: effects.Listen) -> None:
        self._sockets.listen(effect)
        self._shell.post(events.Listening(interface=effect.interface, family=effect.family, group=effect.group))

    def _send_advert(self, effect: effects.SendAdvert) -> None:
        self._sockets.send(effect)
        # A slot beyond the page is that of a router which a replacement of this process will not adopt.
        if self._send_times is not None and effect.slot < len(self._send_times):
            self._send_times[effect.slot] = 0 if effect.leaving else _now()

    def _add_addresses(self, effect: effects.AddAddresses) -> None:
        refused = self._netlink.add_addresses(effect.index, effect.addresses)
        added = tuple(address for address in effect.addresses if address not in refused)
        self._shell.post(events.AddressesAdded(router=effect.router, addresses=added))
        self._refuse(effect, refused.values())

    def _remove_addresses(self, effect: effects.RemoveAddresses) -> None:
        refused = self._netlink.remove_addresses(effect.index, effect.addresses)
        removed = tuple(address for address in effect.addresses if address not in refused)
        self._shell.post(events.AddressesRemoved(router=effect.router, addresses=removed))
        self._refuse(effect, refused.values())

    def _refuse(self, effect: VrrpEffect, problems: Collection[KernelProblem]) -> None:
        for problem in list(problems)[:1]:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self._shell.post(EffectFailed(effect=effect, problem=f"{problem}{more}"))

    def _send_gratuitous_arp(self, effect: effects.SendGratuitousArp) -> None:
        self._neighbours.send_gratuitous_arp(effect.interface, effect.mac, effect.address)

    def _send_neighbour_advert(self, effect: effects.SendNeighbourAdvert) -> None:
        self._neighbours.send_neighbour_advert(effect.interface, effect.mac, effect.address, _now())


def _now() -> Instant:
    return Instant(time.monotonic_ns())


def _time_slept() -> Duration:
    """Return how long the machine has been suspended since it was started."""
    return Duration(time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns())
