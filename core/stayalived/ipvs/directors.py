"""Who may balance: this machine, the other director, or both without sending packets round in circles. Pure.

| what keeps two directors that are real servers too apart | here |
|---|---|
| one instance: the BACKUP has the table, and `backup_only` switches IPVS off there | `Direct.backup_only` |
| several instances: what comes from another director is marked, and the service of the mark serves it here | `table` |
| a small table: a service that follows an instance is in the table of the MASTER only | `held_back` |

The marked service has one destination, this machine's own address among the real servers. IPVS looks for a service of
the mark before one of the address (ip_vs_ctl.c, ip_vs_service_find), so the packet is not balanced again; but it is a
connection, which the sync daemon tells of, with the very server that the other director had chosen.
"""

from collections.abc import Iterable

from stayalived.addresses import Endpoint, Family, packed
from stayalived.child.events import Report
from stayalived.config.directors import SyncDaemon
from stayalived.config.model import Configuration, VirtualServer
from stayalived.ipvs.daemons import MASTER_STATE, daemons_of
from stayalived.ipvs.events import ERROR, INFO, WARNING, AnyEffect, Direct, Directed, LookAround, Marks
from stayalived.ipvs.model import Destination, Entry, Service, ServiceKey, Table
from stayalived.ipvs.projection import keys_of
from stayalived.ipvs.surroundings import Surroundings, missing, settings_of, unprotected
from stayalived.messages.vrrp import InstanceState
from stayalived.timing import Instant, after, seconds

LOOK_INTERVAL = seconds(30)
"""How often it is looked at whether somebody else has stopped a daemon, or flushed the ruleset."""

RETRY_INTERVAL = seconds(2)
"""How soon after a refusal: an interface may be up by then."""

STATES_KEPT = 4096
"""Instances whose state is remembered: more than any machine has."""

SITE = "site: "
"""Begins what makes a line about the site one that is said once."""

_ONCE = "directors: "


