"""What an instance and `[global]` say of one thing: the instance wins (VG26), and strict mode over both (V49)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.decode import fields_of
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.general import GlobalTable
from stayalived.config.networks import is_link_local
from stayalived.config.vrrp import InstanceTable

_Default = TypeVar("_Default")

# Keys of `[global]` that are not `vrrp_` and the instance's own.
_GLOBAL_NAMES = {"strict_mode": "vrrp_strict", "v3_checksum_as_v2": "v3_checksum_as_v2"}

STRICT: Mapping[str, tuple[Any, str]] = {
    "preempt_delay": (0, "a higher priority takes over at once (RFC 9568 6.4.2)"),
    "down_timer_adverts": (3, "a backup waits for three adverts and the skew (RFC 9568 6.1)"),
    "garp_lower_prio_repeat": (0, "an advert of lower priority is followed by no gratuitous ARP (RFC 9568 6.4.3)"),
    "lower_prio_no_advert": (True, "an advert of lower priority is dropped (RFC 5798 6.4.3)"),
    "higher_prio_send_advert": (False, "a master that hears a higher priority sends nothing more (RFC 9568 6.4.3)"),
    "owner_ignore_adverts": (True, "the owner of the addresses drops all adverts (RFC 9568 7.1)"),
    "vmac_xmit_base": (False, "adverts leave with the virtual MAC address (RFC 9568 7.2)"),
}
"""What strict mode fixes: the value, and the rule. RFC 9568 answers a lower advert, its predecessors do not."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an instance says, and what `[global]` says for it."""

    table: InstanceTable
    common: GlobalTable
    path: Path
    findings: Findings

    @property
    def strict(self) -> bool:
        """Whether strict mode holds for the instance."""
        return self.common.vrrp_strict if self.table.strict_mode is None else self.table.strict_mode

    def of(self, key: str, default: _Default) -> _Default:
        """Return what holds for a key of the instance; warn when strict mode fixes what somebody wrote otherwise.

        Args:
            key: of the instance.
            default: what holds when nobody wrote anything.
        """
        value: _Default | None = getattr(self.table, key)
        path: Path = (*self.path, key)
        if value is None:
            name = _GLOBAL_NAMES.get(key, f"vrrp_{key}")
            path = ("global", name)
            value = getattr(self.common, name) if name in fields_of(GlobalTable) else None
        if not self.strict or key not in STRICT:
            return default if value is None else value
        fixed: _Default = STRICT[key][0]
        if value is not None and value != fixed:
            text = f"strict mode fixes it at {shown(fixed)}: {STRICT[key][1]}"
            self.findings.warn(path, text, found=shown(value))
        return fixed


def look_at_strict(said: Said, addresses: Sequence[VirtualAddress]) -> None:
    """Refuse what strict mode has no value for, and say what it wants of the addresses (V49).

    Args:
        said: by an instance that is in strict mode, or is not.
        addresses: that its adverts carry, in their order.
    """
    if not said.strict:
        return
    if said.table.unicast_peer:
        text = "strict mode has no unicast: adverts go to the group (RFC 9568 5.1); leave one of the two out"
        said.findings.error((*said.path, "unicast_peer"), text)
    first = next((address for address in addresses if address.family is Family.IPV6), None)
    if first is not None and not is_link_local(first.address):
        text = "strict mode wants a link-local address (fe80::/10) as the first of IPv6 (RFC 9568 5.2.9)"
        said.findings.warn((*said.path, "virtual_ipaddress"), text, found=first.address)
