"""Real processes: senders are killed while they flood, and nobody else notices.

`STAYALIVED_LOG_KILLS` sets how many kills; the long run uses a thousand.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from stayalived.log import pipe

KILLS = int(os.environ.get("STAYALIVED_LOG_KILLS", "100"))
STEADY = ("one", "two")
PATIENCE = 30.0  # seconds; only a hang takes them


Pairs = dict[str, tuple[socket.socket, socket.socket]]


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    made = {name: pipe.make_pair() for name in ("flood", *STEADY)}
    yield made
    for pair in made.values():
        for end in pair:
            end.close()


def fork(body: Callable[[], None], *kept: int) -> int:
    """Run `body` in a new process with these descriptors only, which ends as ours do; return its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        close_others({0, 1, 2, *kept})
        body()
        code = 0
    except BaseException as error:  # noqa: BLE001  (a forked test must not come back into pytest)
        sys.stderr.write(f"{error!r}\n")
    finally:
        logging.shutdown()
        os._exit(code)


def close_others(kept: set[int]) -> None:
    for descriptor in descriptors_open():
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def ended(child: int) -> int:
    """Return the exit status of a child that must end by itself."""
    descriptor = os.pidfd_open(child)
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0], "it hangs"
    finally:
        os.close(descriptor)
    return os.waitpid(child, 0)[1]


def flood(sender: socket.socket, ready: int) -> None:
    pipe.install(sender, "flood")
    os.write(ready, b"!")
    while True:
        logging.getLogger("stayalived.flood").info("flood %s", "x" * 200)


def speak(name: str, sender: socket.socket, go_on: int) -> None:
    """Log one numbered line for each byte that comes; end when no more can come."""
    handler = pipe.install(sender, name)
    number = 0
    while os.read(go_on, 1):
        logging.getLogger("stayalived.steady").info("line %d", number)
        number += 1
    assert handler.dropped == 0


def let_speak(voices: Iterable[int]) -> None:
    for voice in voices:
        os.write(voice, b"12345")


class Notebook(logging.Handler):
    """Writes the steady children's lines into a file, and whatever of the flood is not whole."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.file = path.open("w", buffering=1)
        self.flooded = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.processName == "flood" and record.getMessage() == "flood " + "x" * 200:
            self.flooded += 1
            return
        self.file.write(f"{record.processName}: {record.getMessage()}\n")


def receive(pairs: Pairs, path: Path) -> None:
    """Be the log child: a thread for each pair, until all senders are gone."""
    notebook = Notebook(path)
    receivers = [pipe.Receiver(notebook, receiver, name) for name, (_, receiver) in pairs.items()]
    assert threading.active_count() == 1 + len(pairs)
    for receiver in receivers:
        assert receiver.wait(PATIENCE)
        receiver.close()
    assert threading.active_count() == 1
    assert notebook.flooded > 0


def descriptors_open() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]


def kill_under_flood(sender: socket.socket, meanwhile: Callable[[], None]) -> None:
    ready, tell_ready = os.pipe()
    victim = fork(lambda: flood(sender, tell_ready), sender.fileno(), tell_ready)
    os.read(ready, 1)
    meanwhile()
    os.kill(victim, signal.SIGKILL)
    assert os.waitpid(victim, 0)[1] == signal.SIGKILL
    os.close(ready)
    os.close(tell_ready)


def test_kills_under_a_flood_cost_the_others_nothing(pairs: Pairs, tmp_path: Path) -> None:
    threads, descriptors = threading.active_count(), len(descriptors_open())
    log = fork(lambda: receive(pairs, tmp_path / "log"), *(receiver.fileno() for _, receiver in pairs.values()))
    voices = {}
    for name in STEADY:
        sender, (go_on, let_go_on) = pairs[name][0], os.pipe()
        voices[let_go_on] = fork(partial(speak, name, sender, go_on), sender.fileno(), go_on)
        os.close(go_on)

    for _ in range(KILLS):
        kill_under_flood(pairs["flood"][0], lambda: let_speak(voices))

    for voice, process in voices.items():
        os.close(voice)
        assert ended(process) == 0
    assert (threads, descriptors) == (threading.active_count(), len(descriptors_open()))
    for sender, _ in pairs.values():
        sender.close()
    assert ended(log) == 0
    written = (tmp_path / "log").read_text().splitlines()
    for name in STEADY:
        expected = [f"{name}: line {number}" for number in range(5 * KILLS)]
        assert expected == [line for line in written if line.startswith(f"{name}:")]
    assert [line for line in written if not line.startswith(STEADY)] == []
