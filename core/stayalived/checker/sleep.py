"""Which virtual servers have checks that sleep (`ha_suspend`, LV26): none of their addresses is on this machine. Pure.

As long as ipvs has told nothing of one, its checks sleep, too: it tells at the start, and again whoever is replaced.
"""

from collections.abc import Iterable, Sequence

from stayalived.checker.verdict import Subscriber
from stayalived.config.model import Configuration
from stayalived.messages.services import AddressPresent
from stayalived.timing import Instant


class Sleep:
    """What is known of addresses, and whose checks depend on it."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._present: dict[str, bool] = {}
        self._subjects: dict[str, tuple[str, ...]] = {}

    @property
    def possible(self) -> bool:
        """Whether some check may have to sleep."""
        return bool(self._subjects)

    def configure(self, configuration: Configuration, subscribers: Iterable[Subscriber], now: Instant) -> None:
        """Take over a configuration: every check sleeps, or not, as it says.

        Args:
            configuration: what is in force from now on.
            subscribers: all of this process.
            now: the moment.
        """
        before = self._subjects
        self._subjects = {
            service.name: tuple(f"{service.name}/{server.name}" for server in service.real_servers)
            for service in configuration.virtual_servers
            if service.manners.ha_suspend
        }
        self._present = {name: present for name, present in self._present.items() if name in self._subjects}
        if not (before or self._subjects):
            return
        absent = {name for name in self._subjects if not self._present.get(name)}
        for subscriber in subscribers:
            subscriber.suspend(subscriber.check.subject.partition("/")[0] in absent, now)

    def take(self, message: AddressPresent) -> Sequence[str]:
        """Take in what ipvs tells of a virtual server; return whose checks go on or sleep now, as subjects."""
        known = self._present.get(message.service, False)
        self._present[message.service] = message.present
        return () if known is message.present else self._subjects.get(message.service, ())
