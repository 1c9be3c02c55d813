"""The sysctls of virtual MACs: always, while they carry an address, and while they carry none."""

import errno
from collections.abc import Mapping

from stayalived.config.virtual_routers import VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel import sysctl

IPV4: Mapping[str, int] = {
    "arp_ignore": 1,  # it answers for its own addresses, and for nobody else's
    "accept_local": 1,
    "promote_secondaries": 1,  # the first address of a subnet that goes takes no others with it
    "proxy_arp": 0,
    "proxy_arp_pvlan": 0,
}
"""Settings net.ipv4.conf.* of every virtual MAC; `rp_filter` depends on that of `all`."""

IPV6: Mapping[str, int] = {
    "addr_gen_mode": 1,  # IN6_ADDR_GEN_MODE_NONE: no link-local address of its own
    "accept_ra": 0,
}
"""Settings net.ipv6.conf.* of one that may carry IPv6 addresses."""

_LOOSE = 2


def settle(wanted: VirtualMac) -> None:
    """Write what holds always; before the macvlan is up, for it must not even begin with the kernel's own.

    Raises:
        KernelProblem: a setting cannot be written.
    """
    for key, value in IPV4.items():
        sysctl.write(sysctl.of_interface("ipv4", wanted.name, key), value)
    for key, value in IPV6.items() if wanted.ipv6 else ():
        sysctl.write(sysctl.of_interface("ipv6", wanted.name, key), value)
    # The greater of this and of `all` counts. Strict (1) would drop all that comes in, for the way back is by the
    # parent; loose (2) does not, and is what counts when `all` is strict.
    everywhere = sysctl.read(sysctl.of_interface("ipv4", "all", "rp_filter"))
    sysctl.write(sysctl.of_interface("ipv4", wanted.name, "rp_filter"), 0 if everywhere == "0" else _LOOSE)


def hush(wanted: VirtualMac) -> None:
    """Keep a macvlan from speaking and from routing; IPv6 addresses are lost by it.

    Raises:
        KernelProblem: a setting cannot be written.
    """
    try:
        sysctl.write(sysctl.of_interface("ipv6", wanted.name, "disable_ipv6"), 1)
    except KernelProblem as problem:
        if problem.errno != errno.ENOENT or wanted.ipv6:  # a kernel without IPv6 is no hindrance to IPv4
            raise
    sysctl.write(sysctl.of_interface("ipv4", wanted.name, "forwarding"), 0)


def open_up(wanted: VirtualMac) -> None:
    """Let a macvlan speak, and route as the interface underneath does.

    Raises:
        KernelProblem: a setting cannot be written.
    """
    forwarding = sysctl.read(sysctl.of_interface("ipv4", wanted.parent, "forwarding"))
    sysctl.write(sysctl.of_interface("ipv4", wanted.name, "forwarding"), forwarding)
    if wanted.ipv6:
        sysctl.write(sysctl.of_interface("ipv6", wanted.name, "disable_ipv6"), 0)
