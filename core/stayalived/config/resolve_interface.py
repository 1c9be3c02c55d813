"""The interface of an instance that names none: the one that has the source of its unicast adverts (V02)."""

import msgspec

from stayalived.config.desk import Desk, texts
from stayalived.config.findings import Path, shown
from stayalived.config.names import is_address
from stayalived.config.vrrp import InstanceTable

KEY = "interface"
_SOURCES = ("unicast_src_ip", "mcast_src_ip")


def with_interface(table: InstanceTable, path: Path, desk: Desk) -> InstanceTable:
    """Return the table with its interface, which stays empty after an error.

    Looked up once, as names of hosts are: an instance is in FAULT when its interface is gone, not when its address is.
    """
    if table.interface:
        return table
    return msgspec.structs.replace(table, interface=_found(table, path, desk))


def _found(table: InstanceTable, path: Path, desk: Desk) -> str:
    sources = [text for key in _SOURCES for text, _ in texts(getattr(table, key), (*path, key)) if is_address(text)]
    if not (table.unicast_peer and sources):
        text = "missing; write it, or unicast_peer and the address of this machine as unicast_src_ip"
        desk.findings.error((*path, KEY), text)
        return ""
    holders = {address: desk.interface_of(address) for address in sources}
    for address, holder in holders.items():
        if not holder:
            text = f"missing, and no interface of this machine has {address}; write interface, or correct the address"
            desk.findings.error((*path, KEY), text)
            return ""
    found = list(dict.fromkeys(holders.values()))
    if len(found) > 1:
        where = " and ".join(f"{address} on {holder}" for address, holder in holders.items())
        text = "missing, and the source addresses are on several interfaces; write the one whose link counts"
        desk.findings.error((*path, KEY), text, found=shown(where))
    return found[0]
