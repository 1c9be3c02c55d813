"""Events for whoever is to be told, and the requests to the runner."""

from typing import Annotated

import msgspec

from stayalived.messages.control import Message


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Event(Message, frozen=True):
    """Something happened. The kinds and their subjects are those of `messages.events`.

    Who sends it leaves out what stands below `monotonic`: the process that gets it stamps it (`child.origin`), or, with
    `merged`, the lane in which it waits.
    """

    sequence: Annotated[
        int, _says("A number that never comes twice while the machine runs; a sender's later ones are higher.")
    ]
    kind: Annotated[str, _says("What happened: one of the kinds above.")]
    subject_type: Annotated[str, _says("What the subject is.")]
    subject: Annotated[str, _says("Its name.")]
    old: Annotated[str, _says("The state before.")]
    new: Annotated[str, _says("The state since.")]
    reason: Annotated[str, _says("Why, for people; `stayalived status` shows the same.")]
    priority: Annotated[int, _says("Of an instance the effective one, else 0.")]
    monotonic: Annotated[int, _says("When, by the clock that nobody sets, in nanoseconds since the machine started.")]
    wall: Annotated[int, _says("When, by the clock on the wall, in nanoseconds since 1970, UTC.")] = 0
    host: Annotated[str, _says("Where: the host id of the daemon.")] = ""
    boot: Annotated[str, _says("Which life of the machine: with `sequence` it names the event for good.")] = ""
    version: Annotated[int, _says("Version of this page.")] = 0
    merged: Annotated[
        int, _says("How many events before it were left out for an action that is behind; `old` is the first one's.")
    ] = 0


class Counts(Message, frozen=True):
    """What came of the events for one type of action, or for the observers of one distribution, in one process.

    Key on the pipe: `DISTRIBUTION NAME`.
    """

    distribution: str
    name: str  # of the type; `observers`
    told: int
    failed: int
    merged: int  # left out because the action was behind
    limited: int  # left out because of `rate`
    waiting: int
    longest: int  # ns, of one call


class Told(Message, frozen=True):
    """These events are told, or left out with a count: whoever keeps them for the case of a death need not any more."""

    events: tuple[tuple[str, tuple[int, ...]], ...]  # sender, and the numbers of its events


class Run(Message, frozen=True):
    """Start a program. `lane` orders: programs of one lane run one after the other."""

    identifier: int
    lane: str
    argv: tuple[str, ...]
    user: str  # USER, "" for the default script user
    group: str
    environment: tuple[tuple[str, str], ...]
    input: bytes
    limit: int  # ns, then TERM, and KILL two seconds later, to the process group


class Cancel(Message, frozen=True):
    """End a program before its limit: TERM, then KILL."""

    identifier: int


class Ran(Message, frozen=True):
    """A program ended, or was refused. Exactly one for each `Run`.

    `status` is the exit status, -1 when it did not exit by itself; `problem` says why it was refused or killed.
    """

    identifier: int
    status: int
    signal: int
    output: bytes  # first 4 KiB of standard output and error
    problem: str
    duration: int  # ns
    void: bool = False  # it counts as never run: refused, withdrawn, or ended for a reason of ours
