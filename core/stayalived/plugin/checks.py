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
from typing import ClassVar, Literal, Protocol

import msgspec

from stayalived.addresses import Endpoint
from stayalived.config.secret import Secret
from stayalived.errors import PluginFailure, StayalivedError
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import NO_TIME, Duration


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
        value: a number that was measured. The framework multiplies it by the check's weight and adds that to the
            server's weight, or to the priority of the instance that tracks the check; where the weight is 0, any other
            value than 0 is a failure.
        server_weight: the weight that the server shall have in place of the one that is configured.
    """

    up: bool
    step: str = ""
    seen: str = ""
    expected: str = ""
    weight: int = 0
    value: int | None = None
    server_weight: int | None = None

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
        endpoint: address and port, resolved; an empty address where the check looks at this machine alone.
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
    """Open the connection. Answered with `b""` once it is open.

    Attributes:
        datagrams: UDP instead of TCP: each `Send` is one datagram, and each `Receive` is answered with one.
    """

    datagrams: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Send all of these bytes. Answered with `b""`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for bytes. Answered with what came, `b""` at the end of the stream.

    Attributes:
        limit: how many bytes at most.
        or_nothing: silence for `connect_timeout` is an answer, too: `b""`.
    """

    limit: int = 65536
    or_nothing: bool = False


@dataclass(frozen=True, slots=True)
class StartTls:
    """Change the connection to TLS. Answered once the handshake is done: with the protocol that ALPN chose, or `b""`.

    Attributes:
        server_name: name sent and verified; empty: neither.
        verify: whether the certificate must be valid.
        ca: path of the authorities' certificates; empty: those of the system.
        certificate: path of our own certificate, for a server that asks for it; empty: none.
        key: its private key as PEM text; None: it stands in the certificate's file.
        alpn: protocols to offer, the best one first: `h2`.
    """

    server_name: str = ""
    verify: bool = True
    ca: str = ""
    certificate: str = ""
    key: Secret | None = None
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """Ask for the certificate that the server has shown, verified or not. Answered with its DER bytes."""


Step = Connect | Send | Receive | StartTls | PeerCertificate
Steps = Generator[Step, bytes, Verdict]
"""A body of steps. A step that fails at the network ends the probe with a verdict that names the step; the body need
not care."""


class NetworkFailure(ConnectionError):
    """The network, or the server at its other end, failed a step of a probe.

    `Net` and its connections raise it. A check that lets it through has given its verdict.
    """

    def __init__(self, verdict: Verdict) -> None:
        """Keep the verdict that this failure is."""
        super().__init__(str(verdict))
        self.verdict = verdict


class LocalFailure(StayalivedError):
    """This machine could not make the probe, for a reason that says nothing about whom it asks.

    No verdict changes; the text goes to the log, and the probe comes again within a second. The text says what is in
    the way and what to do about it.
    """


class Connection(Protocol):
    """An open connection that `Net.connect` gave. Its methods raise `NetworkFailure`."""

    async def do(self, step: Step) -> bytes:
        """Do any step but `Connect` and return its answer."""
        ...

    async def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        ...

    async def receive(self, limit: int = 65536) -> bytes:
        """Return what came, `b""` at the end of the stream."""
        ...

    async def start_tls(self, tls: StartTls) -> bytes:
        """Change the connection to TLS; return the protocol that ALPN chose once the handshake is done."""
        ...


class Net(Protocol):
    """What a check may use: the network, with the target's source, mark, interface and limits applied, and programs."""

    def connect(self, target: Target, *, datagrams: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Return a context that holds a connection to the target, of TCP or UDP, and closes it with FIN at its end."""
        ...

    async def ping(self, target: Target, data: bytes) -> None:
        """Send an ICMP echo request with these data; return when they have come back.

        Raises:
            NetworkFailure: they have not within `connect_timeout`, or there is no way.
            LocalFailure: this process has no socket for it. That of a third-party distribution never has.
        """
        ...

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended, by itself or because its limit was over.

        Cancelled, it has the program ended, too. Programs of one `argv`, user and environment run one after the other.

        Raises:
            LocalFailure: it was not run, or nobody knows how it ended: that counts as never run.
        """
        ...


class Check(ABC):
    """One type of check. An object is made for each probe that the configuration names, once; it keeps no state."""

    name: ClassVar[str]
    Options: ClassVar[type[CheckOptions]] = CheckOptions
    defaults: ClassVar[Mapping[str, float]] = MappingProxyType({})
    """What holds for `retry`, `delay_loop`, `weight`, … of this type when nobody says otherwise: seconds, numbers."""
    aim: ClassVar[Literal["needed", "optional", "none"]] = "needed"
    """Whether it asks somebody. With `none` it looks at this machine alone, and is one probe for all who want it; with
    `optional` it may be tracked without a `target`."""
    needs_port: ClassVar[bool] = True
    """Whether a target without a port makes no sense: a mistake that is told when the configuration is read."""
    tries_each_period: ClassVar[bool] = False
    """Whether `delay_before_retry` is as long as `delay_loop` when nobody says otherwise (C06)."""
    from_start: ClassVar[bool] = False
    """Whether `delay_loop` counts from the start of a probe and not from its end. One that still runs then is left to
    run; the next starts at the next multiple."""
    most_weight: ClassVar[int] = 253
    """The largest weight, of either sign, that an instance may give it in `track`."""

    def __init__(self, options: CheckOptions) -> None:
        """Keep the validated options."""
        self.options = options

    def limit(self, delay_loop: Duration) -> Duration:  # noqa: ARG002  (for those who override it)
        """Return how long a whole probe may take; then it is cancelled, which is a failure of the server.

        Asked once, when the configuration is read. 0 stands for three times `connect_timeout`: to connect, to ask, to
        hear the answer.
        """
        return NO_TIME

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (for those who override it)
        """Probe the target in steps. Override this or `probe`."""
        raise PluginFailure(f"check {self.name!r} has neither steps() nor probe(): override one of them")

    async def probe(self, target: Target, net: Net) -> Verdict:
        """Probe the target and return the verdict. Raise only for a fault of the check itself."""
        from stayalived.plugin.steps import drive  # noqa: PLC0415  (the adapter needs this module)

        return await drive(self.steps(target), target, net)
