"""Who had an address when: what the kernels of the hosts said of it (`ip -ts monitor address`), read afterwards."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from namespaces.lab import Host
from namespaces.waiting import wait_until

_LINE = re.compile(r"^\[(?P<time>[^\]]+)\] *(?P<gone>Deleted )?\d+: \S+ +inet6? (?P<address>\S+)")
_PROBE = "127.0.0.77/32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An address that came or went. `time` is the wall clock in seconds."""

    time: float
    address: str
    present: bool


class AddressMonitor:
    """Writes down what comes and goes on a host, from the moment when it is made."""

    def __init__(self, host: Host) -> None:
        self._process = host.popen(["ip", "-ts", "monitor", "address"])

        def listening() -> bool:
            for verb in ("add", "del"):
                host.run(["ip", "address", verb, _PROBE, "dev", "lo"])
            return _PROBE in self._process.log()

        wait_until(listening, within=5.0, what="the address monitor to listen")

    def changes(self, *addresses: str, since: float = 0.0) -> list[Change]:
        """Return what became of these addresses `ADDRESS/PREFIX`, or of all, until now."""
        found = (_parse(line) for line in self._process.log().splitlines())
        return [
            change
            for change in found
            if change and change.address != _PROBE and change.time >= since
            if not addresses or change.address in addresses
        ]


def longest_overlap(mine: Sequence[Change], theirs: Sequence[Change]) -> float:
    """Return the longest time in seconds for which both hosts had one address.

    Args:
        mine: of one address and one host that did not have it at first.
        theirs: of the same address and the other host, which did not have it either.
    """
    owners: set[int] = set()
    both_since: float | None = None
    longest = 0.0
    told = [(change.time, host, change.present) for host, changes in enumerate((mine, theirs)) for change in changes]
    for time, host, present in sorted(told):
        (owners.add if present else owners.discard)(host)
        if len(owners) > 1 and both_since is None:
            both_since = time
        elif len(owners) <= 1 and both_since is not None:
            longest, both_since = max(longest, time - both_since), None
    return float("inf") if both_since is not None else longest


def _parse(line: str) -> Change | None:
    match = _LINE.match(line)
    if match is None:
        return None
    time = datetime.fromisoformat(match["time"]).timestamp()
    return Change(time=time, address=match["address"], present=match["gone"] is None)
