"""The first moments of a child's life, from fork to its role's `run`. I/O.

Order (`docs/architecture.md`, Processes): close what belongs to others, import, raise the limit of descriptors, open
what needs root, change user, only then ask to be told of the parent's death, and look whether it is still there.
"""

import gc
import importlib
import logging
import mmap
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn, Protocol, cast

from stayalived.child import privileges
from stayalived.child.conversation import Conversation
from stayalived.errors import StayalivedError
from stayalived.messages.codec import MAX_FRAME, encode
from stayalived.messages.control import Needs, Start
from stayalived.messages.routes import role_of

PARENT_DEATH_SIGNAL = signal.SIGUSR2
"""What PR_SET_PDEATHSIG sends: a signal of its own, handled like end-of-file, while TERM, INT and HUP are ignored."""

ACCEPTED = "accepted"
"""Name under which the config child inherits the descriptor of the configuration in force."""

EXIT_OK = 0
EXIT_FATAL = 1
EXIT_MISSING_PERMISSION = 4
EXIT_BUG = 70
"""SG08, keepalived's numbers."""

_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, PARENT_DEATH_SIGNAL)
_STANDARD_ERROR = 2
_FAILURE_TEXT = MAX_FRAME // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a child is born with.

    Attributes:
        name: its name: a role, or `ROLE/DISTRIBUTION`.
        start: why it was started.
        link: its end of the pipe to the supervisor.
        run_dir: folder of the pid file and the sockets.
        config_dir: folder of the configuration files.
        host_id: which `[host.NAME]` table applies here.
        send_times: page shared with the supervisor, one native int64 (monotonic ns) for each slot; vrrp alone has it.
        generation: number of the configuration that the config child is to read; 0 for the others, who get `Prepare`.
        needs: what the accepted configuration needs; None in the config child of a first start.
        user: whom this process runs as, once it has given up its other rights.
        extra: inherited descriptors by name, such as `log:vrrp`.
    """

    name: str
    start: Start
    link: socket.socket
    run_dir: Path
    config_dir: Path
    host_id: str
    send_times: mmap.mmap | None = None
    needs: Needs | None = None
    generation: int = 0
    user: str = ""
    extra: Mapping[str, int] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """The third-party distribution whose plugins this child runs, or empty for the bundled ones."""
        return self.name.partition("/")[2]


class Role(Protocol):
    """What a role's module `stayalived.ROLE.main` offers.

    `open_as_root(context)` may be there as well, and `rights_for(context)` where rights hang on the configuration.
    """

    RIGHTS: privileges.Rights

    def run(self, context: Context, opened: object) -> None:
        """Do the job; return at the end. What is raised ends the process as a bug."""
        ...


def find_role(name: str) -> Role:
    """Import the module of a child's role.

    Raises:
        ImportError: it cannot be imported.
    """
    return cast("Role", importlib.import_module(f"stayalived.{role_of(name)}.main"))


def live(context: Context, parent: int, log: socket.socket | None, find: Callable[[str], Role] = find_role) -> NoReturn:
    """Be a child, from right after the fork to the end of the process. Never returns.

    Args:
        context: what the child is born with.
        parent: process id of the supervisor.
        log: this child's end of its log pair; None leaves logging as it is.
        find: imports the module of a child's role.
    """
    code = EXIT_BUG
    try:
        code = _be_born(context, parent, log, find)
    except StayalivedError as error:
        code = EXIT_MISSING_PERMISSION if isinstance(error, privileges.MissingRights) else EXIT_FATAL
        _fail(context, code, str(error))
    except BaseException as error:
        logging.getLogger(f"stayalived.{role_of(context.name)}").critical("died of a bug", exc_info=True)
        _fail(context, EXIT_BUG, f"{type(error).__name__}: {error}")
    finally:
        logging.shutdown()
        os._exit(code)


def close_others(kept: set[int]) -> None:
    """Close every descriptor but the standard ones and those kept: a sibling's pipe end would hide its end-of-file."""
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208  (an iterator would list its own descriptor, too)
        number = int(entry)
        if number > _STANDARD_ERROR and number not in kept:
            _close(number)


def _be_born(context: Context, parent: int, log: socket.socket | None, find: Callable[[str], Role]) -> int:
    _settle_signals()
    kept = {context.link.fileno(), *context.extra.values()}
    if log is not None:
        kept.add(log.fileno())
    close_others(kept)
    os.environ.pop("NOTIFY_SOCKET", None)  # P32: children do not speak to systemd
    if log is not None:
        _install_log(log, context.name)
    role = find(context.name)
    privileges.raise_descriptor_limit()
    opened = getattr(role, "open_as_root", _open_nothing)(context)
    rights = getattr(role, "rights_for", _fixed_rights(role))(context)
    identity = privileges.assume(context.name, rights)
    for notice in identity.notices:
        logging.getLogger(f"stayalived.{role_of(context.name)}").warning("%s", notice)
    if context.distribution:
        privileges.confine_third_party()
    privileges.die_with_parent(PARENT_DEATH_SIGNAL)
    if os.getppid() != parent:  # P31: it may have died before we asked to be told
        return EXIT_FATAL
    gc.freeze()
    role.run(replace(context, user=_name_of(identity, rights, role.RIGHTS)), opened)
    return EXIT_OK


def _open_nothing(_context: Context) -> None:
    return None


def _fixed_rights(role: Role) -> Callable[[Context], privileges.Rights]:
    return lambda _context: role.RIGHTS


def _name_of(identity: privileges.Identity, rights: privileges.Rights, usual: privileges.Rights) -> str:
    """Return the user for `status`, with the capabilities that this configuration makes the process keep."""
    extra = [name for name in rights.capabilities if name not in usual.capabilities]
    return " +".join((identity.user, *extra))


def _settle_signals() -> None:
    """Ignore what is meant for the supervisor: stop comes by the pipe, its death by end-of-file."""
    signal.set_wakeup_fd(-1)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _install_log(sender: socket.socket, name: str) -> None:
    from stayalived.log import pipe  # noqa: PLC0415  (kept out of a child that has no log pair, such as in tests)

    pipe.install(sender, name)


def _fail(context: Context, code: int, text: str) -> None:
    """Tell the supervisor why this child ends, as well as it can be told."""
    try:
        context.link.send(encode(Conversation().failed(code, text[:_FAILURE_TEXT])))
    except OSError as error:
        logging.getLogger("stayalived").warning("%s: cannot tell the supervisor: %s", context.name, error)


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # the one that listed /proc/self/fd is gone already
        return
