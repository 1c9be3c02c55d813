"""What vrrp tells: the whole present state of each instance, never a change."""

from stayalived.messages.control import Message


class RouterRow(Message, frozen=True):
    """One virtual router of an instance.

    `slot` is its place in the page of send times that vrrp shares with the supervisor; a restarted vrrp finds there
    when the last advert left. `master_interval` is the advert interval in force (learned from the master, or our own).
    """

    key: str
    family: int
    state: str
    slot: int
    virtual_router_id: int
    interface: str
    addresses: tuple[str, ...]
    advert_int: int  # ns, configured
    master_interval: int  # ns, in force
    master: str  # address of the master last heard, "" when it is us or nobody
    held: bool  # the kernel has everything that a MASTER holds
    excluded: tuple[str, ...] = ()
    virtual_mac: str = ""  # name of the macvlan; empty without one


class InstanceState(Message, frozen=True):
    """One instance. State is INIT, BACKUP, MASTER or FAULT; since when, why, and with which priority."""

    name: str
    state: str
    reason: str
    since: int  # monotonic ns
    priority: int  # effective
    routers: tuple[RouterRow, ...]
    group: str = ""  # sync group that it belongs to, or empty
    faults: tuple[str, ...] = ()  # every cause that keeps it in FAULT
    configured_priority: int = 0


class RouterCounters(Message, frozen=True):
    """Counters of one virtual router, sent at most once a second. Errors by kind of `BadAdvert` or refusal."""

    key: str
    adverts_sent: int
    adverts_received: int
    became_master: int
    released_master: int
    priority_zero_sent: int
    priority_zero_received: int
    errors: dict[str, int]
    trailers_received: int = 0  # adverts with an `auth_hmac` trailer, which was not looked at


class GroupState(Message, frozen=True):
    """One sync group: its members stand where it stands."""

    name: str
    state: str
    reason: str
    since: int  # monotonic ns
    instances: tuple[str, ...]


class BorrowedSysctl(Message, frozen=True):
    """A sysctl that vrrp has set, and what it was before: the replacement of a dead process has to put it back."""

    name: str
    before: str
