"""Plays a case on the engine and says what was seen. All that the cases need to know of the engine is in this file.

A case names packets, seconds and states; here they become events, and effects become bytes, moments and addresses.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, get_type_hints

import msgspec

from conformance.steps import (
    Case,
    Delete,
    Hear,
    HearAtOnce,
    LinkDown,
    LinkUp,
    Packet,
    Pass,
    Reload,
    Start,
    Step,
    Stop,
)
from conformance.sums import ancillary, in_ipv4
from stayalived.addresses import Family, VirtualAddress, family_of
from stayalived.child.events import Tell
from stayalived.config.virtual_routers import PlacedAddress, UnicastPeer, VirtualMac, VirtualRouter
from stayalived.kernel.api import Barrier
from stayalived.kernel.frames import gratuitous_arp, neighbour_advert
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import Duration, Instant, elapsed, seconds
from stayalived.vrrp.effects import SendGratuitousArp, SendNeighbourAdvert
from stayalived.vrrp.events import DatagramReceived, MessagesReceived, PacketsReceived
from vrrp_machine import Machine, adverts, instance, interface, lines, router

ROUTER: Mapping[str, object] = {"virtual_router_id": 51, "priority": 120, "addresses": "192.0.2.100/24"}
"""The virtual router of every case, as far as the case does not say otherwise.

