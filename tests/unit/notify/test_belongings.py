import os
import pwd
import stat
from pathlib import Path

import pytest

from stayalived.notify.belongings import make_fifo, make_folder

ACCOUNT = pwd.getpwnam("nobody")


def test_a_folder_belongs_to_the_account_and_can_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "notify"
    (tmp_path / "state").mkdir(mode=0o700)

    assert list(make_folder(folder, ACCOUNT)) == []
    assert list(make_folder(folder, ACCOUNT)) == []

    assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (ACCOUNT.pw_uid, 0o700)
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o711


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    [problem] = make_folder(tmp_path / "state" / "notify", ACCOUNT)

    assert problem.endswith("; what actions have to keep is lost when this process ends")


def test_a_folder_is_not_given_away_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert len(list(make_folder(tmp_path / "link", ACCOUNT))) == 1
    assert (tmp_path / "real").stat().st_uid == os.getuid()


def test_a_fifo_belongs_to_the_account_and_is_for_all_to_read(tmp_path: Path) -> None:
    path = tmp_path / "events"

    assert list(make_fifo(path, ACCOUNT)) == []

    assert stat.S_ISFIFO(path.stat().st_mode)
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (ACCOUNT.pw_uid, 0o644)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text("precious")

    assert list(make_fifo(path, ACCOUNT)) == []

    assert (path.read_text(), path.stat().st_uid) == ("precious", os.getuid())


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_nothing_is_made_where_others_could_change_it_meanwhile(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)

    assert list(make_fifo(tmp_path / "events", ACCOUNT)) == []
    assert not (tmp_path / "events").exists()


def test_a_fifo_without_its_folder_is_told(tmp_path: Path) -> None:
    [problem] = make_fifo(tmp_path / "none" / "events", ACCOUNT)

    assert problem == f"{tmp_path}/none: No such file or directory; the FIFO events is not made"
