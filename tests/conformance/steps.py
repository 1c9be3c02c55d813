"""What a case is made of: a story of steps, each with what must be seen of it. Data, nothing else.

A step says what happens to a director and what can be seen outside at its end. All that is not said must not be: no
advert, no announcement, no address that comes or goes; and a state that is not named is the one from before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Packet:
    """A VRRP message on its way, as bytes, with what the IP header around it says."""

    text: str  # hexadecimal, with spaces between the fields
    source: str = "192.0.2.2"
    destination: str = "224.0.0.18"
    ttl: int = 255
    interface: str = "eth0"
    mac: str = ""  # hardware address that it comes from, where that is not the interface's own

    @property
    def data(self) -> bytes:
        """The message."""
        return bytes.fromhex(self.text)


@dataclass(frozen=True, slots=True)
class Sent:
    """An advert that must leave, `at` seconds after the step began."""

    at: float
    packet: Packet


@dataclass(frozen=True, slots=True)
class Said:
    """A frame of ARP or neighbour discovery that must leave, `times` times in a row, at this moment of the step."""

    at: float
    text: str  # the whole frame in hexadecimal
    times: int


@dataclass(frozen=True, slots=True)
class Step:
    """What must be seen at the end of a step, whatever happens in it.

    Attributes:
        state: of the instance; None: as before.
        sends: adverts that leave.
        adds: addresses that appear on an interface of ours.
        removes: addresses that disappear.
        announces: gratuitous ARPs and neighbour advertisements.
        logs: words of a line for the log each, in any order; lines beside them are allowed.
    """

    state: str | None = field(default=None, kw_only=True)
    sends: tuple[Sent, ...] = field(default=(), kw_only=True)
    adds: tuple[str, ...] = field(default=(), kw_only=True)
    removes: tuple[str, ...] = field(default=(), kw_only=True)
    announces: tuple[Said, ...] = field(default=(), kw_only=True)
    logs: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Start(Step):
    """The daemon starts for the first time; `vrrp_startup_delay` of the configuration in seconds."""

    delay: float = 0


@dataclass(frozen=True, slots=True)
class Hear(Step):
    """A packet comes in."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class HearAtOnce(Step):
    """Packets come in together: all wait in the socket before the first is read."""

    packets: tuple[Packet, ...]


@dataclass(frozen=True, slots=True)
class Pass(Step):
    """Time passes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LinkDown(Step):
    """The interface loses its carrier."""


@dataclass(frozen=True, slots=True)
class LinkUp(Step):
    """The carrier is back."""


@dataclass(frozen=True, slots=True)
class Delete(Step):
    """Somebody else takes an address off the interface."""

    address: str


@dataclass(frozen=True, slots=True)
class Reload(Step):
    """The configuration of the virtual router changes in these keys."""

    changes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stop(Step):
    """The daemon is told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A story about one director and one virtual router.

    Attributes:
        name: a sentence; the register names the case by it.
        story: what happens.
        router: keys of the virtual router that differ from `driver.ROUTER`; times are in seconds.
        number: of the director: the last byte of its addresses.
        present: addresses that the interface carries before the start, beside the director's own.
        counted: counters of packets heard that have moved at the end, and by how much; all others must stand at 0.
    """

    name: str
    story: tuple[Step, ...]
    router: Mapping[str, object] = field(default_factory=dict)
    number: int = 1
    present: tuple[str, ...] = ()
    counted: Mapping[str, int] = field(default_factory=dict)
