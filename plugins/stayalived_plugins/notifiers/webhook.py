"""The action `webhook`: POST the event as JSON, signed, in order, until it is taken (I/O: asyncio)."""

import asyncio
import hmac
import re
import ssl
from collections import deque
from hashlib import sha256

import msgspec

from stayalived.plugin import Event, Notifier, NotifierOptions, Room, Secret, Tools
from stayalived_plugins.notifiers.http_post import Place, post
from stayalived_plugins.notifiers.spool import this_boot

MOST_WAITING = 1_000  # events of one action; the oldest is left out for a newer one
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds until the next try
FLUSH_PATIENCE = 2.0  # seconds for what is told of the daemon's end
_TAKEN = range(200, 300)
_LATER = frozenset({408, 425, 429})  # RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4: ask again; other 4xx stay as they are
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_OURS = frozenset({"host", "content-length", "content-type", "connection", "transfer-encoding"})


class Webhook(Notifier):
    """POSTs each event as JSON to a URL, one after the other, in the order in which they happened.

    Headers: `Stayalived-Event`, the kind; `Stayalived-Delivery`, which is the same for a repeat and for nothing else;
    with a `secret`, `Stayalived-Signature: sha256=HEX`, the HMAC-SHA256 of the body.

    Taken is what is answered with 2xx. A 4xx is for good (but 408, 425 and 429) and is logged; anything else is tried
    again after 1, 2, 4 and so on to 60 seconds, as often as `retry` says, and then left out, which is logged. 1,000
    events may wait, in memory: what waits when the process ends is lost, which is logged.
    """

    name = "webhook"

    class Options(NotifierOptions, frozen=True, kw_only=True):
        """Options of the action `webhook`.

        Attributes:
            url: where to; with https the certificate must be valid.
            secret: key of the signature; none is sent when left out.
            headers: further headers, such as `{ Authorization = "…" }`.
            timeout: time for one try, in seconds.
            retry: further tries.
            ca: file of the authorities that may have signed the certificate; when left out those of the system.
        """

        url: str
        secret: Secret | None = None
        headers: dict[str, Secret] = msgspec.field(default_factory=dict)
        timeout: float = 10
        retry: int = 10
        ca: str = ""

        def __post_init__(self) -> None:
            """Refuse what could never be sent."""
            Place.of(self.url)
            for name, value in self.headers.items():
                if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
                    raise ValueError(f"headers cannot have {name!r}: it is no name of a header, or ours to write")
                if not value.reveal().isascii() or not value.reveal().isprintable():
                    raise ValueError(f"headers.{name} must be printable ASCII")
            if not 0 < self.timeout <= 600:
                raise ValueError("timeout must be above 0 and at most 600 seconds")
            if not 0 <= self.retry <= 1000:
                raise ValueError("retry must be a whole number from 0 to 1000")

    options: Options

    def __init__(self, options: Options) -> None:
        """Take over the options; nothing is sent yet."""
        super().__init__(options)
        self.lost = 0
        self._place = Place.of(options.url)
        self._context = ssl.create_default_context(cafile=options.ca or None) if self._place.is_encrypted else None
        self._room: Room | None = None
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    def open(self, room: Room) -> None:
        """Begin to send."""
        self._room = room
        self._idle.set()
        self._sending = asyncio.get_running_loop().create_task(self._send_on(room))

    async def close(self) -> None:
        """Give what waits a little time, then say what was lost."""
        if self._sending is None or self._room is None:
            return
        try:
            await asyncio.wait_for(self._idle.wait(), FLUSH_PATIENCE)
        except TimeoutError:
            self._room.report(f"{self._place.name}: the process ends; events that were not told: {len(self._waiting)}")
        self._sending.cancel()
        self._sending = None

    async def notify(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (it needs no program)
        """Let the event wait for its turn."""
        self._waiting.append(event)
        if len(self._waiting) > MOST_WAITING and self._room is not None:
            self._waiting.popleft()
            self.lost += 1
            if self.lost == 1:
                self._room.report(f"{self._place.name}: {MOST_WAITING} events wait; the oldest are left out")
        self._idle.clear()
        self._news.set()

    async def _send_on(self, room: Room) -> None:
        while True:
            while self._waiting:
                event = self._waiting[0]
                problem = await self._deliver(event)
                if problem:
                    room.report(f"{self._place.name}: {event.kind} of {event.subject} was not told: {problem}")
                if self._waiting and self._waiting[0] is event:  # else it was left out meanwhile
                    self._waiting.popleft()
                if self.lost and not problem:
                    room.report(f"{self._place.name}: {self.lost} events were left out")
                    self.lost = 0
            self._idle.set()
            self._news.clear()
            await self._news.wait()

    async def _deliver(self, event: Event) -> str:
        """Try until the event was taken; return why it was not, if so."""
        problem, pause = "", FIRST_PAUSE
        for number in range(self.options.retry + 1):
            if number:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            try:
                async with asyncio.timeout(self.options.timeout):
                    status = await post(self._place, *self._request(event), self._context)
            except TimeoutError:
                problem = f"no answer within {self.options.timeout:g} s"
            except (OSError, UnicodeError) as error:  # the second: a host that cannot be a name (RFC 3490)
                problem = str(error) or type(error).__name__
            else:
                if status in _TAKEN:
                    return ""
                problem = f"it answered {status}"
                if 400 <= status < 500 and status not in _LATER:
                    return problem
        return f"{problem} (tries: {self.options.retry + 1})"

    def _request(self, event: Event) -> tuple[list[tuple[str, str]], bytes]:
        """Return headers and body."""
        body = msgspec.json.encode(msgspec.structs.asdict(event))
        whom = sha256(f"{event.subject_type} {event.subject} {event.kind}".encode()).hexdigest()[:8]
        headers = [
            ("Content-Type", "application/json"),
            ("Stayalived-Event", event.kind),
            ("Stayalived-Delivery", f"{this_boot()}.{event.sequence}.{whom}"),
            *((name, value.reveal()) for name, value in self.options.headers.items()),
        ]
        if self.options.secret is not None:
            mark = hmac.new(self.options.secret.reveal().encode(), body, sha256).hexdigest()
            headers.append(("Stayalived-Signature", f"sha256={mark}"))
        return headers, body
