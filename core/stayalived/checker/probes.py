"""What the checker's engine asks of its shell, and what the shell answers: values only.

A probe is one question to one server, however many checks asked for it. What makes two checks the same question is
`ProbeIdentity`; everything else (period, retries, rise, fall, weight) belongs to the subscriber.
"""

from dataclasses import dataclass

import msgspec

from stayalived.addresses import Endpoint
from stayalived.child.programs import Answer, Withdrawn
from stayalived.config.model import Check, Source
from stayalived.plugin.checks import Target, Verdict
from stayalived.plugin.programs import Program
from stayalived.timing import NO_TIME, Duration

STEPS_IN_LIMIT = 3
"""A whole probe may take this many times the limit of one step: to connect, to ask, to hear the answer."""


class ProbeIdentity(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What makes two checks one probe, as in keepalived (C41): with the limit of a step, without periods.

    It is looked up for each of tens of thousands of checks at a reload: hence a struct that remembers its hash.
    """

    type: str
    distribution: str
    options: bytes
    target: Endpoint
    virtual_host: str
    source: Source
    connect_timeout: Duration
    own_limit: Duration = NO_TIME  # what the type says, where it says something

    @classmethod
    def of(cls, check: Check) -> "ProbeIdentity":
        """Return the probe that a check asks for."""
        return cls(
            type=check.type,
            distribution=check.distribution,
            options=check.options,
            target=check.target,
            virtual_host=check.virtual_host,
            source=check.source,
            connect_timeout=check.timing.connect_timeout,
            own_limit=check.timing.limit,
        )

    @property
    def question(self) -> "ProbeIdentity":
        """What is asked, however long the answer may take: by it a reload finds the state of before (C41, T18)."""
        return msgspec.structs.replace(self, own_limit=NO_TIME) if self.own_limit else self

    @property
    def limit(self) -> Duration:
        """How long the whole probe may take."""
        return self.own_limit or Duration(STEPS_IN_LIMIT * self.connect_timeout)

    def aim(self) -> Target:
        """Return the target as the check's code gets it."""
        return Target(
            endpoint=self.target,
            virtual_host=self.virtual_host,
            connect_timeout=self.connect_timeout,
            limit=self.limit,
            bindto=self.source.bindto,
            bind_port=self.source.bind_port,
            bind_if=self.source.bind_if,
            fwmark=self.source.fwmark,
        )

    def __str__(self) -> str:
        """Return `http at 192.0.2.1:80`."""
        return f"{self.type} at {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFault:
    """The probe could not be made for a reason of this machine: no descriptor, bind refused, an unsafe script (C11).

    It says nothing about the server. `text` names no server, so that equal faults are counted together.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFault:
    """The check's own code raised, answered nonsense, or did not end. It says nothing about the server."""

    text: str


Outcome = Verdict | LocalFault | PluginFault


@dataclass(frozen=True, slots=True, kw_only=True)
class StartProbe:
    """Effect: make this probe now. Exactly one `ProbeEnded` answers it, unless `AbandonProbe` comes first."""

    probe: int
    identity: ProbeIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonProbe:
    """Effect: nobody asks for this probe any more. End it if it runs, answer nothing; its number never comes again."""

    probe: int


class ProbeEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Event: a probe is done; what it found and how long it took. Made for each probe: a struct costs a tenth."""

    probe: int
    outcome: Outcome
    latency: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Event: a probe wants a program run; `call` is the shell's number for it. `Answer` answers it exactly once.

    Programs of one lane run one after the other, those of a predecessor of this process included.
    """

    call: int
    lane: str
    program: Program


ProbeEvent = ProbeEnded | Asked | Withdrawn
ProbeEffect = StartProbe | AbandonProbe | Answer
