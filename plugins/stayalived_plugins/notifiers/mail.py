"""The action `mail`: tell people, with keepalived's subjects and bodies or templates of one's own (I/O: clock)."""

import time
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import formataddr, parseaddr
from string import Template
from typing import Literal

from stayalived.plugin import Event, Notifier, NotifierOptions, Room, Secret, Tools
from stayalived_plugins.notifiers.outgoing import Letter
from stayalived_plugins.notifiers.places import Places
from stayalived_plugins.notifiers.post_office import PostOffice, letter_name
from stayalived_plugins.notifiers.relays import Relays
from stayalived_plugins.notifiers.spool import Spool, host_name, this_boot
from stayalived_plugins.notifiers.wording import FIELDS, Sender, compose, filled, headline, message_id

SMTP_PORT = 25
SMTPS_PORT = 465  # RFC 8314 7.3: TLS from the first byte
HIGHEST_PORT = 65535
MOST_SUBJECTS = 100_000  # whose last mailed state is remembered
_REPEATABLE = frozenset({"instance", "group"})
_ENCRYPTED = frozenset({"starttls", "implicit"})


class Mail(Notifier):
    """Mails each event, or a digest of them when more than 5 come for one recipient in 30 seconds.

    A mail is in the spool, `notify/mail` of `state_dir`, before anything else is done with it, and stays there until a
    relay has taken it or has refused it for good. While no relay does, it is tried again after 2, 4, 8 and so on to 60
    seconds, for five days. 10,000 mails may wait; the oldest is left out for a newer one, which is reported. A mail
    that is sent twice, since the process died at the wrong moment, has the same Message-ID both times.
    """

    name = "mail"
    inherits = (
        "router_id", "notification_email", "notification_email_from", "smtp_server", "smtp_connect_timeout",
        "smtp_helo_name", "smtp_tls", "smtp_tls_ca", "smtp_username", "smtp_password", "no_email_faults",
    )  # fmt: skip
    usual = frozenset(
        [
            "master", "backup", "fault", "stop", "deleted", "up", "down", "quorum_up", "quorum_down", "panic_on",
            "panic_off", "child_died", "plugin_failed", "reload_refused", "stalled",
        ]
    )  # fmt: skip
    answers = "smtp_alert"
    needs = ("notification_email", "smtp_server")

    class Options(NotifierOptions, frozen=True, kw_only=True):
        """Options of the action `mail`.

        Attributes:
            router_id: who this machine is, at the beginning of each subject; as `[global]` says when left out.
            notification_email: who is mailed, addresses with a name or without; as `[global]` says when left out.
            notification_email_from: who mails; as `[global]` says when left out, else `stayalived@` and the host name.
            smtp_server: relays, HOST[:PORT], asked one after the other; as `[global]` says when left out.
            smtp_connect_timeout: time for each step of the dialogue, in seconds.
            smtp_helo_name: name said to the relay; the host name when left out.
            smtp_tls: `opportunistic` encrypts where the relay offers it and verifies nobody, `starttls` and `implicit`
                (from the first byte) mail only to a relay with a good certificate, `none` never encrypts; left out it
                is `implicit` where the port is 465, else `opportunistic`.
            smtp_tls_ca: file of the authorities that relays are verified by; the system's when left out.
            smtp_username: who we are to the relay; it takes `starttls` or `implicit`, or a relay on this machine.
            smtp_password: the password of that user.
            no_email_faults: whether the FAULT of an instance or a group is left out.
            subject: template of the subject, such as `${router_id}: ${subject} is ${new}`; keepalived's when left out.
            body: template of the text; what it may name stands in the documentation of this action.
        """

        router_id: str = ""
        notification_email: str | tuple[str, ...] = ()
        notification_email_from: str = ""
        smtp_server: str | tuple[str, ...] = ()
        smtp_connect_timeout: float = 30
        smtp_helo_name: str = ""
        smtp_tls: Literal["", "opportunistic", "starttls", "implicit", "none"] = ""
        smtp_tls_ca: str = ""
        smtp_username: str = ""
        smtp_password: Secret | None = None
        no_email_faults: bool = False
        subject: str = "${usual_subject}"
        body: str = "${usual_body}"

        def __post_init__(self) -> None:
            """Refuse what could never be mailed."""
            if not _listed(self.notification_email):
                raise ValueError("notification_email is missing; write it into [global], or here")
            if not _listed(self.smtp_server):
                raise ValueError("smtp_server is missing; write it into [global], or here")
            for text in (*_listed(self.notification_email), *_listed(self.notification_email_from)):
                _address(text)
            servers = [_server(text, SMTP_PORT) for text in _listed(self.smtp_server)]
            if not 0 < self.smtp_connect_timeout <= 3600:
                raise ValueError("smtp_connect_timeout must be above 0 and at most 3600 seconds")
            if self.smtp_username and self.smtp_password is None:
                raise ValueError("smtp_password is missing: there is a smtp_username")
            if self.smtp_username and _tls(self, servers) not in _ENCRYPTED and not all(map(_is_local, servers)):
                raise ValueError(
                    'smtp_tls must be "starttls" or "implicit" where there is a smtp_username: '
                    "the password would be sent in plain text"
                )
            for key in ("subject", "body"):
                _look_at_template(key, getattr(self, key))

    options: Options

    def __init__(self, options: Options) -> None:
        """Take over the options; nothing is opened yet."""
        super().__init__(options)
        servers = [_server(text, SMTP_PORT) for text in _listed(options.smtp_server)]
        host = host_name()
        self._relays = Relays(
            hosts=tuple(servers),
            timeout=options.smtp_connect_timeout,
            helo_name=options.smtp_helo_name or host,
            tls=_tls(options, servers),
            authorities=options.smtp_tls_ca,
            username=options.smtp_username,
            password=options.smtp_password.reveal() if options.smtp_password is not None else "",
        )
        self._sender = Sender(
            router_id=options.router_id or host,
            host=host,
            boot=this_boot(),
            sender=formataddr(_address(options.notification_email_from or f"stayalived@{host}")),
            recipients=tuple(formataddr(_address(text)) for text in _listed(options.notification_email)),
        )
        self._room: Room | None = None
        self._office: PostOffice | None = None
        self._places = Places()
        self._mailed: OrderedDict[str, str] = OrderedDict()

    def open(self, room: Room) -> None:
        """Open the post office that all actions of this type share."""
        self._room = room
        self._office = room.share("office", lambda: PostOffice(Spool(room.folder), room.report))
        self._office.join(self._relays, self._sender)

    async def close(self) -> None:
        """Leave the post office; the last to leave has it send what it can."""
        if self._office is not None:
            await self._office.leave()
            self._office = None

    async def notify(self, event: Event, tools: Tools) -> None:  # noqa: ARG002  (a mail needs no program)
        """Write the mail and hand it to the post office, which keeps it and sends it."""
        if self._office is None or self._room is None or not self._is_news(event):
            return
        self._places.learn(self._room.configuration)
        await self._office.post(self._letters(event))

    def _is_news(self, event: Event) -> bool:
        """Whether an event is mailed: not an unwanted FAULT (M09), nor the state that was mailed last (M11)."""
        if event.subject_type not in _REPEATABLE:
            return True
        if event.kind == "fault" and self.options.no_email_faults:
            return False
        key = f"{event.subject_type} {event.subject}"
        if event.kind in self.usual and self._mailed.get(key) == event.kind:
            return False
        if event.kind in self.usual:
            self._mailed[key] = event.kind
            if len(self._mailed) > MOST_SUBJECTS:
                self._mailed.popitem(last=False)
        return True

    def _letters(self, event: Event) -> list[Letter]:
        """Return a mail as a letter for each recipient."""
        written = time.time_ns()
        identity = message_id(event, self._sender)
        subject = filled(self.options.subject, event, self._sender, self._places)
        body = filled(self.options.body, event, self._sender, self._places)
        when = datetime.fromtimestamp(written // 10**9, tz=UTC)
        message = compose(subject, body, self._sender, identity, when)
        return [
            Letter(
                name=letter_name(identity, recipient),
                recipient=recipient,
                route=self._relays.name,
                sender=_address(self._sender.sender)[1],
                headline=headline(event, self._places),
                identity=identity,
                message=message,
                written=written,
            )
            for recipient in dict.fromkeys(_address(text)[1] for text in self._sender.recipients)
        ]


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return value


def _address(text: str) -> tuple[str, str]:
    """Return name and address of `NAME <ADDRESS>`.

    Raises:
        ValueError: it is none.
    """
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isprintable() or not address.isascii() or set(address) & set(" <>,;"):
        raise ValueError(f'{text!r} is no mail address; write "user@example.org" or "Name <user@example.org>"')
    return name, address


def _server(text: str, port: int) -> tuple[str, int]:
    """Return host and port of `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, or keepalived's `HOST PORT`.

    Raises:
        ValueError: it is none of these.
    """
    words = text.split()
    if len(words) == 2:
        host, number = words[0], words[1]
    elif text.startswith("["):
        host, _, number = text[1:].partition("]")
        number = number.removeprefix(":")
    elif text.count(":") == 1:
        host, _, number = text.partition(":")
    else:
        host, number = text, ""
    good = not number or (number.isdecimal() and len(number) <= 5 and 0 < int(number) <= HIGHEST_PORT)
    if not host or len(host.split()) != 1 or not good:
        raise ValueError(f'smtp_server {text!r} is no HOST or HOST:PORT, such as "127.0.0.1:25"')
    return host, int(number) if number else port


def _tls(options: Mail.Options, servers: list[tuple[str, int]]) -> str:
    if options.smtp_tls:
        return options.smtp_tls
    return "implicit" if all(port == SMTPS_PORT for _, port in servers) else "opportunistic"


def _is_local(server: tuple[str, int]) -> bool:
    return server[0] in {"localhost", "::1"} or server[0].startswith("127.")


def _look_at_template(key: str, text: str) -> None:
    template = Template(text)
    unknown = sorted(set(template.get_identifiers()) - FIELDS)
    if unknown:
        raise ValueError(f"{key} names {unknown[0]!r}, which no event has; it may name {', '.join(sorted(FIELDS))}")
    if not template.is_valid():
        raise ValueError(f"{key} has a lone $; write $$ for the sign itself")
