"""Every topic that may cross a pipe: what it carries, who may send it, who gets it. The only registry of messages."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import msgspec

from stayalived.messages import control, notify, services, vrrp
from stayalived.messages.codec import BadFrame, Frame
from stayalived.messages.control import Message


class Kind(Enum):
    """How a topic is treated on its way."""

    CONTROL = "between a child and the supervisor, never forwarded"
    STATE = "newest for each key, kept by the supervisor, retold to a restarted child"
    EVENT = "never merged, numbered, bounded"
    CALL = "to one child, which answers the sender; not kept"


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table. Senders and receivers are roles; `checker` stands for `checker/DIST` too."""

    name: str
    message: type[Message]
    kind: Kind
    senders: tuple[str, ...]
    receivers: tuple[str, ...]


SUPERVISOR = "supervisor"
CONFIG = "config"
VRRP = "vrrp"
IPVS = "ipvs"
CHECKER = "checker"
NOTIFY = "notify"
RUNNER = "runner"
API = "api"
LOG = "log"
SHARD = "#"
"""Stands between a role and a number where several processes share its work: `checker#2`."""

CHILDREN = (VRRP, IPVS, CHECKER, NOTIFY, RUNNER, API, LOG)
ANY = (*CHILDREN, CONFIG)
_UP = (ANY, (SUPERVISOR,))
_DOWN = ((SUPERVISOR,), ANY)

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("control.hello", control.Hello, Kind.CONTROL, *_UP),
        Topic("control.alive", control.Alive, Kind.CONTROL, *_UP),
        Topic("control.prepared", control.Prepared, Kind.CONTROL, *_UP),
        Topic("control.refused", control.Refused, Kind.CONTROL, *_UP),
        Topic("control.stopped", control.Stopped, Kind.CONTROL, *_UP),
        Topic("control.failed", control.Failed, Kind.CONTROL, *_UP),
        Topic("control.parsed", control.Parsed, Kind.CONTROL, (CONFIG,), (SUPERVISOR,)),
        Topic("control.prepare", control.Prepare, Kind.CONTROL, *_DOWN),
        Topic("control.commit", control.Commit, Kind.CONTROL, *_DOWN),
        Topic("control.abort", control.Abort, Kind.CONTROL, *_DOWN),
        Topic("control.stop", control.Stop, Kind.CONTROL, *_DOWN),
        Topic("notify.told", notify.Told, Kind.CONTROL, (NOTIFY,), (SUPERVISOR,)),
        Topic("command.request", control.Request, Kind.CONTROL, (API,), (SUPERVISOR,)),
        Topic("command.reply", control.Reply, Kind.CONTROL, (SUPERVISOR,), (API,)),
        Topic("daemon.child", control.ChildState, Kind.STATE, (SUPERVISOR,), (API, CHECKER)),
        Topic("daemon.state", control.DaemonState, Kind.STATE, (SUPERVISOR,), (API,)),
        Topic("vrrp.instance", vrrp.InstanceState, Kind.STATE, (VRRP,), (VRRP, IPVS, NOTIFY, API)),
        Topic("vrrp.group", vrrp.GroupState, Kind.STATE, (VRRP,), (VRRP, NOTIFY, API)),
        Topic("vrrp.counters", vrrp.RouterCounters, Kind.STATE, (VRRP,), (VRRP, API)),
        Topic("vrrp.sysctl", vrrp.BorrowedSysctl, Kind.STATE, (VRRP,), (VRRP, API)),
        Topic("vrrp.track", services.TrackState, Kind.STATE, (CHECKER,), (CHECKER, VRRP, API)),
        Topic("services.check", services.CheckState, Kind.STATE, (CHECKER,), (CHECKER, IPVS, API)),
        Topic("services.adopted", services.AdoptedServer, Kind.STATE, (IPVS,), (CHECKER, IPVS)),
        Topic("services.address", services.AddressPresent, Kind.STATE, (IPVS,), (CHECKER, IPVS, API)),
        Topic("services.round", services.FirstRound, Kind.STATE, (IPVS,), (VRRP, API)),
        Topic("services.timeouts", services.FoundTimeouts, Kind.STATE, (IPVS,), (IPVS,)),
        Topic("services.state", services.ServiceState, Kind.STATE, (IPVS,), (IPVS, API)),
        Topic("services.override", services.Override, Kind.STATE, (NOTIFY, SUPERVISOR), (IPVS, NOTIFY, API)),
        Topic("notify.counts", notify.Counts, Kind.STATE, (NOTIFY,), (API,)),
        Topic("event", notify.Event, Kind.EVENT, (VRRP, IPVS, CHECKER, SUPERVISOR), (NOTIFY, API)),
        Topic("runner.run", notify.Run, Kind.CALL, (NOTIFY, CHECKER), (RUNNER,)),
        Topic("runner.cancel", notify.Cancel, Kind.CALL, (NOTIFY, CHECKER), (RUNNER,)),
        Topic("runner.ran", notify.Ran, Kind.CALL, (RUNNER,), (NOTIFY, CHECKER)),
    )
}
SUBJECTS: dict[str, frozenset[str]] = {
    VRRP: frozenset({"instance", "group", "child"}),
    IPVS: frozenset({"real_server", "virtual_server"}),
    CHECKER: frozenset({"plugin"}),
    SUPERVISOR: frozenset({"child", "daemon", "plugin"}),
}
"""Which types of subject each role's events may be about. Who is told events has to ask `may_tell`."""

_TOPIC_OF: dict[type[Message], Topic] = {topic.message: topic for topic in TOPICS.values()}
_encoder = msgspec.msgpack.Encoder()
_decoders = {name: msgspec.msgpack.Decoder(topic.message) for name, topic in TOPICS.items()}
AnyMessage = TypeVar("AnyMessage", bound=Message)


def role_of(child: str) -> str:
    """Return the role of a child: `checker` for `checker/acme-checks` and for `checker#2`."""
    return child.partition("/")[0].partition(SHARD)[0]


def may_tell(sender: str, event: notify.Event) -> bool:
    """Whether an event is about something that its sender decides. A third party's child speaks of itself alone."""
    distribution = sender.partition("/")[2]
    if event.subject_type == "child" and sender not in {SUPERVISOR, event.subject}:
        return False  # a process speaks of itself alone
    return event.subject_type in SUBJECTS.get(role_of(sender), ()) and distribution in {"", event.subject}


def topic_of(message: type[Message]) -> Topic:
    """Return the topic that carries a type of message."""
    return _TOPIC_OF[message]


def pack(message: Message, *, key: str = "", peer: str = "", sequence: int = 0) -> Frame:
    """Return the frame that carries a message."""
    return Frame(_TOPIC_OF[type(message)].name, key, _encoder.encode(message), peer, sequence)


def forget(message: type[Message], key: str) -> Frame:
    """Return the frame that says: there is no such key any more."""
    return Frame(_TOPIC_OF[message].name, key)


def unpack(frame: Frame) -> Message | None:
    """Return the message in a frame, or None for a key that is gone.

    Raises:
        BadFrame: the topic is unknown or the body is not its message.
    """
    decoder = _decoders.get(frame.topic)
    if decoder is None:
        raise BadFrame(f"unknown topic {frame.topic!r}")
    if not frame.body:
        return None
    try:
        return decoder.decode(frame.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame(f"{frame.topic}: {error}") from error
