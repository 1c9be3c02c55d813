"""What a child has asked the runner for and has not been answered (pure): for notify's actions and checker's probes."""

from dataclasses import dataclass

from stayalived.child.events import Received, Tell
from stayalived.messages.control import ChildState
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.messages.routes import RUNNER, topic_of
from stayalived.plugin.programs import Program
from stayalived.timing import Instant

LOST = "the process that was to tell its end died"
_CHILDREN = topic_of(ChildState).name


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Effect: the program that was asked for by this call has ended."""

    call: int
    ran: Ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Event: nobody waits for the program of this call any more."""

    call: int


def run_of(program: Program, identifier: int, lane: str = "") -> Run:
    """Return the request to start a program."""
    return Run(
        identifier=identifier,
        lane=lane,
        argv=program.argv,
        user=program.user,
        group=program.group,
        environment=program.environment,
        input=program.input,
        limit=program.limit,
    )


class Requests:
    """The programs that the runner was asked for, by the number of the call and by that of the request."""

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self._calls: dict[int, int] = {}  # by the request's identifier
        self._identifiers: dict[int, int] = {}  # by the call
        self._last = 0
        self._runner = 0  # process id of the one that was asked last, as far as it is known

    def ask(self, call: int, lane: str, program: Program, now: Instant) -> Tell:
        """Return the request. Its identifier is the moment, so that one of a predecessor of ours is never repeated."""
        self._last = max(self._last + 1, now)
        self._calls[self._last] = call
        self._identifiers[call] = self._last
        return Tell(message=run_of(program, self._last, lane), to=RUNNER, sequence=self._last)

    def ended(self, ran: Ran) -> list[Answer]:
        """Return the answer to the call that asked, if somebody still waits for it."""
        call = self._calls.pop(ran.identifier, None)
        if call is None:
            return []
        del self._identifiers[call]
        return [Answer(call=call, ran=ran)]

    def withdraw(self, call: int) -> list[Tell]:
        """Return the request to end a program that nobody waits for."""
        identifier = self._identifiers.pop(call, None)
        if identifier is None:
            return []
        del self._calls[identifier]
        return [Tell(message=Cancel(identifier=identifier), to=RUNNER, sequence=identifier)]

    def lose(self) -> list[Answer]:
        """Return the answers to all calls: the runner that knew of their programs is dead and tells nobody the end."""
        lost, self._calls, self._identifiers = self._calls, {}, {}
        return [
            Answer(
                call=call,
                ran=Ran(identifier=number, status=-1, signal=0, output=b"", problem=LOST, duration=0, void=True),
            )
            for number, call in lost.items()
        ]

    def watch(self, received: Received) -> list[Answer]:
        """Take in how a child is, and return the answers to what a runner was asked for that is gone.

        What is asked between two runners is held back for the next one: it is not lost.
        """
        if received.topic != _CHILDREN or received.key != RUNNER:
            return []
        before = self._runner
        self._runner = received.message.pid if isinstance(received.message, ChildState) else 0
        return self.lose() if before not in {0, self._runner} else []
