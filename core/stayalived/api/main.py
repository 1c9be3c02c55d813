"""I/O: the api child. It opens the control socket as root and serves it without any right."""

import asyncio
import grp
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import stayalived
from stayalived.api.control import Control, Entitled
from stayalived.api.door import EVENTS_NAME, SOCKET_NAME, reachable
from stayalived.api.engine import AnswerClient, ApiEngine, Asked, Publish
from stayalived.api.stream import Stream
from stayalived.child.asyncshell import AsyncShell
from stayalived.child.bootstrap import Context
from stayalived.child.privileges import Rights
from stayalived.errors import Bug

GROUP = "stayalived"
RIGHTS = Rights(user="stayalived", capabilities=(), no_new_privs=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The bound sockets, of commands and of events, who bound them, and the group that they were given to."""

    listening: socket.socket
    events: socket.socket
    starter: int
    group: int | None


def open_as_root(context: Context) -> Opened:
    """Bind the control socket and that of events, readable and writable for root and the group `stayalived`.

    The daemon holds the lock of its run directory, so what lies under the name is a dead daemon's, or that of the api
    child before this one.

    Raises:
        OSError: the run directory cannot be written.
    """
    group = _group()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    events = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(listening, context.run_dir / SOCKET_NAME, group)
        _bind(events, context.run_dir / EVENTS_NAME, group)
    except OSError:
        listening.close()
        events.close()
        raise
    return Opened(listening=listening, events=events, starter=os.geteuid(), group=group)


def run(context: Context, opened: object) -> None:
    """Answer the command line until the supervisor says stop."""
    if not isinstance(opened, Opened):
        raise Bug(f"the control socket was not opened: {opened!r}")
    asyncio.run(_serve(context, opened))


async def _serve(context: Context, opened: Opened) -> None:
    engine = ApiEngine(version=stayalived.__version__, pid=os.getppid())
    entitled = Entitled(starter=opened.starter, group=opened.group, own_user=os.geteuid())

    control = Control(opened.listening, entitled)
    stream = Stream(opened.events, entitled)

    def perform(effect: AnswerClient | Publish) -> None:
        if isinstance(effect, Publish):
            stream.publish(effect.event)
        else:
            control.answer(effect)

    shell: AsyncShell[Asked, AnswerClient | Publish] = AsyncShell(engine, context, perform)
    control.connect(shell.post)
    async with control, stream:
        await shell.run()


def _bind(listening: socket.socket, path: Path, group: int | None) -> None:
    path.unlink(missing_ok=True)
    with reachable(path) as name:
        listening.bind(name)
    # Nobody can connect before listen(), so there is no moment in which the wrong ones could.
    if group is not None and os.geteuid() == 0:
        os.chown(path, 0, group)
    path.chmod(0o660)


def _group() -> int | None:
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return None
