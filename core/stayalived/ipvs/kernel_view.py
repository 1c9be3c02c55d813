"""What the engine knows of the kernel: its table, what it refused, when to look again. Pure."""

from collections.abc import Collection, Iterable

from stayalived.addresses import Endpoint
from stayalived.ipvs.events import OperationsDone, TableRead
from stayalived.ipvs.model import AddDestination, Connections, Operation, ServiceKey, Table, carry_out, copy_of
from stayalived.ipvs.plan import plan
from stayalived.timing import Duration, Instant, after, milliseconds, seconds

REREAD_INTERVAL = seconds(30)
"""How often the table is read to find what others changed in it."""

COUNTER_INTERVAL = seconds(2)
"""How often it is read for its counters, as long as that costs nothing worth mentioning."""

COUNTER_PAUSE = milliseconds(10)
"""How much longer for each destination: to read one takes about a tenth of a millisecond, a hundredth of this."""

RETRY_FIRST = seconds(1)
RETRY_LAST = REREAD_INTERVAL
"""How long a refused service is left alone: doubled at each refusal, between these."""


class KernelView:
    """The kernel's table as it was read and as it changed since, by what was accepted.

    Attributes:
        table: the table; None until it was read for the first time.
        connections: what the kernel counted when it was last read.
        read_at: when to read it again; None: not at all.
        problems: last refusal of a service, or of reading (under None).
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.table: Table | None = None
        self.connections: dict[tuple[ServiceKey, Endpoint], Connections] = {}
        self.read_at: Instant | None = None
        self.problems: dict[ServiceKey | None, str] = {}
        self._refusals: dict[ServiceKey | None, int] = {}
        self._parked: dict[ServiceKey, Instant] = {}

    def present(self) -> Table:
        """Return the table, an empty one when it was never read."""
        return self.table if self.table is not None else {}

    def take(self, event: TableRead, now: Instant) -> None:
        """Take in what was read."""
        self.table = copy_of(event.table)
        self.connections = event.connections
        self._settle(None)
        self._parked = {key: until for key, until in self._parked.items() if until > now}
        interval = max(COUNTER_INTERVAL, Duration(COUNTER_PAUSE * len(event.connections)))
        self.read_at = min((after(now, min(interval, REREAD_INTERVAL)), *self._parked.values()))

    def cannot_read(self, text: str, now: Instant) -> None:
        """Note that the table could not be read, and when to try again."""
        self._note(None, text)
        self.read_at = after(now, self._pause(None))

    def plan(self, wanted: Table, keys: Collection[ServiceKey]) -> list[Operation]:
        """Return what there is to do for some of our services, without those that were just refused."""
        if self.table is None:
            return []
        tried = [key for key in keys if key not in self._parked]
        actual = {key: self.table[key] for key in tried if key in self.table}
        operations = plan(actual, {key: entry for key, entry in wanted.items() if key not in self._parked}, set(tried))
        undone = {operation.key for operation in operations}
        for key in tried:
            if key not in undone:
                self._settle(key)
        return operations

    def done(self, event: OperationsDone, now: Instant) -> list[tuple[Operation, str]]:
        """Take in what became of operations.

        A service that was refused for the first time makes the table be read at once; at the second time it is left
        alone for a while, and the others go on.

        Returns:
            what was refused, and why.
        """
        refused = []
        for operation, problem in zip(event.operations, event.problems, strict=True):
            if problem is not None:
                refused.append((operation, str(problem)))
            elif self.table is not None:
                carry_out(self.table, operation)
        self._postpone(sum(isinstance(operation, AddDestination) for operation in event.operations), now)
        for key in {operation.key for operation, _ in refused}:
            text = next(text for operation, text in refused if operation.key == key)
            self._note(key, text)
            pause = self._pause(key)
            self.read_at = min(self.read_at or now, after(now, pause))
            if pause:
                self._parked[key] = after(now, pause)
        return refused

    def _postpone(self, added: int, now: Instant) -> None:
        """Read a table that has grown as late as one of that size: at a start the first reading found nothing in it."""
        if self.read_at is not None and self.read_at > now:
            later = after(self.read_at, Duration(COUNTER_PAUSE * added))
            self.read_at = min(later, max(self.read_at, after(now, REREAD_INTERVAL)))

    def drifted(self, event: TableRead, keys: Iterable[ServiceKey]) -> list[ServiceKey]:
        """Return those of some services that are not as they were left: somebody else changed them."""
        if self.table is None:
            return []
        return [key for key in keys if key not in self._refusals and self.table.get(key) != event.table.get(key)]

    def _note(self, key: ServiceKey | None, text: str) -> None:
        self.problems[key] = text
        self._refusals[key] = self._refusals.get(key, 0) + 1

    def _settle(self, key: ServiceKey | None) -> None:
        self.problems.pop(key, None)
        self._refusals.pop(key, None)

    def _pause(self, key: ServiceKey | None) -> Duration:
        """Return how long to wait after the newest refusal: not at all after the first one of a service."""
        times = self._refusals[key] - (1 if key is not None else 0)
        if times <= 0:
            return Duration(0)
        return min(RETRY_LAST, Duration(RETRY_FIRST * 2 ** min(times - 1, 10)))
