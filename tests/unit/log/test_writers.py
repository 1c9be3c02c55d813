import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stayalived.log.record import Record
from stayalived.log.writers import (
    FileWriter,
    JournalWriter,
    StreamWriter,
    SyslogWriter,
    open_writer,
)

MASTER = Record(name="stayalived.vrrp", level=20, text="(tic) Entering MASTER STATE", created=1, pid=42)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Any]:
    """A datagram socket where a log service would listen."""
    path = tmp_path / "service"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(path))
    yield listening, str(path)
    listening.close()


def test_a_stream_gets_one_line() -> None:
    reader, descriptor = os.pipe()
    StreamWriter(descriptor).write("vrrp", MASTER)
    assert os.read(reader, 1000).endswith(b"stayalived[vrrp]: (tic) Entering MASTER STATE\n")
    os.close(reader)
    os.close(descriptor)


def test_colour_is_used_on_a_terminal_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    main, terminal = os.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert StreamWriter(terminal)._colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not StreamWriter(terminal)._colour
    os.close(main)
    os.close(terminal)


def test_a_file_is_appended_to_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    path.chmod(0o640)
    writer = FileWriter(path)
    writer.write("vrrp", MASTER)
    first, second = path.read_text().splitlines()
    writer.close()
    assert first == "before"
    assert second.endswith("Entering MASTER STATE")
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def test_a_rotated_file_is_left_for_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = FileWriter(path)
    path.rename(tmp_path / "log.1")
    writer.write("vrrp", MASTER)
    writer.reopen()
    writer.write("vrrp", MASTER)
    writer.close()
    assert [len((tmp_path / name).read_text().splitlines()) for name in ("log", "log.1")] == [1, 1]


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"):
        FileWriter(tmp_path / "link")


def test_a_device_in_place_of_the_file_is_refused() -> None:
    with pytest.raises(OSError, match="no regular file"):
        open_writer("file:/dev/null", "daemon")


def test_a_file_in_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing/log"):
        open_writer(f"file:{tmp_path}/missing/log", "daemon")


def test_syslog_gets_a_datagram(service: tuple[socket.socket, str]) -> None:
    listening, path = service
    with contextlib.closing(SyslogWriter("daemon", path)) as writer:
        writer.write("vrrp", MASTER)
    assert listening.recv(1000).startswith(b"<30>")


def test_journald_gets_a_datagram(service: tuple[socket.socket, str]) -> None:
    listening, path = service
    with contextlib.closing(JournalWriter(path)) as writer:
        writer.write("vrrp", MASTER)
    assert listening.recv(1000).startswith(b"MESSAGE=(tic) Entering MASTER STATE\nPRIORITY=6\n")


def test_a_service_that_was_restarted_is_found_again(tmp_path: Path) -> None:
    path = str(tmp_path / "service")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as first:
        first.bind(path)
        writer = SyslogWriter("daemon", path)
    Path(path).unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as second:
        second.bind(path)
        writer.write("vrrp", MASTER)
        assert second.recv(1000).startswith(b"<30>")
    writer.close()


def test_a_service_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SyslogWriter("daemon", str(tmp_path / "nothing"))


@pytest.mark.parametrize("target", ["", "file:", "stdout", "file"])
def test_an_unknown_target_names_what_is_allowed(target: str) -> None:
    with pytest.raises(ValueError, match="stderr, syslog, journald or file:PATH"):
        open_writer(target, "daemon")


def test_an_unknown_facility_names_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="local7"):
        open_writer("syslog", "weather")
