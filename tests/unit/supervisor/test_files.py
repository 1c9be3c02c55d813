"""The pid file, systemd's socket, and shared memory, on a real file system."""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived.supervisor import memfd, pidfile
from stayalived.supervisor.systemd import Systemd
from stayalived.timing import NO_TIME, milliseconds, seconds

HOLDER = """
import os, sys
from pathlib import Path
from stayalived.supervisor import pidfile
from stayalived.timing import seconds
lock = pidfile.acquire(Path(sys.argv[1]), seconds(0))
if os.fork() == 0:  # a child that inherits the lock and outlives its parent
    sys.stdin.read()
    os._exit(0)
print("locked", flush=True)
os._exit(0)
"""


@pytest.fixture
def notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield end


class TestPidFile:
    def test_it_holds_the_process_id(self, tmp_path: Path) -> None:
        lock = pidfile.acquire(tmp_path, NO_TIME)
        assert os.getpid() == pidfile.read(tmp_path)
        lock.release()
        assert not (tmp_path / pidfile.NAME).exists()

    def test_a_second_start_is_told_who_runs(self, tmp_path: Path) -> None:
        lock = pidfile.acquire(tmp_path, NO_TIME)
        with pytest.raises(pidfile.AlreadyRunning, match=rf"already running \(pid {os.getpid()}\)"):
            pidfile.acquire(tmp_path, seconds(60))
        lock.release()

    def test_what_a_dead_daemon_left_behind_is_taken_over(self, tmp_path: Path) -> None:
        (tmp_path / pidfile.NAME).write_text("4194304999\nrubbish")
        lock = pidfile.acquire(tmp_path, NO_TIME)
        assert os.getpid() == pidfile.read(tmp_path)
        lock.release()

    @pytest.mark.parametrize("content", ["", "x", "-1", "\xff", "1 2"])
    def test_a_file_without_a_process_id_names_nobody(self, tmp_path: Path, content: str) -> None:
        (tmp_path / pidfile.NAME).write_text(content, encoding="latin-1")
        assert pidfile.read(tmp_path) == 0

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / pidfile.NAME).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(pidfile.NoRunDir, match=r"symbolic links.*--run-dir"):
            pidfile.acquire(tmp_path, NO_TIME)
        assert not (tmp_path / "elsewhere").exists()

    def test_a_file_that_is_another_ones_by_now_is_left_alone(self, tmp_path: Path) -> None:
        lock = pidfile.acquire(tmp_path, NO_TIME)
        (tmp_path / pidfile.NAME).unlink()
        (tmp_path / pidfile.NAME).write_text("77\n")
        lock.release()
        assert pidfile.read(tmp_path) == 77

    def test_a_new_start_waits_for_the_children_of_one_that_was_killed(self, tmp_path: Path) -> None:
        path = ":".join(entry for entry in sys.path if entry)
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": path}
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdin is not None
            assert holder.stdout.readline() == b"locked\n"
            holder.wait()
            child = holder.stdin
            waits: list[float] = []

            def wait(length: float) -> None:
                waits.append(length)
                child.close()
                holder.stdout.read() if holder.stdout else None

            lock = pidfile.acquire(tmp_path, seconds(5), wait)
            assert len(waits) >= 1
            lock.release()

    def test_a_zombie_does_not_hold_the_run_dir(self) -> None:
        ended = os.fork()
        if ended == 0:
            os._exit(0)
        os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)  # it has ended and is not reaped
        assert not pidfile._is_alive(ended)
        os.waitpid(ended, 0)
        assert not pidfile._is_alive(ended)

    def test_who_is_alive(self) -> None:
        alive = [pidfile._is_alive(pid) for pid in (os.getpid(), 1, 0, 4194304999, 1 << 70)]
        assert [True, True, False, False, False] == alive

    def test_it_does_not_wait_for_ever(self, tmp_path: Path) -> None:
        path = ":".join(entry for entry in sys.path if entry)
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": path}
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            holder.wait()
            waits: list[float] = []
            with pytest.raises(pidfile.AlreadyRunning):
                pidfile.acquire(tmp_path, milliseconds(200), waits.append)
            assert len(waits) == 4


class TestSystemd:
    def test_lines_arrive_as_they_are(self, notified: socket.socket) -> None:
        Systemd.of_environment().tell("READY=1\nSTATUS=x")
        assert notified.recv(100) == b"READY=1\nSTATUS=x"

    def test_children_do_not_inherit_it(self, notified: socket.socket) -> None:
        Systemd.of_environment()
        assert "NOTIFY_SOCKET" not in os.environ

    def test_an_abstract_socket_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.bind("")  # the kernel chooses an abstract name
            name = end.getsockname()
            monkeypatch.setenv("NOTIFY_SOCKET", "@" + name[1:].decode())
            Systemd.of_environment().tell("READY=1")
            assert end.recv(100) == b"READY=1"

    def test_nobody_is_told_without_a_socket(self) -> None:
        Systemd().tell("READY=1")
        assert Systemd().watchdog is None

    @pytest.mark.parametrize(
        ("interval", "process", "expected"),
        [("2000000", "", seconds(1)), ("2000000", "1", None), ("x", "", None), ("", "", None), ("-5", "", None)],
    )
    def test_the_watchdog_wants_half_its_interval(
        self, monkeypatch: pytest.MonkeyPatch, interval: str, process: str, expected: int | None
    ) -> None:
        monkeypatch.setenv("WATCHDOG_USEC", interval)
        monkeypatch.setenv("WATCHDOG_PID", process)
        assert Systemd.of_environment().watchdog == expected


class TestSharedMemory:
    def test_a_sealed_configuration_is_believed(self) -> None:
        descriptor = os.memfd_create("x", os.MFD_ALLOW_SEALING)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, memfd.SEALS)
        assert memfd.is_sealed(descriptor)
        os.close(descriptor)

    def test_one_that_can_still_change_is_not(self) -> None:
        descriptor = os.memfd_create("x", os.MFD_ALLOW_SEALING)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        assert not memfd.is_sealed(descriptor)
        os.close(descriptor)

    def test_neither_is_a_pipe(self) -> None:
        reader, writer = os.pipe()
        assert not memfd.is_sealed(reader)
        os.close(reader)
        os.close(writer)

    def test_send_times_are_seen_by_a_child_and_can_be_forgotten(self) -> None:
        times = memfd.SendTimes()
        pid = os.fork()
        if pid == 0:
            times.page[8:16] = (42).to_bytes(8, sys.byteorder)
            os._exit(0)
        os.waitpid(pid, 0)
        assert int.from_bytes(times.page[8:16], sys.byteorder) == 42
        times.forget()
        assert not any(times.page[:64])
        times.page.close()
