import itertools

import pytest

from stayalived.errors import Bug
from stayalived.messages.codec import Frame
from stayalived.messages.control import ChildState
from stayalived.messages.notify import Told
from stayalived.messages.routes import pack
from stayalived.messages.services import CheckState, FirstRound, TrackState
from stayalived.supervisor.backoff import Backoff
from stayalived.supervisor.lifecycle import ALIVE, TRANSITIONS, Child, Cue, State
from stayalived.supervisor.memory import MEMORY_SPARE, Memory, Outcome
from stayalived.supervisor.reload import compare, objections
from stayalived.supervisor.switchboard import HELD_FRAMES, Fault, Switchboard
from stayalived.supervisor.untold import UNTOLD_EVENTS
from stayalived.timing import Instant, in_seconds, seconds
from unit.supervisor.house import needs, removable

NOW = Instant(5)


def test_back_off_is_that_of_p30() -> None:
    backoff = Backoff()
    delays = [in_seconds(backoff.after_death(seconds(1))) for _ in range(9)]
    assert [0, 1, 2, 4, 8, 16, 32, 60, 60] == delays


def test_sixty_seconds_of_life_clear_the_slate() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after_death(seconds(1))
    assert [0, 1] == [in_seconds(backoff.after_death(lived)) for lived in (seconds(60), seconds(59))]


class TestLifecycle:
    def test_every_living_state_can_end_and_be_stopped(self) -> None:
        for state in ALIVE:
            assert (state, Cue.EXIT) in TRANSITIONS
            assert (state, Cue.STOP) in TRANSITIONS

    def test_an_exit_leads_to_a_state_without_a_process(self) -> None:
        targets = {target for (_, cue), target in TRANSITIONS.items() if cue is Cue.EXIT}
        assert targets.isdisjoint(ALIVE)

    def test_a_fork_needs_a_state_without_a_process(self) -> None:
        assert {State.STOPPED, State.BACKOFF} == {state for state, cue in TRANSITIONS if cue is Cue.FORK}

    def test_every_state_can_be_reached(self) -> None:
        reached, border = {State.STOPPED}, {State.STOPPED}
        while border:
            border = {to for (state, _), to in TRANSITIONS.items() if state in border} - reached
            reached |= border
        assert set(State) == reached

    def test_a_move_that_the_table_does_not_have_is_a_bug(self) -> None:
        allowed = set(TRANSITIONS)
        for state, cue in itertools.product(State, Cue):
            if (state, cue) not in allowed:
                with pytest.raises(Bug):
                    Child(name="vrrp", since=NOW, state=state).enter(cue, NOW)


