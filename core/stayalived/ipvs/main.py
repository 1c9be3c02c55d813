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
    AddressesSeen,
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
    WatchAddresses,
)
from stayalived.kernel.api import IpvsKernel
from stayalived.kernel.around import look_around
from stayalived.kernel.direction import Direction
from stayalived.kernel.ipvs import LinuxIpvs
from stayalived.kernel.monitor import Monitor
from stayalived.kernel.netlink import Netlink
from stayalived.plugin import manager
from stayalived.plugin.schedulers import Scheduler

AnsweredEffect = ReadTable | Apply | Direct | LookAround | FindMissing | ReadTimeouts | SetTimeouts
"""What is carried out by one question to the kernel, or several, and has one answer."""

RIGHTS = Rights(user="stayalived", capabilities=("NET_ADMIN",))


class AddressWatch:
    """Knows the addresses of this machine from the first time that it is asked."""

    def __init__(self) -> None:
        """Open nothing yet: most configurations never ask."""
        self._monitor: Monitor | None = None

    def begin(self) -> int | None:
        """Open what hears of changes; return its descriptor, None when it is open already.

        Raises:
            KernelProblem: the kernel does not answer.
            OSError: no descriptor is free.
        """
        if self._monitor is not None:
            return None
        self._monitor = Monitor(Netlink())
        return self._monitor.fileno()

    def look(self) -> AddressesSeen:
        """Take in what the kernel has told; return the addresses that there are now."""
        if self._monitor is None:
            raise Bug("addresses that nobody has asked for")
        try:
            while self._monitor.next_change() is not None:
                pass  # what it adds up to is what counts
        except KernelProblem as problem:
            return AddressesSeen(problem=str(problem))
        held = (interface.addresses for interface in self._monitor.interfaces().values())
        return AddressesSeen(addresses=frozenset(one.address for addresses in held for one in addresses))


class Hands:
    """Carries out what the engine asks of the kernel and hands the answers back.

    A kernel without IPVS is asked again each time: the module may have been loaded meanwhile.
    """

    def __init__(self, kernel: IpvsKernel | None) -> None:
        """Start with a connection to the kernel, if there is one yet."""
        self._kernel = kernel
        self._direction = Direction()

    def carry_out(self, effect: AnsweredEffect) -> IpvsEvent:
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
    hands, addresses = Hands(cast("IpvsKernel | None", opened)), AddressWatch()
    engine = IpvsEngine(wall_offset=read_wall_offset(), policies=make_policy)

    def perform(effect: IpvsEffect) -> None:
        shell.post(watch() if isinstance(effect, WatchAddresses) else hands.carry_out(effect))

    def watch() -> AddressesSeen:
        try:
            descriptor = addresses.begin()
        except (KernelProblem, OSError) as problem:
            return AddressesSeen(problem=f"addresses cannot be watched: {problem}")
        if descriptor is not None:
            shell.watch(descriptor, lambda: shell.post(addresses.look()))
        return addresses.look()

    shell: Shell[IpvsEvent, IpvsEffect] = Shell(engine, context, perform)
    shell.run()