Its master-down interval is 3.53125 s: three adverts of a second, and (256 - 120) / 256 s of skew.
"""

READING = seconds(1.1)
"""Counters are told each second."""

TURNS = 1_000
"""So often an engine may be woken at one moment; one that wants more is stuck."""

_HINTS = get_type_hints(VirtualRouter)
_RECEIVED = {
    "received": "adverts_received",
    "zero": "priority_zero_received",
    "trailers": "trailers_received",
}

Seen = dict[str, object]


class Stuck(AssertionError):
    """The engine wants to be woken at the same moment again and again."""


def configured(changes: Mapping[str, object]) -> VirtualRouter:
    """Return the virtual router of a case."""
    keys = {**ROUTER, **changes}
    addresses = str(keys.pop("addresses"))
    name = str(keys.pop("virtual_mac", ""))
    made = router(addresses, **{key: _value(key, value) for key, value in keys.items()})
    return with_virtual_mac(made, name) if name else made


def _value(key: str, value: object) -> object:
    """Return a value of a case as the configuration has it: times, addresses and peers have types there."""
    if _HINTS[key] is Duration and isinstance(value, int | float):
        return seconds(value)
    match key, value:
        case "peers", tuple():
            return tuple(_peer(*each) if isinstance(each, tuple) else _peer(each) for each in value)
        case "excluded", str():
            return placed(value, "eth0")
        case "authentication", str():
            return value.encode().ljust(8, b"\0")
    return value


def _peer(address: str, min_ttl: int = 0, max_ttl: int = 255) -> UnicastPeer:
    return UnicastPeer(address=address, min_ttl=min_ttl, max_ttl=max_ttl)


def placed(addresses: str, interface: str) -> tuple[PlacedAddress, ...]:
    """Return addresses that belong on an interface."""
    return tuple(PlacedAddress(address=VirtualAddress.parse(word), interface=interface) for word in addresses.split())


def with_virtual_mac(made: VirtualRouter, name: str) -> VirtualRouter:
    """Return the router on a macvlan of this name with the hardware address of RFC 9568 7.3."""
    family = 1 if made.family is Family.IPV4 else 2
    mac = bytes((0, 0, 0x5E, 0, family, made.virtual_router_id))
    virtual_mac = VirtualMac(name=name, parent="eth0", mac=mac, ipv6=family == 2)
    there = placed(" ".join(map(str, made.advertised)), name)
    return msgspec.structs.replace(made, virtual_mac=virtual_mac, addresses=there)


def arrival(packet: Packet, now: Instant) -> DatagramReceived:
    """Return the event that a packet is when this process stood still and finds it waiting."""
    return DatagramReceived(
        interface=packet.interface,
        family=family_of(packet.source),
        source=packet.source,
        destination=packet.destination,
        ttl=packet.ttl,
        data=packet.data,
        at=now,
    )


def fresh(packets: Sequence[Packet]) -> PacketsReceived | MessagesReceived:
    """Return the event that packets are that have just come in by one socket."""
    first = packets[0]
    if ":" in first.source:
        messages = [(each.source, each.data, *ancillary(each)) for each in packets]
        return MessagesReceived(interface=first.interface, messages=messages)
    return PacketsReceived(interface=first.interface, packets=[in_ipv4(each) for each in packets])


class Director:
    """One director, played step by step.

    The methods that begin with `pass_` let through what crosses its border; a mutant overrides one of them.
    """

    is_late: ClassVar[bool] = False
    """Whether packets are told one by one with their times, as after a standstill, and not as bytes."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.changes = dict(case.router)
        self.machine = Machine(number=case.number, links={"eth0": _interface(case)})
        self.began = self.machine.now
        self._states = ["INIT"]
        self._sent: list[bytes] = []
        self._sends: list[tuple[int, Packet]] = []
        self._announced: dict[tuple[int, str], int] = {}
        self._lines: list[str] = []

    # ── what a mutant may bend ───────────────────────────────────────────────────────────────────────────────────────

    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        return configured(changes)

    def pass_heard(self, packet: Packet) -> Packet | None:
        return packet

    def pass_sent(self, packet: Packet) -> Packet | None:
        return packet

    def pass_announced(self, frame: bytes) -> bytes | None:
        return frame

    def pass_deadline(self, deadline: Instant) -> Instant:
        return deadline

    def pass_delay(self, delay: float) -> float:
        return delay

    def pass_stop(self) -> bool:
        return True

    def pass_link(self, *, up: bool) -> bool:
        return up

    # ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, step: Step) -> Seen:
        """Let a step happen and return what was seen of it."""
        self.began = self.machine.now
        self._sends, self._announced, self._lines = [], {}, []
        before = self._addresses()
        self._act(step)
        self._settle(self.machine.now)
        after = self._addresses()
        return {
            "state": self.state,
            "sends": self._sends,
            "adds": sorted(after - before),
            "removes": sorted(before - after),
            "announces": [(at, frame, times) for (at, frame), times in self._announced.items()],
            "lines": self._lines,
        }

    @property
    def state(self) -> str:
        told = self.machine.retained.get((InstanceState, "tic"))
        return told.state if isinstance(told, InstanceState) else "INIT"

    def counters(self) -> dict[str, int]:
        """Return the counters that have moved, as soon as they are told. The story is over then."""
        self._settle(Instant(self.machine.now + READING))
        told = [each for each in self.machine.retained.values() if isinstance(each, RouterCounters)]
        moved: dict[str, int] = {}
        for each in told:
            moved |= {name: getattr(each, key) for name, key in _RECEIVED.items() if getattr(each, key)}
            moved |= each.errors
        return moved

    def _act(self, step: Step) -> None:
        machine = self.machine
        match step:
            case Start(delay=delay):
                delay = seconds(self.pass_delay(delay))
                begun = machine.start(instance(self.pass_router(self.changes)), startup_delay=delay)
                self._note(begun)
            case Hear(packet=packet):
                self._hear((packet,))
            case HearAtOnce(packets=packets):
                self._hear(packets)
            case Pass(seconds=duration):
                self._settle(Instant(machine.now + seconds(duration)))
            case LinkDown():
                self._note(machine.change_link(up=self.pass_link(up=False)))
            case LinkUp():
                self._note(machine.change_link(up=self.pass_link(up=True)))
            case Delete(address=address):
                self._note(machine.delete_address(address))
            case Reload(changes=changes):
                self.changes |= changes
                self._note(machine.configure(instance(self.pass_router(self.changes))))
            case Stop():
                self._note(machine.stop() if self.pass_stop() else ())
            case _:
                raise TypeError(f"no such step: {step}")

    def _hear(self, packets: Sequence[Packet]) -> None:
        heard = [packet for packet in map(self.pass_heard, packets) if packet is not None]
        if not self.is_late and heard:
            self._note(self.machine.do(fresh(heard)))
        for packet in heard if self.is_late else ():
            self._note(self.machine.do(arrival(packet, self.machine.now)))

    def _settle(self, end: Instant) -> None:
        """Wake the engine whenever it wants it, until this moment."""
        machine = self.machine
        turns, last = 0, machine.now
        while (due := machine.engine.deadline) is not None and (due := self.pass_deadline(due)) <= end:
            machine.now = max(machine.now, due)
            turns = turns + 1 if machine.now == last else 0
            last = machine.now
            if turns > TURNS:
                raise Stuck(self.case.name)
            self._note(machine.wake())
        machine.now = max(machine.now, end)

    # ── what is seen ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, effects: Sequence[object]) -> None:
        at = elapsed(self.began, self.machine.now)
        for advert in adverts(effects):
            ends = advert.source, advert.destination, advert.ttl, advert.interface, advert.source_mac.hex()
            packet = Packet(advert.data.hex(), *ends)
            passed = self.pass_sent(packet)
            if passed is not None:
                self._sends.append((at, passed))
                self._count(passed)
        for frame in filter(None, map(self.pass_announced, _frames(effects))):
            key = at, frame.hex()
            self._announced[key] = self._announced.get(key, 0) + 1
        self._lines += lines(effects)
        for message in (effect.message for effect in effects if isinstance(effect, Tell)):
            if isinstance(message, InstanceState):
                self._states.append(message.state)
            elif isinstance(message, RouterCounters) and "/" in message.key:  # else of strangers on a link
                self._compare(message)

    def _count(self, packet: Packet) -> None:
        """Remember an advert; those to all peers at one moment count as one, that to the first."""
        peers = configured(self.changes).peers
        if not peers or packet.destination == peers[0].address:
            self._sent.append(packet.data)

    def _compare(self, told: RouterCounters) -> None:
        """What a router has counted of itself must be what was seen of it from outside."""
        moves = list(zip(self._states, self._states[1:], strict=False))
        seen = (
            len(self._sent),
            sum(data[2] == 0 for data in self._sent),
            sum(old != "MASTER" == new for old, new in moves),
            sum(old == "MASTER" != new for old, new in moves),
        )
        counted = (told.adverts_sent, told.priority_zero_sent, told.became_master, told.released_master)
        assert seen == counted, f"{self.case.name}: adverts, of priority 0, takeovers, and the ends of them"

    def _addresses(self) -> set[str]:
        """Return what the kernel has: addresses, macvlans and drops; what is not on eth0 with its interface."""
        links = self.machine.links.values()
        addresses = {
            str(address) if link.name == "eth0" else f"{address} on {link.name}"
            for link in links
            for address in link.addresses
        }
        macvlans = {f"macvlan {link.name} {link.mac.hex(':')}" for link in links if link.kind == "macvlan"}
        drops = {f"drop {item.address}" for item in self.machine.items if isinstance(item, Barrier)}
        return addresses | macvlans | drops


