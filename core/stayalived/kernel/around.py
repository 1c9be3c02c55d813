"""What is around on this machine: settings and addresses. Only looked at. I/O."""

from collections.abc import Iterable
from contextlib import suppress

from stayalived.errors import KernelProblem
from stayalived.ipvs.surroundings import Surroundings
from stayalived.kernel import sysctl
from stayalived.kernel.netlink import Netlink


def look_around(settings: Iterable[str]) -> Surroundings:
    """Return the values of settings, of those that there are, and all addresses of this network namespace.

    What cannot be read is left out: it is looked at for advice alone.
    """
    values = sysctl.read_known(settings)
    addresses: dict[str, frozenset[str]] = {}
    with suppress(KernelProblem, OSError):
        addresses = read_addresses()
    return Surroundings(values, addresses)


def read_addresses() -> dict[str, frozenset[str]]:
    """Return all addresses of this network namespace by interface.

    Raises:
        KernelProblem: the kernel does not answer.
    """
    with Netlink() as kernel:
        interfaces = kernel.interfaces().items()
    return {name: frozenset(address.address for address in found.addresses) for name, found in interfaces}
