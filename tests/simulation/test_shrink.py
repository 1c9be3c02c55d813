"""Storms, and the shortest of them that still fails."""

from collections.abc import Callable
from random import Random

import pytest

from stayalived.simulation.__main__ import main
from stayalived.simulation.describe import describe
from stayalived.simulation.faults import AIMS, Fault, Phase
from stayalived.simulation.scenario import Outcome, draw_seed, run
from stayalived.simulation.shrink import TRIALS, kind_of, shrink
from stayalived.simulation.weather import Storm, Stroke, draw_storm
from stayalived.timing import Duration, seconds

AIM = (Fault.LOSS, Phase.MASTER)
GUILTY = (Fault.FROZEN, Fault.RELOAD)


def storm(*faults: Fault) -> Storm:
    strokes = tuple(
        Stroke(number=number, at=seconds(number), fault=fault, machine=0, lasts=seconds(4))
        for number, fault in enumerate(faults)
    )
    return Storm(begins=seconds(5), length=seconds(16), strokes=strokes, aim=AIM, lasts=seconds(1))


def outcome(of: Storm, failure: str = "Violation: one master: site: none") -> Outcome:
    return Outcome(seed=1, storm=of, digest="", happened=1, failure=failure)


def fails_with(*guilty: Fault, tried: list[Storm]) -> Callable[[Storm], Outcome]:
    """Return a trial in which a storm fails when these faults are in it."""

    def trial(candidate: Storm) -> Outcome:
        tried.append(candidate)
        found = {stroke.fault for stroke in candidate.strokes}
        return outcome(candidate) if set(guilty) <= found else outcome(candidate, "")

    return trial


def test_the_faults_that_are_not_to_blame_are_left_out() -> None:
    tried: list[Storm] = []
    faults = (Fault.LOSS, Fault.FROZEN, Fault.DELAY, Fault.MUTE, Fault.RELOAD, Fault.DEAF, Fault.NOISE)

    shortest = shrink(outcome(storm(*faults)), fails_with(*GUILTY, tried=tried))

    assert [stroke.fault for stroke in shortest.storm.strokes] == list(GUILTY)
    assert shortest.storm.aim is None
    assert shortest.storm.length < seconds(16)
    assert len(tried) <= TRIALS


def test_another_failure_is_not_the_same() -> None:
    other = "Violation: goodbye: r0: a/4 went without a word"

    shortest = shrink(outcome(storm(Fault.LOSS)), lambda candidate: outcome(candidate, other))

    assert shortest.storm == storm(Fault.LOSS)
    assert kind_of(shortest) != kind_of(outcome(storm(), other))


def test_strokes_do_not_depend_on_each_other() -> None:
    seed = next(seed for seed in range(200) if len(draw_seed(seed)[1].strokes) == 2)
    _, drawn = draw_seed(seed)
    alone = Storm(begins=drawn.begins, length=drawn.length, strokes=drawn.strokes[:1], aim=None, lasts=Duration(1))

    assert run(seed, alone).storm == alone
    assert run(seed).storm == drawn


def test_every_pair_of_fault_and_phase_is_aimed_at() -> None:
    aimed = [draw_seed(seed)[1].aim for seed in range(len(AIMS))]

    assert aimed == list(AIMS)
    assert {(fault, phase) for fault in Fault for phase in Phase} == set(AIMS)


def test_a_storm_is_told_in_its_order() -> None:
    drawn = draw_storm(Random(5), 3, AIM, seconds(4))

    lines = str(drawn).splitlines()

    assert lines[0].startswith("storm from ")
    assert lines[1].strip() == "loss at the first machine in MASTER"
    assert len(lines) == 2 + len(drawn.strokes)


def test_a_cluster_is_told_in_words() -> None:
    for seed in range(40):
        drawn, _ = draw_seed(seed)
        lines = describe(drawn).splitlines()

        assert lines[0].startswith("machines r0")
        assert lines[1].startswith("instance ")


def test_the_command_replays_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["3", "5"]) == 0

    assert [line.split(",")[-1] for line in capsys.readouterr().out.splitlines()] == [" ok", " ok"]


def test_the_command_hunts_silently(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["10", "--hunt", "3"]) == 0

    assert capsys.readouterr().out == ""


def test_the_command_shows_the_shortest_schedule_of_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stayalived.vrrp.voice.Voice.say_goodbye", lambda _: None)

    assert main(["0", "--shrink", "--hunt", "200"]) == 1

    told = capsys.readouterr().out
    assert "the shortest schedule of seed" in told
    assert "FAILED: Violation: " in told
