"""Bugs planted on purpose: what a protocol daemon has got wrong once, each with the faults that bring it to light.

Each says in its docstring what is wrong. The gate's own seeds that aim one of its faults have to find it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from stayalived.config.virtual_routers import PlacedAddress
from stayalived.kernel.api import Barrier
from stayalived.simulation.faults import Fault
from stayalived.supervisor.memory import Memory
from stayalived.supervisor.population import Population
from stayalived.timing import Duration, Instant
from stayalived.vrrp import election, entries, hearing, holding, instance, packet, past, tracking
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import Tray
from stayalived.vrrp.effects import RemoveVirtualMacs
from stayalived.vrrp.election import Election
from stayalived.vrrp.group import Group
from stayalived.vrrp.holding import Holding
from stayalived.vrrp.ledger import Ledger
from stayalived.vrrp.macs import VirtualMacs
from stayalived.vrrp.packet import PRIORITY_LEAVING
from stayalived.vrrp.rhythm import Rhythm
from stayalived.vrrp.routine import Routine
from stayalived.vrrp.states import State
from stayalived.vrrp.voice import Voice

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Planted:
    """One bug: how it is planted, which invariant has to find it, with which faults."""

    plant: Plant
    invariants: tuple[str, ...]
    faults: tuple[Fault, ...]
    seeds: tuple[int, ...] = ()  # in place of those that aim one of the faults


PLANTED: list[Planted] = []


def planted(*invariants: str, by: Iterable[Fault] = (), seeds: Iterable[int] = ()) -> Callable[[Plant], Plant]:
    def note(plant: Plant) -> Plant:
        PLANTED.append(Planted(plant, invariants, tuple(by), tuple(seeds)))
        return plant

    return note


# ── timers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@planted("no hasty takeover", by=[Fault.RESTART, Fault.CHILD_KILLED, Fault.LINK_FLAP])
def forget_skew(patch: pytest.MonkeyPatch) -> None:
    """The skew is truncated to whole seconds, as a peer's code once did."""
    right = election.master_down_interval
    whole = 10**9

    def wrong(version: int, priority: int, interval: Duration, adverts: int) -> Duration:
        skew = right(version, priority, interval, adverts) - adverts * interval
        return Duration(adverts * interval + skew // whole * whole)

    patch.setattr(election, "master_down_interval", wrong)


@planted("no hasty takeover", by=[Fault.LOSS, Fault.LINK_FLAP, Fault.RELOAD])
def reset_no_timer(patch: pytest.MonkeyPatch) -> None:
    """An advert does not begin the master-down timer anew."""
    right = Election._hear_as_backup

    def wrong(self: Election, advert: Any, source: str, heard: Instant) -> None:
        before = self.deadline
        right(self, advert, source, heard)
        if advert.priority != PRIORITY_LEAVING:
            self.deadline = before
            self.routine.is_open = False

    patch.setattr(Election, "_hear_as_backup", wrong)


@planted("right master", by=[Fault.RESTART, Fault.LINK_FLAP, Fault.POWER_CUT])
def be_patient_with_all(patch: pytest.MonkeyPatch) -> None:
    """An advert of lower priority begins the timer anew though preemption is wanted (V56)."""
    patch.setattr(Election, "_is_held_back", lambda *_: True)


@planted("no hasty takeover", by=[Fault.RELOAD, Fault.RELOAD_REFUSED])
def learn_no_interval(patch: pytest.MonkeyPatch) -> None:
    """A BACKUP goes by its own advert interval, not by its master's (RFC 9568 6.4.2)."""
    right = Election._follow

    def wrong(self: Election, master: str, interval: Duration) -> None:
        del interval
        right(self, master, self.router.advert_int)

    patch.setattr(Election, "_follow", wrong)


@planted("no hasty takeover", by=[Fault.RESTART, Fault.LINK_FLAP, Fault.POWER_CUT, Fault.SUPERVISOR_KILLED])
def hurry_to_preempt(patch: pytest.MonkeyPatch) -> None:
    """`preempt_delay` is ignored (V26)."""
    patch.setattr(Election, "_is_held_back", lambda *_: False)


# ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────────────


@planted("what an advert leads to", "no two masters", "one master", by=[Fault.PARTITION, Fault.LINK_FLAP])
def ignore_equal_priority(patch: pytest.MonkeyPatch) -> None:
    """A MASTER pays no heed to another of its own priority."""
    right = Election._hear_as_master

    def wrong(self: Election, advert: Any, source: str, heard: Any) -> Any:
        return None if advert.priority == self.priority else right(self, advert, source, heard)

    patch.setattr(Election, "_hear_as_master", wrong)


@planted("what an advert leads to", by=[Fault.PARTITION, Fault.ONE_WAY, Fault.LINK_FLAP])
def turn_ties_round(patch: pytest.MonkeyPatch) -> None:
    """Of two masters of equal priority the one with the higher address yields."""
    patch.setattr(election, "packed", lambda address: bytes(255 - byte for byte in packet.packed(address)))


@planted("quick hand-over", by=[Fault.LOSS, Fault.RESTART])
def ignore_priority_zero(patch: pytest.MonkeyPatch) -> None:
    """A BACKUP pays no heed to a master that leaves."""
    right = Election._hear_as_backup

    def wrong(self: Election, advert: Any, source: str, heard: Any) -> None:
        if advert.priority != PRIORITY_LEAVING:
            right(self, advert, source, heard)

    patch.setattr(Election, "_hear_as_backup", wrong)


@planted("what an advert leads to", by=[Fault.PARTITION, Fault.LINK_FLAP])
def ignore_higher_priority(patch: pytest.MonkeyPatch) -> None:
    """A MASTER never steps down."""
    patch.setattr(Election, "_hear_as_master", lambda *_: None)


@planted("what an advert leads to", by=[Fault.NOISE])
def accept_any_ttl(patch: pytest.MonkeyPatch) -> None:
    """A forwarded advert is taken for one of this link (RFC 9568 5.1.1.3)."""
    patch.setattr(hearing, "ONLY_255", range(256))


@planted("what an advert leads to", by=[Fault.CORRUPTION])
def check_no_sum(patch: pytest.MonkeyPatch) -> None:
    """The checksum is not looked at."""
    patch.setattr(packet, "_checksum_form", lambda *_: False)


@planted("every packet is counted", by=[Fault.NOISE, Fault.CORRUPTION])
def lose_count(patch: pytest.MonkeyPatch) -> None:
    """A packet for a number that nobody has is dropped without a word."""
    right = Counters.fail

    def wrong(self: Counters, kind: str, by: int = 1) -> None:
        if not kind.startswith("unknown_vrid"):
            right(self, kind, by)

    patch.setattr(Counters, "fail", wrong)


@planted("no advert gap", "what an advert leads to", "right master", by=[Fault.LINK_FLAP, Fault.PARTITION])
def remember_routine(patch: pytest.MonkeyPatch) -> None:
    """A packet that once changed nothing is a matter of routine for ever, whatever has happened since."""

    def wrong(self: Routine) -> None:
        self.is_open = False
        del self._known[:]

    patch.setattr(Routine, "forget", wrong)


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


@planted("goodbye", by=[Fault.RESTART, Fault.RELOAD])
def leave_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """Nobody says priority 0."""
    patch.setattr(Voice, "say_goodbye", lambda _: None)


@planted("goodbye", by=[Fault.PARTITION, Fault.LINK_FLAP])
def say_goodbye_always(patch: pytest.MonkeyPatch) -> None:
    """One that yields to a better master says priority 0, which sends the others after it (V52)."""
    patch.setattr(election, "SAYING_GOODBYE", frozenset(election.Trigger))


@planted("adverts before addresses", by=[Fault.LINK_FLAP, Fault.RESTART])
def put_addresses_first(patch: pytest.MonkeyPatch) -> None:
    """The addresses are put into the kernel before the first advert leaves (V51)."""
    right = Tray.take

    def wrong(self: Tray) -> Any:
        effects = list(right(self))
        return sorted(effects, key=lambda effect: type(effect).__name__ != "ApplyChanges")

    patch.setattr(Tray, "take", wrong)


@planted("effective priority", by=[Fault.CHECK_FAILS, Fault.UPLINK_FLAP])
def say_the_old_priority(patch: pytest.MonkeyPatch) -> None:
    """Adverts go on to say the priority that a tracker has changed."""
    right = Election.reprioritise

    def wrong(self: Election, priority: int, now: Instant) -> None:
        said, prepared = self.voice.priority, self.voice._prepared
        right(self, priority, now)
        self.voice.priority, self.voice._prepared = said, prepared

    patch.setattr(Election, "reprioritise", wrong)


@planted("no advert gap", by=[Fault.RELOAD])
def forget_to_speak(patch: pytest.MonkeyPatch) -> None:
    """A MASTER whose configuration was changed has no advert timer any more."""
    right = Election.reconfigure

    def wrong(self: Election, router: Any, now: Instant) -> None:
        right(self, router, now)
        if self.state is State.MASTER:
            self.deadline = None

    patch.setattr(Election, "reconfigure", wrong)


# ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────────


@planted("addresses follow state", by=[Fault.PARTITION, Fault.LINK_FLAP])
def keep_addresses(patch: pytest.MonkeyPatch) -> None:
    """One that yields keeps its addresses."""
    patch.setattr(Holding, "release", lambda _: None)


@planted("addresses follow state", by=[Fault.LOSS, Fault.RESTART])
def forget_excluded(patch: pytest.MonkeyPatch) -> None:
    """Addresses that are not in the advert are not held either (V20)."""
    right = holding.items_of

    def wrong(router: Any) -> Any:
        excluded = set(router.excluded)
        return tuple(item for item in right(router) if item not in excluded)

    patch.setattr(holding, "items_of", wrong)


@planted("barrier before address", by=[Fault.RESTART, Fault.LINK_FLAP])
def shut_the_door_late(patch: pytest.MonkeyPatch) -> None:
    """Where `accept = false`, the barrier comes after the address (V32)."""
    patch.setattr(entries, "_RANKS", entries._RANKS | {Barrier: 2, PlacedAddress: 0})


@planted("addresses follow state", by=[Fault.SABOTAGE])
def repair_nothing(patch: pytest.MonkeyPatch) -> None:
    """What somebody else deletes stays away (V60)."""
    patch.setattr(Holding, "repair", lambda *_: True)


@planted("stays in the kernel", "quiet reload", by=[Fault.RELOAD])
def give_up_first(patch: pytest.MonkeyPatch) -> None:
    """An address that passes from one MASTER to another in a reload is removed and added (K#1854)."""
    right = Ledger.drop

    def wrong(self: Ledger, owner: Any, items: Any) -> None:
        right(self, owner, items)
        self.settle(Instant(0))

    patch.setattr(Ledger, "drop", wrong)


@planted("virtual MACs as configured", by=[Fault.RELOAD, Fault.RESTART])
def leave_macvlans(patch: pytest.MonkeyPatch) -> None:
    """A macvlan that is not needed any more stays (V07)."""
    right = VirtualMacs.want

    def wrong(self: VirtualMacs, routers: Any) -> None:
        right(self, routers)
        works = self._desk.tray._works
        for effect in [effect for effect in works if isinstance(effect, RemoveVirtualMacs)]:
            works.remove(effect)

    patch.setattr(VirtualMacs, "want", wrong)


# ── who moves together, and what keeps them from working ─────────────────────────────────────────────────────────────


@planted("sync group in one state", by=[Fault.LINK_FLAP, Fault.PARTITION, Fault.RESTART])
def move_alone(patch: pytest.MonkeyPatch) -> None:
    """A member of a sync group becomes MASTER alone (SY02)."""
    right = Group.expire

    def wrong(self: Group, member: Election, now: Instant) -> None:
        if member.state is State.BACKUP and member.expire(now) is not None:
            member.move(election.Trigger.SILENCE, now)
        else:
            right(self, member, now)

    patch.setattr(Group, "expire", wrong)


@planted("no hasty takeover", "what an advert leads to", "right master", by=[Fault.ONE_WAY, Fault.LINK_FLAP])
def lead_for_all(patch: pytest.MonkeyPatch) -> None:
    """A sync group becomes MASTER as soon as one of its members wants it (SY02)."""

    def wrong(self: Group, member: Election, now: Instant) -> None:
        if member.expire(now) is election.Trigger.SILENCE:
            self._move(election.Trigger.SILENCE, now)

    patch.setattr(Group, "expire", wrong)


@planted("effective priority", by=[Fault.CHECK_FAILS, Fault.UPLINK_FLAP])
def weigh_the_wrong_way(patch: pytest.MonkeyPatch) -> None:
    """The weight of a tracker counts with the wrong sign (T01)."""
    right = tracking.effective
    patch.setattr(instance, "effective", lambda base, delta: right(base, -delta))


@planted("FAULT while there is a cause", by=[Fault.CHECK_FAILS, Fault.LINK_FLAP, Fault.UPLINK_FLAP])
def recover_too_soon(patch: pytest.MonkeyPatch) -> None:
    """FAULT is left as soon as one of several causes is gone (V59)."""
    right = Group._faults

    def wrong(self: Group) -> tuple[str, ...]:
        found = right(self)
        return found[1:] if self.state is State.FAULT and len(found) < len(self.instances[0].causes) else found

    patch.setattr(Group, "_faults", wrong)


@planted("FAULT while there is a cause", by=[Fault.CHECK_FAILS, Fault.CHECK_FLAPS])
def ignore_failed_checks(patch: pytest.MonkeyPatch) -> None:
    """A tracked check without a weight keeps nobody from working (T01)."""
    right = tracking._weigh
    patch.setattr(tracking, "_weigh", lambda tracker, seen: right(tracker, seen) or 0)


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@planted("retelling", "events in order", "told as it is", by=[Fault.CHILD_KILLED])
def retell_nothing(patch: pytest.MonkeyPatch) -> None:
    """A restarted child is told nothing of what was."""
    patch.setattr(Memory, "retell", lambda *_: iter(()))


@planted("retelling", by=[Fault.CRASH_LOOP, Fault.CHILD_HANGS, Fault.FROZEN])
def adopt_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A replacement goes on as MASTER however long its predecessor was silent."""
    patch.setattr(past, "ADOPTION_LIMIT", 1000)


@planted("addresses follow state", by=[Fault.CRASH_LOOP])
def release_nothing(patch: pytest.MonkeyPatch) -> None:
    """A vrrp that keeps dying leaves its addresses where they are while it is away."""
    patch.setattr(Population, "_must_release", lambda *_: False)


@planted("addresses follow state", by=[Fault.SUPERVISOR_KILLED, Fault.CRASH_LOOP, Fault.CHILD_HANGS])
def leave_leftovers(patch: pytest.MonkeyPatch) -> None:
    """What a process that died has left is not removed by one that does not go on with it."""
    patch.setattr(Ledger, "sweep", lambda *_: None)


CROWDS = (25, 129, 326, 399, 527)
"""The first seeds that draw many virtual routers on one link, which share beats."""


@planted("no advert gap", seeds=CROWDS)
def drop_beats(patch: pytest.MonkeyPatch) -> None:
    """A reload gives masters new beats, and nobody lets them join."""
    right = Rhythm.plan

    def forget(self: Rhythm, routers: Any) -> None:
        self._beats = {}
        right(self, routers)

    def wrong(self: Election, beat: Any, now: Instant) -> None:
        del now
        if self.beat is not None:
            self.beat.leave(self)
        self.beat = beat

    patch.setattr(Rhythm, "plan", forget)
    patch.setattr(Election, "set_beat", wrong)


@planted("no advert gap", by=[Fault.RESTART, Fault.POWER_CUT])
def send_late(patch: pytest.MonkeyPatch) -> None:
    """Adverts wait until all changes of a takeover have been made (K#1653)."""
    right = Election.advertise

    def wrong(self: Election, due: Instant, now: Instant) -> None:
        if not self._desk.tray.is_waiting:
            right(self, due, now)

    patch.setattr(Election, "advertise", wrong)
