"""The engine of api: answers the command line from what it was told, and passes on what only the supervisor can do."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.api.commands import (
    CHANGING,
    OF_A_SERVER,
    SECRET,
    Answer,
    BadCommand,
    Command,
    read_command,
    write_answer,
)
from stayalived.api.servers import objection_to
from stayalived.api.state import Store
from stayalived.child.events import (
    Abort,
    AnswerPrepared,
    ChildEffect,
    ChildEvent,
    Commit,
    Finished,
    Prepare,
    Received,
    Report,
    Stop,
    Tell,
)
from stayalived.messages.control import Reply, Request
from stayalived.timing import Instant, after, earliest, for_people, seconds

MAX_WAITING = 64  # requests that wait for the supervisor at one time
REQUEST_LIMIT = seconds(120)  # a reload's own limits (10 s and 1 ms an object, each child) end long before


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A client sent a line. `may_change` is False for one that may only look; secrets are for root and the starter."""

    client: int
    line: bytes
    may_change: bool
    may_see_secrets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerClient:
    """Send these bytes to a client: one line."""

    client: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowConfiguration:
    """Send an answer to a client, with the configuration in force, which the shell keeps."""

    client: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    client: int
    until: Instant


ApiEvent = ChildEvent | Asked
ApiEffect = ChildEffect | AnswerClient | ShowConfiguration


class ApiEngine:
    """Keeps the newest of everything and the requests that wait for the supervisor."""

    def __init__(self, *, version: str, pid: int) -> None:
        """Start without knowledge; version and pid are the daemon's."""
        self._store = Store(version=version, pid=pid)
        self._pid = pid
        self._waiting: dict[int, _Waiting] = {}
        self._last_identifier = 0
        self._in_force = 0  # generation

    @property
    def deadline(self) -> Instant | None:
        """The moment at which a request has waited too long."""
        return earliest(waiting.until for waiting in self._waiting.values())

    def handle(self, event: ApiEvent, now: Instant) -> Sequence[ApiEffect]:
        """Take in one event and return what is to be done."""
        match event:
            case Prepare(generation=generation):
                return [AnswerPrepared(generation=generation)]
            case Commit(generation=generation):
                self._in_force = generation
                return []  # api shows what others do with the configuration and uses nothing of it
            case Abort():
                return []
            case Stop():
                return [Finished()]
            case Received(message=Reply() as reply):
                return self._pass_on(reply)
            case Received():
                self._store.take(event.topic, event.key, event.message)
                return []
            case Asked():
                return self._answer(event, now)

    def wake(self, now: Instant) -> Sequence[ApiEffect]:
        """Answer those that have waited too long."""
        late = [number for number, waiting in self._waiting.items() if waiting.until <= now]
        text = f"no answer from the supervisor within {for_people(REQUEST_LIMIT)}; look at its log"
        return [self._refuse(self._waiting.pop(number).client, text) for number in late]

    def _answer(self, asked: Asked, now: Instant) -> Sequence[ApiEffect]:
        try:
            command = read_command(asked.line)
        except BadCommand as error:
            return [self._refuse(asked.client, str(error))]
        if command.verb in CHANGING:
            return self._ask_supervisor(asked, command, now)
        if command.verb in SECRET:
            return [self._show_configuration(asked, command)]
        answer = Answer(accepted=True, pid=self._pid, status=self._store.describe(now))
        return [AnswerClient(client=asked.client, data=write_answer(answer))]

    def _show_configuration(self, asked: Asked, command: Command) -> AnswerClient | ShowConfiguration:
        if not asked.may_see_secrets:
            return self._refuse(asked.client, f"{command.verb} shows secrets of the configuration; ask as root")
        if not self._in_force:
            return self._refuse(asked.client, "no configuration is in force yet; try again when the daemon runs")
        answer = Answer(
            accepted=True,
            pid=self._pid,
            generation=self._in_force,
            config_dir=self._store.config_dir,
            told=self._store.retold(),
        )
        return ShowConfiguration(client=asked.client, answer=answer)

    def _ask_supervisor(self, asked: Asked, command: Command, now: Instant) -> Sequence[ApiEffect]:
        if not asked.may_change:
            return [self._refuse(asked.client, f"{command.verb} is not for the daemon's own user; ask as root")]
        objection = objection_to(command, self._store) if command.verb in OF_A_SERVER else ""
        if objection:
            return [self._refuse(asked.client, objection)]
        if len(self._waiting) >= MAX_WAITING:
            return [self._refuse(asked.client, f"{MAX_WAITING} requests wait already; try again later")]
        self._last_identifier += 1
        number = self._last_identifier
        self._waiting[number] = _Waiting(client=asked.client, until=after(now, REQUEST_LIMIT))
        request = Request(
            identifier=number,
            verb=command.verb,
            force=command.force,
            leave=command.leave,
            server=command.server,
            weight=command.weight,
            duration=seconds(command.seconds),
        )
        what = f"{command.verb} {command.server}".rstrip()
        return [
            Report(level=logging.INFO, text=f"{what} asked for on the control socket"),
            Tell(message=request, sequence=number),
        ]

    def _pass_on(self, reply: Reply) -> Sequence[ApiEffect]:
        waiting = self._waiting.pop(reply.identifier, None)
        if waiting is None:
            return []  # it had waited too long
        answer = Answer(
            accepted=reply.accepted,
            text=reply.text,
            pid=self._pid,
            generation=reply.generation,
            problems=tuple(str(problem) for problem in reply.problems),
        )
        return [AnswerClient(client=waiting.client, data=write_answer(answer))]

    def _refuse(self, client: int, text: str) -> AnswerClient:
        return AnswerClient(client=client, data=write_answer(Answer(accepted=False, text=text, pid=self._pid)))
