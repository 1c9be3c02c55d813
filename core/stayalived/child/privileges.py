"""Which user a child runs as and which capabilities it keeps. I/O: prctl(2), capset(2), setresuid(2).

Without root nothing can be given up that is not there: a child then runs as the user that started the daemon, keeps of
its wanted capabilities those that it has, and says which are missing and what to do about it.
"""

import ctypes
import grp
import os
import pwd
import resource
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.errors import StayalivedError

SERVICE_USER = "stayalived"
FALLBACK_USER = "nobody"

REQUIRED = frozenset({"NET_ADMIN", "NET_RAW", "NET_BIND_SERVICE"})
"""Without one of these a role that asks for it cannot do its job; without any other it says so and goes on."""

# include/uapi/linux/capability.h, in the order of its numbers.
_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE"
)
CAPABILITIES = {name: number for number, name in enumerate(_NAMES.split())}
"""Number of each capability, without the newest ones, which nobody here asks for."""

DESCRIPTORS_WANTED = 1_048_576
"""P38: thousands of checks and virtual routers need a descriptor each."""

THIRD_PARTY_DESCRIPTORS = 256
THIRD_PARTY_MEMORY = 512 * 1024 * 1024
"""What a process with a stranger's plugins gets: descriptors, and bytes of address space."""

# include/uapi/linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a role needs: `user` is `stayalived` or `root`, capabilities are named without `CAP_`."""

    user: str
    capabilities: tuple[str, ...] = ()
    no_new_privs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a process has become, and what it would have liked to be."""

    user: str
    notices: tuple[str, ...]


class MissingRights(StayalivedError):
    """A role lacks a capability without which it cannot do its job."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_libc = ctypes.CDLL(None, use_errno=True)


def assume(role: str, rights: Rights) -> Identity:
    """Become the user that a role runs as, with the capabilities that it keeps and no other.

    Args:
        role: name for messages.
        rights: what the role asks for.

    Returns:
        who this process is now, with notices for the log.

    Raises:
        MissingRights: a capability of `REQUIRED` that the role asks for cannot be had, or root may not change its user.
        OSError: the kernel refused to give up what we have: nothing may run then.
    """
    wanted = {name: CAPABILITIES[name] for name in rights.capabilities}
    had = permitted_capabilities()
    missing = [name for name in wanted if not had & 1 << wanted[name]]
    lacking = [name for name in missing if name in REQUIRED]
    if lacking:
        raise MissingRights(_explain(role, lacking))
    kept = sum(1 << number for name, number in wanted.items() if name not in missing)
    notices = [_explain(role, missing)] if missing else []
    if os.geteuid() == 0 and rights.user != "root":
        account, _ = find_user(rights.user)
        _become(role, account, kept)
    elif os.geteuid() == 0:
        account = pwd.getpwuid(0)
    else:
        account = _present_user()
        if rights.user == "root":
            notices.append(f"{role}: runs as {account.pw_name}, not as root: so do the programs that it starts")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _set_capabilities(kept)
    _prctl(_PR_SET_KEEPCAPS, 0)
    if rights.no_new_privs:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    return Identity(user=account.pw_name, notices=tuple(notices))


def find_user(name: str) -> tuple[pwd.struct_passwd, list[str]]:
    """Return a user's account, or that of `nobody` with a notice.

    Raises:
        MissingRights: neither exists.
    """
    for candidate in (name, FALLBACK_USER):
        try:
            account = pwd.getpwnam(candidate)
        except KeyError:
            continue
        if candidate == name:
            return account, []
        return account, [_no_user(name, account)]
    raise MissingRights(f"neither user {name} nor {FALLBACK_USER} exists; make one with `useradd --system {name}`")


def _no_user(name: str, account: pwd.struct_passwd) -> str:
    stead = f"{account.pw_name} (uid {account.pw_uid})"
    return f"user {name} does not exist: running as {stead} in its stead; `stayalived install` makes it"


def permitted_capabilities() -> int:
    """Return this process's permitted capabilities as a mask."""
    sets = (_Sets * 2)()
    if _libc.capget(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets):
        raise OSError(ctypes.get_errno(), "capget")
    return int(sets[0].permitted) | int(sets[1].permitted) << 32


def die_with_parent(signal_number: int) -> None:
    """Be sent a signal when the parent ends. To be called after a change of user, which clears it (prctl(2))."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (SG07)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def raise_descriptor_limit() -> int:
    """Allow as many descriptors as the kernel lets us have (P38) and return how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (DESCRIPTORS_WANTED, hard):
        if limit < hard:
            continue
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except (ValueError, PermissionError, OSError):  # beyond the hard limit it takes CAP_SYS_RESOURCE
            continue
        return limit
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def confine_third_party() -> None:
    """Limit what a stranger's code can use up: descriptors and memory."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (THIRD_PARTY_DESCRIPTORS, THIRD_PARTY_DESCRIPTORS))
    resource.setrlimit(resource.RLIMIT_AS, (THIRD_PARTY_MEMORY, THIRD_PARTY_MEMORY))


def _become(role: str, account: pwd.struct_passwd, kept: int) -> None:
    """Give up root: bounding set, groups, group, user; capabilities survive until `_set_capabilities` chooses."""
    _prctl(_PR_SET_KEEPCAPS, 1)
    if permitted_capabilities() & 1 << CAPABILITIES["SETPCAP"]:
        for number in range(_last_capability() + 1):
            if not kept & 1 << number:
                _prctl(_PR_CAPBSET_DROP, number)
    try:
        os.setgroups([group.gr_gid for group in grp.getgrall() if account.pw_name in group.gr_mem])
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    except PermissionError as error:  # root of a container, or of a unit with a bounding set, may be without
        raise MissingRights(
            f"{role}: cannot become user {account.pw_name}: lacks CAP_SETUID CAP_SETGID; add both to "
            "CapabilityBoundingSet= of the unit, or start the container with --cap-add SETUID --cap-add SETGID"
        ) from error


def _set_capabilities(mask: int) -> None:
    low, high = mask & 0xFFFFFFFF, mask >> 32
    sets = (_Sets * 2)(_Sets(low, low, 0), _Sets(high, high, 0))
    if _libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0)), sets):
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, argument: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _last_capability() -> int:
    try:
        with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:  # noqa: PTH123  (no pathlib in a new child)
            return int(file.read())
    except OSError:
        return max(CAPABILITIES.values())


def _present_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        uid = os.geteuid()
        return pwd.struct_passwd((str(uid), "x", uid, os.getegid(), "", "/", "/bin/sh"))


def _explain(role: str, names: Sequence[str]) -> str:
    listed = " ".join(f"CAP_{name}" for name in names)
    given = ",".join(f"cap_{name.lower()}" for name in names)
    return (
        f"{role}: lacks {listed}; start as root, or from a unit with AmbientCapabilities={listed}, "
        f"or with `capsh --addamb={given}`"
    )