class LateDirector(Director):
    """One that finds its packets waiting after a standstill."""

    is_late = True


def _frames(effects: Sequence[object]) -> Iterator[bytes]:
    """Return what the shell makes of announcements, on a machine that forwards."""
    for effect in effects:
        if isinstance(effect, SendGratuitousArp):
            yield gratuitous_arp(effect.mac, effect.address)
        elif isinstance(effect, SendNeighbourAdvert):
            yield neighbour_advert(effect.mac, effect.address, router=True)


def _interface(case: Case) -> object:
    own = interface(case.number)
    present = tuple(VirtualAddress.parse(text) for text in case.present)
    return dataclasses.replace(own, addresses=(*own.addresses, *present))


def expected(step: Step, state: str) -> Seen:
    """Return what must be seen of a step, in the same form as what was."""
    return {
        "state": step.state or state,
        "sends": [(seconds(sent.at), _plain(sent.packet)) for sent in step.sends],
        "adds": sorted(step.adds),
        "removes": sorted(step.removes),
        "announces": [(seconds(said.at), bytes.fromhex(said.text).hex(), said.times) for said in step.announces],
    }


def _plain(packet: Packet) -> Packet:
    return dataclasses.replace(packet, text=packet.data.hex())


def check(case: Case, director: type[Director] = Director) -> None:
    """Play a case to its end.

    Raises:
        AssertionError: something was seen that was not said, or was not seen.
    """
    played = director(case)
    for number, step in enumerate(case.story, 1):
        place = f"{case.name}: step {number}, {step}"
        wanted = expected(step, played.state)
        seen = played.play(step)
        said = seen.pop("lines")
        assert wanted == seen, place
        for words in step.logs:
            assert any(words in line for line in said), f"{place}: no line says {words!r}, only {said}"
    if not any(isinstance(step, Stop) for step in case.story):  # a process that is about to end tells no counters
        assert dict(case.counted) == played.counters(), case.name
