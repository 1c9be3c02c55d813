"""Events for whoever is to be told, and the requests to the runner."""

from stayalived.messages.control import Message


class Event(Message, frozen=True):
    """Something happened. Never merged; `sequence` counts for each sender and never repeats while the daemon runs.

    Kinds of an instance: master, backup, fault, stop, deleted, lower_priority. Of a group: master, backup, fault, stop.
    Of a real server: up, down, weight, drain, drained, undrain, stale. Of a virtual server: quorum_up, quorum_down,
    sorry_on, sorry_off, panic_on, panic_off. Of the daemon: child_died, child_started,
    plugin_failed, reloaded, reload_refused.
    """

    sequence: int
    kind: str
    subject_type: str  # instance, group, real_server, virtual_server, child, plugin, daemon
    subject: str
    old: str
    new: str
    reason: str
    priority: int
    monotonic: int  # ns


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
