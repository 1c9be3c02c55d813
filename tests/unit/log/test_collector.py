import logging
import os
import threading
from typing import Any

import pytest

from stayalived.log import collector as collector_module
from stayalived.log.collector import Collector
from stayalived.log.limits import COUNT_WINDOW, WINDOW
from stayalived.log.lines import text_line
from stayalived.log.pipe import NO_RECORD, from_log_record, to_log_record
from stayalived.log.record import Record
from stayalived.log.writers import StreamWriter
from stayalived.timing import Instant, after


class Paper:
    """A writer that keeps what it is given, and can be stalled or broken."""

    def __init__(self) -> None:
        self.lines = []
        self.free = threading.Event()
        self.free.set()
        self.entered = threading.Event()
        self.problem: OSError | None = None
        self.failed = threading.Semaphore(0)
        self.closed = False
        self.reopened = 0
        self.reopen_problem: OSError | None = None

    def write(self, child: str, record: Any) -> None:
        self.entered.set()
        self.free.wait(10)
        if (problem := self.problem) is not None:
            self.failed.release()
            raise problem
        self.lines.append((child, record.text))

    def reopen(self) -> None:
        self.reopened += 1
        if self.reopen_problem is not None:
            raise self.reopen_problem

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = Instant(0)

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def paper() -> Any:
    return Paper()


@pytest.fixture
def clock() -> Any:
    return Clock()


def line(text: str, level: int = logging.INFO, child: str = "vrrp", **rest: Any) -> Any:
    return to_log_record(Record(name="stayalived", level=level, text=text, created=1, pid=1, **rest), child)


def texts(paper: Paper) -> Any:
    return [text for _, text in paper.lines]


def test_lines_are_written_in_order(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    for number in range(100):
        collector.emit(line(str(number)))
    assert collector.finish(5.0)
    assert paper.lines == [("vrrp", str(number)) for number in range(100)]


def test_garbage_is_named_once_for_each_child_and_then_counted(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    for _ in range(1000):
        for child in ("checker", "notify"):
            collector.emit(line("no record", logging.ERROR, child, fields={"class": NO_RECORD}))
    clock.now = after(clock.now, COUNT_WINDOW)
    collector.emit(line("no record", logging.ERROR, "checker", fields={"class": NO_RECORD}))
    collector.finish(5.0)
    count = "999 more lines of class 'bad log record' were held back"
    assert paper.lines == [("checker", "no record"), ("notify", "no record"), ("checker", count), ("notify", count)]


def test_lines_below_the_level_are_not_written(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, logging.INFO, clock)
    collector.emit(line("detail", logging.DEBUG))
    collector.emit(line("news"))
    collector.finish(5.0)
    assert texts(paper) == ["news"]


def test_a_storm_of_one_class_is_counted_after_ten(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    for _ in range(500):
        collector.emit(line("bad checksum", fields={"class": "checksum"}))
    collector.emit(line("something else"))
    clock.now = after(clock.now, WINDOW)
    collector.emit(line("bad checksum", fields={"class": "checksum"}))
    collector.finish(5.0)
    assert texts(paper) == [
        *["bad checksum"] * 10,
        "something else",
        "490 more lines of class 'checksum' were held back",
        "bad checksum",
    ]


def test_the_count_of_a_storm_does_not_wait_for_the_next_line(paper: Paper) -> None:
    collector = Collector(paper)
    for _ in range(11):
        collector.emit(line("bad checksum", fields={"class": "checksum"}))
    collector._clock = lambda: Instant(2**62)
    collector.finish(5.0)
    assert texts(paper)[-1] == "1 more lines of class 'checksum' were held back"


def test_the_same_class_in_two_children_is_two_classes(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    for child in ("checker", "checker/acme"):
        for _ in range(50):
            collector.emit(line("plugin failed", child=child, fields={"class": "plugin"}))
    collector.finish(5.0)
    assert len(paper.lines) == 20


def test_what_a_sender_lost_is_said_before_its_next_line(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    collector.emit(line("after the flood", dropped=17))
    collector.finish(5.0)
    assert texts(paper) == ["17 lines were lost here: the log pipe was full", "after the flood"]


def test_a_stalled_reader_stalls_no_sender_and_the_loss_is_counted(
    paper: Paper, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "WAITING_LINES", 5)
    paper.free.clear()
    collector = Collector(paper, clock=clock)
    collector.emit(line("being written"))
    assert paper.entered.wait(5.0)
    for number in range(20):
        collector.emit(line(str(number)))
    paper.free.set()
    collector.finish(5.0)
    assert texts(paper) == [
        "being written",
        *"01234",
        "15 lines of all children were lost: whoever reads this log is too slow",
    ]


def test_the_characters_that_wait_are_bounded_as_well(
    paper: Paper, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "WAITING_CHARACTERS", 100)
    paper.free.clear()
    collector = Collector(paper, clock=clock)
    collector.emit(line("being written"))
    assert paper.entered.wait(5.0)
    for _ in range(3):
        collector.emit(line("x" * 60))
    paper.free.set()
    collector.finish(5.0)
    assert [len(text) for text in texts(paper)][:2] == [13, 60]
    assert texts(paper)[2].startswith("2 lines of all children were lost")


def test_a_reader_that_never_reads_does_not_keep_the_process(paper: Paper, clock: Clock) -> None:
    paper.free.clear()
    collector = Collector(paper, clock=clock)
    collector.emit(line("stuck"))
    assert not collector.finish(0.01)
    paper.free.set()


def test_lines_that_cannot_be_written_are_counted_until_they_can(paper: Paper, clock: Clock) -> None:
    paper.problem = OSError(28, "No space left on device")
    collector = Collector(paper, clock=clock)
    collector.emit(line("lost"))
    collector.emit(line("lost, too"))
    assert paper.failed.acquire(timeout=5.0)
    assert paper.failed.acquire(timeout=5.0)
    paper.problem = None
    collector.emit(line("written"))
    collector.finish(5.0)
    assert texts(paper) == ["2 lines could not be written: [Errno 28] No space left on device", "written"]


def test_the_target_is_opened_again_before_the_next_line(paper: Paper, clock: Clock) -> None:
    collector = Collector(paper, clock=clock)
    collector.reopen()
    collector.emit(line("one"))
    collector.finish(5.0)
    assert (paper.reopened, paper.closed) == (1, True)


def test_a_target_that_cannot_be_opened_again_is_named(paper: Paper, clock: Clock) -> None:
    paper.reopen_problem = PermissionError(13, "Permission denied")
    collector = Collector(paper, clock=clock)
    collector.reopen()
    collector.finish(5.0)
    assert texts(paper) == ["the log stays where it was, it could not be opened again: [Errno 13] Permission denied"]


def test_a_full_pipe_as_stderr_stalls_nobody() -> None:
    reader, writer = os.pipe()
    collector = Collector(StreamWriter(writer))
    full = line("x" * 4000)
    for _ in range(100):
        collector.emit(full)
    assert not collector.finish(0.01)
    unread = 100 * len(text_line("vrrp", from_log_record(full)))
    while unread:
        unread -= len(os.read(reader, 1 << 20))
    assert collector.finish(5.0)
    os.close(reader)
    os.close(writer)
