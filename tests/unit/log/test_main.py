"""The log child as a real process."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from plain_configuration import configuration
from role_process import NEEDS, RoleProcess
from stayalived.log import main as log_main
from stayalived.log import pipe
from stayalived.log.record import Record, encode
from stayalived.messages import control

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ends = pipe.make_pair()
    yield ends
    for end in ends:
        end.close()


@pytest.fixture
def written() -> Iterator[Pair]:
    """A pipe that is the log child's standard error: where to read, where it writes."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that the child can pass and write to when it has dropped its rights."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def send(pair: Pair, text: str, level: int = 20) -> None:
    pair[0].send(encode(Record(name="stayalived.vrrp", level=level, text=text, created=1, pid=1)))


def log_child(pair: Pair, written: Pair, log: str = "stderr") -> RoleProcess:
    needs = msgspec.structs.replace(NEEDS, log=log)
    return RoleProcess("log", needs, {"log:vrrp": pair[1].fileno()}, written[1].fileno())


def read(written: Pair, ending: bytes) -> bytes:
    data = b""
    while not data.endswith(ending):
        data += written[0].recv(1 << 16)
    return data


def test_lines_come_out_and_the_child_ends_in_order(pair: Pair, written: Pair) -> None:
    with log_child(pair, written) as log:
        log.configure(configuration())
        send(pair, "(tic) Entering MASTER STATE")
        assert b"stayalived[vrrp]: (tic) Entering MASTER STATE\n" in read(written, b"STATE\n")
        assert log.stop() == 0


def test_what_waits_at_the_end_is_written(pair: Pair, written: Pair) -> None:
    with log_child(pair, written) as log:
        log.configure(configuration())
        for number in range(200):
            send(pair, f"line {number}")
        assert log.stop() == 0
    assert read(written, b"line 199\n").count(b"\n") >= 200


def test_lines_written_while_it_is_replaced_are_not_lost(pair: Pair, written: Pair) -> None:
    with log_child(pair, written):
        send(pair, "before")
        read(written, b"before\n")
    send(pair, "between")
    with log_child(pair, written):
        assert b"between" in read(written, b"between\n")


def test_a_level_in_the_configuration_is_used_from_the_commit_on(pair: Pair, written: Pair) -> None:
    with log_child(pair, written) as log:
        log.configure(configuration(log_level="error"))
        log.configure(configuration(log_level="error"), generation=2)
        send(pair, "usual")
        send(pair, "broken", 40)
        lines = read(written, b"broken\n")
    assert b"usual" not in lines


def test_a_file_is_written_and_opened_anew_after_a_rotation(pair: Pair, written: Pair, public: Path) -> None:
    path = public / "stayalived.log"
    wanted = configuration(log=f"file:{path}")
    with log_child(pair, written, f"file:{path}") as log:
        log.hear(control.Hello)
        path.rename(public / "rotated.log")
        log.configure(wanted)
        log.configure(wanted, generation=2)  # its answer says that the commit before was carried out
        send(pair, "after the rotation")
        assert log.stop() == 0
    assert path.read_text().endswith("after the rotation\n")
    assert (public / "rotated.log").exists()


def test_another_target_is_refused(pair: Pair, written: Pair) -> None:
    with log_child(pair, written) as log:
        log.configure(configuration())
        assert isinstance(log.configure(configuration(log="syslog"), generation=2), control.Refused)


def test_a_target_that_cannot_be_used_becomes_stderr(pair: Pair, written: Pair) -> None:
    with log_child(pair, written, "file:/no/such/folder/log") as log:
        log.hear(control.Hello)
        send(pair, "still heard")
        assert b"still heard" in read(written, b"still heard\n")


def test_after_the_supervisor_died_the_last_lines_of_the_others_are_waited_for(pair: Pair, written: Pair) -> None:
    with log_child(pair, written) as log:
        log.hear(control.Hello)
        log.link.close()
        send(pair, "released everything")
        pair[0].close()
        assert log.wait() == 0
    assert b"released everything" in read(written, b"everything\n")


def test_a_reader_that_reads_nothing_does_not_keep_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_main, "WRITE_PATIENCE", 0.05)
    reading, writing = os.pipe()
    with RoleProcess("log", NEEDS, {"log:vrrp": pair[1].fileno()}, writing) as log:
        log.configure(configuration())
        for _ in range(50):
            send(pair, "x" * 4000)
        assert log.stop() == 0
    os.close(reading)
    os.close(writing)
