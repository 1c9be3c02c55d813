import asyncio
import os
from pathlib import Path

import pytest

from stayalived_plugins.notifiers.pipe import MOST_LINES, NoFifo, Pipe, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events"


def drained(path: Path) -> bytes:
    """Everything that is in the pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    data = b""
    try:
        while piece := os.read(descriptor, 65536):
            data += piece
    except BlockingIOError:
        pass
    finally:
        os.close(descriptor)
    return data


async def test_readers_may_come_and_go(path: Path) -> None:
    log: list[str] = []
    pipe = Pipe(str(path), log.append)
    pipe.open()

    pipe.write(b"nobody is there yet\n")
    assert drained(path) == b"nobody is there yet\n"
    pipe.write(b"nobody is there any more\n")
    assert drained(path) == b"nobody is there any more\n"
    pipe.close()

    assert log == []


async def test_what_finds_no_room_waits_and_what_is_too_much_is_counted_and_told(path: Path) -> None:
    log: list[str] = []
    pipe = Pipe(str(path), log.append)
    pipe.open()
    line = b"x" * 99
    number = 0
    while not pipe.lost:
        pipe.write(b"%s%06d\n" % (line, number))
        number += 1
    for further in range(number, number + 4):
        pipe.write(b"%s%06d\n" % (line, further))

    assert pipe.lost == 5
    assert log == [f"{path}: nobody reads it fast enough; lines are left out, oldest first"]
    data = b""
    async with asyncio.timeout(5):
        while data.count(b"\n") < number + 4 - 5:
            data += drained(path)
            await asyncio.sleep(0)
    numbers = [int(text[99:]) for text in data.splitlines()]
    assert numbers == sorted(numbers)
    assert numbers[-MOST_LINES:] == list(range(number + 4 - MOST_LINES, number + 4))
    assert log[1:] == [f"{path}: 5 lines were left out"]
    pipe.close()


async def test_what_nobody_has_read_at_the_end_is_told(path: Path) -> None:
    log: list[str] = []
    pipe = Pipe(str(path), log.append)
    pipe.open()
    for _ in range(2000):
        pipe.write(b"x" * 99 + b"\n")

    pipe.close()

    assert log[-1] == f"{path}: {pipe.lost} lines were left out"
    assert pipe.lost > 0


def put(path: Path, text: str) -> None:
    path.write_text(text)


def taken(path: Path) -> str:
    """What is in a file, which is then gone."""
    text = path.read_text()
    path.unlink()
    return text


async def test_what_is_no_fifo_is_reported_once_and_used_when_it_has_become_one(path: Path) -> None:
    log: list[str] = []
    put(path, "precious")
    pipe = Pipe(str(path), log.append)
    pipe.open()
    pipe.write(b"lost\n")
    assert taken(path) == "precious"

    pipe.write(b"told\n")

    assert drained(path) == b"told\n"
    assert log == [f"{path} is no FIFO; remove it, or name another path", f"{path}: 1 lines were left out"]
    pipe.close()


def test_a_fifo_that_anybody_could_write_into_is_refused(path: Path) -> None:
    os.mkfifo(path)
    path.chmod(0o666)

    with pytest.raises(NoFifo, match=f"has mode 0666: anybody could write into it; run `chmod o-w {path}`"):
        opened(str(path))


def test_a_fifo_of_somebody_else_is_refused(path: Path) -> None:
    os.mkfifo(path)
    os.chown(path, 12345, 12345)

    with pytest.raises(NoFifo, match="belongs to uid 12345"):
        opened(str(path))


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "real")
    path.symlink_to(tmp_path / "real")

    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        opened(str(path))


def test_a_fifo_that_cannot_be_made_gets_the_command_that_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "none" / "events"

    with pytest.raises(NoFifo, match=f"run `mkfifo -m 0644 {path} && chown stayalived {path}`"):
        opened(str(path))
