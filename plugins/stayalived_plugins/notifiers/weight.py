"""The action `weight`: on an event, other weights for real servers, until the opposite event or for some time."""

import msgspec

from stayalived.plugin import Event, Level, Notifier, NotifierOptions, Tools, seconds

LONGEST = 31_536_000
MOST_WEIGHT = 65_535
OPPOSITE = "opposite"


class Weight(Notifier):
    """Gives real servers another weight while something is the case: `set` it, `add` to it, or multiply it by `factor`.

    It is a level, not a command: it holds until the opposite of the event comes, or until so many seconds are over, or
    a reload takes the action away. `stayalived status` shows it with its cause. It waits for no script.
    """

    name = "weight"
    holds = True

    class Options(NotifierOptions, frozen=True, kw_only=True):
        """Options of the action `weight`. One of `set`, `add` and `factor` must be given.

        Attributes:
            servers: whose weight, each `VIRTUAL_SERVER/NAME`.
            level: the weight that they shall have.
            add: what is added to their weight; a negative number lowers it.
            factor: what their weight is multiplied by.
            until: `"opposite"`, or after how many seconds it ends.
        """

        servers: tuple[str, ...]
        level: int | None = msgspec.field(name="set", default=None)
        add: int | None = None
        factor: float | None = None
        until: str | float = OPPOSITE

        def __post_init__(self) -> None:
            """Refuse what could mean nothing or two things."""
            if not self.servers:
                raise ValueError('servers must name at least one, such as ["service42/tic"]')
            if sum(value is not None for value in (self.level, self.add, self.factor)) != 1:
                raise ValueError("give exactly one of the keys set, add, factor")
            if self.level is not None and not 0 <= self.level <= MOST_WEIGHT:
                raise ValueError(f"set must be from 0 to {MOST_WEIGHT}")
            if self.add is not None and not -MOST_WEIGHT <= self.add <= MOST_WEIGHT:
                raise ValueError(f"add must be from -{MOST_WEIGHT} to {MOST_WEIGHT}")
            if self.factor is not None and not 0 <= self.factor <= MOST_WEIGHT:
                raise ValueError(f"factor must be from 0 to {MOST_WEIGHT}")
            if isinstance(self.until, str) and self.until != OPPOSITE:
                raise ValueError('until must be "opposite" or a number of seconds')
            if not isinstance(self.until, str) and not 0 < self.until <= LONGEST:
                raise ValueError(f"until must be above 0 and at most {LONGEST} seconds")

    options: Options

    async def notify(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (the framework knows the event)
        """Hold the level of each server."""
        for server in self.options.servers:
            tools.hold(self._level(server))

    async def end(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (as above)
        """Release them, unless they end by themselves."""
        if self.options.until == OPPOSITE:
            for server in self.options.servers:
                tools.release(server)

    def _level(self, server: str) -> Level:
        options = self.options
        lasts = seconds(0 if isinstance(options.until, str) else options.until)
        if options.factor is not None:
            return Level(server=server, mode="factor", value=options.factor, lasts=lasts)
        if options.add is not None:
            return Level(server=server, mode="add", value=options.add, lasts=lasts)
        return Level(server=server, mode="set", value=options.level or 0, lasts=lasts)
