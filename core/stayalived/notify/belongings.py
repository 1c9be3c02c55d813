"""What is made for the actions while there are still the rights for it: a folder, FIFOs (I/O: files)."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

_CHANGEABLE = 0o022  # by the group or by others
_PASSABLE = 0o111
FIFO_MODE = 0o644  # N10: everybody may read it


def make_folder(folder: Path, account: pwd.struct_passwd) -> Iterator[str]:
    """Make a folder that belongs to an account, and yield what stood in the way.

    Args:
        folder: it and those above it are made; the one above lets everybody pass.
        account: whose it is; nobody else can look into it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
        finally:
            os.close(descriptor)
        folder.parent.chmod(stat.S_IMODE(folder.parent.stat().st_mode) | _PASSABLE)
    except OSError as error:
        yield f"{folder}: {error.strerror}; what actions have to keep is lost when this process ends"


def make_fifo(path: Path, account: pwd.struct_passwd) -> Iterator[str]:
    """Make a FIFO that an account may write into and everybody may read, unless the path is taken; yield what failed.

    In a folder that others may change nothing is made: they could put something else in its place in between. Whoever
    opens it looks at what is there.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        yield f"{path.parent}: {error.strerror}; the FIFO {path.name} is not made"
        return
    try:
        status = os.fstat(folder)
        if status.st_uid != 0 or stat.S_IMODE(status.st_mode) & _CHANGEABLE:
            return
        os.mkfifo(path.name, FIFO_MODE, dir_fd=folder)
        os.chmod(path.name, FIFO_MODE, dir_fd=folder)  # whatever the umask
        os.chown(path.name, account.pw_uid, account.pw_gid, dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError as error:
        yield f"{path}: {error.strerror}; the FIFO is not made"
    finally:
        os.close(folder)
