"""A vrrp process without a supervisor: the test holds the other end of its pipe."""

import mmap
import os
from collections import Counter
from dataclasses import replace

import msgspec

from namespaces.lab import Host
from namespaces.processes import Process
from namespaces.waiting import wait_until
from stayalived.child import bootstrap, link, privileges
from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.routes import Kind, pack, topic_of, unpack
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.vrrp import main

SEND_TIMES_SIZE = 4096
BORN_WITHIN = 5.0
COUNTERS = topic_of(RouterCounters).name


class Memory:
    """What outlives a vrrp process at its supervisor: the page of send times and the state it has told."""

    def __init__(self) -> None:
        self.page = mmap.mmap(-1, SEND_TIMES_SIZE)
        self.retained: dict[tuple[str, str], Frame] = {}


class VrrpChild:
    """The vrrp child on a host, with the rights that it has under the supervisor.

    Args:
        host: where it runs.
        configuration: what it is given at once.
        memory: of the process that it replaces; then it is respawned.
    """

    def __init__(self, host: Host, configuration: Configuration, memory: Memory | None = None) -> None:
        self.host, self.memory = host, memory or Memory()
        self.events: list[Event] = []
        self._answers: list[control.Message] = []
        self._generation = 0
        ours, theirs = link.make_pair()
        context = bootstrap.Context(
            name="vrrp",
            start=Start.RESPAWNED if memory else Start.FIRST,
            link=theirs,
            run_dir=host.lab.folder,
            config_dir=host.lab.folder,
            host_id=host.name,
            send_times=self.memory.page,
        )
        self.process: Process = host.fork(lambda: _live(context), "vrrp")
        theirs.close()
        self._link = link.Link(ours)
        host.lab.keep(self._link)
        self._expect(control.Hello)
        for frame in self.memory.retained.values():
            self._link.send(replace_sender(frame))
        self.configure(configuration, Start.RESPAWNED if memory else Start.FIRST)

    def configure(self, configuration: Configuration, start: Start = Start.RELOAD) -> None:
        """Let it prepare and commit a configuration."""
        self._generation += 1
        blob = os.memfd_create("configuration")
        os.write(blob, model.encode(configuration))
        self._link.send(pack(control.Prepare(generation=self._generation)), blob)
        self._expect(control.Prepared)
        self._link.send(pack(control.Commit(generation=self._generation, start=start)))

    def state(self, instance: str = "tic") -> str:
        """Return the state of an instance as told last, or nothing."""
        self._pump()
        frame = self.memory.retained.get((topic_of(InstanceState).name, instance))
        message = unpack(frame) if frame else None
        return message.state if isinstance(message, InstanceState) else ""

    def wait_for_state(self, state: str, *, within: float, instance: str = "tic") -> None:
        """Wait until an instance is in a state.

        Raises:
            TooLate: the limit in seconds is over.
        """
        what = f"{self.host.name} to be {state}"
        wait_until(lambda: self.state(instance) == state, within=within, what=what, descriptor=self._link.fileno())

    def errors(self, key: str = "") -> dict[str, int]:
        """Return what it has told of errors, by kind, of one virtual router or of all; at most a second old."""
        self._pump()
        retained = self.memory.retained.items()
        told = (unpack(frame) for (topic, found), frame in retained if topic == COUNTERS and key in {"", found})
        return dict(sum((Counter(message.errors) for message in told), Counter()))

    def complaints(self) -> list[str]:
        """Return the lines of its log that are more than information."""
        return [line for line in self.process.log().splitlines() if not line.startswith("INFO:")]

    def stop(self) -> int:
        """Let it end in order, and return its exit status."""
        self._link.send(pack(control.Stop(leave=False)))
        return self.process.wait(within=5.0)

    def lose_supervisor(self) -> None:
        """Close our end of the pipe."""
        self._link.close()

    def kill(self) -> Memory:
        """Kill it; what it put into the kernel stays. Returns what its replacement is to be given."""
        self._pump()
        self.process.kill_group()
        self.process.wait(within=5.0)
        return self.memory

    def kill_machine(self, interface: str = "eth0") -> None:
        """Lose the machine: the process, and every frame from then on."""
        self.process.kill_group()
        self.host.cut(interface)
        self.process.wait(within=5.0)

    def _expect(self, kind: type[control.Message]) -> None:
        def answered() -> bool:
            self._pump()
            return any(isinstance(answer, kind) for answer in self._answers)

        name = kind.__name__
        wait_until(answered, within=BORN_WITHIN, what=f"{name} of {self.host.name}", descriptor=self._link.fileno())
        self._answers.clear()

    def _pump(self) -> None:
        for frame, _ in self._link.receive():
            message = unpack(frame)
            if isinstance(message, Event):
                self.events.append(message)
            elif message is None or topic_of(type(message)).kind is Kind.STATE:
                self.memory.retained[frame.topic, frame.key] = frame
            elif not isinstance(message, control.Alive):
                self._answers.append(message)


def replace_sender(frame: Frame) -> Frame:
    """Return a frame as the supervisor retells it: `peer` says whose it was."""
    return msgspec.structs.replace(frame, peer="vrrp")


def _live(context: bootstrap.Context) -> None:
    bootstrap.close_others({context.link.fileno()})
    privileges.assume(context.name, main.RIGHTS)
    main.run(replace(context, extra={}), None)
