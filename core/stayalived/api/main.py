"""I/O: the api child. It opens the control socket as root and serves it without any right."""

import asyncio
import grp
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import stayalived
from stayalived.api.commands import write_answer
from stayalived.api.control import Control, Entitled
from stayalived.api.door import SOCKET_NAME, reachable
from stayalived.api.engine import AnswerClient, ApiEngine, Asked, ShowConfiguration
from stayalived.child.asyncshell import AsyncShell
from stayalived.child.bootstrap import Context
from stayalived.child.link import read_blob
from stayalived.child.privileges import Rights
from stayalived.errors import Bug
from stayalived.messages.codec import Frame
from stayalived.messages.control import Commit
from stayalived.messages.routes import topic_of

GROUP = "stayalived"
_COMMIT = topic_of(Commit).name
RIGHTS = Rights(user="stayalived", capabilities=(), no_new_privs=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The bound socket, who bound it, and the group that it was given to."""

    listening: socket.socket
    starter: int
    group: int | None


def open_as_root(context: Context) -> Opened:
    """Bind the control socket, readable and writable for root and the group `stayalived`.

    The daemon holds the lock of its run directory, so what lies under the name is a dead daemon's, or that of the api
    child before this one.

    Raises:
        OSError: the run directory cannot be written.
    """
    path = context.run_dir / SOCKET_NAME
    group = _group()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(listening, path, group)
    except OSError:
        listening.close()
        raise
    return Opened(listening=listening, starter=os.geteuid(), group=group)


def run(context: Context, opened: object) -> None:
    """Answer the command line until the supervisor says stop."""
    if not isinstance(opened, Opened):
        raise Bug(f"the control socket was not opened: {opened!r}")
    asyncio.run(_serve(context, opened))


class _Shell(AsyncShell[Asked, AnswerClient | ShowConfiguration]):
    """Keeps the descriptor of the configuration in force: its content is read when somebody asks for it, and not kept.

    At the size of tens of thousands of servers that saves this process some ten megabytes.
    """

    def __init__(self, engine: ApiEngine, context: Context, control: Control) -> None:
        super().__init__(engine, context, self._answer)
        self._control = control
        self._prepared: int | None = None
        self._in_force: int | None = None

    def _take_in(self, frame: Frame, descriptors: Sequence[int]) -> None:
        if descriptors:
            self._prepared = _replaced(self._prepared, os.dup(descriptors[0]))
        super()._take_in(frame, descriptors)
        if frame.topic == _COMMIT and self._prepared is not None:
            self._in_force, self._prepared = _replaced(self._in_force, self._prepared), None

    def _answer(self, effect: AnswerClient | ShowConfiguration) -> None:
        if isinstance(effect, AnswerClient):
            self._control.answer(effect)
            return
        if self._in_force is None:
            raise Bug("a configuration is in force that came without a descriptor")
        configuration = read_blob(os.dup(self._in_force))
        data = write_answer(msgspec.structs.replace(effect.answer, configuration=configuration))
        self._control.answer(AnswerClient(client=effect.client, data=data))


def _replaced(old: int | None, new: int) -> int:
    if old is not None:
        os.close(old)
    return new


async def _serve(context: Context, opened: Opened) -> None:
    engine = ApiEngine(version=stayalived.__version__, pid=os.getppid())
    entitled = Entitled(starter=opened.starter, group=opened.group, own_user=os.geteuid())

    control = Control(opened.listening, entitled)
    shell = _Shell(engine, context, control)
    control.connect(shell.post)
    async with control:
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
