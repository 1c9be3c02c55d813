"""What holds whatever happens to a director, in any order (RFC 9568 6.4, `docs/architecture.md`, invariants)."""

import dataclasses
import itertools
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stayalived.addresses import VirtualAddress
from stayalived.child.events import Tell
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.vrrp import InstanceState
from stayalived.timing import after, milliseconds, seconds
from stayalived.vrrp.desk import Effect
from stayalived.vrrp.effects import SendGratuitousArp, SendNeighbourAdvert
from stayalived.vrrp.holding import REPAIR_PAUSE
from vrrp_machine import VIP, VIP6, Machine, added, adverts, instance, interface, router

MOVES = {"master", "backup", "fault", "stop", "deleted"}
EXTRA = "192.0.2.101/24"
DOWN = seconds(3.97)  # longest master-down interval here, of priority 9, and a little


class Witnessed(Machine):
    """A machine that looks at each step of its engine: who speaks, takes and leaves must be in the state for it."""

    def _carry_out(self, effects: Sequence[Effect]) -> list[Effect]:
        before = self.rows()
        done = super()._carry_out(effects)
        after_it = self.rows()
        for effect in effects:
            for advert in adverts([effect]):
                assert advert.leaving == (advert.data[2] == 0)
                assert advert.index == 2
                assert (before if advert.leaving else after_it)[advert.router] == "MASTER"
            for address in added([effect]):
                assert after_it[key_of(address)] == "MASTER"
            if isinstance(effect, SendGratuitousArp):
                assert after_it["tic/4"] == "MASTER"
            elif isinstance(effect, SendNeighbourAdvert):
                assert after_it["tic/6"] == "MASTER"
        for key, state in after_it.items():
            if state == "MASTER" and before.get(key) != "MASTER":
                assert first_advert(effects, key) < first_addition(effects, key)
        return done

    def rows(self) -> dict[str, str]:
        """The state of each virtual router, as it was told last."""
        told = [message for (kind, _), message in self.retained.items() if kind is InstanceState]
        return {row.key: row.state for message in told for row in message.routers}


def key_of(address: str) -> str:
    """The virtual router whose address it is."""
    return "tic/6" if ":" in address else "tic/4"


def first_advert(effects: Sequence[Effect], key: str) -> int:
    """Where the first advert of a router stands; at the end when there is none."""
    places = (place for place, effect in enumerate(effects) if any(a.router == key for a in adverts([effect])))
    return next(places, len(effects))


def first_addition(effects: Sequence[Effect], key: str) -> int:
    """Where the first address of a router is added; at the end when there is none."""
    places = (place for place, effect in enumerate(effects) if any(key_of(a) == key for a in added([effect])))
    return next(places, len(effects))


