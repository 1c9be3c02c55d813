"""Which virtual servers have an address on this machine, of those whose checks depend on it (LV26). Pure.

| known of the addresses | told of each virtual server with `ha_suspend` |
|---|---|
| nothing yet | nothing: its checks sleep once they have a verdict |
| all of them | whether one of its own is among them |
| they cannot be had | that it is present: rather checks too many than a pool that nobody looks at |
"""

from stayalived.child.events import Forget, Report, Tell
from stayalived.config.model import Configuration
from stayalived.ipvs.events import ERROR, INFO, AddressesSeen, AnyEffect, WatchAddresses
from stayalived.messages.services import AddressPresent

_ONCE = "addresses: "


class Presence:
    """Tells whose addresses are here, each time that it changes."""

    def __init__(self) -> None:
        """Start without a configuration, and without knowing any address."""
        self._addresses: dict[str, frozenset[str]] = {}  # by virtual server
        self._told: dict[str, bool] = {}
        self._seen: AddressesSeen | None = None

    def remember(self, message: AddressPresent) -> None:
        """Take note of what the process before this one told."""
        self._told[message.service] = message.present

    def configure(self, configuration: Configuration) -> list[AnyEffect]:
        """Take over a configuration; return what there is to tell, and to ask for."""
        self._addresses = {
            service.name: frozenset(endpoint.address for endpoint in service.addresses)
            for service in configuration.virtual_servers
            if service.manners.ha_suspend
        }
        gone = [name for name in self._told if name not in self._addresses]
        for name in gone:
            del self._told[name]
        forgotten: list[AnyEffect] = [Forget(message=AddressPresent, key=name) for name in gone]
        if self._addresses and self._seen is None:
            return [*forgotten, WatchAddresses()]
        return [*forgotten, *self._tell()]

    def take(self, event: AddressesSeen) -> list[AnyEffect]:
        """Take in which addresses there are; return what there is to tell."""
        failed = self._seen is not None and bool(self._seen.problem)
        self._seen = event
        if event.problem:
            text = f"{event.problem}; checks with ha_suspend do not sleep until the addresses are known"
            return [Report(level=ERROR, text=text, once=f"{_ONCE}{event.problem}"), *self._tell()]
        return [*([Report(level=INFO, text="", once=_ONCE)] if failed else []), *self._tell()]

    def again(self) -> list[AnyEffect]:
        """Return what asks for the addresses once more, where they could not be had."""
        return [WatchAddresses()] if self._addresses and self._seen is not None and self._seen.problem else []

    def _tell(self) -> list[AnyEffect]:
        """Return what has changed since it was told."""
        effects: list[AnyEffect] = []
        seen = self._seen
        if seen is None:
            return []
        for name, addresses in self._addresses.items():
            present = bool(seen.problem) or not addresses.isdisjoint(seen.addresses)
            if self._told.get(name) is present:
                continue
            self._told[name] = present
            what = "go on: an address of it is" if present else "sleep: none of its addresses is"
            text = f"Checks of {name} {what} on this machine"
            effects.append(Report(level=INFO, text=text, fields={"service": name}))
            effects.append(Tell(message=AddressPresent(service=name, present=present), key=name))
        return effects
