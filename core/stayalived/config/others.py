"""What `[host.NAME]` says of the other machines: all carry the same files, so what is misspelt there is told here."""

from collections.abc import Callable, Mapping

from stayalived.config.files import HOST, contains, overlay
from stayalived.config.findings import Findings, Path, Table, Value
from stayalived.config.resolve_checks import KIND as CHECK

Take = Callable[[Table, str], Findings]
"""Resolves a tree as a host sees it and returns what was found."""


def look_at_others(common: Table, differences: Mapping[str, Table], host_id: str, take: Take, found: Findings) -> None:
    """Say which keys of other hosts' tables do not exist.

    What else is wrong there (a name that does not resolve here, a value out of its range) is told on that host, and by
    `check --host`. Only the objects that differ are looked at, so many hosts cost little.

    Args:
        common: what all hosts share.
        differences: by host, what stands in `[host.NAME]`.
        host_id: this host.
        take: resolves.
        found: where to note it.
    """
    for name, own in differences.items():
        if name == host_id:
            continue
        for finding in take(_touched(common, own), name).entries:
            if finding.unknown and contains(own, finding.path):
                path: Path = (HOST, name, *finding.path)
                found.unknown(path, finding.problem.expected)


def missing_host(differences: Mapping[str, Table], host_id: str, found: Findings) -> None:
    """Warn when some hosts have a table and this one has none: most likely its name is another one."""
    if differences and host_id not in differences:
        text = f"tables for {', '.join(sorted(differences))} and none for this host; if nothing differs here, write"
        found.warn((HOST,), f"{text} [{HOST}.{host_id}]", found=f"host {host_id}")


def _touched(common: Table, own: Table) -> Table:
    """Return the configuration of another host, without the objects of which it says nothing; checks are named."""
    near = {kind: _near(kind, value, own.get(kind)) for kind, value in common.items() if kind in own or kind == CHECK}
    return overlay(near, own)


def _near(kind: str, value: Value, own: Value) -> Value:
    if kind == CHECK or not (isinstance(value, Mapping) and isinstance(own, Mapping)):
        return value
    objects = {name: below for name, below in value.items() if name in own}
    return objects if all(isinstance(below, Mapping) for below in own.values()) else value
