"""Drains and weights by command: how they reach ipvs, and the file in which they outlive the daemon."""

import json
from pathlib import Path

import pytest

from stayalived.messages.control import Reply, Request
from stayalived.messages.services import Override
from stayalived.supervisor import events as ev
from stayalived.supervisor import keeping, wishes
from stayalived.timing import seconds
from unit.supervisor.house import House, needs

TIC = "web/tic"


def house() -> House:
    return House(needs(state_dir="/var/lib/x")).start()


def ask(house: House, verb: str, *, server: str = TIC, **more: int) -> Reply:
    house.say("api", Request(identifier=7, verb=verb, server=server, **more))
    return house.sent("api", Reply)[-1]


def kept(house: House) -> list[dict[str, object]]:
    """What the file holds now."""
    written = [effect.data for effect in house.effects if isinstance(effect, ev.KeepWishes)]
    return json.loads(written[-1])


def test_a_drain_reaches_ipvs_as_a_level_with_its_deadline_and_is_kept() -> None:
    home = house()

    reply = ask(home, "drain", duration=seconds(60))

    deadline = home.now + seconds(60)
    assert reply.accepted
    assert "draining web/tic: weight 0, and out of its pool" in reply.text
    expected = Override(server=TIC, source="command", mode="drain", value=0, deadline=deadline)
    assert [expected] == home.sent("ipvs", Override)
    assert [{"server": TIC, "mode": "drain", "value": 0.0, "until": 0, "deadline": deadline}] == kept(home)


def test_a_drain_and_a_weight_are_two_levels_and_each_is_undone_by_itself() -> None:
    home = house()
    ask(home, "weight", weight=5)
    ask(home, "drain")

    assert ask(home, "undrain").accepted
    assert [("set", 5)] == [(level["mode"], level["value"]) for level in kept(home)]
    assert ask(home, "weight").accepted

    assert [] == kept(home)
    bodies = home.told("ipvs")
    assert (b"", b"") == tuple(bodies["services.override", f"{TIC} command{end}"] for end in ("", " drain"))


@pytest.mark.parametrize("verb", ["undrain", "weight"])
def test_what_was_not_done_cannot_be_undone(verb: str) -> None:
    reply = ask(house(), verb)

    assert not reply.accepted
    assert reply.text.endswith("there is nothing to undo")


def test_a_new_ipvs_is_told_again() -> None:
    home = house()
    ask(home, "weight", weight=5)

    home.die("ipvs")
    home.advance(5)

    assert [5] == [level.value for level in home.sent("ipvs", Override)]


def test_what_is_over_is_withdrawn_at_the_next_command() -> None:
    home = house()
    ask(home, "weight", weight=5, duration=seconds(10))

    home.advance(11)
    ask(home, "drain", server="web/tac")

    assert ["web/tac"] == [level["server"] for level in kept(home)]


def test_a_new_daemon_reads_the_file_before_it_starts_ipvs() -> None:
    home = house()

    kinds = [type(effect) for effect in home.effects]
    before = home.effects[: kinds.index(ev.ReadWishes)]
    assert ["config"] == [effect.name for effect in before if isinstance(effect, ev.Fork)]
    assert ev.ReadWishes(folder="/var/lib/x") in home.effects


def test_what_the_file_holds_is_in_force_again() -> None:
    home = house()
    stored = [{"server": TIC, "mode": "drain"}, {"server": "web/tac", "mode": "set", "value": 5, "until": 1}]

    home.give(ev.WishesRead(data=json.dumps(stored).encode()))

    assert [Override(server=TIC, source="command", mode="drain", value=0)] == home.sent("ipvs", Override)
    assert "1 drains and weights by command are in force again" in home.reports
    assert ask(home, "undrain").accepted


@pytest.mark.parametrize(
    "answer",
    [
        ev.WishesRead(problem="/var/lib/x/weights.json: Permission denied"),
        ev.WishesRead(data=b"{"),
        ev.WishesRead(data=b"\xff"),
        ev.WishesRead(data=b'[{"server": 7}]'),
    ],
)
def test_a_file_that_is_bad_is_said_and_the_start_goes_on(answer: ev.WishesRead) -> None:
    home = house()

    home.give(answer)

    assert home.all_running()
    assert [True] == [text.startswith("drains and weights of before are lost: ") for text in home.reports[-1:]]


def test_there_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "MAX_WISHES", 2)
    home = house()
    for name in ("a", "b"):
        assert ask(home, "drain", server=f"web/{name}").accepted

    assert not ask(home, "drain", server="web/c").accepted
    assert ask(home, "drain", server="web/a").accepted


def test_the_file_is_there_again_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "by" / "us"

    assert ev.WishesRead() == keeping.read(folder)
    keeping.write(folder, b"[]")
    keeping.write(folder, b"[1]")

    assert ev.WishesRead(data=b"[1]") == keeping.read(folder)
    assert ["weights.json"] == [path.name for path in folder.iterdir()]


def test_a_file_that_cannot_be_read_is_a_problem_with_its_path(tmp_path: Path) -> None:
    (tmp_path / keeping.NAME).mkdir()

    assert f"{tmp_path}/weights.json: Is a directory" == keeping.read(tmp_path).problem


def test_a_file_that_is_too_long_is_not_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 3)
    (tmp_path / keeping.NAME).write_bytes(b"[  ]")

    assert "longer than 3 bytes" in keeping.read(tmp_path).problem
