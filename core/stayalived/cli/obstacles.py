"""I/O: what is in the way of a folder or file, in words for people: the path, the system's reason, and the remedy."""

import errno
import os
from pathlib import Path

_REMEDIES = {
    errno.EACCES: "run it as root, or give {option}",
    errno.EPERM: "run it as root, or give {option}",
    errno.EROFS: "make the file system writable, or give {option}",
    errno.ENOTDIR: "a folder is wanted where a file is: move the file, or give another {option}",
    errno.EEXIST: "a folder is wanted where a file is: move the file, or give another {option}",
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
}


def explained(error: OSError, option: str) -> str:
    """Return what an error of the system is about and what to do; `option` names another place."""
    text = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    remedy = _REMEDIES.get(error.errno or 0, "").format(option=option)
    return f"{text}; {remedy}" if remedy else text


def make_writable(folder: Path) -> None:
    """Make a folder if it is not there.

    Raises:
        OSError: it cannot be made, or this process cannot write there.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        reason = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(reason, os.strerror(reason), str(folder))
