import pytest

from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Start
from stayalived.messages.notify import Event as Notice
from stayalived.messages.routes import pack, unpack
from stayalived.messages.services import CheckState, FirstRound
from stayalived.supervisor import events as ev
from stayalived.supervisor.lifecycle import State
from stayalived.timing import Instant, elapsed, in_seconds, milliseconds, seconds
from unit.supervisor.house import ALL, House, needs, removable

WRONG = Problem(path="global.router_id", expected="must be text", found="7")
HINT = Problem(path="plugin acme", expected="cannot be imported", warning=True)


def check_state(subject: str = "web/tic", up: bool = True) -> CheckState:
    return CheckState(
        subject=subject, number=0, check="tcp", up=up, weight=0, reason="", latency=1, since=1, stale=False
    )


def master_lost(house: House) -> House:
    """Kills vrrp as often as it takes until its delay would outlast the peers' patience."""
    while Start.RELEASE not in house.starts("vrrp"):
        house.advance(5)
        house.die("vrrp")
    return house


class TestStart:
    def test_log_is_there_before_the_others(self) -> None:
        house = House().start()
        assert ["config", "log"] == [name for name, _ in house.forks][:2]
        assert set(ALL) | {"config"} == {name for name, _ in house.forks}

    def test_everybody_is_told_first(self) -> None:
        house = House().start()
        assert {(1, Start.FIRST)} == {(kid.commits[0].generation, kid.commits[0].start) for kid in house.kids.values()}
        assert house.all_running()

    def test_ready_is_said_once_and_after_the_commits(self) -> None:
        house = House().start()
        ready = [number for number, effect in enumerate(house.effects) if isinstance(effect, ev.TellSystemd)]
        commits = [
            number
            for number, effect in enumerate(house.effects)
            if isinstance(effect, ev.Send) and effect.frame.topic == "control.commit"
        ]
        assert len(ready) == 1
        assert max(commits) < ready[0]
        assert house.systemd[0].startswith("READY=1\n")

    def test_ready_is_said_for_an_empty_configuration_too(self) -> None:
        house = House(needs(())).start()
        assert "READY=1" in house.systemd[0]

    def test_a_bad_configuration_ends_the_daemon_with_its_report(self) -> None:
        house = House()
        house.problems = (WRONG,)
        house.start()
        assert (2, (WRONG,)) == (house.exit_code, house.shown)
        assert {"config"} == {name for name, _ in house.forks}

    def test_a_warning_that_explains_an_error_is_shown_with_it(self) -> None:
        house = House()
        house.problems = (WRONG, HINT)
        house.start()
        assert (HINT, WRONG) == house.shown

    def test_a_child_that_refuses_the_first_configuration_ends_the_daemon(self) -> None:
        house = House()
        house.refusing = {"ipvs"}
        house.start()
        assert 2 == house.exit_code
        assert not house.kids
        assert not house.blobs

    def test_a_right_that_is_missing_ends_the_first_start_and_says_which(self) -> None:
        house = House()
        house.mute = {"vrrp"}
        house.start()
        house.say("vrrp", control.Failed(code=4, text="vrrp: lacks CAP_NET_ADMIN"))
        house.die("vrrp", signal=0, status=4)
        assert (4, "vrrp: lacks CAP_NET_ADMIN") == (house.exit_code, str(house.shown[0]))
        assert [Start.FIRST] == house.starts("vrrp")
        assert "READY=1" not in "".join(house.systemd)
        assert not house.kids
        assert not house.blobs

    def test_a_right_that_is_missing_later_ends_nothing(self) -> None:
        house = House(needs([name for name in ALL if name != "vrrp"])).start()
        house.dying = {"vrrp": 4}
        house.reload(needs())
        assert house.exit_code is None
        assert {State.RUNNING} == set(house.states().values())

    def test_a_config_child_that_dies_ends_the_daemon(self) -> None:
        house = House()
        house.dying = {"config": 70}
        house.start()
        assert 2 == house.exit_code
        assert "exit code 70" in str(house.shown[0])

    def test_a_config_child_that_is_silent_is_killed(self) -> None:
        house = House()
        house.mute = {"config"}
        house.start().advance(31)
        assert 2 == house.exit_code

    def test_one_that_cannot_start_does_not_hold_up_the_others(self) -> None:
        house = House()
        house.dying = {"vrrp": 70}
        house.start().advance(0.1)
        assert "READY=1" in house.systemd[0]
        assert State.BACKOFF is house.states()["vrrp"]
        assert State.RUNNING is house.states()["checker"]


