"""The kernel's connection sync daemons over generic netlink: which run, start one, stop one. I/O.

Layout: include/uapi/linux/ip_vs.h, IPVS_DAEMON_ATTR_*. All numbers are in the machine's byte order, the port too.
"""

import errno
import ipaddress
from collections.abc import Callable
from typing import Any

from pyroute2.netlink import genlmsg, nlmsg

from stayalived.addresses import Family, family_of, packed
from stayalived.errors import KernelProblem
from stayalived.ipvs.daemons import Daemon, Role
from stayalived.kernel.generic import GenericSocket
from stayalived.kernel.ipvs import NO_IPVS, NO_RIGHT
from stayalived.kernel.ipvs_attributes import ALONE, Kinds, encode_inside

NEW_DAEMON, DEL_DAEMON, GET_DAEMON = 9, 10, 11

_REMEDIES = {
    errno.ENODEV: "there is no such interface",
    errno.EINVAL: (
        "the interface has no address of the group's family, or a service has servers of the other family, which the "
        "kernel cannot tell of"
    ),
    errno.EPERM: NO_RIGHT,
}


class DaemonAttribute(Kinds):
    """What is inside IPVS_CMD_ATTR_DAEMON."""

    __slots__ = ()
    nla_map: Any = (
        ("IPVS_DAEMON_ATTR_UNSPEC", "none"),
        ("IPVS_DAEMON_ATTR_STATE", "U32"),
        ("IPVS_DAEMON_ATTR_MCAST_IFN", "asciiz"),
        ("IPVS_DAEMON_ATTR_SYNC_ID", "U32"),
        ("IPVS_DAEMON_ATTR_SYNC_MAXLEN", "U16"),
        ("IPVS_DAEMON_ATTR_MCAST_GROUP", "Octets"),
        ("IPVS_DAEMON_ATTR_MCAST_GROUP6", "Octets"),
        ("IPVS_DAEMON_ATTR_MCAST_PORT", "U16"),
        ("IPVS_DAEMON_ATTR_MCAST_TTL", "U8"),
    )


class DaemonRequest(genlmsg):
    """A request about a daemon."""

    __slots__ = ()
    chain = ALONE
    nla_map: Any = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "none"),
        ("IPVS_CMD_ATTR_DEST", "none"),
        ("IPVS_CMD_ATTR_DAEMON", "Octets"),
    )
    Octets = Kinds.Octets


class DaemonReply(genlmsg):
    """One daemon that runs."""

    __slots__ = ()
    chain = ALONE
    nla_map: Any = (
        ("IPVS_CMD_ATTR_UNSPEC", "none"),
        ("IPVS_CMD_ATTR_SERVICE", "none"),
        ("IPVS_CMD_ATTR_DEST", "none"),
        ("IPVS_CMD_ATTR_DAEMON", "DaemonAttribute"),
    )
    DaemonAttribute = DaemonAttribute


class LinuxDaemons:
    """The sync daemons of this network namespace. The connection is opened at first need."""

    def __init__(self) -> None:
        """Open nothing yet: most machines have no such daemon."""
        self._connection: GenericSocket | None = None

    def close(self) -> None:
        """Close the connection to the kernel; the daemons go on."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self) -> list[Daemon]:
        """Return the daemons that run.

        Raises:
            KernelProblem: the kernel has no IPVS, or we lack the right.
        """
        try:
            return [read_daemon(reply) for reply in self._netlink().dump(request(GET_DAEMON))]
        except OSError as error:
            raise _problem("read the sync daemons", error.errno or errno.EIO) from error

    def start(self, daemon: Daemon) -> None:
        """Start a daemon of a role that does not run.

        Raises:
            KernelProblem: the kernel refuses; the text says what to do.
        """
        words = f"ipvsadm --start-daemon {daemon.role.name.lower()} --mcast-interface {daemon.interface}"
        self._ask(words, request(NEW_DAEMON, encode(daemon)), lambda number: number != 0)

    def stop(self, role: Role) -> None:
        """Stop the daemon of a role; harmless when it does not run.

        Raises:
            KernelProblem: the kernel refuses.
        """
        inside = encode_inside(DaemonAttribute(), (("IPVS_DAEMON_ATTR_STATE", int(role)),))
        words = f"ipvsadm --stop-daemon {role.name.lower()}"
        self._ask(words, request(DEL_DAEMON, inside), lambda number: number not in {0, errno.ESRCH})

    def _netlink(self) -> GenericSocket:
        if self._connection is None:
            self._connection = GenericSocket("IPVS", DaemonReply, NO_IPVS)
        return self._connection

    def _ask(self, words: str, asked: DaemonRequest, refused: Callable[[int], bool]) -> None:
        try:
            (number,) = self._netlink().carry_out([asked])
        except OSError as error:
            number = error.errno or errno.EIO
        if refused(number):
            raise _problem(words, number)


def request(command: int, daemon: bytes = b"") -> DaemonRequest:
    """Return a request, with what is inside its one attribute."""
    made = DaemonRequest()
    made["cmd"] = command
    made["version"] = 1
    made["attrs"] = [("IPVS_CMD_ATTR_DAEMON", daemon)] if daemon else []
    return made


def encode(daemon: Daemon) -> bytes:
    """Return what is inside IPVS_CMD_ATTR_DAEMON."""
    suffix = "6" if family_of(daemon.group) is Family.IPV6 else ""
    parts: list[tuple[str, Any]] = [
        ("IPVS_DAEMON_ATTR_STATE", int(daemon.role)),
        ("IPVS_DAEMON_ATTR_MCAST_IFN", daemon.interface),
        ("IPVS_DAEMON_ATTR_SYNC_ID", daemon.sync_id),
        (f"IPVS_DAEMON_ATTR_MCAST_GROUP{suffix}", packed(daemon.group)),
        ("IPVS_DAEMON_ATTR_MCAST_PORT", daemon.port),
        ("IPVS_DAEMON_ATTR_MCAST_TTL", daemon.ttl),
    ]
    if daemon.maxlen:
        parts.append(("IPVS_DAEMON_ATTR_SYNC_MAXLEN", daemon.maxlen))
    return encode_inside(DaemonAttribute(), parts)


def read_daemon(reply: nlmsg) -> Daemon:
    """Return the daemon that a reply describes."""
    found = {slot.name: slot.value for slot in reply.get_attr("IPVS_CMD_ATTR_DAEMON")["attrs"]}
    group = found.get("IPVS_DAEMON_ATTR_MCAST_GROUP") or found["IPVS_DAEMON_ATTR_MCAST_GROUP6"]
    return Daemon(
        role=Role(found["IPVS_DAEMON_ATTR_STATE"]),
        interface=found["IPVS_DAEMON_ATTR_MCAST_IFN"],
        sync_id=found["IPVS_DAEMON_ATTR_SYNC_ID"],
        group=str(ipaddress.ip_address(group)),
        port=found["IPVS_DAEMON_ATTR_MCAST_PORT"],
        ttl=found["IPVS_DAEMON_ATTR_MCAST_TTL"],
        maxlen=found["IPVS_DAEMON_ATTR_SYNC_MAXLEN"],
    )


def _problem(words: str, number: int) -> KernelProblem:
    return KernelProblem(words, number, _REMEDIES.get(number, ""))
