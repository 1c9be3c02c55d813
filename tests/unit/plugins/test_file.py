import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stayalived.addresses import NOWHERE
from stayalived.plugin import Check, Verdict
from stayalived.plugin.testing import ScriptedServer, Silence, run_check, run_probe, serve, target_for
from stayalived_plugins.checks.file import HIGHEST, LOWEST, FileCheck
from stayalived_plugins.checks.tcp import TcpCheck


def check_of(path: Path) -> FileCheck:
    return FileCheck(FileCheck.Options(file=str(path)))


async def verdict(path: Path) -> Verdict:
    return await run_check(check_of(path), target_for(NOWHERE))


@pytest.mark.parametrize(
    ("content", "value", "seen"),
    [
        ("5\n", 5, "5"),
        ("-12", -12, "-12"),
        ("+3", 3, "3"),
        ("  7  \n", 7, "7"),
        ("42\n# set by the deployment\n", 42, "42"),
        ("0", 0, "0"),
        ("", 0, "0, for it is empty"),
        ("\n5\n", 0, "0, for it is empty"),
        ("five", 0, "0, for 'five' is no number"),
        ("5 6", 0, "0, for '5 6' is no number"),
        ("1.5", 0, "0, for '1.5' is no number"),
        ("0x10", 0, "0, for '0x10' is no number"),
        ("\x1b[2J", 0, "0, for '?[2J' is no number"),
        ("9" * 19, HIGHEST, f"{HIGHEST}, for {'9' * 19} is beyond it"),
        ("-3000000000", LOWEST, f"{LOWEST}, for -3000000000 is beyond it"),
    ],
)
async def test_the_first_line_is_the_value(tmp_path: Path, content: str, value: int, seen: str) -> None:
    path = tmp_path / "weight"
    path.write_text(content)

    found = await verdict(path)

    assert (found.up, found.value, str(found)) == (True, value, f"value: {seen}")


async def test_a_number_that_goes_on_beyond_what_is_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "weight").write_text("1" * 100_000)

    assert (await verdict(tmp_path / "weight")).value == 0


async def test_bytes_that_are_no_text_are_no_number(tmp_path: Path) -> None:
    (tmp_path / "weight").write_bytes(b"\xff\xfe5")

    found = await verdict(tmp_path / "weight")

    assert (found.value, "is no number" in found.seen) == (0, True)


@pytest.mark.parametrize("name", ["missing", "no-folder/weight", "plain/weight"])
async def test_a_file_that_is_missing_is_0(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").write_text("5")

    found = await verdict(tmp_path / name)

    assert (found.up, found.value, found.seen) == (True, 0, "0, for there is no such file")


async def test_what_is_no_file_is_no_verdict_and_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OSError, match=f"{path} is no regular file; name one"):
            await verdict(path)


async def test_a_file_that_may_not_be_read_is_no_verdict_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(OSError, match="weight: Permission denied; let the user of the checks read it"):
        await verdict(tmp_path / "weight")


async def test_a_file_that_cannot_be_read_to_its_end_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    (tmp_path / "weight").write_text("5")
    monkeypatch.setattr(os, "read", fail)

    with pytest.raises(OSError, match="weight: Input/output error"):
        await verdict(tmp_path / "weight")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "weight").write_text("5")
    before = descriptors()

    for path in (tmp_path / "weight", tmp_path, tmp_path / "missing"):
        try:
            await verdict(path)
        except OSError as error:
            assert "no regular file" in str(error)  # noqa: PT017  (of the folder alone)

    assert descriptors() == before


async def test_a_coroutine_gets_the_same_verdict(tmp_path: Path) -> None:
    (tmp_path / "weight").write_text("5")

    assert (await run_probe(check_of(tmp_path / "weight"), target_for(NOWHERE))).value == 5


async def test_it_costs_no_more_than_a_tcp_check(tmp_path: Path) -> None:
    async def calls(check: Check, server: ScriptedServer) -> int:
        count = 0

        def profile(*_: object) -> None:
            nonlocal count
            count += 1

        target = target_for(server.endpoint)
        await run_check(check, target)
        sys.setprofile(profile)
        try:
            await run_check(check, target)
        finally:
            sys.setprofile(None)
        return count

    (tmp_path / "weight").write_text("5")
    async with serve(Silence()) as server:
        file, tcp = (
            await calls(check_of(tmp_path / "weight"), server),
            await calls(TcpCheck(TcpCheck.Options()), server),
        )

    assert file < tcp


@pytest.mark.parametrize(
    "options", [{}, {"file": "weight"}, {"file": ""}, {"file": "/a\0b"}, {"file": "/a", "init_file": 1}]
)
def test_options_that_could_never_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, FileCheck.Options)
