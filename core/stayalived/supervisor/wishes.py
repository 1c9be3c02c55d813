"""What people want of real servers by command: told to ipvs as levels, and kept across a restart. Pure.

The file holds JSON, a list of levels. One that cannot be read is said and left as it is until the next change: a start
must not fail for it, and what stands in it is for people to look at.
"""

from collections.abc import Callable

import msgspec

from stayalived.messages import services
from stayalived.messages.control import Request
from stayalived.messages.routes import forget, pack
from stayalived.messages.services import Override
from stayalived.supervisor.events import Effect, KeepWishes
from stayalived.supervisor.population import INFO, WARNING, Population
from stayalived.timing import Duration, Instant, for_people

COMMAND = "command"
DRAIN = "drain"
VERBS = (DRAIN, "undrain", "weight")

MAX_WISHES = 4096
"""Levels by command at one time; whoever wants more writes them into the configuration."""


class StoredLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One level as it stands in the file; moments are nanoseconds of the wall clock."""

    server: str
    mode: str
    value: float = 0
    until: int = 0
    deadline: int = 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[StoredLevel])


class Wishes:
    """The levels that were asked for on the command line and not withdrawn since."""

    def __init__(self, population: Population, emit: Callable[[Effect], None], wall_offset: int) -> None:
        """Begin without any.

        Args:
            population: whose switchboard tells them.
            emit: takes what is to be done.
            wall_offset: what to add to a moment to have nanoseconds of the wall clock.
        """
        self._population = population
        self._emit = emit
        self._offset = wall_offset
        self._levels: dict[str, StoredLevel] = {}

    def restore(self, data: bytes, problem: str, now: Instant) -> None:
        """Tell what the daemon before this one kept.

        Args:
            data: the file, empty when there is none.
            problem: why it could not be read, or empty.
            now: the moment: levels that have ended meanwhile are left out.
        """
        try:
            stored = _decoder.decode(data) if data else []
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            stored, problem = [], str(error)
        if problem:
            text = f"drains and weights of before are lost: {problem}; ask for them again"
            self._population.report(WARNING, text)
        for level in stored[:MAX_WISHES]:
            if not self._is_over(level, now):
                self._levels[_key(level)] = level
                self._tell(level)
        if self._levels:
            self._population.report(INFO, f"{len(self._levels)} drains and weights by command are in force again")

    def take(self, request: Request, now: Instant) -> tuple[bool, str]:
        """Do as a request says. Returns whether it is done, and what to say of it."""
        self._prune(now)
        server, length = request.server, for_people(Duration(request.duration)) if request.duration else ""
        end = now + self._offset + request.duration if request.duration else 0
        if request.verb == DRAIN:
            wait = f"for {length} at most" if length else "however long it takes"
            text = f"draining {server}: weight 0, and out of its pool when its connections have ended; waits {wait}"
            return self._put(StoredLevel(server=server, mode=DRAIN, deadline=end), text)
        if request.verb == "weight" and request.weight is not None:
            level = StoredLevel(server=server, mode="set", value=request.weight, until=end)
            return self._put(level, f"{server} has weight {request.weight}{f' for {length}' if length else ''}")
        if request.verb == "weight":
            return self._withdraw(server, "set", "has its own weight again", "was given no weight by command")
        return self._withdraw(server, DRAIN, "is no longer drained", "was not drained by command")

    def _withdraw(self, server: str, mode: str, done: str, missing: str) -> tuple[bool, str]:
        place = _place(server, mode)
        if self._levels.pop(place, None) is None:
            return False, f"{server} {missing}: there is nothing to undo"
        self._population.switchboard.tell(forget(Override, place))
        self._keep()
        return True, f"{server} {done}"

    def _put(self, level: StoredLevel, text: str) -> tuple[bool, str]:
        if len(self._levels) >= MAX_WISHES and _key(level) not in self._levels:
            return False, f"{MAX_WISHES} drains and weights by command are in force, all that there may be; undo some"
        self._levels[_key(level)] = level
        self._tell(level)
        self._keep()
        return True, text

    def _tell(self, level: StoredLevel) -> None:
        message = services.Override(
            server=level.server,
            source=COMMAND,
            mode=level.mode,
            value=level.value,
            until=level.until,
            deadline=level.deadline,
        )
        self._population.switchboard.tell(pack(message, key=_place(level.server, level.mode)))

    def _prune(self, now: Instant) -> None:
        """Withdraw what has ended by itself."""
        for key, level in list(self._levels.items()):
            if self._is_over(level, now):
                del self._levels[key]
                self._population.switchboard.tell(forget(Override, key))

    def _is_over(self, level: StoredLevel, now: Instant) -> bool:
        return 0 < level.until <= now + self._offset

    def _keep(self) -> None:
        self._emit(KeepWishes(data=_encoder.encode(list(self._levels.values())) + b"\n"))


def _key(level: StoredLevel) -> str:
    return _place(level.server, level.mode)


def _place(server: str, mode: str) -> str:
    """Return the key on the pipe: a drain and a weight by command are two levels."""
    return f"{server} {COMMAND}" if mode != DRAIN else f"{server} {COMMAND} {DRAIN}"