class TestMemory:
    def test_the_newest_of_a_key_is_retold(self) -> None:
        memory = Memory()
        for body in (b"1", b"2"):
            memory.keep(Frame("services.check", "k", body, "checker"))
        assert [Frame("services.check", "k", b"2", "checker")] == list(memory.retell("ipvs"))

    def test_only_receivers_of_a_topic_are_retold_it(self) -> None:
        memory = Memory()
        memory.keep(Frame("services.check", "k", b"1", "checker"))
        assert [] == list(memory.retell("runner"))

    def test_the_bound_is_per_sender(self) -> None:
        memory = Memory()
        memory.allow_keys(1)
        kept = [memory.keep(Frame("services.check", str(n), b"1", "checker/x")) for n in range(MEMORY_SPARE + 2)]
        assert [Outcome.KEPT] * (MEMORY_SPARE + 1) + [Outcome.FULL] == kept
        assert Outcome.KEPT is memory.keep(Frame("services.check", "mine", b"1", "checker"))

    def test_claims_of_others_keys_count_as_well(self) -> None:
        memory = Memory()
        for number in range(MEMORY_SPARE):
            memory.keep(Frame("services.check", str(number), b"1", "checker"))
            memory.keep(Frame("services.check", str(number), b"2", "checker/x"))
        assert Outcome.FULL is memory.keep(Frame("services.check", "more", b"2", "checker/x"))
        memory.keep(Frame("services.check", "0", b"", "checker/x"))
        assert Outcome.KEPT is memory.keep(Frame("services.check", "more", b"2", "checker/x"))

    def test_forgetting_a_key_makes_room(self) -> None:
        memory = Memory()
        for number in range(MEMORY_SPARE):
            memory.keep(Frame("services.check", str(number), b"1", "checker"))
        memory.keep(Frame("services.check", "0", b"", "checker"))
        assert Outcome.KEPT is memory.keep(Frame("services.check", "new", b"1", "checker"))

    def test_a_sender_that_goes_takes_its_keys_along(self) -> None:
        memory = Memory()
        memory.keep(Frame("services.check", "a", b"1", "checker/x"))
        memory.keep(Frame("services.check", "b", b"1", "checker"))
        assert [Frame("services.check", "a", b"", "checker/x")] == memory.forget_sender("checker/x")
        assert 1 == len(memory)

    def test_nobody_takes_over_or_ends_the_key_of_another(self) -> None:
        memory = Memory()
        ours = Frame("services.check", "a", b"1", "checker")
        memory.keep(ours)
        outcomes = [memory.keep(Frame("services.check", "a", body, "checker/x")) for body in (b"", b"2", b"3")]
        assert [Outcome.FOREIGN, Outcome.CLAIMED, Outcome.FOREIGN] == outcomes
        assert [ours] == list(memory.retell("ipvs"))

    def test_what_a_sender_that_goes_had_claimed_goes_along(self) -> None:
        memory = Memory()
        memory.keep(Frame("services.check", "a", b"1", "checker"))
        memory.keep(Frame("services.check", "a", b"2", "checker/x"))
        assert [] == memory.forget_sender("checker/x")
        end = Frame("services.check", "a", b"", "checker")
        assert Outcome.KEPT is memory.keep(end)
        assert memory.next_of(end) is None