class TestDeath:
    def test_the_first_death_is_repaired_at_once(self) -> None:
        house = House().start()
        house.die("checker").advance(0.001)
        assert house.all_running()
        assert [Start.FIRST, Start.RESPAWNED] == house.starts("checker")

    def test_a_restarted_child_gets_the_accepted_configuration(self) -> None:
        house = House().start()
        house.reload()
        house.die("ipvs").advance(0.001)
        assert [control.Commit(generation=2, start=Start.RESPAWNED)] == house.kids["ipvs"].commits

    def test_delays_grow(self) -> None:
        house = House().start()
        for delay in (0, 1, 2, 4, 8, 16, 32, 60, 60):
            house.die("checker").advance(max(delay - 0.01, 0.0))
            assert "checker" not in house.kids
            house.advance(0.02)
            assert State.RUNNING is house.states()["checker"]

    def test_a_long_life_makes_good_for_early_deaths(self) -> None:
        house = House().start()
        for delay in (0, 1, 2):
            house.die("checker").advance(delay + 0.01)
        house.advance(61, step=1)
        house.die("checker").advance(0.001)
        assert State.RUNNING is house.states()["checker"]

    @pytest.mark.parametrize(("name", "limit"), [("checker", 3.0), ("vrrp", 3.0), ("ipvs", 15.0), ("runner", 15.0)])
    def test_a_silent_child_is_killed_and_replaced(self, name: str, limit: float) -> None:
        house = House().start()
        house.mute = {name}
        house.advance(limit - 0.1)
        assert ev.Kill(name=name) not in house.effects
        house.advance(0.2)
        assert ev.Kill(name=name) in house.effects
        assert 2 == len(house.starts(name))

    def test_only_the_silent_one_is_replaced(self) -> None:
        house = House().start()
        house.mute = {"checker"}
        house.advance(10)
        assert {"checker"} == {effect.name for effect in house.effects if isinstance(effect, ev.Kill)}

    def test_after_an_absence_of_its_own_the_supervisor_kills_nobody(self) -> None:
        house = House().start()
        house.now += seconds(3600)
        house._perform(house.engine.wake(house.now))
        house.advance(10)
        assert not [effect for effect in house.effects if isinstance(effect, ev.Kill)]

    def test_a_child_that_closes_its_pipe_and_stays_is_killed(self) -> None:
        house = House().start()
        house.give(ev.EndOfFile(name="api"))
        house.advance(1.1)
        assert ev.Kill(name="api") in house.effects
        assert house.all_running()

    def test_an_exit_may_be_known_before_the_start(self) -> None:
        house = House().start()
        house.die("api")
        child = next(child for child in house.engine.children() if child.name == "api")
        house._perform = lambda effects: None  # type: ignore[method-assign]  # the fork is not carried out
        house.engine.wake(house.now)
        house.engine.handle(ev.ChildExited(name="api", pid=7, status=1, signal=0), house.now)
        house.engine.handle(ev.ChildStarted(name="api", pid=7), house.now)
        assert (State.BACKOFF, 0) == (child.state, child.pid)

    def test_a_late_exit_of_a_former_process_changes_nothing(self) -> None:
        house = House().start()
        pid = house.kids["api"].pid
        house.die("api").advance(0.001)
        house.give(ev.ChildExited(name="api", pid=pid, status=0, signal=9))
        assert house.all_running()

    def test_a_fork_that_fails_is_tried_again(self) -> None:
        house = House().start()
        kid = house.kids.pop("api")
        house.give(ev.ChildExited(name="api", pid=kid.pid, status=0, signal=9))
        house._perform = lambda effects: None
        house.engine.wake(house.now)
        house.engine.handle(ev.ForkFailed(name="api", text="no memory"), house.now)
        child = next(child for child in house.engine.children() if child.name == "api")
        assert (State.BACKOFF, "cannot fork: no memory") == (child.state, child.note.partition(" (")[0])

    def test_what_a_child_says_of_its_failure_is_shown(self) -> None:
        house = House().start()
        house.say("vrrp", control.Failed(code=4, text="vrrp: lacks CAP_NET_RAW"))
        house.die("vrrp", signal=0, status=4)
        child = next(child for child in house.engine.children() if child.name == "vrrp")
        assert "vrrp: lacks CAP_NET_RAW (exit code 4)" == child.note


