"""What the kernel's refusals mean: as they stand already, or a problem with its remedy. Pure."""

import errno
from collections.abc import Mapping

from stayalived.config.virtual_routers import PlacedAddress, Route, Rule
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Change, Verb
from stayalived.kernel.commands import command

ABSENT: Mapping[type, frozenset[int]] = {
    PlacedAddress: frozenset({errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO}),
    Route: frozenset({errno.ESRCH, errno.ENODEV, errno.EINVAL}),
    Rule: frozenset({errno.ENOENT, errno.EINVAL}),
}
"""What the kernel says when a thing to be removed is not there, or its interface is not, or it never could be there."""

_UNREACHED = "no interface reaches the gateway: an address of its subnet comes first, or `onlink`"
_REMEDIES: Mapping[int, str] = {
    errno.EPERM: "vrrp needs CAP_NET_ADMIN",
    errno.ENODEV: "there is no such interface, or none any more",
    errno.EACCES: "IPv6 is switched off on the interface; see sysctl net.ipv6.conf.INTERFACE.disable_ipv6",
    errno.EADDRNOTAVAIL: "an interface cannot carry this kind of address",
    errno.ENETUNREACH: _UNREACHED,
    errno.EHOSTUNREACH: _UNREACHED,
    errno.ENETDOWN: "the interface is down",
    errno.EAFNOSUPPORT: "the kernel has no IPv6, or no policy routing",
}


def refusal(change: Change, number: int, words: str = "") -> KernelProblem | None:
    """Return what an error number means for a change: None where all stands already as it should.

    Args:
        change: what was tried: with an address, a route or a rule.
        number: the error number.
        words: the kernel's own.
    """
    if change.verb is Verb.ADD and number == errno.EEXIST:
        return None
    if change.verb is Verb.REMOVE and number in ABSENT[type(change.item)]:
        return None
    return explain(command(change), number, words, _REMEDIES)


def explain(action: str, number: int, words: str, remedies: Mapping[int, str]) -> KernelProblem:
    """Return a problem whose remedy is made of the kernel's own words and of what we know.

    Args:
        action: what was tried.
        number: the error number.
        words: the kernel's own; may be empty.
        remedies: what we know, by error number.
    """
    known = (words, remedies.get(number, ""))
    return KernelProblem(action, number, "; ".join(remedy for remedy in known if remedy))
