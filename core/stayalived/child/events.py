"""What every child's engine is told and may ask for, beside what belongs to its own job.

`child.conversation` turns frames into these events and these effects into frames, for the real shell and for the
simulator alike; an engine never sees a frame.
"""

from dataclasses import dataclass, field

from stayalived.config.model import Configuration
from stayalived.config.problems import Problem
from stayalived.messages.control import Message, Start


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Can you use this configuration? Answer with `AnswerPrepared`; change nothing."""

    generation: int
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Use what was prepared under this generation."""

    generation: int
    start: Start


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Forget what was prepared under this generation."""

    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Release everything, then `Finished`. Also what the end-of-file of the supervisor's pipe becomes."""

    leave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Another child's message came, or (at a restart) is retold. `message` is None when the key is gone."""

    topic: str
    key: str
    sender: str
    message: Message | None


ChildEvent = Prepare | Commit | Abort | Stop | Received


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPrepared:
    """Answer to `Prepare`. With an error among the problems it is a refusal."""

    generation: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Send a message: state under its key, an event with its sequence number, a call to one child."""

    message: Message
    key: str = ""
    to: str = ""
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """The state of this key is gone: nobody shall be told it again."""

    message: type[Message]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A line for the log. `once` names a class of errors: lines of one class are written once until it is cleared.

    A report with an empty text clears every class that begins with its `once`.
    """

    level: int  # of the logging module
    text: str
    fields: dict[str, str] = field(default_factory=dict)
    once: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Everything is released: tell the supervisor and end the process."""


ChildEffect = AnswerPrepared | Tell | Forget | Report | Finished
