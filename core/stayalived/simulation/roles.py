"""What a simulated process needs beside its engine: how that is made, and who carries out its own effects."""

from typing import TYPE_CHECKING, Any, Protocol

from stayalived.simulation.turned import AnyEngine
from stayalived.timing import Duration

if TYPE_CHECKING:
    from stayalived.simulation.process import Process


class Role(Protocol):
    """What a role needs beside its engine: how it is made, and who carries out its own effects."""

    def make(self, process: "Process") -> AnyEngine:
        """Return a fresh engine for a process that was just forked."""
        ...

    def born(self, process: "Process") -> None:
        """Tell the engine what its shell tells first."""
        ...

    def perform(self, process: "Process", effect: Any) -> None:
        """Carry out an effect of the role."""
        ...

    def drain(self, process: "Process") -> None:
        """Hand in what waits outside: a shell does so before it acts on an expired deadline."""
        ...

    def before(self, process: "Process", event: Any) -> None:
        """Note that an event is about to be handled; None: a deadline."""
        ...

    def after(self, process: "Process", event: Any) -> None:
        """Note that an event was handled and its effects were carried out."""
        ...

    def died(self, process: "Process") -> None:
        """Take away what dies with the process: its sockets."""
        ...

    def woken(self, slept: Duration) -> None:
        """Let the process know that the machine was suspended."""
        ...
