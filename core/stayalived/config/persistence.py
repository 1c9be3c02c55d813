"""How long, and how coarsely, a client stays with its server (LV11, LV12)."""

import ipaddress
from collections.abc import Sequence

from stayalived.addresses import Family
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.services import PERSISTENCE, VirtualServerTable
from stayalived.timing import NO_TIME, Duration, seconds


def persistence_of(
    table: VirtualServerTable, path: Path, findings: Findings, families: Sequence[Family]
) -> tuple[Duration, int]:
    """Return the time and the prefix length of a virtual server's persistence; no time: it has none.

    The prefix length is that of a whole address unless something else was written; for a service of both families
    that of the longer one: whoever uses it for an IPv4 address takes 32 of it at most.
    """
    bits = max(family.bits for family in families)
    if table.persistence_granularity is None:
        time = table.persistence_timeout
        return (seconds(time) if time else NO_TIME), bits
    where = (*path, "persistence_granularity")
    prefix = prefix_of(table.persistence_granularity, bits)
    if prefix is None:
        findings.error(where, f"must be a prefix length from 1 to {bits} or a netmask", found=_shown(table))
        return NO_TIME, bits
    return seconds(table.persistence_timeout or PERSISTENCE), prefix


def _shown(table: VirtualServerTable) -> str:
    return shown(table.persistence_granularity)


def prefix_of(value: int | str, bits: int) -> int | None:
    """Return the prefix length of `24`, `"24"` or `"255.255.255.0"`; None when it is none of at most `bits`."""
    if isinstance(value, str):
        digits = value.removeprefix("/")
        if digits.isascii() and digits.isdigit():
            value = int(digits[:4])
        else:
            try:
                value = ipaddress.IPv4Network(f"0.0.0.0/{value}").prefixlen
            except ValueError:
                return None
    return value if 1 <= value <= bits else None
