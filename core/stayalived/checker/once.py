"""Makes one probe as the daemon makes it, without an engine: for `stayalived probe` and the test kit. I/O."""

import asyncio
from collections.abc import Callable

from stayalived.checker.echo import no_ping
from stayalived.checker.net import Ping, RunProgram
from stayalived.checker.probe import Prober
from stayalived.checker.probes import ProbeEnded, ProbeIdentity, StartProbe
from stayalived.checker.programs import no_programs
from stayalived.checker.session import OpenSession, Session
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.plugin.checks import Check, Target


async def probe_once(
    identity: ProbeIdentity,
    make: Callable[[ProbeIdentity], Check],
    *,
    target: Target | None = None,
    run: RunProgram = no_programs,
    ping: Ping = no_ping,
    open_session: OpenSession = Session,
) -> ProbeEnded:
    """Make one probe: same limits, same sockets, same treatment of what a check raises as in the daemon.

    Args:
        identity: what is asked.
        make: returns the check.
        target: whom it asks, where that is not the identity's.
        run: has programs started.
        ping: sends an ICMP echo request.
        open_session: makes what the probe talks through.
    """
    ended: asyncio.Future[ProbeEnded] = asyncio.get_running_loop().create_future()
    watchdog = Watchdog("probe", read_clock)
    prober = Prober(make, ended.set_result, read_clock, watchdog, run, ping, open_session)
    try:
        prober.start(StartProbe(probe=1, identity=identity), target)
        return await ended
    finally:
        prober.close()
        watchdog.close()
