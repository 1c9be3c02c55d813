"""Whom a program runs as (I/O: the user and group databases)."""

import grp
import os
import pwd
from dataclasses import dataclass

from stayalived.runner.refusals import Refused

SCRIPT_USER = "keepalived_script"  # P19: keepalived's own default, used when it exists
_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the groups that a program gets."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that tell of the user."""
        return {"USER": self.name, "LOGNAME": self.name, "HOME": self.home, "SHELL": _SHELL}


def find_account(user: str, group: str) -> Account:
    """Return whom to run a program as.

    Args:
        user: name or number; empty means `keepalived_script` if it exists, else the user of this process.
        group: name or number of the primary group; empty means the user's own.

    Raises:
        Refused: there is no such user or group, or this process cannot become it.
    """
    entry = _entry(user) if user else _default_entry()
    gid = _gid(group) if group else entry.pw_gid
    account = Account(entry.pw_name, entry.pw_uid, gid, tuple(os.getgrouplist(entry.pw_name, gid)), entry.pw_dir)
    if os.geteuid() not in (0, account.uid):
        own = _present().pw_name
        raise Refused(
            f"the daemon runs as {own} and cannot become {account.name}; start it as root, or leave out `user`"
        )
    return account


def _entry(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except (KeyError, OverflowError) as error:
        raise Refused(f"there is no user {user!r}; make it with `useradd --system {user}`, or name another") from error


def _default_entry() -> pwd.struct_passwd:
    if os.geteuid() == 0:
        try:
            return pwd.getpwnam(SCRIPT_USER)
        except KeyError:  # then as keepalived does: the daemon's own user
            return _present()
    return _present()


def _present() -> pwd.struct_passwd:
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid)
    except KeyError:  # a user of a container without an entry
        return pwd.struct_passwd((str(uid), "x", uid, os.getegid(), "", "/", _SHELL))


def _gid(group: str) -> int:
    try:
        return (grp.getgrgid(int(group)) if group.isdecimal() else grp.getgrnam(group)).gr_gid
    except (KeyError, OverflowError) as error:
        raise Refused(f"there is no group {group!r}; make it with `groupadd --system {group}`") from error
