"""A supervisor engine with children that do as they are told, in virtual time: for unit and property tests."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Self

from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.census import Census, take_census
from stayalived.messages.codec import Frame
from stayalived.messages.control import Message, Needs, Start
from stayalived.messages.routes import pack, topic_of, unpack
from stayalived.supervisor import events as ev
from stayalived.supervisor.engine import SupervisorEngine
from stayalived.supervisor.lifecycle import State
from stayalived.timing import Duration, Instant, after, seconds

ALL = ("log", "vrrp", "ipvs", "checker", "notify", "runner", "api")


def needs(children: Iterable[str] = ALL, **changes: object) -> Needs:
    values = {
        "children": tuple(children),
        "child_wait_time": seconds(5),
        "log": "stderr",
        "log_facility": "daemon",
        "log_level": "info",
        "objects": 10,
        "shortest_master_down": seconds(3.6),
        "realtime": False,
        "start_only": (),
        "removable": (),
        "plugins": (),
    }
    return Needs(**(values | changes))


def removable(*objects: str) -> tuple[Census, ...]:
    """Return the censuses of objects `KIND NAME`."""
    pairs = [each.split() for each in objects]
    kinds = dict.fromkeys(kind for kind, _ in pairs)
    return tuple(take_census(kind, [name for other, name in pairs if other == kind]) for kind in kinds)


class Kid:
    """A child process as the supervisor may expect it to be, unless told otherwise."""

    def __init__(self, pid: int, start: Start, generation: int) -> None:
        self.pid = pid
        self.start = start
        self.generation = generation
        self.received = []
        self.commits = []
        self.mute = False


class House:
    """Carries out effects, lets children answer, and moves time."""

    def __init__(self, first: Needs | None = None, watchdog: Duration | None = None) -> None:
        self.now = Instant(1_000_000_000)
        self.engine = SupervisorEngine(run_dir="/run/x", config_dir="/etc/x", watchdog=watchdog)
        self.needs = first if first is not None else needs()
        self.problems = ()
        self.unchanged = False  # the config child finds what is in force already
        self.refusing = set()
        self.mute = set()  # children that never answer anything
        self.clinging = set()  # children that live on when they are told to stop
        self.dying = {}  # name → code of processes that die at once
        self.kids = {}
        self.effects = []
        self.forks = []
        self.blobs = set()
        self.systemd = []
        self.reports = []
        self.exit_code = None
        self.shown = ()
        self._pids = 100
        self._blob = 0
        self._queue = deque()

    def start(self) -> Self:
        self.give(ev.Started())
        return self

    def give(self, event: ev.Event) -> Self:
        """Hand in an event, and everything that the children do because of it."""
        self._queue.append(event)
        while self._queue:
            self._perform(self.engine.handle(self._queue.popleft(), self.now))
        return self

    def say(self, name: str, message: Message, key: str = "", peer: str = "", sequence: int = 0) -> Self:
        return self.give(ev.FrameReceived(name=name, frame=pack(message, key=key, peer=peer, sequence=sequence)))

    def die(self, name: str, signal: int = 9, status: int = 0) -> Self:
        kid = self.kids.pop(name)
        return self.give(ev.ChildExited(name=name, pid=kid.pid, status=status, signal=signal))

    def advance(self, length: float, step: float = 0.5) -> Self:
        """Let time pass, with a sign of life of every child that is not mute."""
        end = after(self.now, seconds(length))
        while self.now < end:
            moment = min(after(self.now, seconds(step)), end)
            due = self.engine.deadline
            self.now = max(self.now, min(moment, due)) if due is not None else moment
            for name in [name for name, kid in self.kids.items() if name != "config" and name not in self.mute]:
                self.say(name, control.Alive())
            self._perform(self.engine.wake(self.now))
            while self._queue:
                self._perform(self.engine.handle(self._queue.popleft(), self.now))
        return self

    def reload(self, new: Needs | None = None, problems: tuple[Problem, ...] = ()) -> Self:
        self.needs, self.problems = (new or self.needs), problems
        return self.give(ev.SignalReceived(order=ev.Order.RELOAD))

    def states(self) -> dict[str, State]:
        return {child.name: child.state for child in self.engine.children() if child.name != "config"}

    def all_running(self) -> bool:
        return set(self.states().values()) == {State.RUNNING}

    def sent(self, name: str, message_type: type[Message]) -> list[Any]:
        """Messages of one type that the present process of a child was sent."""
        topic = topic_of(message_type).name
        return [unpack(frame) for frame in self.kids[name].received if frame.topic == topic]

    def told(self, name: str) -> dict[tuple[str, str], bytes]:
        """Topic and key of every frame of state that the present process of a child has got, with its last body."""
        return {(frame.topic, frame.key): frame.body for frame in self.kids[name].received}

    def starts(self, name: str) -> list[Start]:
        return [start for forked, start in self.forks if forked == name]

    def _perform(self, effects: Iterable[ev.Effect]) -> None:
        self.effects += effects
        for effect in effects:
            match effect:
                case ev.Fork(name=name, start=start, generation=generation):
                    self._fork(name, start, generation)
                case ev.Kill(name=name) if name in self.kids:
                    kid = self.kids.pop(name)
                    self._queue.append(ev.ChildExited(name=name, pid=kid.pid, status=0, signal=9))
                case ev.Send(name=name, frame=frame, blob=blob) if name in self.kids:
                    assert blob is None or blob in self.blobs
                    self.kids[name].received.append(frame)
                    self._react(name, frame)
                case ev.DropBlob(blob=blob):
                    self.blobs.remove(blob)
                case ev.TellSystemd(text=text):
                    self.systemd.append(text)
                case ev.Exit(code=code):
                    assert self.exit_code is None
                    self.exit_code = code
                case ev.ShowProblems(problems=problems):
                    self.shown = problems
                case ev.Report(text=text):
                    self.reports.append(text)

    def _fork(self, name: str, start: Start, generation: int) -> None:
        assert name not in self.kids, f"two processes of {name}"
        self._pids += 1
        self.forks.append((name, start))
        kid = self.kids[name] = Kid(self._pids, start, generation)
        self._queue.append(ev.ChildStarted(name=name, pid=kid.pid))
        if name in self.dying:
            self._end(name, self.dying[name])
        elif name in self.mute:
            return
        elif name == "config":
            self._parse(kid)
        else:
            self._queue.append(self._frame(name, control.Hello(pid=kid.pid, user="stayalived")))

    def _parse(self, kid: Kid) -> None:
        fatal = any(not problem.warning for problem in self.problems)
        blob = None
        if not fatal and not self.unchanged:
            self._blob += 1
            blob = self._blob
            self.blobs.add(blob)
        message = control.Parsed(
            generation=kid.generation,
            problems=tuple(self.problems),
            needs=None if fatal or self.unchanged else self.needs,
            unchanged=self.unchanged,
        )
        self._queue.append(ev.FrameReceived(name="config", frame=pack(message), blob=blob))
        self._queue.append(ev.EndOfFile(name="config"))
        self._end("config", 0)

    def _react(self, name: str, frame: Frame) -> None:
        if name in self.mute or not frame.topic.startswith("control."):
            return
        match unpack(frame):
            case control.Prepare(generation=generation) if name in self.refusing:
                problem = Problem(path="x", expected=f"{name} cannot use it")
                self._queue.append(self._frame(name, control.Refused(generation=generation, problems=(problem,))))
            case control.Prepare(generation=generation):
                self._queue.append(self._frame(name, control.Prepared(generation=generation)))
            case control.Commit() as commit:
                self.kids[name].commits.append(commit)
                if commit.start is Start.RELEASE:
                    self._queue.append(self._frame(name, control.Stopped()))
                    self._end(name, 0)
            case control.Stop() if name not in self.clinging:
                self._queue.append(self._frame(name, control.Stopped()))
                self._end(name, 0)

    def _end(self, name: str, status: int) -> None:
        pid = self.kids.pop(name).pid
        self._queue.append(ev.ChildExited(name=name, pid=pid, status=status, signal=0))

    def _frame(self, name: str, message: Message) -> ev.FrameReceived:
        return ev.FrameReceived(name=name, frame=pack(message))
