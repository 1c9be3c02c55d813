"""What holds whatever happens to a director, in any order (RFC 9568 6.4, `docs/architecture.md`, invariants)."""

import dataclasses
import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stayalived.addresses import VirtualAddress
from stayalived.child.events import Report, Tell
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.timing import after, milliseconds, seconds
from stayalived.vrrp.effects import AddAddresses, RemoveAddresses, SendAdvert, SendGratuitousArp, SendNeighbourAdvert
from vrrp_machine import VIP, VIP6, Machine, instance, interface, router

EXTRA = "192.0.2.101/24"
DOWN = seconds(3.97)  # longest master-down interval here, of priority 9, and a little


class Director(RuleBasedStateMachine):
    """One director with one instance of two families, to which anything may happen."""

    @initialize(priority=st.sampled_from([9, 100, 254]), version=st.sampled_from([2, 3]), split=st.booleans())
    def begin(self, priority: int, version: int, split: bool) -> None:
        self.machine = Machine(number=5)
        self.version, self.priority, self.split = version, priority, split
        self.text = VIP
        self.told = "INIT"
        self.read = 0
        self.machine.start(self.wanted())

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

    @rule(text=st.sampled_from([VIP, EXTRA, f"{VIP} {EXTRA}"]), priority=st.sampled_from([9, 100, 254]))
    def reload(self, text: str, priority: int) -> None:
        self.text, self.priority = text, priority
        self.machine.configure(self.wanted())

    @rule(away=st.sampled_from([10, 500, 5_000]))
    def die_and_be_replaced(self, away: int) -> None:
        self.machine.die()
        self.machine.now = after(self.machine.now, milliseconds(away))
        self.machine.start(self.wanted(), how=Start.RESPAWNED)

    @rule()
    def stop_and_start_again(self) -> None:
        self.machine.stop()
        assert not self.present()
        self.machine.die()
        self.machine.retained.clear()
        self.machine.now = after(self.machine.now, milliseconds(1))
        self.machine.start(self.wanted())

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
    def only_a_master_speaks_and_it_speaks_first(self) -> None:
        """Replay of what was done since the last look: adverts and announcements come from a MASTER alone."""
        if not hasattr(self, "machine"):
            return
        effects = self.machine.effects[self.read :]
        self.read = len(self.machine.effects)
        for effect in effects:
            if isinstance(effect, SendAdvert):
                assert effect.leaving == (effect.data[2] == 0)
                assert dataclasses.replace(effect) == effect
            if isinstance(effect, AddAddresses):
                assert any(isinstance(each, SendAdvert) for each in self.machine.effects)
            if isinstance(effect, SendAdvert | AddAddresses | RemoveAddresses):
                assert effect.index == 2
            if isinstance(effect, SendGratuitousArp | SendNeighbourAdvert):
                assert effect.address + ("/64" if ":" in effect.address else "/24") in {VIP, VIP6, EXTRA}
            if isinstance(effect, Report):
                assert effect.level in {20, 30, 40}

    @invariant()
    def events_tell_every_change_once(self) -> None:
        if not hasattr(self, "machine") or self.split:
            return
        moves = [
            effect.message
            for effect in self.machine.effects
            if isinstance(effect, Tell)
            and isinstance(effect.message, Event)
            and effect.message.kind != "lower_priority"
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