class TestCrashLoop:
    def test_short_delays_leave_the_addresses_alone(self) -> None:
        house = House().start()
        for _ in range(3):  # delays of 0, 1 and 2 s end before 3.6 s less 0.5 s
            house.die("vrrp").advance(2.1)
        assert Start.RELEASE not in house.starts("vrrp")

    def test_a_delay_that_outlasts_the_peers_makes_it_release_at_once(self) -> None:
        house = House().start()
        for _ in range(4):
            house.die("vrrp").advance(2.1)
        assert Start.RELEASE is house.starts("vrrp")[-1]
        assert ev.ForgetSendTimes() in house.effects
        assert State.BACKOFF is house.states()["vrrp"]

    def test_the_time_that_it_hung_counts(self) -> None:
        house = House().start()
        house.die("vrrp").advance(1)
        house.mute = {"vrrp"}
        house.advance(3.1)  # killed for its silence: 3 s and a delay of 1 s are longer than the peers wait
        assert Start.RELEASE is house.starts("vrrp")[-1]

    def test_it_comes_back_when_the_delay_is_over(self) -> None:
        house = master_lost(House().start())
        house.advance(4.1)
        assert State.RUNNING is house.states()["vrrp"]
        assert Start.RESPAWNED is house.starts("vrrp")[-1]

    def test_a_release_is_not_said_to_run_and_the_note_is_of_the_death(self) -> None:
        house = House().start()
        for _ in range(3):
            house.die("vrrp").advance(2.1)
        lines, api = len(house.reports), len(house.kids["api"].received)
        house.die("vrrp")
        said = house.reports[lines:]
        told = [unpack(frame) for frame in house.kids["api"].received[api:] if frame.key == "vrrp"]
        assert 1 == sum("releases its addresses" in line for line in said)
        assert not [line for line in said if "is running" in line]
        assert "releasing" in [state.state for state in told]
        assert "running" not in [state.state for state in told]
        assert ("backoff", "killed by signal 9") == (told[-1].state, told[-1].note)

    def test_six_kills_in_a_minute(self) -> None:
        house = House().start()
        for _ in range(6):
            while "vrrp" not in house.kids:
                house.advance(0.5)
            house.die("vrrp")
        assert 3 == house.starts("vrrp").count(Start.RELEASE)
        house.advance(20)
        assert house.all_running()

    def test_a_release_that_dies_is_tried_again_but_not_for_ever(self) -> None:
        house = House().start()
        for _ in range(3):
            house.die("vrrp").advance(2.1)
        house.mute = {"vrrp"}
        house.die("vrrp")
        for _ in range(3):
            house.die("vrrp")
        assert 3 == house.starts("vrrp").count(Start.RELEASE)
        assert "vrrp" not in house.kids

    def test_other_children_never_release(self) -> None:
        house = House().start()
        for _ in range(8):
            house.die("ipvs").advance(65, step=10)
        assert Start.RELEASE not in house.starts("ipvs")


class TestRetelling:
    def test_a_restarted_child_is_told_the_newest_of_each_key(self) -> None:
        house = House().start()
        house.say("checker", check_state(up=False), key="web/tic#0")
        house.say("checker", check_state(up=True), key="web/tic#0")
        house.say("ipvs", FirstRound(open=False))
        house.die("ipvs").advance(0.001)
        told = house.told("ipvs")
        assert pack(check_state(up=True)).body == told["services.check", "web/tic#0"]
        assert ("services.round", "") not in told

    def test_a_key_that_is_gone_is_not_told(self) -> None:
        house = House().start()
        house.say("checker", check_state(), key="web/tic#0")
        house.give(ev.FrameReceived(name="checker", frame=Frame("services.check", "web/tic#0")))
        house.die("ipvs").advance(0.001)
        assert ("services.check", "web/tic#0") not in house.told("ipvs")

    def test_a_restarted_child_is_told_what_it_told_itself(self) -> None:
        house = House().start()
        house.say("checker", check_state(), key="web/tic#0")
        house.die("checker").advance(0.001)
        assert ("services.check", "web/tic#0") in house.told("checker")

    def test_state_is_told_before_the_configuration(self) -> None:
        house = House().start()
        house.say("checker", check_state(), key="web/tic#0")
        house.die("ipvs").advance(0.001)
        topics = [frame.topic for frame in house.kids["ipvs"].received]
        assert topics.index("services.check") < topics.index("control.prepare")

    def test_events_wait_for_a_child_that_is_away(self) -> None:
        house = House().start()
        house.die("notify")
        event = Notice(
            sequence=1, kind="up", subject_type="real_server", subject="web/tic", old="", new="UP", reason="",
            priority=0, monotonic=1,
        )  # fmt: skip
        house.say("ipvs", event, sequence=1)
        house.advance(0.001)
        assert event in house.sent("notify", Notice)

    def test_api_knows_how_every_child_is(self) -> None:
        house = House().start()
        house.die("api").advance(0.001)
        states = {state.name: (state.state, state.user) for state in house.sent("api", control.ChildState)}
        assert dict.fromkeys(ALL, ("running", "stayalived")) == states


