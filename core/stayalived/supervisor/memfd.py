"""Memory that is shared by descriptor: sealed configurations, and the page of send times. I/O."""

import fcntl
import mmap
import os

SEND_TIMES_SIZE = 65_536
"""Bytes of the page of send times: 8 for each slot, so 8,192 virtual routers."""

SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
"""What must be sealed before a configuration is believed: its sender cannot change it afterwards."""


def is_sealed(descriptor: int) -> bool:
    """Whether a descriptor is a memfd that nobody can change any more."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & SEALS == SEALS
    except OSError:  # no memfd at all: EINVAL
        return False


class SendTimes:
    """The page in which vrrp writes when each virtual router's last advert left; the supervisor only keeps it."""

    def __init__(self) -> None:
        """Make a page of zeros, which outlives each vrrp process."""
        descriptor = os.memfd_create("send-times", os.MFD_CLOEXEC)
        try:
            os.ftruncate(descriptor, SEND_TIMES_SIZE)
            self.page = mmap.mmap(descriptor, SEND_TIMES_SIZE)
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """Make it zeros again: nothing may be adopted."""
        self.page[:] = bytes(SEND_TIMES_SIZE)