class TestSwitchboard:
    def board(self, *names: str) -> tuple[Switchboard, list[tuple[str, Frame]]]:
        delivered = []
        board = Switchboard(lambda name, frame: delivered.append((name, frame)))
        for name in names:
            board.join(name)
            board.listen(name)
            board.run(name)
        return board, delivered

    def test_only_tracked_checks_reach_vrrp_and_a_new_one_is_retold_them_before_its_configuration(self) -> None:
        values = {"number": 0, "check": "x", "up": True, "weight": 0, "reason": "", "latency": 5, "since": 1}
        tracked = TrackState(subject="track:answers", stale=False, **values)
        servers = CheckState(subject="web/one", stale=False, **values)
        frames = [pack(tracked, key="track:answers#0"), pack(servers, key="web/one#0")]
        board, delivered = self.board("checker", "vrrp", "ipvs")
        for frame in frames:
            board.forward("checker", frame, board.permitted("checker", frame))
        assert ["vrrp", "ipvs"] == [name for name, _ in delivered]
        assert ["vrrp.track", "services.check"] == [frame.topic for _, frame in delivered]

        delivered.clear()
        board.pause("vrrp")
        board.listen("vrrp")
        assert [("vrrp", "vrrp.track", "track:answers#0")] == [(name, f.topic, f.key) for name, f in delivered]

    def test_how_a_child_is_reaches_the_checkers_which_ask_the_runner(self) -> None:
        board, delivered = self.board("checker", "checker/acme", "notify", "api")
        state = ChildState(name="runner", pid=7, state="running", since=0, restarts=0, user="root", note="")
        board.tell(pack(state, key="runner"))
        assert ["checker", "checker/acme", "api"] == [name for name, _ in delivered]

    def test_calls_go_to_one(self) -> None:
        board, delivered = self.board("notify", "notify/x", "runner")
        topic = board.permitted("runner", Frame("runner.ran"))
        board.forward("runner", Frame("runner.ran", "", b"1", "notify/x"), topic)
        assert [("notify/x", Frame("runner.ran", "", b"1", "runner"))] == delivered

    def test_calls_to_nobody_are_counted(self) -> None:
        board, delivered = self.board("notify", "runner", "api")
        topic = board.permitted("notify", Frame("runner.run"))
        for peer in ("", "api", "nobody"):
            board.forward("notify", Frame("runner.run", "", b"1", peer), topic)
        assert 3 == board.faults["notify", Fault.NO_RECEIVER]
        assert [] == delivered

    def test_what_is_held_is_bounded(self) -> None:
        board, delivered = self.board("runner", "notify")
        board.pause("runner")
        topic = board.permitted("notify", Frame("runner.run"))
        for number in range(HELD_FRAMES + 3):
            board.forward("notify", Frame("runner.run", str(number), b"1", "runner"), topic)
        board.listen("runner")
        board.run("runner")
        assert 3 == board.faults["notify", Fault.HELD_TOO_LONG]
        assert [str(number) for number in range(3, HELD_FRAMES + 3)] == [frame.key for _, frame in delivered]

    def event(self, board: Switchboard, number: int, sender: str = "vrrp") -> None:
        frame = Frame("event", "", b"1", "", number)
        board.forward(sender, frame, board.permitted(sender, frame))

    def test_events_that_were_not_acknowledged_are_given_to_the_successor_in_order(self) -> None:
        board, delivered = self.board("notify")
        for number, sender in ((1, "vrrp"), (7, "ipvs"), (2, "vrrp")):
            self.event(board, number, sender)
        board.acknowledge("notify", Told(events=(("vrrp", (1,)), ("ipvs", (1, 99)), ("nobody", (7,)))))
        board.pause("notify")
        self.event(board, 3)
        delivered.clear()
        board.run("notify")
        board.run("notify")  # a reload: nobody has died
        assert [("ipvs", 7), ("vrrp", 2), ("vrrp", 3)] == [(frame.peer, frame.sequence) for _, frame in delivered]
        assert 3 == board.untold("notify")

    def test_a_flood_costs_only_its_sender_the_keeping_and_counts_what_a_death_then_loses(self) -> None:
        board, delivered = self.board("notify")
        self.event(board, 1)
        for number in range(1, UNTOLD_EVENTS + 3):
            self.event(board, number, "ipvs")
        board.acknowledge("notify", Told(events=(("ipvs", (1,)),)))
        assert {} == board.faults
        board.pause("notify")
        assert {("ipvs", Fault.UNTOLD): 2} == board.faults
        delivered.clear()
        board.run("notify")
        assert [("vrrp", 1), ("ipvs", 4)] == [(frame.peer, frame.sequence) for _, frame in delivered[:2]]
        assert UNTOLD_EVENTS == len(delivered) == board.untold("notify")

    def test_what_does_not_fit_while_nobody_runs_is_counted_at_once(self) -> None:
        board, _ = self.board("notify")
        board.pause("notify")
        for number in range(UNTOLD_EVENTS + 2):
            self.event(board, number)
        assert 2 == board.faults["vrrp", Fault.HELD_TOO_LONG]

    def test_a_child_that_is_needed_no_more_leaves_nothing_to_tell(self) -> None:
        board, _ = self.board("notify")
        self.event(board, 1)
        board.leave("notify")
        board.acknowledge("notify", Told(events=(("vrrp", (1,)),)))
        assert 0 == board.untold("notify")

    def test_unknown_topics_and_wrong_senders_are_counted(self) -> None:
        board, _ = self.board("checker")
        assert board.permitted("checker", Frame("no.such")) is None
        assert board.permitted("checker", pack(FirstRound(open=True))) is None
        assert 1 == board.faults["checker", Fault.UNKNOWN_TOPIC]
        assert 1 == board.faults["checker", Fault.NOT_ALLOWED]

    def test_a_sender_does_not_hear_itself(self) -> None:
        board, delivered = self.board("vrrp", "ipvs")
        topic = board.permitted("vrrp", Frame("vrrp.instance"))
        board.forward("vrrp", Frame("vrrp.instance", "tic", b"1"), topic)
        assert ["ipvs"] == [name for name, _ in delivered]

    def test_a_key_of_another_is_neither_changed_nor_ended_while_its_owner_is_needed(self) -> None:
        board, delivered = self.board("checker", "checker/x", "ipvs")
        topic = board.permitted("checker", Frame("services.check"))
        board.forward("checker", Frame("services.check", "k", b"up"), topic)
        board.pause("checker")  # it died, and will be back
        for body in (b"down", b"down", b""):
            board.forward("checker/x", Frame("services.check", "k", body), topic)
        assert [Frame("services.check", "k", b"up", "checker")] == [
            frame for name, frame in delivered if name == "ipvs"
        ]
        assert 1 == board.faults["checker/x", Fault.FOREIGN_KEY]

    @pytest.mark.parametrize("goes", [True, False])
    def test_a_key_passes_to_who_claims_it_when_its_owner_ends_it_or_goes(self, goes: bool) -> None:
        board, delivered = self.board("checker", "checker/x", "ipvs")
        topic = board.permitted("checker", Frame("services.check"))
        board.forward("checker/x", Frame("services.check", "k", b"old"), topic)
        board.forward("checker", Frame("services.check", "k", b"new"), topic)
        board.leave("checker/x") if goes else board.forward("checker/x", Frame("services.check", "k"), topic)
        told = [(frame.body, frame.peer) for name, frame in delivered if name == "ipvs"]
        assert [(b"old", "checker/x"), (b"", "checker/x"), (b"new", "checker")] == told
        assert 0 == board.faults["checker", Fault.FOREIGN_KEY]


