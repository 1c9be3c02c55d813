"""The plan document: what `stayalived plan --json` prints. Versioned, for machines; its tables stand in `docs/plan.md`.

`schema` counts the versions of this shape. Fields may be added under one number; one that goes or changes its meaning
raises it. What is said of a field here is its line on the page.
"""

from typing import Annotated

import msgspec

from stayalived.api.document import Row

SCHEMA = 1

AT_ONCE, CHECKED, MASTER = "at once", "when checked", "as MASTER"


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Step(Row, frozen=True):
    """One thing that would be done."""

    part: Annotated[str, _says("`vrrp` or `ipvs`.")]
    when: Annotated[
        str,
        _says(
            "`at once`; `when checked`, when every check that has no result yet has passed; `as MASTER`, when the "
            "instance that it is about is MASTER, which it is not now."
        ),
    ]
    line: Annotated[str, _says("In the words of ipvsadm(8), ip(8), nft(8) or sysctl(8); else a sentence.")]
    about: Annotated[str, _says("`SERVICE/SERVER`, a service, an instance or a virtual router; or empty.")]


class Processes(Row, frozen=True):
    """Which processes of the daemon would come and go."""

    started: Annotated[list[str], _says("By name.")]
    stopped: Annotated[list[str], _says("By name.")]
    replaced: Annotated[list[str], _says("Whose plugins or rights change.")]


class Plan(Row, frozen=True, kw_only=True):
    """Everything: the outermost object."""

    schema: Annotated[int, _says("Version of this shape.")]
    host: Annotated[str, _says("Whose configuration it is.")]
    running: Annotated[bool, _says("Whether a daemon runs: then it is about a reload, else about a start.")]
    generation: Annotated[int, _says("Of the configuration in force; 0 where none is.")]
    problems: Annotated[list[str], _says("What is wrong with the files, line by line, warnings too.")]
    good: Annotated[bool, _says("Whether the configuration can be used; else nothing more is said.")]
    refused: Annotated[list[str], _says("Why a reload would be refused though the configuration is good.")] = (
        msgspec.field(default_factory=list)
    )
    notes: Annotated[list[str], _says("What could not be looked at, and what was assumed instead.")]
    names: Annotated[dict[str, list[str]], _says("Host names that were resolved, with the addresses that are used.")]
    added: Annotated[list[str], _says("Objects of the configuration that are new.")] = msgspec.field(
        default_factory=list
    )
    removed: Annotated[list[str], _says("Objects that would go.")] = msgspec.field(default_factory=list)
    changed: Annotated[list[str], _says("Objects that differ.")] = msgspec.field(default_factory=list)
    processes: Processes
    steps: Annotated[list[Step], _says("What would be done, in its order.")] = msgspec.field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether nothing at all would be done."""
        processes = (*self.processes.started, *self.processes.stopped, *self.processes.replaced)
        objects = (*self.added, *self.removed, *self.changed)
        return not (self.steps or objects or self.refused or (self.running and processes))
