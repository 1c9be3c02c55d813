"""Settings of the kernel's network below /proc/sys/net. I/O.

CAP_NET_ADMIN is enough to write them: the kernel treats who has it as the owner of these files
(net/sysctl_net.c, net_ctl_permissions).
"""

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from stayalived.errors import KernelProblem

ROOT = Path("/proc/sys")

_READ_ONLY = "something makes /proc/sys read-only: ProtectKernelTunables= in a drop-in of the unit, or a container"
_HIDDEN = "/proc/sys is hidden here: ProcSubset=pid in a drop-in of the unit does it"
_REMEDIES: Mapping[int, str] = {
    errno.EROFS: _READ_ONLY,
    errno.EACCES: f"the process needs CAP_NET_ADMIN over its network namespace; or {_READ_ONLY}",
    errno.EPERM: "the process needs CAP_NET_ADMIN over its network namespace",
    errno.ENOENT: "the kernel has no such setting, or there is no such interface any more",
    errno.EINVAL: "the setting does not take this value",
}


def of_interface(family: str, interface: str, key: str) -> str:
    """Return the name of a setting of one interface: `net/ipv4/conf/vrrp.51/arp_ignore`.

    Args:
        family: `ipv4` or `ipv6`.
        interface: its name, which may have dots; `all` and `default` are the kernel's.
        key: the setting.
    """
    return f"net/{family}/conf/{interface}/{key}"


def read(name: str) -> str:
    """Return the value of a setting, without the newline.

    Args:
        name: below `net`, as sysctl(8) writes it: with slashes, or with dots, where a slash then stands for a dot.

    Raises:
        KernelProblem: there is no such setting.
    """
    try:
        return _place(name).read_text(encoding="ascii").strip()
    except OSError as error:
        raise _refused(f"sysctl {name}", error) from error


def read_known(names: Iterable[str]) -> dict[str, str]:
    """Return the values of settings by name, of those that there are and that may be read."""
    values: dict[str, str] = {}
    for name in names:
        with suppress(KernelProblem):
            values[name] = read(name)
    return values


def write(name: str, value: int | str) -> str:
    """Give a setting a value, if it has another one.

    Args:
        name: as for `read`.
        value: the new value.

    Returns:
        the value before.

    Raises:
        KernelProblem: the kernel refuses, or the process may not.
    """
    before, wanted = read(name), str(value)
    if before != wanted:
        try:
            descriptor = os.open(_place(name), os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(descriptor, wanted.encode("ascii"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _refused(f"sysctl -w {name}={wanted}", error) from error
    return before


def _place(name: str) -> Path:
    separators = [letter for letter in name if letter in "./"]
    if separators[:1] == ["."]:  # sysctl(8): what stands first separates, and the other one belongs to the names
        name = name.translate(str.maketrans("./", "/."))
    parts = name.split("/")
    if parts[0] != "net" or not {"", ".", ".."}.isdisjoint(parts):
        raise KernelProblem(f"sysctl {name}", errno.EINVAL, "its name begins with net and has no empty part")
    return ROOT.joinpath(*parts)


def _refused(action: str, error: OSError) -> KernelProblem:
    number = error.errno or errno.EIO
    hidden = number == errno.ENOENT and not (ROOT / "net").is_dir()
    return KernelProblem(action, number, _HIDDEN if hidden else _REMEDIES.get(number, ""))
