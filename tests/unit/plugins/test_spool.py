import os
from pathlib import Path

import pytest

from stayalived_plugins.notifiers.outgoing import Letter
from stayalived_plugins.notifiers.spool import Spool, host_name, this_boot


def letter(name: str, written: int = 1, parts: tuple[str, ...] = ()) -> Letter:
    return Letter(
        name=name,
        recipient="noc@example.org",
        route="relay",
        sender="lb1@example.org",
        headline="an event",
        identity="<1@lb1>",
        message=b"text",
        written=written,
        parts=parts,
    )


def names(spool: Spool) -> list[str]:
    letters, problems = spool.read()
    assert problems == []
    return [one.name for one in letters]


def test_what_is_written_is_read_again_oldest_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "mail")
    assert names(spool) == []

    spool.write([letter("b", written=2), letter("a", written=3)])
    spool.write([letter("c", written=1)])

    assert names(Spool(tmp_path / "mail")) == ["c", "b", "a"]
    assert Spool(tmp_path / "mail").read()[0][0] == letter("c", written=1)


def test_what_is_removed_is_gone_and_may_be_removed_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write([letter("a"), letter("b")])

    spool.remove(["a"])
    spool.remove(["a"])

    assert names(spool) == ["b"]


def test_a_digest_stands_for_its_parts_if_the_process_died_between(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write([letter("a"), letter("b"), letter("other")])
    spool.write([letter("digest", written=2, parts=("a", "b"))])

    assert names(spool) == ["other", "digest"]
    assert not (tmp_path / "a.letter").exists()


def test_half_a_letter_is_taken_away_and_what_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "half.draft").write_bytes(b"\x83")
    (tmp_path / "odd.letter").write_bytes(b"nonsense")
    (tmp_path / "link.letter").symlink_to("/etc/passwd")
    spool = Spool(tmp_path)
    spool.write([letter("good")])

    letters, problems = spool.read()

    assert [one.name for one in letters] == ["good"]
    assert not (tmp_path / "half.draft").exists()
    assert sorted(problem.split()[0] for problem in problems) == [f"{tmp_path}/link.letter", f"{tmp_path}/odd.letter"]


def test_letters_are_nobody_else_s_to_read(tmp_path: Path) -> None:
    Spool(tmp_path / "mail").write([letter("a")])

    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "mail/a.letter").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_an_error_for_whoever_writes(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Spool(tmp_path / "none" / "mail").write([letter("a")])
    (tmp_path / "file").touch()
    assert Spool(tmp_path / "file").read()[1] == [
        f"{tmp_path}/file: Not a directory; letters that wait there are not sent"
    ]


def test_the_machine_is_named_as_the_kernel_names_it() -> None:
    assert host_name() == os.uname().nodename
    assert len(this_boot()) == 12
    assert this_boot() == this_boot()
