"""Destinations, sources and gateways as routes and rules name them (pure)."""

import ipaddress

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.findings import Findings, Path, listed, shown

_EVERYTHING = {Family.IPV4: VirtualAddress("0.0.0.0", 0), Family.IPV6: VirtualAddress("::", 0)}  # noqa: S104  (a net)


def everything(family: Family) -> VirtualAddress:
    """Return the net that holds all addresses of a family."""
    return _EVERYTHING[family]


def network_of(text: str, words: tuple[str, ...], findings: Findings, path: Path) -> VirtualAddress | None:
    """Return the net that a text means; None after an error, or for one of the words.

    Args:
        text: ADDRESS, ADDRESS/PREFIX, or a word.
        words: that stand for all addresses, the one to propose first.
        findings: where to note what is wrong.
        path: where the text stands.
    """
    if text.lower() in words:
        return None
    wanted = listed([f'"{words[0]}"', "ADDRESS", "ADDRESS/PREFIX"])
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        findings.error(path, f"must be {wanted}", found=shown(text))
        return None
    network = interface.network
    if "%" in text:
        findings.error(path, f"must be {wanted}, without a zone", found=shown(text))
    elif interface.ip != network.network_address:
        # fib_frontend.c refuses such a route, fib6 and the rules would silently drop the bits.
        findings.error(path, f"has bits beyond its prefix; write {network}", found=shown(text))
    return VirtualAddress(str(network.network_address), network.prefixlen)


def host_of(text: str | None, family: Family, findings: Findings, path: Path) -> str:
    """Return an address of a family; empty when there is none, or after an error."""
    if text is None:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != family or "%" in text:
        findings.error(path, f"must be an IPv{family} address, without a prefix", found=shown(text))
        return ""
    return str(address)


def family_named(texts: tuple[str | None, ...]) -> Family | None:
    """Return the family of the first of some texts that is an address or a net; None when none is."""
    for text in texts:
        try:
            return Family(ipaddress.ip_interface(text or "").version)
        except ValueError:
            continue
    return None


def is_link_local(text: str) -> bool:
    """Return whether a text is an address that is unique on its link only."""
    try:
        return ipaddress.ip_address(text).is_link_local
    except ValueError:
        return False