class Director(RuleBasedStateMachine):
    """One director with one instance of two families, to which anything may happen."""

    @initialize(priority=st.sampled_from([9, 100, 254]), version=st.sampled_from([2, 3]), split=st.booleans())
    def begin(self, priority: int, version: int, split: bool) -> None:
        self.machine = Witnessed(number=5)
        self.version, self.priority, self.split = version, priority, split
        self.text = VIP
        self.machine.start(self.wanted(), dynamic_interfaces=True)

    def wanted(self) -> object:
        four = router(self.text, version=self.version, priority=self.priority)
        return instance(four, router(VIP6, priority=self.priority), split=self.split)

    @rule(duration=st.sampled_from([1, 50, 400, 1_000, 3_700, 20_000]))
    def pass_time(self, duration: int) -> None:
        self.machine.pass_time(milliseconds(duration))

    @rule(duration=st.sampled_from([1_000, 5_000, 60_000]))
    def stand_still(self, duration: int) -> None:
        self.machine.now = after(self.machine.now, milliseconds(duration))

    @rule(
        six=st.booleans(),
        priority=st.sampled_from([0, 1, 100, 200, 254]),
        sender=st.sampled_from([1, 9]),
        late=st.sampled_from([0, 500, 4_000]),
    )
    def hear(self, six: bool, priority: int, sender: int, late: int) -> None:
        like = router(VIP6) if six else router(version=self.version)
        at = after(self.machine.now, milliseconds(-late))
        self.machine.do(self.machine.datagram(sender, like=like, priority=priority, at=at))

    @rule(up=st.booleans())
    def pull_or_plug_the_cable(self, up: bool) -> None:
        if "eth0" in self.machine.links:
            self.machine.change_link(up=up)

    @rule()
    def remove_or_add_the_interface(self) -> None:
        if "eth0" in self.machine.links:
            self.machine.lose_link()
        else:
            self.machine.links["eth0"] = interface(5)
            self.machine.change_link()

    @precondition(lambda self: "eth0" in self.machine.links)
    @rule(text=st.sampled_from([VIP, VIP6, EXTRA, "fe80::5/64"]))
    def delete_an_address(self, text: str) -> None:
        self.machine.delete_address(text)
        self.machine.pass_time(REPAIR_PAUSE)  # what is deleted again and again is not put back at once

    @rule(text=st.sampled_from([VIP, EXTRA, f"{VIP} {EXTRA}"]), priority=st.sampled_from([9, 100, 254]))
    def reload(self, text: str, priority: int) -> None:
        self.text, self.priority = text, priority
        self.machine.configure(self.wanted(), dynamic_interfaces=True)

    @rule(away=st.sampled_from([10, 500, 5_000]))
    def die_and_be_replaced(self, away: int) -> None:
        self.machine.die()
        self.machine.now = after(self.machine.now, milliseconds(away))
        self.machine.start(self.wanted(), how=Start.RESPAWNED, dynamic_interfaces=True)

    @rule()
    def stop_and_start_again(self) -> None:
        self.machine.stop()
        assert not self.present()
        self.machine.die()
        self.machine.retained.clear()
        self.machine.now = after(self.machine.now, milliseconds(1))
        self.machine.start(self.wanted(), dynamic_interfaces=True)

    def present(self) -> set[str]:
        if "eth0" not in self.machine.links:
            return set()
        ours = {str(VirtualAddress.parse(text)) for text in (VIP, VIP6, EXTRA)}
        return ours & {str(address) for address in self.machine.links["eth0"].addresses}

    def states(self) -> dict[str, str]:
        names = ("tic/4", "tic/6") if self.split else ("tic",)
        return {row.key: row.state for name in names for row in self.machine.told(name).routers}

    @invariant()
    def addresses_follow_state(self) -> None:
        if not hasattr(self, "machine"):
            return
        states = self.states()
        expected = set(self.text.split()) if states["tic/4"] == "MASTER" else set()
        expected |= {VIP6} if states["tic/6"] == "MASTER" else set()
        assert expected == self.present()

    @invariant()
    def both_halves_stand_together(self) -> None:
        if hasattr(self, "machine") and not self.split:
            assert len(set(self.states().values())) == 1

    @invariant()
    def events_tell_every_change_once(self) -> None:
        if not hasattr(self, "machine") or self.split:
            return
        moves = [
            effect.message
            for effect in self.machine.effects
            if isinstance(effect, Tell) and isinstance(effect.message, Event) and effect.message.kind in MOVES
        ]
        assert all(earlier.sequence < later.sequence for earlier, later in itertools.pairwise(moves))
        assert all(move.old != move.new for move in moves)
        assert moves[-1].new == self.machine.state

    def teardown(self) -> None:
        """After the storm comes the calm: with a living link and nobody else there, it is MASTER."""
        if not hasattr(self, "machine"):
            return
        self.machine.links["eth0"] = dataclasses.replace(
            interface(5), addresses=tuple({*interface(5).addresses, *map(VirtualAddress.parse, self.present())})
        )
        self.machine.change_link()
        self.machine.pass_time(seconds(2 * 3.97 + 0.1))
        assert set(self.states().values()) == {"MASTER"}
        self.addresses_follow_state()


TestDirector = Director.TestCase
TestDirector.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
