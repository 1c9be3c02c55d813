"""The supervisor of a simulated machine: the real engine, and what its shell does for it."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from stayalived.child.events import Report
from stayalived.simulation.turned import Turned
from stayalived.supervisor import events as supervision
from stayalived.supervisor.engine import SupervisorEngine

if TYPE_CHECKING:
    from stayalived.simulation.node import Node


class Supervisor(Turned):
    """The supervisor's engine and what its shell does for it."""

    def __init__(self, node: "Node") -> None:
        """Begin; nothing is read yet."""
        super().__init__(node, "supervisor")
        self.decides = SupervisorEngine(run_dir="/run/stayalived", config_dir="/etc/stayalived/conf.d")
        self.engine = self.decides
        self.reports: Counter[str] = Counter()

    def carry_out(self, effect: Any) -> None:
        """Do what the engine asks of its shell."""
        node = self.node
        match effect:
            case supervision.Fork(name=name, start=start, generation=generation):
                node.fork(name, start, generation)
            case supervision.Kill(name=name):
                child = node.children.get(name)
                if child is not None:
                    child.kill()
            case supervision.Send(name=name, frame=frame, blob=blob):
                child = node.children.get(name)
                if child is not None:
                    child.to_child.send(frame, blob)
            case supervision.ForgetSendTimes():
                node.send_times.clear()
            case supervision.Exit():
                node.supervisor_ended()
            case Report(text=text):
                self.reports[text] += 1
                node.world.note(self.label, "logs", text)
