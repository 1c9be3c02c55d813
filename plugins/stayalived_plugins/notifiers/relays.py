"""Where mail goes, and what became of it there (pure)."""

from dataclasses import dataclass, field

from stayalived_plugins.notifiers.outgoing import Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Relays:
    """Where mail goes: relays that are asked one after the other, and how they are talked to.

    Attributes:
        hosts: name or address, and port.
        timeout: of each step, in seconds.
        helo_name: who we say that we are.
        tls: `none`, `opportunistic`, `starttls` or `implicit`.
        authorities: file of those that relays are verified by; empty: the system's.
        username: empty: without authentication.
        password: never shown.
    """

    hosts: tuple[tuple[str, int], ...]
    timeout: float
    helo_name: str
    tls: str
    authorities: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What letters in the spool know them by: no secret in it."""
        return f"{self.tls} {self.username}@{','.join(f'{host}:{port}' for host, port in self.hosts)}"


@dataclass(slots=True)
class Delivery:
    """What became of some letters. `problem` is why the last relay that was asked did not take all of them."""

    fates: dict[str, Fate]
    reached: bool = False
    problem: str = ""
    refusals: list[str] = field(default_factory=list)
