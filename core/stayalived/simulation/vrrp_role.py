"""The vrrp process of a simulated machine: packets go to the segments, changes to the kernel in memory.

What the real shell (`vrrp/main.py`) does with sockets and netlink is done here, in its order: packets are read before
an expired deadline is acted on, what the kernel answers is handled after the effects at hand, and a request to the
kernel takes the process its time.
"""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Commit, Finished, Forget, Tell
from stayalived.errors import KernelProblem
from stayalived.messages.control import Start
from stayalived.simulation.ears import Ears
from stayalived.simulation.lan import Datagram
from stayalived.simulation.mouths import Mouths
from stayalived.simulation.process import Process
from stayalived.simulation.turned import AnyEngine
from stayalived.timing import Duration, Instant, after, seconds
from stayalived.vrrp import effects, events
from stayalived.vrrp.attention import Attention
from stayalived.vrrp.engine import VrrpEngine

if TYPE_CHECKING:
    from stayalived.simulation.machine import Machine

Heard = tuple[Datagram, ...]


class VrrpRole:
    """Makes engines of vrrp, and is the world to them. There is one for each machine.

    Attributes:
        ears: the sockets of the process that there is now.
    """

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine
        self.ears = Ears(machine.drawn.room)
        self._mouths = Mouths(machine)
        self._attention = Attention()
        self._looks = False
        self._about: dict[int, Heard] = {}
        self._performers: dict[type, Callable[[Process, Any], None]] = {
            effects.Listen: self._listen,
            effects.Unlisten: self._unlisten,
            effects.SendAdverts: self._send_adverts,
            effects.ApplyChanges: self._apply,
            effects.MakeVirtualMac: self._make_virtual_mac,
            effects.RemoveVirtualMacs: self._remove_virtual_macs,
            effects.SetSysctl: self._set_sysctl,
            effects.SendGratuitousArp: self._announce,
            effects.SendNeighbourAdvert: self._announce,
            Tell: self._tell,
            Forget: self._forget_key,
            Finished: self._finish,
        }

    # ── its life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def make(self, process: Process) -> AnyEngine:
        """Return a fresh engine."""
        self._forget()
        engine = VrrpEngine()
        self.machine.watch.begin(process, engine)
        return engine

    def born(self, process: Process) -> None:
        """Tell the engine of the interfaces and of the page of send times, as the shell does before the first word."""
        for interface in self.machine.monitor.begin(process):
            process.post(events.InterfaceChanged(interface=interface))
        process.post(events.SendTimesRead(times=dict(process.node.send_times)))

    def died(self, process: Process) -> None:
        """Close the sockets."""
        self._forget()
        self.machine.watch.end(process)

    def woken(self, slept: Duration) -> None:
        """Let the process know that the machine was suspended, as it learns when it reads its sockets."""
        if self.machine.refused_at is not None:
            self.machine.refused_at = self.machine.world.now  # the second after which it asks again has not passed
        process = self.machine.vrrp()
        if process is not None:
            process.post(events.Suspended(slept=slept))

    def before(self, process: Process, event: Any) -> None:
        """Let the watchers look at what is about to happen."""
        if isinstance(event, Commit) and process.configuration is not None:
            routers = [router for instance in process.configuration.instances for router in instance.routers]
            if event.start is Start.FIRST:
                self.machine.clear_barriers()
            self._attention.suit(min((router.advert_int for router in routers), default=seconds(1)))
        self.machine.watch.before(process, event, self._about.get(id(event), ()))

    def after(self, process: Process, event: Any) -> None:
        """Let the watchers look at what has happened."""
        self.machine.watch.after(process, event, self._about.pop(id(event), ()))

    def _forget(self) -> None:
        self.ears.close_all()
        self._mouths.close_all()
        self._about.clear()
        self._attention = Attention()
        self._looks = False

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────────

    def heard(self, process: Process, interface: str, datagram: Datagram) -> None:
        """Put a datagram into a socket; the process reads it at once unless it stands still or looks by itself."""
        lost = self.ears.take_in(interface, datagram, process.node.now)
        if lost:
            self.machine.counts[lost] += 1
        elif not (self._looks or process.stands or process.node.frozen_until is not None):
            self.drain(process)

    def lose_interface(self, name: str) -> None:
        """An interface is gone, and the sockets on it."""
        self.ears.forget(name)
        self._mouths.forget(name)

    def drain(self, process: Process) -> None:
        """Read all sockets."""
        count = 0
        for event, datagrams in self.ears.read(process.node.now):
            count += max(len(datagrams), 1)
            self._about[id(event)] = datagrams
            process.post(event)
        self._attention.note(count, process.node.now)
        if self._attention.looks and not self._looks:
            self._looks = True
            self._look_later(process)

    def _look_later(self, process: Process) -> None:
        node = process.node
        node.at(after(node.world.now, self._attention.pause), lambda: self._look(process))

    def _look(self, process: Process) -> None:
        """Read all sockets, and again after a pause; when packets have become few, be woken by each again."""
        if not process.alive:
            return
        if not process.stands:
            self.drain(process)
        if self._attention.looks:
            self._look_later(process)
        else:
            self._looks = False

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect; what the kernel refuses is told."""
        try:
            self._performers[type(effect)](process, effect)
        except KernelProblem as problem:
            process.node.world.note(process.label, "is refused", str(problem))
            process.post(events.EffectFailed(effect=effect, problem=str(problem)))

    def _listen(self, process: Process, effect: effects.Listen) -> None:
        action = f"listen to {effect.address} on {effect.interface}"
        if "listen" in self.machine.refusing:
            self.machine.refuse(action, errno.ENOBUFS)
        if self.machine.index_of(effect.interface) != effect.index:
            raise KernelProblem(action, errno.ENODEV)
        self.ears.listen(effect)
        process.post(events.Listening(interface=effect.interface, family=effect.family, address=effect.address))

    def _unlisten(self, _process: Process, effect: effects.Unlisten) -> None:
        self.ears.close((effect.interface, effect.family, effect.address))

    def _send_adverts(self, process: Process, effect: effects.SendAdverts) -> None:
        for advert in effect.adverts:
            self.machine.watch.sending(process, advert)
            try:
                self._send(process, advert)
            except KernelProblem as problem:
                one = effects.SendAdverts(adverts=(advert,))
                process.post(events.EffectFailed(effect=one, problem=str(problem)))

    def _send(self, process: Process, advert: effects.SendAdvert) -> None:
        machine, node = self.machine, process.node
        self._mouths.open(advert)
        node.world.note(process.label, "adverts", advert.data)
        if advert.leaving:
            node.send_times.pop(advert.slot, None)
        else:
            node.send_times[advert.slot] = node.now
        machine.adverts[advert.router].append((node.world.now, advert.data))
        machine.send(
            advert.index,
            Datagram(
                family=advert.family,
                source=advert.source,
                destination=advert.destination,
                ttl=advert.ttl,
                data=advert.data,
                source_mac=advert.source_mac,
                origin=machine.watch.router(process, advert.router),
            ),
        )

    def _apply(self, process: Process, effect: effects.ApplyChanges) -> None:
        """Change the kernel; the process is busy with it for a while, and the monitor's word of it comes later."""
        machine = self.machine
        answers = machine.change(effect.changes)
        for change, answer in zip(effect.changes, answers, strict=True):
            process.node.world.note(process.label, change.verb, change.item.key, "refused" if answer else "")
        machine.watch.changed(process, effect.changes, answers)
        refused = {place: str(problem) for place, problem in enumerate(answers) if problem is not None}
        process.post(events.ChangesApplied(changes=effect.changes, refused=refused))
        if machine.drawn.change_cost:
            busy = len(effect.changes) * machine.drawn.change_cost
            process.stand(Instant(process.node.world.now + busy), working=True)

    def _make_virtual_mac(self, process: Process, effect: effects.MakeVirtualMac) -> None:
        process.node.world.note(process.label, "makes", effect.virtual_mac.name)
        self.machine.make_virtual_mac(effect.virtual_mac)

    def _remove_virtual_macs(self, process: Process, effect: effects.RemoveVirtualMacs) -> None:
        process.node.world.note(process.label, "removes", *effect.names)
        self.machine.remove_virtual_macs(effect.names)

    def _set_sysctl(self, process: Process, effect: effects.SetSysctl) -> None:
        process.node.world.note(process.label, "sets", effect.name, effect.value)
        before = self.machine.set_sysctl(effect.name, effect.value)
        process.post(events.SysctlSet(name=effect.name, before=before))

    def _announce(self, process: Process, effect: effects.SendGratuitousArp | effects.SendNeighbourAdvert) -> None:
        self.machine.counts["announcements"] += 1
        process.node.world.note(process.label, "announces", effect.address)
        self.machine.watch.announcing(process, effect.interface, effect.address)

    def _tell(self, process: Process, effect: Tell) -> None:
        self.machine.watch.telling(process, effect)

    def _forget_key(self, process: Process, effect: Forget) -> None:
        self.machine.watch.forgetting(process, effect)

    def _finish(self, process: Process, _effect: Finished) -> None:
        self.machine.clear_barriers()
        self.machine.watch.finished(process)
