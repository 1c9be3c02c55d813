"""What a check plugin is made of. Import it from `stayalived.plugin`.

A check is a class with a `name`, an `Options` model, and one of two bodies:

* `async def probe(self, target, net)`: free to use any asyncio library; the framework owns its time limit, cancels it
  and closes what it opened through `net`;
* `def steps(self, target)`: a generator of steps, which the framework drives without a task; the cheap one.
"""

from abc import ABC
from collections.abc import Generator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol

import msgspec

from stayalived.addresses import Endpoint
from stayalived.errors import PluginFailure
from stayalived.timing import Duration


class CheckOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of a check's options: its fields are the keys that a user may write beside `type`."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one probe found.

    Attributes:
        up: whether the server answered as it should.
        step: at which step it was decided: `connect`, `status`, …
        seen: what was seen there, for people.
        expected: what should have been seen.
        weight: delta to the server's weight that this result asks for.
    """

    up: bool
    step: str = ""
    seen: str = ""
    expected: str = ""
    weight: int = 0

    @classmethod
    def passed(cls, step: str = "", seen: str = "", *, weight: int = 0) -> "Verdict":
        """Return the verdict of a server that answered as it should."""
        return cls(up=True, step=step, seen=seen, weight=weight)

    @classmethod
    def failed(cls, step: str, seen: str, expected: str = "") -> "Verdict":
        """Return the verdict of a server that did not, with the step, what was seen and what was expected."""
        return cls(up=False, step=step, seen=seen, expected=expected)

    def __str__(self) -> str:
        """Return one line for people: `status: 503, expected 200-299`."""
        what = f"{self.seen}, expected {self.expected}" if self.expected else self.seen
        return ": ".join(part for part in (self.step, what) if part) or ("ok" if self.up else "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to probe, and where from.

    Attributes:
        endpoint: address and port, resolved.
        virtual_host: the name to ask for (Host header, SNI); empty when the configuration gives none.
        connect_timeout: limit of each step in nanoseconds.
        limit: limit of the whole probe in nanoseconds.
        bindto: source address, or empty.
        bind_port: source port, or 0.
        bind_if: interface to bind to, or empty.
        fwmark: mark of the packets, or 0.
    """

    endpoint: Endpoint
    virtual_host: str
    connect_timeout: Duration
    limit: Duration
    bindto: str = ""
    bind_port: int = 0
    bind_if: str = ""
    fwmark: int = 0


@dataclass(frozen=True, slots=True)
class Connect:
    """Open the TCP connection. Answered with None once it is open."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send all of these bytes. Answered with None."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for bytes, at most `limit` of them. Answered with what came, `b""` at the end of the stream."""

    limit: int = 65536


@dataclass(frozen=True, slots=True)
class StartTls:
    """Change the connection to TLS. Answered with None once the handshake is done.

    Attributes:
        server_name: name sent and verified; empty: neither.
        verify: whether the certificate must be valid.
        ca: path of the authorities' certificates; empty: those of the system.
    """

    server_name: str = ""
    verify: bool = True
    ca: str = ""


Step = Connect | Send | Receive | StartTls
Steps = Generator[Step, bytes, Verdict]
"""A body of steps. `Connect`, `Send` and `StartTls` are answered with `b""`. A step that fails at the network ends
the probe with a verdict that names the step; the body need not care."""


class NetworkFailure(ConnectionError):
    """The network, or the server at its other end, failed a step of a probe.

    `Net` and its connections raise it. A check that lets it through has given its verdict.
    """

    def __init__(self, verdict: Verdict) -> None:
        """Keep the verdict that this failure is."""
        super().__init__(str(verdict))
        self.verdict = verdict


class Connection(Protocol):
    """An open connection that `Net.connect` gave. Its methods raise `NetworkFailure`."""

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        ...

    async def receive(self, limit: int = 65536) -> bytes:
        """Return what came, `b""` at the end of the stream."""
        ...

    async def start_tls(self, tls: StartTls) -> None:
        """Change the connection to TLS; return once the handshake is done."""
        ...


class Net(Protocol):
    """The network as a check sees it: source address, mark, interface and time limits of the target are applied."""

    def connect(self, target: Target) -> AbstractAsyncContextManager[Connection]:
        """Return a context that holds a TCP connection to the target and closes it with FIN at its end."""
        ...


class Check(ABC):
    """One type of check. An object is made for each probe that the configuration names, once; it keeps no state."""

    name: ClassVar[str]
    Options: ClassVar[type[CheckOptions]] = CheckOptions
    defaults: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """What holds for `retry`, `delay_before_retry`, … of this type when nobody says otherwise; seconds and numbers."""
    needs_port: ClassVar[bool] = True
    """Whether a target without a port makes no sense: a mistake that is told when the configuration is read."""

    def __init__(self, options: CheckOptions) -> None:
        """Keep the validated options."""
        self.options = options

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (for those who override it)
        """Probe the target in steps. Override this or `probe`."""
        raise PluginFailure(f"check {self.name!r} has neither steps() nor probe(): override one of them")

    async def probe(self, target: Target, net: Net) -> Verdict:
        """Probe the target and return the verdict. Raise only for a fault of the check itself."""
        from stayalived.plugin.steps import drive  # noqa: PLC0415  (the adapter needs this module)

        return await drive(self.steps(target), target, net)