class TestReload:
    def test_all_commit_or_none(self) -> None:
        house = House().start()
        house.refusing = {"checker"}
        house.reload()
        assert all([1] == [commit.generation for commit in kid.commits] for kid in house.kids.values())
        assert [control.Abort(generation=2)] == house.sent("vrrp", control.Abort)
        assert len(house.blobs) == 1

    def test_a_good_one_reaches_everybody_as_a_reload(self) -> None:
        house = House().start()
        house.reload()
        last = {(kid.commits[-1].generation, kid.commits[-1].start) for kid in house.kids.values()}
        assert {(2, Start.RELOAD)} == last
        assert len(house.blobs) == 1

    def test_files_that_mean_what_is_in_force_are_a_reload_without_another_configuration(self) -> None:
        house = House().start()
        before = set(house.blobs)
        house.unchanged = True
        house.reload()
        house.reload()
        last = {(kid.commits[-1].generation, kid.commits[-1].start) for kid in house.kids.values()}
        assert {(3, Start.RELOAD)} == last
        assert before == house.blobs

    def test_a_child_that_refuses_what_is_in_force_takes_it_from_nobody(self) -> None:
        house = House().start()
        before = set(house.blobs)
        house.unchanged, house.refusing = True, {"ipvs"}
        house.reload()
        assert before == house.blobs

    def test_systemd_is_told_both_ends_of_it(self) -> None:
        house = House().start()
        house.reload()
        assert f"RELOADING=1\nMONOTONIC_USEC={house.now // 1000}" == house.systemd[1]
        assert house.systemd[2].startswith("READY=1")

    def test_a_broken_file_changes_nothing_and_is_reported(self) -> None:
        house = House().start()
        before = {name: kid.pid for name, kid in house.kids.items()}
        house.reload(problems=(WRONG,))
        assert before == {name: kid.pid for name, kid in house.kids.items()}
        assert [] == house.sent("vrrp", control.Prepare)[1:]
        assert f"configuration refused: {WRONG}" in house.reports

    def test_silence_is_a_refusal(self) -> None:
        house = House().start()
        house.mute = {"checker"}
        house.reload()
        house.mute = set()
        house.advance(10.2)
        assert [control.Abort(generation=2)] == house.sent("vrrp", control.Abort)

    def test_ten_hups_end_in_the_last(self) -> None:
        house = House().start()
        house.mute = {"config"}
        house.reload()
        for _ in range(9):
            house.give(ev.SignalReceived(order=ev.Order.RELOAD))
        house.mute = set()
        house.needs = needs(objects=77)
        house.die("config")
        assert 3 == sum(name == "config" for name, _ in house.forks)
        assert ev.AllowKeys(keys=77) in house.effects

    def test_who_asked_is_answered_when_it_is_over(self) -> None:
        house = House().start()
        house.say("api", control.Request(identifier=5, verb="reload"))
        reply = house.sent("api", control.Reply)[0]
        assert (5, True, 2) == (reply.identifier, reply.accepted, reply.generation)

    def test_who_asked_is_given_the_problems(self) -> None:
        house = House().start()
        house.problems = (HINT, WRONG)
        house.say("api", control.Request(identifier=6, verb="reload"))
        reply = house.sent("api", control.Reply)[0]
        assert (6, False, (WRONG, HINT)) == (reply.identifier, reply.accepted, reply.problems)

    def test_a_key_that_needs_a_restart_is_refused(self) -> None:
        house = House(needs(start_only=("global.run_dir=/run/a",))).start()
        house.reload(needs(start_only=("global.run_dir=/run/b",)))
        assert any("cannot change without a restart" in line for line in house.reports)
        assert all(1 == len(kid.commits) for kid in house.kids.values())

    def test_many_removals_want_force(self) -> None:
        many = tuple(f"virtual_server v{number}" for number in range(30))
        house = House(needs(removable=removable(*many))).start()
        house.reload(needs(removable=removable(*many[:14])))
        assert 1 == len(house.kids["ipvs"].commits)
        house.say("api", control.Request(identifier=1, verb="reload", force=True))
        assert 2 == len(house.kids["ipvs"].commits)

    def test_a_child_that_is_needed_now_is_started_first(self) -> None:
        house = House(needs(("log", "api"))).start()
        house.reload(needs(("log", "api", "vrrp")))
        assert [control.Commit(generation=2, start=Start.FIRST)] == house.kids["vrrp"].commits

    def test_log_is_replaced_when_there_are_new_pairs(self) -> None:
        house = House(needs(("log", "api"))).start()
        house.reload(needs(("log", "api", "vrrp")))
        assert 2 == len(house.starts("log"))
        assert house.all_running()

    def test_a_child_that_is_not_needed_any_more_is_stopped_and_forgotten(self) -> None:
        house = House(needs((*ALL, "checker/acme"))).start()
        house.say("checker/acme", check_state("web/tac"), key="web/tac#0")
        house.reload(needs(ALL))
        assert "checker/acme" not in house.states()
        assert b"" == house.told("ipvs")["services.check", "web/tac#0"]

    def test_a_new_child_that_refuses_goes_again(self) -> None:
        house = House(needs(("log", "api"))).start()
        house.refusing = {"vrrp"}
        house.reload(needs(("log", "api", "vrrp")))
        assert {"log", "api"} == set(house.kids)
        assert 1 == len(house.kids["api"].commits)

    def test_another_version_of_a_distribution_replaces_its_processes_alone(self) -> None:
        names = (*ALL, "checker/acme", "checker/other")
        house = House(needs(names, plugins=("acme 1", "other 1"))).start()
        pids = {name: kid.pid for name, kid in house.kids.items()}
        house.reload(needs(names, plugins=("acme 2", "other 1")))
        changed = {name for name, kid in house.kids.items() if kid.pid != pids[name]}
        assert {"checker/acme"} == changed
        assert house.all_running()

    def test_a_participant_that_dies_makes_it_a_refusal(self) -> None:
        house = House().start()
        house.mute = {"ipvs"}
        house.reload()
        house.mute = set()
        house.die("ipvs").advance(0.001)
        assert [control.Abort(generation=2)] == house.sent("vrrp", control.Abort)
        assert [control.Commit(generation=1, start=Start.RESPAWNED)] == house.kids["ipvs"].commits

    def test_one_that_a_third_party_keeps_from_answering_is_replaced_and_not_waited_for(self) -> None:
        house = House(needs((*ALL, "checker/acme"))).start()
        house.mute = {"checker/acme"}
        house.reload()
        house.advance(3.2)
        assert ev.Kill(name="checker/acme") in house.effects
        assert [1, 2] == [commit.generation for commit in house.kids["vrrp"].commits]
        house.mute = set()
        house.die("checker/acme").advance(1.1)
        assert [control.Commit(generation=2, start=Start.RESPAWNED)] == house.kids["checker/acme"].commits
        assert house.all_running()

    def test_a_third_party_whose_process_dies_does_not_make_it_a_refusal(self) -> None:
        house = House(needs((*ALL, "notify/acme"))).start()
        house.mute = {"notify/acme"}
        house.reload()
        house.mute = set()
        house.die("notify/acme").advance(0.001)
        assert [1, 2] == [commit.generation for commit in house.kids["vrrp"].commits]
        assert [2] == [commit.generation for commit in house.kids["notify/acme"].commits]

    def test_one_that_dies_after_its_answer_comes_back_with_what_is_in_force(self) -> None:
        house = House().start()
        house.mute = {"ipvs"}
        house.reload()
        house.mute = set()
        house.die("checker").advance(0.001)  # it has answered already, and gets the old one first
        house.say("ipvs", control.Prepared(generation=2))
        assert [1, 2] == [commit.generation for commit in house.kids["checker"].commits]

    def test_a_child_in_back_off_does_not_stand_in_the_way(self) -> None:
        house = House().start()
        house.die("checker").advance(0.001)
        house.die("checker")
        house.reload()
        assert [1, 2] == [commit.generation for commit in house.kids["vrrp"].commits]
        house.advance(1.1)
        assert [2] == [commit.generation for commit in house.kids["checker"].commits]

    def test_an_answer_to_a_withdrawn_question_is_ignored(self) -> None:
        house = House().start()
        house.mute = {"ipvs"}
        house.refusing = {"checker"}
        house.reload()
        house.say("ipvs", control.Prepared(generation=2))
        assert [1] == [commit.generation for commit in house.kids["ipvs"].commits]


