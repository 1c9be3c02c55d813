"""What a rehearsal begins with: what runs, what its processes have told, what the kernel has. Pure values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stayalived.addresses import VirtualAddress
from stayalived.child.events import Received
from stayalived.config.model import BUNDLED, Configuration, Timeouts
from stayalived.config.resolve import checks_of
from stayalived.config.virtual_routers import Route, Rule
from stayalived.ipvs.daemons import Daemon
from stayalived.ipvs.model import Table
from stayalived.ipvs.surroundings import Surroundings
from stayalived.kernel.api import Interface
from stayalived.messages.codec import Frame
from stayalived.messages.routes import CHECKER, TOPICS, unpack
from stayalived.messages.services import CheckState

Told = tuple[str, str, bytes]
"""Topic, key and body of a frame, as the control socket hands them on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What there is before anything is done.

    Attributes:
        running: the configuration in force; None when no daemon runs.
        told: what its processes have told, newest of each key.
        table: the kernel's IPVS table.
        interfaces: by name.
        routes: our routes in the kernel.
        rules: our rules of policy routing in the kernel.
        daemons: sync daemons that run.
        backup_only: whether a BACKUP balances nothing.
        timeouts: the kernel's, of connections.
        around: settings and addresses of this machine; None for another one.
    """

    running: Configuration | None = None
    told: tuple[Received, ...] = ()
    table: Table = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    daemons: tuple[Daemon, ...] = ()
    backup_only: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    around: Surroundings | None = None

    def told_to(self, role: str) -> Iterator[Received]:
        """Return what a process of this role that starts anew would be retold."""
        return (one for one in self.told if role in TOPICS[one.topic].receivers)


def received(told: Iterator[Told] | tuple[Told, ...], running: Configuration) -> tuple[Received, ...]:
    """Return what was told as the events that it is to an engine.

    Args:
        told: from the control socket.
        running: the configuration in force; it says which process each check runs in.

    Raises:
        BadFrame: it is not of this version.
    """
    checks = {check.key: check for check in checks_of(running.virtual_servers)}
    events = []
    for topic, key, body in told:
        message = unpack(Frame(topic, key, body))
        sender = TOPICS[topic].senders[0]
        if isinstance(message, CheckState) and key in checks and checks[key].distribution != BUNDLED:
            sender = f"{CHECKER}/{checks[key].distribution}"
        events.append(Received(topic=topic, key=key, sender=sender, message=message))
    return tuple(events)


def imagined(configuration: Configuration) -> dict[str, Interface]:
    """Return interfaces as a configuration needs them: for a machine that is not this one.

    Each is up and has an address of every family that a virtual router on it speaks, so that none is in FAULT.
    """
    made = {router.virtual_mac.name for one in configuration.instances for router in one.routers if router.virtual_mac}
    names = {}
    for instance in configuration.instances:
        for router in instance.routers:
            names[router.interface] = router.source
            names |= {placed.interface: "" for placed in router.held if placed.interface not in names}
        names |= {tracker.interface: "" for tracker in instance.trackers if tracker.interface}
    sources = {router.source for one in configuration.instances for router in one.routers if router.source}
    addresses = tuple(map(VirtualAddress.parse, ("192.0.0.8/32", "fe80::8/64", *sorted(sources))))
    return {
        name: Interface(name=name, index=number, up=True, mac=bytes(6), mtu=1500, arp=True, addresses=addresses)
        for number, name in enumerate(sorted(names.keys() - made), 2)
    }
