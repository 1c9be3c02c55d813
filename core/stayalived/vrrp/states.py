"""The states of a virtual router and what leads from one to another: RFC 9568 6.4, as a table.

`FAULT` and its ways in and out are keepalived's: the RFCs know no interface that fails. The diagram of the operator's
manual is drawn from this table, and `election` does nothing that does not stand here.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a virtual router stands. MASTER is what RFC 9568 calls Active."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


class Trigger(StrEnum):
    """What makes a virtual router move. The value is the reason that people read."""

    START = "started"
    OWNER = "owner of the addresses"
    JOINED = "joins an instance that is MASTER"
    ADOPTED = "was MASTER before this process was replaced"
    SILENCE = "no advert of a master"
    LOWER = "advert of lower priority"
    HIGHER = "advert of higher priority"
    TIE = "advert of equal priority from a higher address"
    OVERFLOW = "adverts were lost while this machine stood still"
    GROUPED = "moves with its sync group"
    STOLEN = "somebody keeps deleting the addresses"
    FAILED = "fault"
    RECOVERED = "fault is over"
    STOP = "stopped"
    DELETED = "no longer configured"


TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (State.INIT, Trigger.START): State.BACKUP,  # 6.4.1
    (State.INIT, Trigger.OWNER): State.MASTER,  # 6.4.1: priority 255
    (State.INIT, Trigger.JOINED): State.MASTER,
    (State.INIT, Trigger.ADOPTED): State.MASTER,
    (State.INIT, Trigger.FAILED): State.FAULT,
    (State.BACKUP, Trigger.SILENCE): State.MASTER,  # 6.4.2: the master-down timer fires
    (State.BACKUP, Trigger.FAILED): State.FAULT,
    (State.BACKUP, Trigger.STOP): State.INIT,  # 6.4.2
    (State.BACKUP, Trigger.DELETED): State.INIT,
    (State.MASTER, Trigger.LOWER): State.MASTER,  # 6.4.3: answered with an advert
    (State.MASTER, Trigger.HIGHER): State.BACKUP,  # 6.4.3
    (State.MASTER, Trigger.TIE): State.BACKUP,  # 6.4.3
    (State.MASTER, Trigger.OVERFLOW): State.BACKUP,
    (State.MASTER, Trigger.GROUPED): State.BACKUP,  # a reload put it beside one that is not MASTER
    (State.MASTER, Trigger.STOLEN): State.BACKUP,
    (State.MASTER, Trigger.FAILED): State.FAULT,
    (State.MASTER, Trigger.STOP): State.INIT,  # 6.4.3
    (State.MASTER, Trigger.DELETED): State.INIT,
    (State.FAULT, Trigger.RECOVERED): State.BACKUP,
    (State.FAULT, Trigger.OWNER): State.MASTER,
    (State.FAULT, Trigger.STOP): State.INIT,
    (State.FAULT, Trigger.DELETED): State.INIT,
}

SAYING_GOODBYE = frozenset({Trigger.STOLEN, Trigger.FAILED, Trigger.STOP, Trigger.DELETED})
"""Whoever leaves MASTER for one of these sends priority 0, so that a backup need not wait (RFC 9568 6.4.3).

One that yields to a better master does not: the others know already.
"""