class Directors:
    """What this machine does beside balancing, and which services it leaves to others.

    Attributes:
        due_at: when to make it so, again or for the first time; None while nothing is configured.
    """

    def __init__(self) -> None:
        """Start without a configuration."""
        self.due_at: Instant | None = None
        self._configuration: Configuration | None = None
        self._states: dict[str, str] = {}
        self._local: frozenset[str] = frozenset()
        self._managed = Direct()  # what we have ever touched, as it is to be left at the end
        self._failed = False
        self._looked = True  # at the surroundings that the configuration asks for

    # -- what comes in

    def configure(self, configuration: Configuration, now: Instant) -> None:
        """Take over a configuration."""
        before = self._configuration
        self._configuration = configuration
        self._looked = configuration == before
        wanted = configuration.globals
        if wanted.sync_daemon is not None or wanted.peer_mark or _asks(before):
            self.due_at = now

    def hear(self, name: str, state: InstanceState | None, now: Instant) -> list[str]:
        """Take in an instance's state; return the names of the virtual servers that follow it, if it has changed."""
        before = self._states.get(name)
        if state is None:
            self._states.pop(name, None)
        elif name in self._states or len(self._states) < STATES_KEPT:
            self._states[name] = state.state
        if self._states.get(name) == before or self._configuration is None:
            return []
        daemon = self._configuration.globals.sync_daemon
        if daemon is not None and daemon.instance == name:
            self.due_at = now
        return [service.name for service in self._configuration.virtual_servers if service.follow == name]

    def take(self, event: Directed, now: Instant, *, quiet: bool = False) -> list[AnyEffect]:
        """Take in what became of the last `Direct`; return what there is to say of it.

        Args:
            event: what became of it.
            now: the present.
            quiet: IPVS as a whole is out of reach, which was said already.
        """
        if event.local != self._local:  # an address came or went: are we a real server still?
            self._local = event.local
            self.due_at = now
        if self.due_at is None and _asks(self._configuration):  # else something newer is due
            self.due_at = after(now, RETRY_INTERVAL if event.problems else LOOK_INTERVAL)
        failed, self._failed = self._failed, bool(event.problems)
        if failed and not event.problems:
            return [Report(level=INFO, text="", once=_ONCE)]
        said = () if quiet else event.problems
        return [Report(level=ERROR, text=text, once=f"{_ONCE}{text}") for text in said]

    def look_around(self, found: Surroundings) -> list[AnyEffect]:
        """Return warnings of what the site has left undone; each is said once."""
        if self._configuration is None:
            return []
        texts = missing(self._configuration, found)
        warnings = [Report(level=WARNING, text=text, once=f"{SITE}{text}") for text in texts]
        hints = unprotected(self._configuration, found)
        return [*warnings, *(Report(level=INFO, text=text, once=f"{SITE}{text}") for text in hints)]

    # -- what is to be done

    def ask_around(self) -> list[AnyEffect]:
        """Return what has to be looked at after another configuration came into force."""
        assert self._configuration is not None
        settings = () if self._looked else settings_of(self._configuration)
        self._looked = True
        return [LookAround(settings)] if settings else []

    def direct(self) -> Direct:
        """Return what is to be made so now."""
        self.due_at = None
        assert self._configuration is not None
        wanted = self._configuration.globals
        daemon = wanted.sync_daemon
        state = self._states.get(daemon.instance) if daemon is not None else None
        daemons = daemons_of(daemon, state)
        backup_only = None
        switched = daemon is not None and self._switches(daemon)
        if switched and state is not None:
            backup_only = state != MASTER_STATE
        elif not switched and self._managed.backup_only is not None:
            backup_only = False
        marks = self._marks()
        table = marks.table if marks else self._managed.table
        touched = daemon is not None or self._managed.daemons is not None
        effect = Direct(
            daemons=daemons if touched else None,
            backup_only=backup_only,
            marks=marks,
            table=table,
        )
        self._managed = Direct(
            daemons=frozenset() if touched else None,
            backup_only=False if backup_only is not None or self._managed.backup_only is not None else None,
            table=table,
        )
        return effect

    def release(self) -> list[AnyEffect]:
        """Return what undoes all that was done, at a stop."""
        self.due_at = None
        managed, self._managed = self._managed, Direct()
        return [] if managed == Direct() else [managed]

    # -- what the table becomes

    @property
    def keys(self) -> set[ServiceKey]:
        """The services of packets from other directors, one for each family that this machine serves."""
        return set(self.table())

    def table(self) -> Table:
        """Return the services that serve marked packets here."""
        if self._configuration is None or not self._configuration.globals.peer_mark:
            return {}
        services = self._configuration.virtual_servers
        table: Table = {}
        for family in Family:
            own = next((address for address in _served(services, family) if address in self._local), None)
            if own is not None:
                key = ServiceKey(family, "", None, self._configuration.globals.peer_mark)
                # A scheduler that is in use already: no further module is needed.
                entry = Entry(Service(scheduler=services[0].scheduler, granularity=family.bits))
                entry.destinations[Endpoint(own, 0)] = Destination(method="DR", weight=1)
                table[key] = entry
        return table

    def held_back(self, present: Table) -> set[ServiceKey]:
        """Return the services that are not to be in the table now.

        Args:
            present: the kernel's: what is there stays while an instance's state is not known, as after our own death.
        """
        if self._configuration is None:
            return set()
        followers = (service for service in self._configuration.virtual_servers if service.follow)
        return {key for service in followers for key in keys_of(service) if not self._may_have(key, service, present)}

    def _may_have(self, key: ServiceKey, service: VirtualServer, present: Table) -> bool:
        state = self._states.get(service.follow)
        return key in present if state is None else state == MASTER_STATE

    def _switches(self, daemon: SyncDaemon) -> bool:
        """Tell whether IPVS is switched off while BACKUP.

        Not without need: at a takeover the addresses are there a moment before it is switched on again, and the packets
        of that moment meet no connection. A machine that is no real server is sent nothing while BACKUP anyway.
        """
        if daemon.backup_only is not None:
            return daemon.backup_only
        assert self._configuration is not None
        services = self._configuration.virtual_servers
        return any(address in self._local for family in Family for address in _served(services, family))

    def _marks(self) -> Marks | None:
        assert self._configuration is not None
        wanted, services = self._configuration.globals, self._configuration.virtual_servers
        if not (wanted.peer_directors or wanted.peer_addresses):
            return None
        endpoints = (key.endpoint for service in services for key in keys_of(service))
        virtual = (packed(endpoint.address) for endpoint in endpoints if endpoint is not None)
        forwards = (server.forward.method for service in services for server in service.real_servers)
        return Marks(
            table=f"{wanted.nftables}_peers",
            priority=wanted.nftables_priority,
            macs=wanted.peer_directors,
            peers=wanted.peer_addresses,
            mark=wanted.peer_mark,
            addresses=tuple(dict.fromkeys(virtual)),
            fwmarks=tuple(sorted({mark for service in services for mark in service.fwmarks})),
            tunnelled="TUN" in forwards,
        )


def _asks(configuration: Configuration | None) -> bool:
    """Tell whether a configuration has something that needs looking after."""
    if configuration is None:
        return False
    return configuration.globals.sync_daemon is not None or bool(configuration.globals.peer_mark)


def _served(services: Iterable[VirtualServer], family: Family) -> Iterable[str]:
    """Return the addresses of real servers in a family, in the order of the configuration."""
    for service in services:
        for server in service.real_servers:
            endpoint = server.endpoint(family)
            if endpoint is not None:
                yield endpoint.address
