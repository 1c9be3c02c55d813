import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stayalived.log import pipe
from stayalived.log.record import Record

Pair = tuple[socket.socket, socket.socket]


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records = []

    def emit(self, record: Any) -> None:
        self.records.append(record)


@pytest.fixture
def root() -> Iterator[Any]:
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level
    yield logger
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
    for handler in before[0]:
        logger.addHandler(handler)
    logger.setLevel(before[1])


@pytest.fixture
def pair() -> Iterator[Any]:
    sender, receiver = pipe.make_pair()
    yield sender, receiver
    sender.close()
    receiver.close()


def descriptors_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def waiting(receiver: socket.socket) -> Any:
    records = []
    while (record := pipe.receive(receiver)) is not None:
        records.append(record)
    return records


def test_a_line_crosses_with_its_fields_and_its_arguments_put_in(root: logging.Logger, pair: Pair) -> None:
    sender, receiver = pair
    pipe.install(sender, "vrrp")
    logging.getLogger("stayalived.vrrp").info(
        "(%s) Entering MASTER STATE", "tic", extra={"fields": {"instance": "tic"}}
    )
    [record] = waiting(receiver)
    assert record.name == "stayalived.vrrp"
    assert record.text == "(tic) Entering MASTER STATE"
    assert record.fields == {"instance": "tic"}
    assert record.pid == os.getpid()


def test_a_traceback_crosses_as_text(root: logging.Logger, pair: Pair) -> None:
    sender, receiver = pair
    pipe.install(sender, "vrrp")
    try:
        int("no number")
    except ValueError:
        logging.getLogger().exception("it broke")
    [record] = waiting(receiver)
    assert record.text == "it broke"
    assert record.exception.endswith("ValueError: invalid literal for int() with base 10: 'no number'")


def test_installing_starts_no_thread_and_opens_no_descriptor(root: logging.Logger, pair: Pair) -> None:
    threads, descriptors = threading.active_count(), descriptors_open()
    pipe.install(pair[0], "vrrp")
    logging.getLogger().info("a line")
    assert (threads, descriptors) == (threading.active_count(), descriptors_open())


def test_installing_replaces_the_handlers_that_were_there(root: logging.Logger, pair: Pair) -> None:
    root.addHandler(logging.StreamHandler())
    handler = pipe.install(pair[0], "vrrp", "debug")
    assert root.handlers == [handler]
    assert root.level == logging.DEBUG


def test_a_full_pipe_costs_lines_which_the_next_one_counts(root: logging.Logger, pair: Pair) -> None:
    sender, receiver = pair
    handler = pipe.install(sender, "vrrp")
    logger = logging.getLogger()
    sent = 0
    while not handler.dropped:
        logger.info("x" * 4000)
        sent += 1
    logger.info("lost as well")
    assert handler.dropped == 2
    assert len(waiting(receiver)) == sent - 1
    logger.info("there is room again")
    assert [(record.text, record.dropped) for record in waiting(receiver)] == [("there is room again", 2)]
    assert handler.dropped == 0


def test_a_process_that_ends_says_what_it_dropped(root: logging.Logger, pair: Pair) -> None:
    sender, receiver = pair
    handler = pipe.install(sender, "vrrp")
    while not handler.dropped:
        logging.getLogger().info("x" * 4000)
    waiting(receiver)
    handler.close()
    [last] = waiting(receiver)
    assert last.dropped == 1
    assert "lost" in last.text


def test_a_sender_without_a_reader_counts_and_goes_on(root: logging.Logger) -> None:
    sender, receiver = pipe.make_pair()
    receiver.close()
    handler = pipe.install(sender, "vrrp")
    logging.getLogger().info("to nobody")
    sender.close()
    assert handler.dropped == 1


def test_a_line_that_cannot_be_formatted_names_its_place(
    root: logging.Logger, pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    sender, receiver = pair
    pipe.install(sender, "vrrp")
    logging.getLogger("stayalived.x").info("%d servers", "many")
    [record] = waiting(receiver)
    assert "could not be formatted" in record.text
    assert "test_pipe.py" in record.text
    assert capsys.readouterr().err == ""


def test_what_was_written_without_a_log_child_waits_for_the_next_one(root: logging.Logger, pair: Pair) -> None:
    sender, receiver = pair
    pipe.install(sender, "vrrp")
    logging.getLogger().info("while nobody listened")
    kept = Kept()
    pipe.Receiver(kept, receiver, "vrrp").close()
    assert [record.getMessage() for record in kept.records] == ["while nobody listened"]
    assert kept.records[0].processName == "vrrp"


def test_a_receiver_ends_when_the_last_sender_is_gone() -> None:
    sender, receiver = pipe.make_pair()
    sender.send(b"junk")
    sender.close()
    kept = Kept()
    receiving = pipe.Receiver(kept, receiver, "vrrp")
    assert receiving.wait(5.0)
    receiving.close()
    receiver.close()
    assert ["no record" in record.getMessage() for record in kept.records] == [True]


def test_an_empty_datagram_is_not_the_end(pair: Pair) -> None:
    sender, receiver = pair
    kept = Kept()
    receiving = pipe.Receiver(kept, receiver, "vrrp")
    sender.send(b"")
    sender.send(b"junk")
    receiving.close()
    assert len(kept.records) == 1


def test_closing_a_receiver_leaks_neither_thread_nor_descriptor(pair: Pair) -> None:
    threads, descriptors = threading.active_count(), descriptors_open()
    for _ in range(20):
        receiving = pipe.Receiver(Kept(), pair[1], "vrrp")
        receiving.close()
        receiving.close()
    assert (threads, descriptors) == (threading.active_count(), descriptors_open())


def test_the_logging_modules_form_and_ours_carry_the_same() -> None:
    record = Record(
        name="stayalived",
        level=30,
        text="100 %",
        created=1_795_341_600_123_000_000,
        pid=7,
        fields={"a": "b"},
        dropped=2,
    )
    there = pipe.to_log_record(record, "vrrp")
    back = pipe.from_log_record(there)
    assert there.levelname == "WARNING"
    assert abs(back.created - record.created) < 1000
    assert (back.text, back.pid, back.fields, back.dropped) == ("100 %", 7, {"a": "b"}, 2)
