"""The ipvs process: the engine, joined to the kernel. I/O."""

import logging
from collections.abc import Sequence
from functools import cache
from typing import cast

from stayalived.child.base import read_wall_offset
from stayalived.child.bootstrap import Context
from stayalived.child.privileges import Rights
from stayalived.child.shell import Shell
from stayalived.config.model import BUNDLED
from stayalived.errors import Bug, KernelProblem, PluginFailure
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.events import (
    Apply,
    Direct,
    FindMissing,
    IpvsEffect,
    IpvsEvent,
    KernelRefused,
    LookAround,
    MissingFound,
    OperationsDone,
    ReadTable,
    ReadTimeouts,
    SeenAround,
    SetTimeouts,
    TableRead,
    TimeoutsAnswered,
)
from stayalived.kernel.api import IpvsKernel
from stayalived.kernel.direction import Direction, look_around
from stayalived.kernel.ipvs import LinuxIpvs
from stayalived.plugin import manager
from stayalived.plugin.schedulers import Scheduler

RIGHTS = Rights(user="stayalived", capabilities=("NET_ADMIN",))


class Hands:
    """Carries out what the engine asks of the kernel and hands the answers back.

    A kernel without IPVS is asked again each time: the module may have been loaded meanwhile.
    """

    def __init__(self, kernel: IpvsKernel | None) -> None:
        """Start with a connection to the kernel, if there is one yet."""
        self._kernel = kernel
        self._direction = Direction()

    def carry_out(self, effect: IpvsEffect) -> IpvsEvent:
        """Carry out one effect; its answer is what the engine is to be told."""
        match effect:
            case ReadTable():
                return self._read()
            case LookAround(settings):
                return SeenAround(look_around(settings))
            case Direct():
                return self._direction.carry_out(effect)
            case Apply(operations):
                if self._kernel is None:
                    raise Bug("operations for a table that was never read")
                return OperationsDone(operations=operations, problems=tuple(self._kernel.apply(operations)))
            case FindMissing():
                return self._find_missing(effect)
            case ReadTimeouts() | SetTimeouts():
                return self._keep(effect)

    def _find_missing(self, effect: FindMissing) -> IpvsEvent:
        problems: Sequence[KernelProblem | None]
        try:
            problems = self._connected().missing(effect.needs)
        except KernelProblem as problem:
            problems = [problem] * len(effect.needs)
        return MissingFound(generation=effect.generation, needs=effect.needs, problems=tuple(problems))

    def _keep(self, effect: ReadTimeouts | SetTimeouts) -> IpvsEvent:
        try:
            if isinstance(effect, ReadTimeouts):
                return TimeoutsAnswered(timeouts=self._connected().timeouts())
            self._connected().set_timeouts(effect.timeouts)
        except KernelProblem as problem:
            return TimeoutsAnswered(problem=problem)
        return TimeoutsAnswered()

    def _connected(self) -> IpvsKernel:
        if self._kernel is None:
            self._kernel = LinuxIpvs()
        return self._kernel

    def _read(self) -> IpvsEvent:
        try:
            table, connections = self._connected().read()
        except KernelProblem as problem:
            return KernelRefused(problem=problem)
        return TableRead(table=table, connections=connections)


def open_as_root(_context: Context) -> IpvsKernel | None:
    """Connect to the kernel's IPVS: asking for it makes the kernel load its module, if it has one."""
    try:
        return LinuxIpvs()
    except KernelProblem as problem:
        logging.getLogger("stayalived.ipvs").debug("%s", problem)  # said again, once, where it is dealt with
        return None


def make_policy(name: str, options: bytes) -> Scheduler:
    """Return a scheduler that computes weights, of those that come with stayalived; no others are imported here.

    Raises:
        PluginFailure: there is none of this name, or it does not take these options.
    """
    provided = _bundled().catalogue.schedulers.get(name)
    if provided is None:
        raise PluginFailure(f"stayalived brings no scheduler {name}")
    return provided.make(options)


@cache
def _bundled() -> manager.Plugins:
    return manager.load({BUNDLED})


def run(context: Context, opened: object) -> None:
    """Keep the kernel's table as configuration and health ask for it, until told to stop."""
    hands = Hands(cast("IpvsKernel | None", opened))
    engine = IpvsEngine(wall_offset=read_wall_offset(), policies=make_policy)
    shell: Shell[IpvsEvent, IpvsEffect] = Shell(engine, context, lambda effect: shell.post(hands.carry_out(effect)))
    shell.run()
