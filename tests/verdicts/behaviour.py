"""What a server does, and what is asked of it: once as keepalived and once as we write the question.

A behaviour is a row of the table of verdicts. `keepalived.toml` beside this file holds what keepalived makes of each.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stayalived.plugin.testing import Act

SERVER, SERVER6 = "192.0.2.10", "2001:db8:1::10"
"""The host of all servers; its other address is where answers come from that nobody asked."""

OTHER = "192.0.2.11"
MUTE = "192.0.2.12"
"""A host that answers no echo request."""

ABSENT, ABSENT6 = "192.0.2.250", "2001:db8:1::250"
"""Addresses on the wire that nobody has."""

UNREACHABLE, PROHIBITED, SWALLOWED, REJECTED = "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"
"""Behind a router that says host unreachable, says prohibited, says nothing, says net unreachable."""

NO_ROUTE, FORBIDDEN = "198.18.0.1", "203.0.113.130"
"""The director itself has no route to the one and forbids the other."""

CLOSED = 9
"""A port on which nobody listens."""

WEIGHT = 10

Replies = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A server over TCP that plays acts to each client, under TLS where a certificate is named."""

    acts: tuple[Act, ...]
    tls: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagrams:
    """A server over UDP: which datagrams answer one. `elsewhere`: they come from another address."""

    replies: Replies
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FullQueue:
    """Listens, and has no room for a further connection."""


Serving = Script | Datagrams | FullQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One row.

    Attributes:
        type: of the check, as ours is called.
        name: what the server does.
        theirs: keepalived's checker without what all have.
        ours: further keys of our check, as TOML has them.
        serving: what plays the server; None where it is no program.
        address: of the server.
        port: of the server; 0: one is given to it.
        waits: the verdict comes of silence.
    """

    type: str
    name: str
    theirs: str
    ours: str = ""
    serving: Serving | None = None
    address: str = SERVER
    port: int = 0
    waits: bool = False

    @property
    def key(self) -> str:
        """Under which the record has it."""
        return f"{self.type}: {self.name}"
