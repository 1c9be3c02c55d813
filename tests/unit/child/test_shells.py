"""Both shells with a toy engine over a real pipe, in one process: whatever one does, the other does as well."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stayalived.child import base
from stayalived.child.asyncshell import AsyncShell
from stayalived.child.base import read_clock
from stayalived.child.bootstrap import Context
from stayalived.child.events import AnswerPrepared, Commit, Finished, Report, Stop, Tell
from stayalived.child.link import Link, make_pair
from stayalived.child.shell import Shell
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Start
from stayalived.messages.routes import pack, unpack
from stayalived.messages.services import FirstRound
from stayalived.timing import Instant, after, milliseconds

Script = dict[type, Callable[[], list[Any]]]
Perform = Callable[[Any], None]
Kind = type[Shell[Any, Any]] | type[AsyncShell[Any, Any]]
MakeEnds = Callable[..., "Ends"]


class Recorder:
    """Notes what it is told; does what `script` says for a type of event."""

    def __init__(self, script: Script | None = None) -> None:
        self.events = []
        self.woken = 0
        self.deadline = None
        self.script = script or {}

    def handle(self, event: object, now: Instant) -> list[Any]:
        self.events.append(event)
        if isinstance(event, Stop):
            return [Report(level=logging.INFO, text="all released"), Finished()]
        return self.script.get(type(event), list)()

    def wake(self, now: Instant) -> list[Any]:
        self.woken += 1
        self.deadline = None
        return [Finished()]


class Ends:
    def __init__(self, kind: Kind, engine: Recorder, perform: Perform | None = None) -> None:
        self.engine = engine
        theirs, ours = make_pair()
        self.supervisor = Link(theirs)
        context = Context(
            name="vrrp", start=Start.FIRST, link=ours, run_dir=Path("/"), config_dir=Path("/"), host_id="x", user="me"
        )
        self.shell = kind(engine, context, perform or self.refuse)

    def refuse(self, effect: object) -> None:
        raise AssertionError(effect)

    def run(self) -> list[Message | None]:
        """The shell runs to its end; what it sent is returned, but for signs of life."""
        self.run_shell()
        sent = [unpack(frame) for frame, _ in self.supervisor.receive()]
        self.supervisor.close()
        self.shell.link.close()
        return [message for message in sent if not isinstance(message, control.Alive)]

    def run_shell(self) -> None:
        if isinstance(self.shell, Shell):
            self.shell.run()
        else:
            asyncio.run(self.shell.run())


@pytest.fixture(params=[Shell, AsyncShell])
def ends(request: pytest.FixtureRequest) -> MakeEnds:
    return lambda engine, perform=None: Ends(request.param, engine, perform)


def test_a_life_from_hello_to_stopped(ends: MakeEnds) -> None:
    both = ends(Recorder())
    both.supervisor.send(pack(control.Commit(generation=1, start=Start.FIRST)))
    both.supervisor.send(pack(control.Stop(leave=True)))
    assert [control.Hello(pid=os.getpid(), user="me"), control.Stopped()] == both.run()
    assert [Commit(generation=1, start=Start.FIRST), Stop(leave=True)] == both.engine.events


def test_the_end_of_the_pipe_is_a_stop(ends: MakeEnds) -> None:
    both = ends(Recorder())
    both.supervisor.close()
    both.run_shell()
    both.shell.link.close()
    assert [Stop()] == both.engine.events


def test_an_orphan_that_does_not_finish_is_ended(
    ends: MakeEnds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(base, "ORPHAN_LIMIT", milliseconds(20))
    engine = Recorder()
    engine.handle = lambda event, now: []
    both = ends(engine)
    both.supervisor.close()
    both.run_shell()
    both.shell.link.close()
    assert "could be released in time" in caplog.text


def test_effects_of_every_child_are_carried_out_and_others_performed(ends: MakeEnds) -> None:
    performed = []
    script = {Commit: lambda: [Tell(message=FirstRound(open=True)), "own", AnswerPrepared(generation=1)]}
    both = ends(Recorder(script), performed.append)
    both.supervisor.send(pack(control.Commit(generation=1, start=Start.FIRST)))
    both.supervisor.send(pack(control.Stop(leave=False)))
    sent = both.run()
    assert [FirstRound(open=True), control.Prepared(generation=1), control.Stopped()] == sent[1:]
    assert ["own"] == performed


def test_events_posted_meanwhile_come_after_the_effects_at_hand(ends: MakeEnds) -> None:
    order = []

    def perform(effect: object) -> None:
        order.append(effect)
        if effect == "first":
            both.shell.post(Stop())
            order.append("posted")

    both = ends(Recorder({Commit: lambda: ["first", "second"]}), perform)
    both.supervisor.send(pack(control.Commit(generation=1, start=Start.FIRST)))
    both.run()
    assert ["first", "posted", "second"] == order


def test_a_deadline_wakes_the_engine_not_before_its_time(ends: MakeEnds) -> None:
    engine = Recorder()
    engine.deadline = due = after(read_clock(), milliseconds(5))
    ends(engine).run()
    assert 1 == engine.woken
    assert read_clock() >= due


def test_hostile_frames_are_dropped(ends: MakeEnds) -> None:
    both = ends(Recorder())
    both.supervisor.send(Frame("no.such", "", b"x"))
    both.supervisor.send(Frame("control.commit", "", b"\xc1"))
    both.supervisor.send(pack(control.Stop(leave=False)))
    both.run()
    assert [Stop()] == both.engine.events


def test_a_class_of_errors_is_written_once_until_it_is_cleared(
    ends: MakeEnds, caplog: pytest.LogCaptureFixture
) -> None:
    lines = [("bad checksum", "a:checksum"), ("bad checksum", "a:checksum"), ("", "a:"), ("bad checksum", "a:checksum")]
    script = {Commit: lambda: [Report(level=logging.WARNING, text=text, once=once) for text, once in lines]}
    both = ends(Recorder(script))
    both.supervisor.send(pack(control.Commit(generation=1, start=Start.FIRST)))
    both.supervisor.send(pack(control.Stop(leave=False)))
    both.run()
    assert 2 == [record.getMessage() for record in caplog.records].count("bad checksum")


def test_a_bug_ends_the_loop(ends: MakeEnds) -> None:
    def fail() -> list[Any]:
        raise ZeroDivisionError

    both = ends(Recorder({Commit: fail}))
    both.supervisor.send(pack(control.Commit(generation=1, start=Start.FIRST)))
    with pytest.raises(ZeroDivisionError):
        both.run()
    both.supervisor.close()
    both.shell.link.close()


def test_what_waited_is_read_before_a_deadline_is_acted_on() -> None:
    order = []
    engine = Recorder()
    engine.deadline = read_clock()
    both = Ends(Shell, engine)
    both.shell.before_wake(lambda: order.append(engine.woken))
    both.run()
    assert ([0], 1) == (order, engine.woken)


def test_a_watched_descriptor_is_reported_until_it_is_not_watched() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    both = Ends(Shell, Recorder())

    def on_readable() -> None:
        os.read(reader, 1)
        both.shell.unwatch(reader)
        both.shell.post(Stop())

    both.shell.watch(reader, on_readable)
    both.run()
    os.close(reader)
    os.close(writer)
    assert [Stop()] == both.engine.events
