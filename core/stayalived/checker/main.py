"""I/O: a checker child. One or more share the bundled checks, one more runs each third-party distribution's."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from random import Random

from stayalived.checker.echo import Pinger, open_echo_sockets
from stayalived.checker.engine import CheckerEngine
from stayalived.checker.probe import Prober
from stayalived.checker.probes import AbandonProbe, ProbeEffect, ProbeEvent, ProbeIdentity, StartProbe
from stayalived.checker.programs import Programs
from stayalived.checker.shards import distribution_of
from stayalived.checker.tasks import TaskLimit
from stayalived.checker.tidiness import Tidiness
from stayalived.checker.watchdog import Watchdog
from stayalived.child.asyncshell import AsyncShell
from stayalived.child.base import read_clock
from stayalived.child.bootstrap import Context
from stayalived.child.privileges import Rights
from stayalived.child.programs import Answer
from stayalived.errors import PluginFailure
from stayalived.plugin import manager
from stayalived.plugin.checks import Check
from stayalived.timing import in_seconds, seconds

RIGHTS = Rights(user="stayalived", capabilities=(), no_new_privs=True)


def rights_for(context: Context) -> Rights:
    """Return what this process keeps: the bundled checker what its checks' sockets need, a stranger's nothing."""
    if context.distribution or context.needs is None:
        return RIGHTS
    return replace(RIGHTS, capabilities=context.needs.checker_capabilities)


PARTING = seconds(0.5)
"""How long cancelled checks may take to end when this process stops; then it goes without them."""

_log = logging.getLogger("stayalived.checker")


class Checks:
    """Makes checks from what one distribution brought."""

    def __init__(self, distribution: str) -> None:
        """Import the distribution's plugins and say in the log what cannot be."""
        self.distribution = distribution
        self._plugins = manager.load({distribution})
        for problem in self._plugins.problems:
            _log.error("%s", problem, extra={"fields": {"distribution": distribution}})

    def make(self, identity: ProbeIdentity) -> Check:
        """Return the check that a probe asks for.

        Raises:
            PluginFailure: this process does not have its type, or the type does not take its options.
        """
        provided = self._plugins.catalogue.checks.get(identity.type)
        if provided is None:
            raise PluginFailure(f"{self.distribution} brings no check type {identity.type} here: {self._why()}")
        return provided.make(identity.options)

    def _why(self) -> str:
        """Return what went wrong while importing, for the message about a missing type."""
        return "; ".join(str(problem) for problem in self._plugins.problems) or "it was imported without a problem"


def open_as_root(context: Context) -> tuple[socket.socket, ...]:
    """Open the sockets for ICMP, for the bundled checks alone."""
    return () if context.distribution else open_echo_sockets()


def run(context: Context, opened: object) -> None:
    """Run the checks of this process's distribution until the supervisor says stop."""
    checks = Checks(distribution_of(context.name))
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_serve(context, checks, opened if isinstance(opened, tuple) else ()))
        loop.run_until_complete(_part())
    finally:
        loop.close()


async def _serve(context: Context, checks: Checks, sockets: tuple[socket.socket, ...]) -> None:
    """Join engine and prober and serve until the engine has finished."""
    TaskLimit().install(asyncio.get_running_loop())
    watchdog = Watchdog(context.name, read_clock)

    def perform(effect: ProbeEffect) -> None:
        match effect:
            case StartProbe():
                prober.start(effect)
            case AbandonProbe():
                prober.abandon(effect.probe)
            case Answer():
                programs.answer(effect)

    engine = CheckerEngine(context.name, Random())  # noqa: S311  (it spreads checks over time)
    shell: AsyncShell[ProbeEvent, ProbeEffect] = AsyncShell(engine, context, perform)
    programs = Programs(shell.post)
    pinger = Pinger(sockets)
    prober = Prober(checks.make, shell.post, read_clock, watchdog, programs.run, pinger.ping, grown=_grown(context))
    try:
        await shell.run()
    finally:
        prober.close()
        pinger.close()
        watchdog.close()


def _grown(context: Context) -> Callable[[], None]:
    """Return what is told of each new check: a stranger's may be a cycle, which the collector shall find."""
    return (lambda: None) if context.distribution else Tidiness(asyncio.get_running_loop().call_later).grown


async def _part() -> None:
    """Give what checks have left running a moment to end; whatever ignores its cancellation is left behind."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=in_seconds(PARTING))
