"""I/O: the system user `stayalived`, made and removed by useradd(8), userdel(8) and groupdel(8)."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "stayalived"
REAL_ROOT = Path("/")
_SIDE_EFFECTS = ("passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-", ".pwd.lock")
"""What useradd and userdel leave in /etc beside the accounts themselves: copies from before, and a lock."""


class AccountProblem(Exception):
    """The user could not be made or removed; the text is the program's own."""


@dataclass(frozen=True, slots=True)
class Account:
    """Numbers of the user and its group."""

    uid: int
    gid: int


def find(root: Path) -> Account | None:
    """Return the user's numbers in the system below `root`, or None when there is no such user."""
    if root == REAL_ROOT:
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            return None
        return Account(entry.pw_uid, entry.pw_gid)
    for line in _database(root).read_text().splitlines() if can_have(root) else ():
        fields = line.split(":")
        if fields[0] == USER:
            return Account(int(fields[2]), int(fields[3]))
    return None


def can_have(root: Path) -> bool:
    """Return whether there are users below `root` at all; a folder that a package is built in has none."""
    return _database(root).is_file()


def make(root: Path) -> Account:
    """Make the user and a group of the same name, without login, home or password.

    Raises:
        AccountProblem: useradd refused.
    """
    with _without_side_effects(root / "etc"):
        _call(
            "useradd",
            *_prefix(root),
            "--system",
            "--user-group",
            "--no-create-home",
            *("--home-dir", "/nonexistent"),
            *("--shell", "/usr/sbin/nologin"),
            USER,
        )
    account = find(root)
    if account is None:
        raise AccountProblem(f"useradd made no user {USER}")
    return account


def remove(root: Path) -> None:
    """Remove the user, if it is still there, and the group that came with it.

    userdel(8) takes the group along only with `USERGROUPS_ENAB yes` in /etc/login.defs, and when it has no members.

    Raises:
        AccountProblem: userdel or groupdel refused, for instance since the daemon is running.
    """
    with _without_side_effects(root / "etc"):
        if find(root) is not None:
            _call("userdel", *_prefix(root), USER)
        if has_group(root):
            _call("groupdel", *_prefix(root), USER)


def has_group(root: Path) -> bool:
    """Return whether the system below `root` has the group."""
    if root == REAL_ROOT:
        try:
            return bool(grp.getgrnam(USER))
        except KeyError:
            return False
    groups = root / "etc" / "group"
    return groups.is_file() and any(line.partition(":")[0] == USER for line in groups.read_text().splitlines())


def _database(root: Path) -> Path:
    return root / "etc" / "passwd"


def _prefix(root: Path) -> Sequence[str]:
    return () if root == REAL_ROOT else ("--prefix", str(root))


def _call(program: str, *arguments: str) -> None:
    # Not by PATH: a shell of `su` has none of the sbin folders.
    path = shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise AccountProblem(f"{program} is not installed (package passwd or shadow-utils)")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AccountProblem(done.stderr.strip() or f"{program} ended with status {done.returncode}")


@contextmanager
def _without_side_effects(etc: Path) -> Iterator[None]:
    """Leave the copies and the lock in /etc as they were, so that to remove what was installed restores the tree."""
    kept = {name: _content(etc / name) for name in _SIDE_EFFECTS}
    try:
        yield
    finally:
        for name, content in kept.items():
            _restore(etc / name, content)


def _content(path: Path) -> tuple[bytes, os.stat_result] | None:
    return (path.read_bytes(), path.stat()) if path.is_file() else None


def _restore(path: Path, content: tuple[bytes, os.stat_result] | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    data, status = content
    if path.is_file() and path.read_bytes() == data:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fchmod(descriptor, status.st_mode & 0o7777)