class TestReloadRules:
    def test_children_come_go_and_are_replaced(self) -> None:
        old = needs(("vrrp", "checker/a", "checker/b"), plugins=("a 1", "b 1"))
        new = needs(("checker/a", "checker/b", "api"), plugins=("a 2", "b 1"))
        change = compare(old, new)
        assert ({"api"}, {"vrrp"}, {"checker/a"}) == (change.added, change.removed, change.replaced)

    def test_the_bundled_checker_is_replaced_when_its_sockets_need_other_rights(self) -> None:
        old = needs(("checker", "checker#2", "checker/a"), checker_capabilities=())
        new = needs(("checker", "checker#2", "checker/a"), checker_capabilities=("NET_RAW",))
        assert {"checker", "checker#2"} == compare(old, new).replaced

    @pytest.mark.parametrize(
        ("before", "left", "refused"),
        [(30, 15, False), (30, 14, True), (10, 1, False), (11, 1, True), (20, 10, False), (12, 2, True)],
    )
    def test_more_than_half_but_ten_at_least(self, before: int, left: int, refused: bool) -> None:
        old = tuple(f"vrrp_instance {number}" for number in range(before))
        found = objections(needs(removable=removable(*old)), needs(removable=removable(*old[:left])), force=False)
        assert refused == bool(found)
        assert () == objections(needs(removable=removable(*old)), needs(removable=removable(*old[:left])), force=True)

    @pytest.mark.parametrize("before", [1, 2, 9, 10, 40])
    def test_to_lose_the_last_of_a_kind_wants_force(self, before: int) -> None:
        services = tuple(f"virtual_server {number}" for number in range(before))
        old = needs(removable=removable("vrrp_instance a", *services))
        new = needs(removable=removable("vrrp_instance b"))
        (problem,) = objections(old, new, force=False)
        assert ("virtual_server", f"none left of {before}") == (problem.path, problem.found)
        assert "`stayalived reload --force`" in problem.expected
        assert () == objections(old, new, force=True)

    def test_one_of_two_may_go_and_all_may_be_others(self) -> None:
        old = needs(removable=removable("vrrp_instance a", "vrrp_instance b"))
        for left in ("vrrp_instance a", "vrrp_instance c"):
            assert () == objections(old, needs(removable=removable(left)), force=False)

    def test_kinds_are_counted_apart(self) -> None:
        instances = tuple(f"vrrp_instance {number}" for number in range(10))
        services = tuple(f"virtual_server {number}" for number in range(90))
        old, new = needs(removable=removable(*instances, *services)), needs(removable=removable(*services))
        found = objections(old, new, force=False)
        assert ["vrrp_instance"] == [problem.path for problem in found]

    def test_a_start_only_key_is_named_with_both_values(self) -> None:
        found = objections(needs(start_only=("a=1",)), needs(start_only=("a=2",)), force=True)
        assert "a: found 2; it was 1 at start and cannot change without a restart" == str(found[0])
