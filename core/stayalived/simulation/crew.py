"""The roles of a simulated machine: how their engines are made, and who carries out what they ask for.

What the real shells do with sockets, netlink and epoll is done here with the segment, a kernel in memory and the farm.
"""

import errno
from typing import TYPE_CHECKING, Any

from stayalived.addresses import Family
from stayalived.checker.engine import CheckerEngine
from stayalived.checker.probes import AbandonProbe, ProbeEnded, StartProbe
from stayalived.errors import KernelProblem
from stayalived.ipvs import events as ipvs
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.model import Operation, in_words
from stayalived.plugin.checks import Verdict
from stayalived.simulation.lan import Datagram
from stayalived.simulation.process import AnyEngine, Process, Role
from stayalived.timing import Instant, milliseconds
from stayalived.vrrp import effects, events
from stayalived.vrrp.engine import VrrpEngine

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Machine

NETLINK_TIME = milliseconds(0.1)
"""From a netlink request to its answer."""


class VrrpRole:
    """vrrp: packets go to the segment, addresses to the kernel in memory."""

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine
        self.listening: set[tuple[Family, str]] = set()

    def make(self, process: Process) -> AnyEngine:  # noqa: ARG002  (the engine needs nothing of its process)
        """Return a fresh engine."""
        self.listening.clear()
        return VrrpEngine()

    def born(self, process: Process) -> None:
        """Tell the engine of the interface and of the page of send times, as the shell does before the first word."""
        process.post(events.InterfaceChanged(interface=self.machine.interface()))
        process.post(events.SendTimesRead(times=dict(process.node.send_times)))

    def died(self, process: Process) -> None:  # noqa: ARG002  (there is one vrrp for each machine)
        """Close the sockets."""
        self.listening.clear()

    def heard(self, process: Process, datagram: Datagram) -> None:
        """Hand a datagram to the engine if a socket of it listens to the group."""
        if (datagram.family, datagram.destination) not in self.listening:
            self.machine.counts["heard by no socket"] += 1
            return
        process.post(
            events.DatagramReceived(
                interface=self.machine.interface().name,
                family=datagram.family,
                source=datagram.source,
                destination=datagram.destination,
                ttl=datagram.ttl,
                data=datagram.data,
                at=process.node.world.now,
            )
        )

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect."""
        match effect:
            case effects.Listen(interface=interface, family=family, group=group):
                self.listening.add((family, group))
                process.post(events.Listening(interface=interface, family=family, group=group))
            case effects.Unlisten(family=family, group=group):
                self.listening.discard((family, group))
            case effects.SendAdvert():
                self._send(process, effect)
            case effects.AddAddresses() | effects.RemoveAddresses():
                self._change(process, effect)
            case effects.SendGratuitousArp(address=address) | effects.SendNeighbourAdvert(address=address):
                self.machine.counts["announcements"] += 1
                process.node.world.note(process.label, f"announces {address}")

    def _send(self, process: Process, effect: effects.SendAdvert) -> None:
        node = process.node
        node.world.note(process.label, f"adverts {effect.data.hex()}")
        if effect.leaving:
            node.send_times.pop(effect.slot, None)
        else:
            node.send_times[effect.slot] = node.world.now
        self.machine.adverts[effect.router].append((node.world.now, effect.data))
        self.machine.lan.send(
            node.name,
            Datagram(
                family=effect.family,
                source=effect.source,
                destination=effect.destination,
                ttl=255,
                data=effect.data,
            ),
        )

    def _change(self, process: Process, effect: "effects.AddAddresses | effects.RemoveAddresses") -> None:
        """Change the kernel's addresses at once; the answer, and the monitor's word of it, come a little later."""
        kernel = self.machine.kernel
        adding = isinstance(effect, effects.AddAddresses)
        if self.machine.refusing:
            self.machine.refused_at = process.node.world.now
            refusal = KernelProblem("change addresses", errno.ENOBUFS)
            refused = dict.fromkeys(effect.addresses, refusal)
        else:
            act = kernel.add_addresses if adding else kernel.remove_addresses
            refused = act(effect.index, effect.addresses)
        verb = "adds" if adding else "removes"
        process.node.world.note(process.label, f"{verb} {', '.join(map(str, effect.addresses))} {len(refused)} refused")
        answer: events.VrrpEvent
        if refused:
            answer = events.EffectFailed(effect=effect, problem="; ".join(str(problem) for problem in refused.values()))
        elif adding:
            answer = events.AddressesAdded(router=effect.router, addresses=effect.addresses)
        else:
            answer = events.AddressesRemoved(router=effect.router, addresses=effect.addresses)
        process.node.at(Instant(process.node.world.now + NETLINK_TIME), lambda: process.post(answer))
        self.machine.tell_interface()


class CheckerRole:
    """checker: probes find what the farm's servers say."""

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine

    def make(self, process: Process) -> AnyEngine:
        """Return a fresh engine with a generator of its own."""
        return CheckerEngine(process.name, process.node.world.chance(f"{process.label}/{process.pid}"))

    def born(self, process: Process) -> None:
        """Nothing is told at first."""

    def died(self, process: Process) -> None:
        """Nothing outlives a checker."""

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect."""
        if isinstance(effect, AbandonProbe):
            return  # its answer comes and is not expected any more
        assert isinstance(effect, StartProbe)
        node = process.node
        up, latency = self.machine.farm.probe(node.name, effect.identity.target.address)
        if latency > effect.identity.limit:
            latency = effect.identity.limit
            verdict = Verdict.failed("connect", "no answer in time")
        else:
            verdict = Verdict.passed("connect") if up else Verdict.failed("connect", "connection refused")
        ended = ProbeEnded(probe=effect.probe, outcome=verdict, latency=latency)
        node.at(Instant(node.world.now + latency), lambda: process.post(ended))


class IpvsRole:
    """ipvs: the table is the one in memory."""

    def __init__(self, machine: "Machine") -> None:
        """Serve one machine."""
        self.machine = machine

    def make(self, process: Process) -> AnyEngine:  # noqa: ARG002  (the engine needs nothing of its process)
        """Return a fresh engine."""
        return IpvsEngine()

    def born(self, process: Process) -> None:
        """Nothing is told at first."""

    def died(self, process: Process) -> None:
        """The kernel's table outlives its writer."""

    def perform(self, process: Process, effect: Any) -> None:
        """Carry out one effect: the table is changed one operation at a time, and each table on the way is judged."""
        answer: ipvs.IpvsEvent
        if isinstance(effect, ipvs.ReadTable):
            table, connections = self.machine.ipvs.read()
            answer = ipvs.TableRead(table=table, connections=connections)
        else:
            assert isinstance(effect, ipvs.Apply)
            answer = ipvs.OperationsDone(operations=effect.operations, problems=self._apply(process, effect.operations))
        process.node.at(Instant(process.node.world.now + NETLINK_TIME), lambda: process.post(answer))

    def _apply(self, process: Process, operations: tuple[Operation, ...]) -> tuple[KernelProblem | None, ...]:
        kernel = self.machine.ipvs
        if self.machine.refusing:
            kernel.refusals.extend([errno.ENOMEM] * len(operations))
        live = [self.machine.live_weights()]
        problems: list[KernelProblem | None] = []
        for operation in operations:
            process.node.world.note(process.label, in_words(operation))
            problems += kernel.apply([operation])
            live.append(self.machine.live_weights())
        self.machine.cluster.judge_steps(self.machine, live)
        return tuple(problems)


ROLES: dict[str, type[VrrpRole | CheckerRole | IpvsRole]] = {
    "vrrp": VrrpRole,
    "checker": CheckerRole,
    "ipvs": IpvsRole,
}


def crew_of(machine: "Machine") -> dict[str, Role]:
    """Return the roles of one machine."""
    return {name: role(machine) for name, role in ROLES.items()}
