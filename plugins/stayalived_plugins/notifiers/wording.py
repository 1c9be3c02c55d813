"""What an event is called in mails: keepalived's words where it has some (M07), the like for all others (pure)."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from string import Template

from stayalived.plugin import Event
from stayalived_plugins.notifiers.places import Places

MAILER = "stayalived"
LONGEST_SUBJECT = 250
LONGEST_REASON = 2_000
FIELDS = frozenset(
    [
        "router_id", "host", "kind", "subject_type", "subject", "old", "new", "reason", "priority", "sequence",
        "usual_subject", "usual_body",
    ]
)  # fmt: skip
"""What a template may name."""

_TITLES = {
    "instance": {
        "master": ("Entering MASTER state", "=> VRRP Instance is now owning VRRP VIPs <="),
        "backup": ("Entering BACKUP state", "=> VRRP Instance is no longer owning VRRP VIPs <="),
        "fault": ("Entering FAULT state", "=> VRRP Instance is no longer owning VRRP VIPs <="),
        "stop": ("Stopping", "=> VRRP Instance stopping <="),
        "deleted": ("Deleted", "=> VRRP Deleted at reload <="),
    },
    "group": {
        "master": ("Entering MASTER state", "=> All VRRP group instances are now in MASTER state <="),
        "backup": ("Entering BACKUP state", "=> All VRRP group instances are now in BACKUP state <="),
        "fault": ("Entering FAULT state", "=> All VRRP group instances are now in FAULT state <="),
        "stop": ("Stopping", "=> All VRRP group instances are now stopping <="),
    },
    "real_server": {"up": ("UP", ""), "down": ("DOWN", "")},
    "virtual_server": {"quorum_up": ("UP", "=> Gained quorum <="), "quorum_down": ("DOWN", "=> Lost quorum <=")},
}
_KINDS = {
    "instance": "VRRP Instance",
    "group": "VRRP Group",
    "child": "Process",
    "plugin": "Plugin",
    "daemon": "Daemon",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who mails: what stands in every mail of an action.

    Attributes:
        router_id: who this machine is.
        host: its name.
        boot: what names its present life, in the Message-ID.
        sender: the address.
        recipients: addresses, as they stand in the header.
    """

    router_id: str
    host: str
    boot: str
    sender: str
    recipients: tuple[str, ...]


def headline(event: Event, places: Places) -> str:
    """Return whom an event is about and what happened: `VRRP Instance tic - Entering MASTER state`."""
    what, _ = _title(event)
    return plain(f"{_whom(event, places)} - {what}")


def usual_body(event: Event) -> str:
    """Return keepalived's line, with the reason and our own name of the subject below it."""
    _, line = _title(event)
    first = line or f"=> {event.reason or event.kind} <="
    facts = [f"{event.subject_type} {event.subject}: {event.old or '-'} -> {event.new or event.kind}"]
    if event.reason:
        facts.append(f"reason: {event.reason}")
    return "\n".join([plain(first), "", *map(plain, facts)])


def filled(template: str, event: Event, sender: Sender, places: Places) -> str:
    """Return a template of the user's with an event's words in it."""
    usual = f"[{sender.router_id}] {headline(event, places)}"
    facts = {
        "router_id": sender.router_id,
        "host": sender.host,
        "usual_subject": usual,
        "usual_body": usual_body(event),
    }
    own = {name: getattr(event, name) for name in FIELDS - facts.keys()}
    return Template(template).safe_substitute(facts, **{name: plain(str(value)) for name, value in own.items()})


def message_id(event: Event, sender: Sender) -> str:
    """Return the Message-ID: host, boot, sequence; the subject tells two senders of events apart."""
    whom = sha256(f"{event.subject_type} {event.subject} {event.kind}".encode()).hexdigest()[:8]
    return f"<{event.sequence}.{whom}.{sender.boot}@{sender.host}>"


def compose(subject: str, body: str, sender: Sender, identity: str, when: datetime) -> bytes:
    """Return a whole mail, ready for the wire."""
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(when)
    mail["From"] = sender.sender
    mail["To"] = ", ".join(sender.recipients)
    mail["Subject"] = plain(subject)[:LONGEST_SUBJECT]
    mail["Message-ID"] = identity
    mail["X-Mailer"] = MAILER
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice is sent back
    mail.set_content(body)
    return mail.as_bytes()


def plain(text: str) -> str:
    """Return a text in one line: a reason may quote what a stranger sent, and a header must not be broken by it."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_REASON])


def _title(event: Event) -> tuple[str, str]:
    known = _TITLES.get(event.subject_type, {}).get(event.kind)
    return known or (event.kind.replace("_", " "), "")


def _whom(event: Event, places: Places) -> str:
    if event.subject_type == "real_server":
        pairs = places.servers(event.subject)
        return "Realserver {} of virtual server {}".format(*pairs[0]) if pairs else f"Realserver {event.subject}"
    if event.subject_type == "virtual_server":
        found = places.services(event.subject)
        return f"Virtualserver {found[0] if found else event.subject}"
    return f"{_KINDS.get(event.subject_type, event.subject_type)} {event.subject}"
