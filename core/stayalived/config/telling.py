"""What `[global]` says for all actions of a type: keepalived's keys of mail and FIFO, and ours beside them.

An action takes what it does not say itself from here, by the same names (`Notifier.inherits`).
"""

from typing import Annotated, Any

import msgspec

from stayalived.config.kinds import DURATION, about
from stayalived.config.secret import Secret

Alert = Annotated[
    bool, about("Whether its events are mailed as `[global]` says.", default="`smtp_alert` of `[global]`, else `false`")
]
ServerAlert = Annotated[
    bool,
    about(
        "Whether its events are mailed as `[global]` says.",
        default="`smtp_alert` of `[global]`, else `true` where `[global]` names recipients and a relay",
    ),
]
Reader = Annotated[
    str | list[str] | dict[str, Any],
    about("A program that reads it: a path, words, or { command = …, user = …, group = … }; its path is appended."),
]


class TellingKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `[global]` that are about actions."""

    notification_email: Annotated[str | list[str], about("Who is mailed: addresses, with a name or without.")] = []
    notification_email_from: Annotated[str, about("Who mails.", default="`stayalived@` and the host name")] = ""
    smtp_server: Annotated[
        str | list[str], about("Relays, HOST[:PORT], asked one after the other; the port is 25 when left out.")
    ] = []
    smtp_connect_timeout: Annotated[
        float, about("Time for each step of a mail's dialogue.", ge=0.1, le=3600, unit=DURATION)
    ] = 30
    smtp_helo_name: Annotated[str, about("Name said to the relay.", default="the host name")] = ""
    smtp_tls: Annotated[
        str,
        about("Encryption of mail: see the action `mail`.", default='`"implicit"` on port 465, else `"opportunistic"`'),
    ] = ""
    smtp_tls_ca: Annotated[
        str, about("File of the authorities that relays are verified by.", default="the system's")
    ] = ""
    smtp_username: Annotated[str, about("Who we are to the relay.", default="nobody: without authentication")] = ""
    smtp_password: Annotated[Secret | None, about("The password of that user.")] = None
    smtp_alert: Annotated[bool | None, about("Whether everything is mailed that does not say otherwise.")] = None
    smtp_alert_vrrp: Annotated[
        bool | None, about("The same for instances and sync groups.", default="`smtp_alert`")
    ] = None
    smtp_alert_checker: Annotated[
        bool | None, about("The same for virtual and real servers.", default="`smtp_alert`")
    ] = None
    notify_fifo: Annotated[str, about("Path of a FIFO that is told everything, in keepalived's lines.")] = ""
    notify_fifo_script: Reader = ""
    vrrp_notify_fifo: Annotated[str, about("The same for instances and sync groups alone.")] = ""
    vrrp_notify_fifo_script: Reader = ""
    lvs_notify_fifo: Annotated[str, about("The same for virtual and real servers alone.")] = ""
    lvs_notify_fifo_script: Reader = ""
    vrrp_notify_priority_changes: Annotated[
        bool, about("Whether these FIFOs are told when the effective priority of an instance changes (N16).")
    ] = False
    fifo_write_vrrp_states_on_reload: Annotated[
        bool, about("Whether these FIFOs are told after a reload where instances and sync groups stand (N17).")
    ] = False
    no_email_faults: Annotated[bool, about("Whether the FAULT of an instance or group is not mailed.")] = False


def is_mailed(own: bool | None, kind: bool | None, common: bool | None) -> bool | None:
    """Return whether an object's events are mailed, the most special word first (M05); None when nobody says.

    Args:
        own: what the object says.
        kind: what `[global]` says of its kind.
        common: what `[global]` says of everything.
    """
    return next((said for said in (own, kind, common) if said is not None), None)
