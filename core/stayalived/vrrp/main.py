"""The vrrp process: the engine's shell, its sockets, the kernel, the page of send times. I/O.

It takes no decision: it performs effects in the order given and says what came of them.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from stayalived.child.bootstrap import Context
from stayalived.child.events import ChildEffect, ChildEvent, Commit, Prepare
from stayalived.child.privileges import Rights
from stayalived.child.shell import Shell
from stayalived.child.timer import Timer
from stayalived.config.model import Configuration
from stayalived.errors import KernelProblem
from stayalived.kernel import frames, sysctl
from stayalived.kernel.api import Gone
from stayalived.kernel.losses import Loss, RouteDeleted, RuleDeleted, Unknown
from stayalived.kernel.monitor import Monitor
from stayalived.kernel.neighbours import NeighbourSender
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.network import Network
from stayalived.kernel.route_monitor import RouteMonitor
from stayalived.messages.control import Start
from stayalived.timing import Duration, Instant, after, milliseconds, seconds
from stayalived.vrrp import effects, events
from stayalived.vrrp.attention import Attention
from stayalived.vrrp.effects import VrrpEffect
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.events import EffectFailed, VrrpEvent
from stayalived.vrrp.realtime import Scheduling, Tidiness
from stayalived.vrrp.sockets import Sockets
from stayalived.vrrp.speaker import Speaker

RIGHTS = Rights(user="stayalived", capabilities=("NET_RAW", "NET_ADMIN", "SYS_NICE", "IPC_LOCK"))

_log = logging.getLogger("stayalived.vrrp")

FRAMES = 16_384
"""Frames that are kept ready: to build one costs as much as to send it."""

_frame_for = lru_cache(maxsize=FRAMES)(frames.frame_for)

SUSPENSION = milliseconds(100)
"""By how much CLOCK_BOOTTIME must have run ahead of CLOCK_MONOTONIC for it to be a suspension."""


def run(context: Context, _opened: object) -> None:
    """Speak VRRP until the supervisor says stop, or is gone.

    Raises:
        KernelProblem: the kernel does not even list its interfaces.
    """
    _Station(context).run()


class _Attentive:
    """The VRRP engine, overheard: the configuration in force decides how the process is scheduled and what it opens."""

    def __init__(self, committed: Callable[[Configuration, Start], None]) -> None:
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
            self._committed(self._prepared.pop(event.generation), event.start)
        return self.engine.handle(event, now)

    def wake(self, now: Instant) -> Sequence[ChildEffect | VrrpEffect]:
        return self.engine.wake(now)


class _Station:
    """Everything that the process holds."""

    def __init__(self, context: Context) -> None:
        self._netlink = Netlink()
        self._monitor = Monitor(self._netlink)
        self._routes: RouteMonitor | None = None
        self._network: Network | None = None
        self._neighbours = NeighbourSender()
        self._sockets = Sockets()
        self._attention = Attention()
        self._look_timer = Timer()
        self._is_looking = False
        self._scheduling = Scheduling()
        self._tidiness = Tidiness()
        self._tidy_timer = Timer()
        self._send_times = memoryview(context.send_times).cast("q") if context.send_times is not None else None
        self._speaker = Speaker(self._neighbours, self._send_times)
        self._slept = _time_slept()
        self._performers: dict[type, Callable[[Any], None]] = {
            effects.Listen: self._listen,
            effects.Unlisten: self._sockets.unlisten,
            effects.SendAdverts: self._send_adverts,
            effects.ApplyChanges: self._apply_changes,
            effects.MakeVirtualMac: self._make_virtual_mac,
            effects.RemoveVirtualMacs: self._remove_virtual_macs,
            effects.SetSysctl: self._set_sysctl,
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
        self._shell.watch(self._look_timer.fileno(), self._look)
        self._shell.watch(self._tidy_timer.fileno(), self._tidy)
        self._shell.before_wake(self._read_sockets)
        self._tidy_timer.set(_now())
        self._shell.run()
        if self._network is not None:  # it ends in order: nothing of ours stays in the firewall
            self._clear_barriers(self._network)
        self._close()

    def _close(self) -> None:
        for thing in (
            self._network,
            self._routes,
            self._sockets,
            self._speaker,
            self._neighbours,
            self._monitor,
            self._netlink,
        ):
            if thing is not None:
                thing.close()
        self._look_timer.close()
        self._tidy_timer.close()

    # ── from outside ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_sockets(self) -> None:
        count = 0
        for event in self._sockets.received():
            count += size_of(event)
            self._shell.post(event)
        self._notice_suspension()
        self._attention.note(count, _now())
        if self._attention.looks and not self._is_looking:
            self._is_looking = True
            self._shell.unwatch(self._sockets.fileno())
            self._look_timer.set(after(_now(), self._attention.pause))

    def _look(self) -> None:
        """Read all sockets, and again after a pause; when packets have become few, be woken by each again."""
        self._look_timer.expired()
        self._read_sockets()
        if self._attention.looks:
            self._look_timer.set(after(_now(), self._attention.pause))
        elif self._is_looking:
            self._is_looking = False
            self._shell.watch(self._sockets.fileno(), self._read_sockets)

    def _read_monitor(self) -> None:
        try:
            self._tell_changes()
        except KernelProblem as problem:
            _log.error("interfaces cannot be read after an overflow: %s; trying again", problem)

    def _tell_changes(self) -> None:
        while (change := self._monitor.next_change()) is not None:
            if isinstance(change, Gone):
                self._sockets.forget(change.name)
                self._speaker.forget(change.name)
                self._shell.post(events.InterfaceGone(name=change.name))
            else:
                self._shell.post(events.InterfaceChanged(interface=change))

    def _read_routes(self) -> None:
        assert self._routes is not None
        while (loss := self._routes.next_loss()) is not None:
            self._shell.post(_event_of(loss))

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

    def _settle(self, configuration: Configuration, start: Start) -> None:
        """Suit the process to the configuration that is about to be in force."""
        wanted = configuration.globals
        routers = [router for instance in configuration.instances for router in instance.routers]
        self._scheduling.want(wanted)
        self._attention.suit(min((router.advert_int for router in routers), default=seconds(1)))
        self._tidiness.collect_everything()
        if self._network is None:
            self._network = Network(self._netlink, table=wanted.nftables, priority=wanted.nftables_priority)
            if start is Start.FIRST:
                self._clear_barriers(self._network)
        if self._routes is None and any(router.routes or router.rules for router in routers):
            self._routes = RouteMonitor(self._netlink.connection.port, self._names)
            self._shell.watch(self._routes.fileno(), self._read_routes)

    def _names(self) -> dict[int, str]:
        return {interface.index: interface.name for interface in self._monitor.interfaces().values()}

    def _clear_barriers(self, network: Network) -> None:
        try:
            network.clear_barriers()
        except KernelProblem as problem:
            _log.warning("barriers of `accept = false` stay in the firewall: %s", problem)

    def _read_send_times(self) -> dict[int, Instant]:
        if self._send_times is None:
            return {}
        return {slot: Instant(moment) for slot, moment in enumerate(self._send_times) if moment}

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effect: VrrpEffect) -> None:
        try:
            self._performers[type(effect)](effect)
        except (KernelProblem, ValueError) as problem:  # no frame can be built of what the interface is
            self._shell.post(EffectFailed(effect=effect, problem=str(problem)))

    @property
    def _kernel(self) -> Network:
        assert self._network is not None, "nothing is changed before the first commit"
        return self._network

    def _listen(self, effect: effects.Listen) -> None:
        self._sockets.listen(effect)
        self._shell.post(events.Listening(interface=effect.interface, family=effect.family, address=effect.address))

    def _send_adverts(self, effect: effects.SendAdverts) -> None:
        for advert, problem in self._speaker.say(effect.adverts, _now()):
            self._shell.post(EffectFailed(effect=effects.SendAdverts(adverts=(advert,)), problem=str(problem)))

    def _apply_changes(self, effect: effects.ApplyChanges) -> None:
        answers = self._kernel.apply(effect.changes)
        refused = {place: str(problem) for place, problem in enumerate(answers) if problem is not None}
        self._shell.post(events.ChangesApplied(changes=effect.changes, refused=refused))

    def _make_virtual_mac(self, effect: effects.MakeVirtualMac) -> None:
        self._kernel.make_virtual_mac(effect.virtual_mac)

    def _remove_virtual_macs(self, effect: effects.RemoveVirtualMacs) -> None:
        for name, problem in self._kernel.remove_virtual_macs(effect.names).items():
            refused = effects.RemoveVirtualMacs(names=(name,))
            self._shell.post(EffectFailed(effect=refused, problem=str(problem)))

    def _set_sysctl(self, effect: effects.SetSysctl) -> None:
        before = sysctl.write(effect.name, effect.value)
        self._shell.post(events.SysctlSet(name=effect.name, before=before))

    def _send_gratuitous_arp(self, effect: effects.SendGratuitousArp) -> None:
        self._neighbours.send(effect.interface, _frame_for(effect.mac, effect.address, router=False))

    def _send_neighbour_advert(self, effect: effects.SendNeighbourAdvert) -> None:
        router = self._neighbours.forwards(effect.interface, _now())
        self._neighbours.send(effect.interface, _frame_for(effect.mac, effect.address, router=router))


def size_of(event: events.VrrpEvent) -> int:
    """Return how many packets an event of a socket holds."""
    match event:
        case events.PacketsReceived():
            return len(event.packets)
        case events.MessagesReceived():
            return len(event.messages)
    return 1


def _event_of(loss: Loss) -> events.VrrpEvent:
    match loss:
        case RouteDeleted():
            return events.ItemLost(item=loss.route)
        case RuleDeleted():
            return events.ItemLost(item=loss.rule)
        case Unknown():
            return events.ItemsUnknown()


def _now() -> Instant:
    return Instant(time.monotonic_ns())


def _time_slept() -> Duration:
    """Return how long the machine has been suspended since it was started."""
    return Duration(time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns())
