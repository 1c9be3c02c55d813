"""What the notify engine hears from its shell and asks of it."""

from dataclasses import dataclass

from stayalived.child.programs import Answer, Withdrawn
from stayalived.config.model import Action, Configuration
from stayalived.config.problems import Problem
from stayalived.messages.notify import Event
from stayalived.plugin.notifiers import Level
from stayalived.plugin.programs import Program
from stayalived.timing import Duration

OF_ITS_OWN = 0  # the token of programs by which no event is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Make the objects of these actions; answer with `Loaded`."""

    generation: int
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """These actions are in force from now on: open those that are new, close those that are gone once they are told."""

    actions: tuple[Action, ...]
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Have an action tell an event, within its time limit, or end what it holds; answer with `Invoked`."""

    token: int
    action: Action
    event: Event
    ending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandon:
    """Cancel what an action is doing; its `Invoked` counts no more."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """Show an event to the observers of this process's plugins; answer with `ObserverFailed` for each that fails."""

    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Restate:
    """Say to the actions in force where everybody stands: the configuration is another one."""

    events: tuple[Event, ...]


NotifyEffect = Load | Use | Invoke | Abandon | Observe | Restate | Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The objects are made; a problem for each action that has none."""

    generation: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """An action has told its event; `failure` says why it could not, else it is empty."""

    token: int
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An action wants a program run; `call` is the shell's number for it, `token` that of the event or `OF_ITS_OWN`."""

    call: int
    token: int
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An action holds another weight of a server for the subject of its event."""

    token: int
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing:
    """An action takes back what it holds of a server for the subject of its event."""

    token: int
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the calls of one distribution's observers have come to."""

    distribution: str
    calls: int
    failures: int
    longest: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverFailed:
    """An observer raised or took too long; the text names its distribution."""

    text: str


NotifyEvent = Loaded | Invoked | Asked | Withdrawn | Holding | Releasing | Observed | ObserverFailed