class TestStop:
    def test_vrrp_goes_first_and_log_last(self) -> None:
        house = House().start()
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        stops = [
            effect.name
            for effect in house.effects
            if isinstance(effect, ev.Send) and effect.frame.topic == "control.stop"
        ]
        assert "vrrp" == stops[0]
        assert "log" == stops[-1]
        assert (0, {}) == (house.exit_code, house.kids)

    def test_systemd_is_told(self) -> None:
        house = House().start()
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        assert "STOPPING=1" in house.systemd[-1]

    def test_one_that_does_not_stop_is_killed_after_child_wait_time(self) -> None:
        house = House().start()
        house.mute = {"notify"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.advance(2.5)
        assert ev.Kill(name="notify") not in house.effects
        house.advance(3)
        assert ev.Kill(name="notify") in house.effects
        assert 0 == house.exit_code

    def test_a_checker_that_does_not_stop_leaves_time_for_the_scripts(self) -> None:
        house = House(needs((*ALL, "checker/acme"))).start()
        house.mute = {"checker/acme", "notify"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.advance(2.1)
        assert ev.Kill(name="checker/acme") in house.effects
        assert house.sent("notify", control.Stop)
        house.advance(2)
        assert ev.Kill(name="notify") not in house.effects

    def test_every_stage_has_a_second_though_one_before_used_up_the_time(self) -> None:
        house = House().start()
        house.clinging = {"vrrp", "notify", "api"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        killed = {}
        while house.exit_code is None:
            house.advance(0.1, step=0.1)
            for effect in house.effects:
                if isinstance(effect, ev.Kill):
                    killed.setdefault(effect.name, round(in_seconds(elapsed(Instant(1_000_000_000), house.now)), 1))
        assert {"vrrp": 5.0, "notify": 6.0, "api": 7.0} == killed
        assert house.engine.deadline is None

    def test_a_release_that_hangs_is_killed_as_well_and_the_rest_stops_in_order(self) -> None:
        house = House().start()
        house.die("vrrp").advance(0.001)
        house.die("vrrp")
        house.mute = {"vrrp"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.advance(8, step=0.25)
        assert (0, {}) == (house.exit_code, house.kids)
        assert {"vrrp"} == {effect.name for effect in house.effects if isinstance(effect, ev.Kill)}

    def happen(self, house: House, number: int) -> None:
        house.give(ev.FrameReceived(name="vrrp", frame=Frame("event", "", b"1", "", number)))

    def test_a_notify_that_is_not_there_at_the_stop_is_started_for_what_it_has_to_tell(self) -> None:
        house = House().start().die("notify").advance(0.1).die("notify")
        assert State.BACKOFF == house.states()["notify"]
        self.happen(house, 1)
        house.mute = {"notify"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.mute = set()
        kid = house.kids["notify"]
        house.say("notify", control.Hello(pid=kid.pid))
        assert [1] == [frame.sequence for frame in kid.received if frame.peer == "vrrp"]
        assert [control.Stop(leave=False)] == [unpack(f) for f in kid.received if f.topic == "control.stop"]
        assert 0 == house.exit_code
        assert "the daemon stops; events that notify has not told: " in " ".join(house.reports)

    def test_one_that_then_does_not_come_costs_its_time_and_no_more(self) -> None:
        house = House().start().die("notify").advance(0.1).die("notify")
        self.happen(house, 1)
        house.mute = {"notify"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.advance(7)
        assert 0 == house.exit_code
        assert 1 == len([effect for effect in house.effects if effect == ev.Kill(name="notify")])

    def test_nobody_is_started_again(self) -> None:
        house = House().start()
        forks = len(house.forks)
        house.mute = {"notify"}
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        house.die("notify")
        assert (forks, 0) == (len(house.forks), house.exit_code)

    def test_addresses_are_released_even_if_vrrp_is_away(self) -> None:
        house = House().start()
        house.die("vrrp").advance(0.001)
        house.die("vrrp")  # 1 s of back-off, the addresses are still there
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        assert Start.RELEASE is house.starts("vrrp")[-1]
        assert 0 == house.exit_code

    def test_leave_reaches_the_children(self) -> None:
        house = House().start()
        house.mute = {"ipvs"}
        house.say("api", control.Request(identifier=1, verb="stop", leave=True))
        assert [control.Stop(leave=True)] == house.sent("ipvs", control.Stop)

    def test_it_ends_while_the_configuration_is_still_being_read(self) -> None:
        house = House()
        house.mute = {"config"}
        house.start()
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        assert (0, {}) == (house.exit_code, house.kids)

    def test_a_reload_that_was_asked_for_is_answered(self) -> None:
        house = House().start()
        house.mute = {"config", "api"}
        house.say("api", control.Request(identifier=9, verb="reload"))
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        assert [9] == [reply.identifier for reply in house.sent("api", control.Reply)]

    def test_nothing_is_left_open(self) -> None:
        house = House().start()
        house.reload()
        house.give(ev.SignalReceived(order=ev.Order.STOP))
        assert house.engine.deadline is None


class TestHostileChildren:
    def test_a_topic_that_is_not_for_the_sender_is_dropped(self) -> None:
        house = House().start()
        house.say("checker", FirstRound(open=False))
        assert ("services.round", "") not in house.told("vrrp")
        assert any("topic not allowed" in line for line in house.reports)

    def test_the_sender_is_stamped_by_the_supervisor(self) -> None:
        house = House().start()
        house.say("checker", check_state(), key="k", peer="ipvs")
        frame = next(frame for frame in house.kids["ipvs"].received if frame.topic == "services.check")
        assert "checker" == frame.peer

    def test_only_api_may_ask(self) -> None:
        house = House().start()
        house.say("notify", control.Request(identifier=1, verb="stop"))
        assert house.all_running()

    def test_an_unknown_verb_is_answered(self) -> None:
        house = House().start()
        house.say("api", control.Request(identifier=1, verb="dance"))
        assert not house.sent("api", control.Reply)[0].accepted

    def test_control_frames_out_of_turn_change_nothing(self) -> None:
        house = House().start()
        before = house.states()
        for message in (
            control.Hello(pid=1),
            control.Prepared(generation=1),
            control.Prepared(generation=99),
            control.Refused(generation=1, problems=()),
            control.Parsed(generation=1, problems=(), needs=None),
        ):
            house.say("notify", message)
        assert before == house.states()

    def test_bodies_that_are_none_are_counted(self) -> None:
        house = House().start()
        for body in (b"", b"\xc1", b"\x91\xa1x"):
            house.give(ev.FrameReceived(name="notify", frame=Frame("control.hello", "", body)))
        house.give(ev.BadFrames(name="notify", count=3))
        assert house.all_running()
        assert any("not a frame" in line for line in house.reports)

    def test_one_that_invents_keys_harms_only_itself(self) -> None:
        house = House().start()
        for number in range(1100):
            house.say("checker", check_state(), key=f"invented{number}")
        house.say("ipvs", FirstRound(open=True))
        assert any("more keys than are configured" in line for line in house.reports)
        assert ("services.round", "") in house.told("vrrp")

    def test_a_blob_that_nobody_asked_for_is_closed(self) -> None:
        house = House().start()
        house.blobs.add(99)
        house.give(ev.FrameReceived(name="checker", frame=pack(control.Alive()), blob=99))
        assert 99 not in house.blobs


def test_the_watchdog_is_fed() -> None:
    house = House(watchdog=milliseconds(500)).start()
    house.advance(2.6)
    assert 5 == house.systemd.count("WATCHDOG=1")


def test_the_status_goes_to_the_log() -> None:
    house = House().start()
    house.give(ev.SignalReceived(order=ev.Order.STATUS))
    assert any(line.startswith("status: vrrp: running for") for line in house.reports)


def test_the_status_counts_without_a_word_for_one_and_another_for_many() -> None:
    house = House().start()
    house.say("checker", FirstRound(open=False))
    house.give(ev.SignalReceived(order=ev.Order.STATUS))
    assert "status: dropped frames of checker: 1, topic not allowed for this sender" in house.reports
    assert any(line.startswith("status: keys remembered: ") for line in house.reports)
