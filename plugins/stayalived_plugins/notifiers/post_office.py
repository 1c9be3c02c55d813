"""What sends the mails of all actions of a process: spool, digests, relays (I/O: asyncio, clock)."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from stayalived.plugin import Duration, Instant, in_seconds, seconds
from stayalived_plugins.notifiers.outgoing import Fate, Letter, Outgoing
from stayalived_plugins.notifiers.relays import Delivery, Relays
from stayalived_plugins.notifiers.spool import Spool
from stayalived_plugins.notifiers.wording import Sender, compose

FLUSH_PATIENCE: Duration = seconds(2)  # for what is told of the daemon's end


def letter_name(identity: str, recipient: str) -> str:
    """Return the name of a mail for one recipient: the same whenever it is made."""
    return sha256(f"{identity} {recipient}".encode()).hexdigest()[:32]


class PostOffice:
    """Takes letters, keeps them until a relay has them, and sends them in the background."""

    def __init__(self, spool: Spool, report: Callable[[str], None]) -> None:
        """Be closed.

        Args:
            spool: where letters are kept.
            report: writes a warning into the log.
        """
        self.taken = 0
        self._spool = spool
        self._report = report
        self._outgoing = Outgoing()
        self._relays: dict[str, Relays] = {}
        self._senders: dict[str, Sender] = {}
        self._members = 0
        self._news = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._troubled: set[str] = set()
        self._read = False

    def join(self, relays: Relays, sender: Sender) -> None:
        """Open for an action that mails by these relays; the first one finds what a process before this one left."""
        self._members += 1
        self._relays[relays.name] = relays
        self._senders[relays.name] = sender
        if not self._read:
            self._read = True
            self._take_over()
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send_on())
        self._news.set()

    async def leave(self) -> None:
        """An action goes; the last one gives what waits one more try. What is not taken then stays in the spool."""
        self._members -= 1
        if self._members or self._sending is None:
            return
        await self._flush(Instant(_now() + FLUSH_PATIENCE))
        for task in (self._sending, *self._deliveries):
            task.cancel()
        self._sending = None

    async def _flush(self, until: Instant) -> None:
        """Try what waits once more, and what is on its way until a moment."""
        self._outgoing.hurry()
        await self._work()
        while self._deliveries and (left := until - _now()) > 0:
            await asyncio.wait(self._deliveries, timeout=in_seconds(Duration(left)))
            await self._work()

    async def post(self, letters: Sequence[Letter]) -> None:
        """Take letters. When this returns they are in the spool, or it was reported that they cannot be."""
        fresh = [letter for letter in letters if not self._outgoing.knows(letter.name)]
        for letter in fresh:
            self._outgoing.remember(letter.name)
        await self._keep(fresh)
        for letter in fresh:
            self._leave_out(self._outgoing.add(letter, _now()))
        self._news.set()

    def _take_over(self) -> None:
        letters, problems = self._spool.read()
        for problem in problems:
            self._report(problem)
        now, wall = _now(), time.time_ns()
        for letter in letters:
            self._leave_out(self._outgoing.add(letter, now, Duration(max(0, wall - letter.written))))

    def _leave_out(self, gone: Sequence[Letter]) -> None:
        if gone:
            self._spool.remove(letter.name for letter in gone)
            self._report(f"left out {len(gone)} mails, too many or too old, such as: {gone[0].headline}")

    async def _keep(self, letters: Sequence[Letter]) -> None:
        try:
            await asyncio.to_thread(self._spool.write, letters)
        except OSError as error:
            self._trouble(
                "spool",
                f"{self._spool.folder}: {error.strerror}; mails are kept in memory only: start the daemon as root, "
                "which makes the folder, or give it to the user stayalived",
            )
        else:
            self._troubled.discard("spool")

    async def _send_on(self) -> None:
        while True:
            self._news.clear()
            await self._work()
            deadline = self._outgoing.deadline
            limit = None if deadline is None else max(0.01, in_seconds(Duration(deadline - _now())))
            try:
                await asyncio.wait_for(self._news.wait(), limit)
            except TimeoutError:
                continue

    async def _work(self) -> None:
        """Make the digests that are due, and try the relays that may be tried."""
        for parts in self._outgoing.digests(_now()):
            digest = parts[0] if len(parts) == 1 else self._digest(parts)
            if digest is not parts[0]:
                await self._keep([digest])
                self._spool.remove(part.name for part in parts)
            self._outgoing.digested(parts, digest, _now())
        for route, letters in self._outgoing.take(_now()):
            task = asyncio.get_running_loop().create_task(self._deliver(route, letters))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    def _digest(self, parts: Sequence[Letter]) -> Letter:
        """Return one mail in the place of several; it names the Message-ID of each, by which a repeat is known."""
        first, number = parts[0], len(parts)
        sender = self._senders.get(first.route) or next(iter(self._senders.values()))
        lines = [f"{_when(part.written):%Y-%m-%d %H:%M:%S} UTC  {part.headline}  {part.identity}" for part in parts]
        mark = sha256("".join(part.identity for part in parts).encode()).hexdigest()[:8]
        identity = f"<digest.{number}.{mark}.{first.identity.strip('<>')}>"
        subject = f"[{sender.router_id}] {number} events, the last: {parts[-1].headline}"
        body = "\n".join([f"{number} events in one mail, since more than a few came within half a minute:", "", *lines])
        one = replace(sender, sender=first.sender, recipients=(first.recipient,))
        return Letter(
            name=letter_name(identity, first.recipient),
            recipient=first.recipient,
            route=first.route,
            sender=first.sender,
            headline=f"{number} events",
            identity=identity,
            message=compose(subject, body, one, identity, _when(time.time_ns())),
            written=time.time_ns(),
            parts=tuple(part.name for part in parts),
        )

    async def _deliver(self, route: str, letters: Sequence[Letter]) -> None:
        # What was left for relays that the configuration no longer names goes by some that it does.
        relays = self._relays.get(route) or next(iter(self._relays.values()))
        delivery = Delivery({})
        try:
            from stayalived_plugins.notifiers.smtp import deliver  # noqa: PLC0415  (no other process needs the library)

            delivery = await deliver(relays, letters)
        finally:
            fates = [(letter, delivery.fates.get(letter.name, Fate.LATER)) for letter in letters]
            self._spool.remove(letter.name for letter, fate in fates if fate is not Fate.LATER)
            self._outgoing.settle(route, fates, _now(), reached=delivery.reached)
            self._news.set()
        self.taken += sum(fate is Fate.TAKEN for _, fate in fates)
        for refusal in delivery.refusals:
            self._report(refusal)
        if delivery.problem and any(fate is Fate.LATER for _, fate in fates):
            self._trouble(route, f"{delivery.problem}; {len(self._outgoing)} mails wait and are tried again")
        else:
            self._troubled.discard(route)

    def _trouble(self, key: str, text: str) -> None:
        """Report what goes wrong once, until it has gone well again."""
        if key not in self._troubled:
            self._troubled.add(key)
            self._report(text)


def _now() -> Instant:
    return Instant(time.monotonic_ns())


def _when(wall: int) -> datetime:
    return datetime.fromtimestamp(wall // 10**9, tz=UTC)
