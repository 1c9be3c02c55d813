"""Which version of VRRP an instance speaks, and what that version can carry (V05, V06)."""

from collections.abc import Sequence

from stayalived.addresses import Family
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.general import GlobalTable
from stayalived.config.vrrp import InstanceTable
from stayalived.timing import Duration, milliseconds, seconds

V3_LONGEST = 40.95  # seconds; RFC 9568 5.2.7: twelve bits of centiseconds
V2_LONGEST = 255  # seconds; RFC 3768 5.3.7: one octet
_CENTISECOND = milliseconds(10)
_SECOND = seconds(1)


def version_of(
    table: InstanceTable, common: GlobalTable, families: Sequence[Family], path: Path, findings: Findings
) -> int:
    """Return the version of an instance that has routers of these families: IPv6 has but version 3."""
    version = table.version or common.vrrp_version
    if Family.IPV6 in families:
        version = 3
        if table.version == 2:
            text = "must be 3: VRRP version 2 does not exist for IPv6; leave it out"
            findings.error((*path, "version"), text, found="2")
    if table.v3_checksum_as_v2 and (version == 2 or Family.IPV4 not in families):
        findings.warn((*path, "v3_checksum_as_v2"), "has an effect on version 3 over IPv4 only; leave it out")
    return version


def interval_of(table: InstanceTable, version: int, path: Path, findings: Findings) -> Duration:
    """Return the interval as the wire can carry it: whole seconds in version 2, centiseconds in version 3 (V05)."""
    where = (*path, "advert_int")
    unit, longest = (_SECOND, V2_LONGEST) if version == 2 else (_CENTISECOND, V3_LONGEST)
    wanted = seconds(table.advert_int)
    if wanted > seconds(longest):
        findings.error(where, f"must be at most {longest} in version {version}", found=shown(table.advert_int))
        return _SECOND
    rounded = Duration(max(1, (wanted + unit // 2) // unit) * unit)
    if rounded != wanted:
        step = "whole seconds" if version == 2 else "hundredths of a second"
        text = f"version {version} counts in {step}: {rounded / _SECOND:g} is used"
        findings.warn(where, text, found=shown(table.advert_int))
    return rounded
