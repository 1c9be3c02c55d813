"""What was seen of an election, from outside."""

from dataclasses import dataclass, field

from namespaces.capture import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What was seen of one event.

    Attributes:
        master: who was to be master afterwards, `tic` or `peer`.
        seconds: how long it took, for each virtual router; what is measured hangs on the event.
        least: what the RFC asks for at least.
        most: what it allows.
        odd: what should not have been.
        announced: what the master announced of its addresses, in order, without what is its own; after a split all that
            it announced until the loser must have yielded.
    """

    master: str
    seconds: tuple[float, ...]
    least: float
    most: float
    odd: tuple[str, ...]
    announced: tuple[bytes, ...]


@dataclass(slots=True)
class Seen:
    """What was seen of a whole story.

    Attributes:
        scenes: by the name of the event.
        adverts: the different adverts of ours and of the peer, without what is their own.
        complaints: of the peer about ours, and of ours.
        errors: what ours counted.
        packets: adverts and announcements of ours.
    """

    scenes: dict[str, Scene] = field(default_factory=dict)
    adverts: dict[str, set[bytes]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    packets: list[Packet] = field(default_factory=list)
