"""The log child (I/O): receives from every process, writes to one place. A stalled reader stalls nobody else."""

import logging
import socket
import time

from stayalived.child.bootstrap import Context
from stayalived.child.events import ChildEvent
from stayalived.child.privileges import SERVICE_USER, MissingRights, Rights, find_user
from stayalived.child.shell import Shell
from stayalived.log.collector import OWN_NAME, Collector
from stayalived.log.engine import LogEffect, LogEngine, UseLevel
from stayalived.log.pipe import Receiver
from stayalived.log.writers import StreamWriter, Writer, open_writer

RIGHTS = Rights(user=SERVICE_USER)
PAIR_PREFIX = "log:"
ORPHAN_PATIENCE = 4.0  # seconds for the others' last lines once the supervisor is gone; below the shell's own limit
WRITE_PATIENCE = 1.0  # seconds that a slow reader is given at the end

# keepalived's levels are syslog's; `notice` lies between two of the logging module.
LEVELS = {"debug": 10, "info": 20, "notice": 25, "warning": 30, "error": 40, "critical": 50}

_log = logging.getLogger(__name__)


def open_as_root(context: Context) -> Writer:
    """Open where the log goes; what cannot be opened is replaced by stderr and named in its first line."""
    if context.needs is None:
        return StreamWriter()
    try:
        return open_writer(context.needs.log, context.needs.log_facility, _owner())
    except (OSError, ValueError) as error:
        _log.error("the log goes to stderr: log = %r cannot be used: %s", context.needs.log, error)
        return StreamWriter()


def run(context: Context, opened: object) -> None:
    """Receive and write until told to stop, then write what still waits."""
    writer: Writer = opened if opened is not None else StreamWriter()  # type: ignore[assignment]  # of open_as_root
    collector = Collector(writer, _level(context.needs.log_level if context.needs else "info"))
    receivers = _receivers(context, collector)
    shell: Shell[ChildEvent, LogEffect] = Shell(LogEngine(), context, lambda effect: _perform(effect, collector))
    try:
        shell.run()
    finally:
        _drain(receivers, orphaned=shell.link.closed)
        collector.finish(WRITE_PATIENCE)


def _owner() -> tuple[int, int] | None:
    """Return who shall own a log file, so that it can be opened again after a rotation."""
    try:
        account, _ = find_user(SERVICE_USER)
    except MissingRights:
        return None
    return account.pw_uid, account.pw_gid


def _receivers(context: Context, collector: Collector) -> list[Receiver]:
    """Start the thread of each pair that was handed down."""
    return [
        Receiver(collector, socket.socket(fileno=descriptor), name.removeprefix(PAIR_PREFIX))
        for name, descriptor in context.extra.items()
        if name.startswith(PAIR_PREFIX)
    ]


def _perform(effect: LogEffect, collector: Collector) -> None:
    if isinstance(effect, UseLevel):
        collector.setLevel(_level(effect.name))
    else:
        collector.reopen()


def _drain(receivers: list[Receiver], *, orphaned: bool) -> None:
    """Hand on what waits; after the supervisor's death first wait for the others, who log what they release."""
    give_up = time.monotonic() + ORPHAN_PATIENCE
    for receiver in receivers:
        if orphaned and receiver.child != OWN_NAME:  # the sender of our own pair is this process
            receiver.wait(max(give_up - time.monotonic(), 0.0))
    for receiver in receivers:
        receiver.close()


def _level(name: str) -> int:
    return LEVELS.get(name.lower(), logging.INFO)
