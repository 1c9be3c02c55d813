"""Who may balance: the kernel's connection sync daemon (LV37) and the other directors, as `[global]` has them."""

from typing import Annotated

import msgspec

from stayalived.config.kinds import about

PORT = 8848
GROUP = "224.0.0.81"
MAX_LENGTH = 65507
PEER_MARK = 0x7374
"""The mark of packets from other directors, where `peer_directors` is given without one."""


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """The other directors: MAC addresses, IP addresses whose MAC address is looked up, and the mark, 0 without any."""

    macs: tuple[bytes, ...] = ()
    addresses: tuple[str, ...] = ()
    mark: int = 0


NO_PEERS = Peers()


class SyncDaemonTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of `[global.lvs_sync_daemon]`."""

    interface: Annotated[str, about("The interface that connections are told over.", min_length=1)]
    instance: Annotated[
        str | None,
        about(
            "The instance whose MASTER tells and whose BACKUP listens.",
            default="none: this machine does both, all the time",
        ),
    ] = None
    id: (
        Annotated[
            int,
            about(
                "Which others are listened to; the same on all of them.",
                ge=0,
                le=255,
                default="the instance's `virtual_router_id`, `0` without one",
            ),
        ]
        | None
    ) = None
    maxlen: (
        Annotated[int, about("Bytes in one packet, at most.", ge=1, le=MAX_LENGTH, default="what the MTU allows")]
        | None
    ) = None
    port: Annotated[int, about("UDP port.", ge=1, le=65535)] = PORT
    ttl: Annotated[int, about("Time to live of the packets.", ge=1, le=255)] = 1
    group: Annotated[str, about("Multicast group, of IPv4 or IPv6.")] = GROUP
    backup_only: Annotated[
        bool | None,
        about(
            "Whether a BACKUP balances nothing, so that it does not balance again what the MASTER has sent it.",
            default="true on a real server where `instance` is the only one, or all move with it in one group",
        ),
    ] = None


class SyncDaemon(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the table."""

    interface: str
    instance: str  # empty: master and backup run both
    sync_id: int
    maxlen: int  # 0: what the MTU allows
    port: int
    ttl: int
    group: str
    backup_only: bool | None  # None: where this machine is a real server
