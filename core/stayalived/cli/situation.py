"""I/O: what runs on this machine and what its kernel has, for `stayalived plan`. Nothing is changed or loaded."""

import os
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from stayalived.api.commands import IN_FORCE, Command
from stayalived.child.events import Received
from stayalived.cli.client import NoDaemon, ask
from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.errors import KernelProblem
from stayalived.ipvs.surroundings import BACKUP_ONLY, Surroundings, settings_of
from stayalived.kernel import sysctl
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.network import Network
from stayalived.messages.codec import BadFrame
from stayalived.rehearsal.situation import Situation, received

IPVS_LOADED = Path("/proc/net/ip_vs")
"""There once the kernel's module is loaded. To ask over netlink would load it, and a plan loads nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a daemon that runs says of itself."""

    generation: int
    configuration: Configuration
    config_dir: Path
    told: tuple[Received, ...]


@dataclass(slots=True)
class Looker:
    """Looks, and notes what it may not see.

    Attributes:
        notes: what could not be looked at, and what is assumed instead.
    """

    notes: list[str] = field(default_factory=list)

    def daemon(self, run_dir: Path) -> Running | None:
        """Return what is in force; None when no daemon runs, or none that would tell."""
        try:
            answer = ask(run_dir, Command(verb=IN_FORCE))
        except NoDaemon as problem:
            if os.geteuid() != 0:
                self.notes.append(problem.message)
            return None
        if not answer.accepted:
            self.notes.append(
                f"a daemon runs, but does not say what is in force: {answer.text}; this is a start instead"
            )
            return None
        try:
            running = model.decode(answer.configuration)
            told = received(answer.told, running)
        except (BadFrame, ValueError) as problem:  # msgspec's errors are ValueErrors
            self.notes.append(f"the daemon is of another version: {problem}; this is a start instead")
            return None
        return Running(
            generation=answer.generation, configuration=running, config_dir=Path(answer.config_dir), told=told
        )

    def look(self, wanted: Configuration, in_force: Running | None) -> Situation:
        """Return what there is on this machine.

        Args:
            wanted: the configuration that it will be compared with.
            in_force: what a daemon says, where one runs.
        """
        situation = self._network(wanted)
        if in_force is not None:
            situation = replace(situation, running=in_force.configuration, told=in_force.told)
        services = (*wanted.virtual_servers, *(situation.running.virtual_servers if situation.running else ()))
        if not services:
            return situation
        settings = settings_of(wanted)
        values = sysctl.read_known((*settings, BACKUP_ONLY))
        addresses = {
            name: frozenset(one.address for one in found.addresses) for name, found in situation.interfaces.items()
        }
        situation = replace(
            situation, around=Surroundings(values, addresses), backup_only=values.get(BACKUP_ONLY, "0") != "0"
        )
        return self._balanced(situation)

    def _balanced(self, situation: Situation) -> Situation:
        """Return a situation with what the kernel's IPVS has."""
        if not IPVS_LOADED.exists():
            return situation
        from stayalived.kernel.ipvs import LinuxIpvs  # noqa: PLC0415  (pyroute2 takes 150 ms, for whoever has IPVS)
        from stayalived.kernel.ipvs_daemons import LinuxDaemons  # noqa: PLC0415  (as above)

        try:
            with closing(LinuxIpvs()) as kernel, closing(LinuxDaemons()) as daemons:
                return replace(
                    situation,
                    table=kernel.read()[0],
                    timeouts=kernel.timeouts(),
                    daemons=tuple(daemons.read()),
                )
        except KernelProblem as problem:
            self.notes.append(f"{problem}; an empty IPVS table is assumed")
            return situation

    def _network(self, wanted: Configuration) -> Situation:
        try:
            with Netlink() as netlink:
                network = Network(netlink, table=wanted.globals.nftables, priority=wanted.globals.nftables_priority)
                routes, rules = tuple(network.routes()), tuple(network.rules())
                return Situation(interfaces=netlink.interfaces(), routes=routes, rules=rules)
        except KernelProblem as problem:
            self.notes.append(f"{problem}; no interfaces, routes and rules are assumed")
            return Situation()
