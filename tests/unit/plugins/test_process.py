from pathlib import Path
from typing import Any

import msgspec
import pytest

from stayalived.addresses import NOWHERE
from stayalived.plugin import LocalFailure, Verdict
from stayalived.plugin.testing import run_check, target_for
from stayalived_plugins.checks import process, processes
from stayalived_plugins.checks.process import ProcessCheck
from stayalived_plugins.checks.processes import FRESH_FOR, Census


class Proc:
    """A folder like /proc, and a clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now = 1000.0
        self.looks = 0
        self.census = Census(str(folder))
        monkeypatch.setattr(process, "CENSUS", self.census)
        monkeypatch.setattr(processes, "time", self)
        (folder / "self").mkdir()
        self.start(1, "systemd", "/sbin/init")

    def monotonic(self) -> float:
        self.looks += 1
        return self.now

    def start(self, number: int, name: str, *line: str, state: str = "S") -> None:
        folder = self.folder / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "stat").write_text(f"{number} ({name}) {state} 1 1 1 0 -1 4194560 1 2\n")
        (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in line))

    def end(self, number: int) -> None:
        for name in ("stat", "cmdline"):
            (self.folder / str(number) / name).unlink()
        (self.folder / str(number)).rmdir()


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proc:
    return Proc(tmp_path, monkeypatch)


def check_of(what: str | list[str], **options: Any) -> ProcessCheck:
    return ProcessCheck(msgspec.convert({"process": what, **options}, ProcessCheck.Options))


async def verdict(what: str | list[str], **options: Any) -> Verdict:
    return await run_check(check_of(what, **options), target_for(NOWHERE))


async def test_a_process_of_the_name_is_enough(proc: Proc) -> None:
    proc.start(20, "nginx", "nginx: master process /usr/sbin/nginx")

    assert await verdict("nginx") == Verdict.passed("processes", "1 running")
    assert str(await verdict("haproxy")) == "processes: 0 running, expected at least 1"


async def test_names_are_compared_whole(proc: Proc) -> None:
    proc.start(20, "nginx-debug", "/usr/sbin/nginx-debug")

    assert not (await verdict("nginx")).up


async def test_a_name_may_hold_brackets_and_blanks(proc: Proc) -> None:
    proc.start(20, "a) S (b", "/x")

    assert (await verdict("a) S (b")).up


@pytest.mark.parametrize("state", ["Z", "X"])
async def test_the_dead_do_not_count(proc: Proc, state: str) -> None:
    proc.start(20, "nginx", state=state)

    assert not (await verdict("nginx")).up


@pytest.mark.parametrize(
    ("options", "up", "expected"),
    [
        ({"quorum": 3}, True, ""),
        ({"quorum": 4}, False, "at least 4"),
        ({"quorum_max": 3}, True, ""),
        ({"quorum_max": 2}, False, "1 to 2"),
        ({"quorum": 2, "quorum_max": 2}, False, "2"),
        ({"quorum_max": 0}, False, "0"),
    ],
)
async def test_there_must_be_enough_and_not_too_many(
    proc: Proc, options: dict[str, int], up: bool, expected: str
) -> None:
    for number in (20, 21, 22):
        proc.start(number, "worker", "/usr/bin/worker")

    found = await verdict("worker", **options)

    assert (found.up, found.seen, found.expected) == (up, "3 running", expected)


async def test_quorum_max_0_means_that_none_may_run(proc: Proc) -> None:
    assert (await verdict("worker", quorum_max=0)).up


LINE = ("/usr/bin/python3", "-m", "http.server", "8080")


@pytest.mark.parametrize(
    ("what", "options", "up"),
    [
        (list(LINE), {}, True),
        (list(LINE[:3]), {}, False),
        (list(LINE[:3]), {"param_match": "partial"}, True),
        ([*LINE[:2], "http"], {"param_match": "partial"}, False),
        ([*LINE[:2], "http"], {"param_match": "initial"}, True),
        ([*LINE[:2], "ftp"], {"param_match": "initial"}, False),
        ([*LINE, "x"], {"param_match": "initial"}, False),
        ("/usr/bin/python3", {"full_command": True}, True),
        ("/usr/bin/python", {"full_command": True}, False),
        ("python3", {"full_command": True}, False),
        ("/usr/bin/python3", {"param_match": "exact"}, False),
        ("python3", {}, True),
    ],
)
async def test_parameters_are_compared_with_the_command_as_it_was_started(
    proc: Proc, what: str | list[str], options: dict[str, Any], up: bool
) -> None:
    proc.start(20, "python3", *LINE)

    assert (await verdict(what, **options)).up is up


async def test_exact_without_parameters_means_that_there_are_none(proc: Proc) -> None:
    proc.start(20, "daemon", "/usr/sbin/daemon")

    assert (await verdict("/usr/sbin/daemon", param_match="exact")).up


async def test_one_look_serves_all_who_ask_within_a_moment(proc: Proc) -> None:
    assert not (await verdict("late")).up
    proc.start(20, "late", "/late")
    proc.now += FRESH_FOR
    assert not (await verdict("late")).up
    assert (await verdict("/late", full_command=True)).up, "lines are read when they are asked for first"
    proc.now += 0.001
    assert (await verdict("late")).up


async def test_a_process_that_ends_during_the_look_does_not_count(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.start(20, "brief", "/brief")
    numbers = Census._numbers

    def end_one(census: Census) -> list[str]:
        found = list(numbers(census))
        if "20" in found:
            proc.end(20)
        return found

    monkeypatch.setattr(Census, "_numbers", end_one)

    assert not (await verdict("brief")).up


async def test_a_proc_that_hides_others_is_no_verdict_and_says_what_to_do(proc: Proc) -> None:
    proc.end(1)
    proc.start(77, "checker", "/checker")

    with pytest.raises(OSError, match="take ProtectProc=invisible out of"):
        await verdict("nginx")
    with pytest.raises(LocalFailure):
        proc.census.lines()


def test_the_real_proc_knows_the_process_that_asks() -> None:
    name = Path("/proc/self/comm").read_bytes().rstrip(b"\n")
    census = Census()

    assert census.names()[name] >= 1
    assert census.lines()[Path("/proc/self/cmdline").read_bytes()] >= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "process"),
        ({"process": ""}, "a name, or a command"),
        ({"process": []}, "a name, or a command"),
        ({"process": ["", "x"]}, "a name, or a command"),
        ({"process": "a\0b"}, "a name, or a command"),
        ({"process": "a-name-of-sixteen"}, "names have at most 15 bytes"),
        ({"process": "x", "quorum": 0}, "quorum must be from 1 to 65535"),
        ({"process": "x", "quorum": 70_000}, "quorum must be"),
        ({"process": "x", "quorum": 3, "quorum_max": 2}, r"quorum_max must be 0, or from the quorum \(3\)"),
        ({"process": "x", "quorum_max": -1}, "quorum_max must be"),
        ({"process": "x", "param_match": "some"}, "param_match"),
    ],
)
def test_options_that_could_never_work_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(options, ProcessCheck.Options)


def test_a_long_path_is_no_name() -> None:
    assert check_of("/usr/lib/postgresql/15/bin/postgres", full_command=True).options.full_command
