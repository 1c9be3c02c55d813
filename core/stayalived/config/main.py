"""The config child (I/O): reads files and secrets as root, drops its rights, imports plugins, sends what came of it.

It lives for one configuration. A plugin that breaks at import ends this process and nothing else: the supervisor sees
the end of the pipe without a `Parsed` and keeps what it had.
"""

import fcntl
import gc
import os

from stayalived.child.bootstrap import ACCEPTED, Context
from stayalived.child.conversation import Conversation
from stayalived.child.link import Link, read_blob
from stayalived.child.privileges import SERVICE_USER, Rights
from stayalived.config import model
from stayalived.config.check import Opened, Report, examine, look, open_found
from stayalived.config.problems import Problem
from stayalived.errors import Bug
from stayalived.messages.codec import MAX_FRAME
from stayalived.messages.control import Parsed
from stayalived.messages.routes import pack

RIGHTS = Rights(user=SERVICE_USER)

PROBLEMS_SIZE = MAX_FRAME // 2
"""Bytes of problems that one frame carries; what is beyond is counted. People mend the first ones first."""

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Unchanged:
    """The files mean what is in force already."""


def open_as_root(context: Context) -> Opened | Unchanged:
    """Read what may be readable by root alone."""
    gc.disable()  # it lives for one configuration
    accepted = context.extra.get(ACCEPTED)
    found = look([context.config_dir])
    if accepted is None:
        return open_found(found, context.host_id)
    data = read_blob(os.dup(accepted))
    if found.is_same(context.host_id, model.decode_origin(data)):
        return Unchanged()
    return open_found(found, context.host_id, model.decode(data))


def run(context: Context, opened: object) -> None:
    """Resolve what was read and send it: `Parsed`, with the configuration in a sealed memfd when it is good."""
    if not isinstance(opened, Opened | Unchanged):
        raise Bug("the config child was not given its files")
    link = Link(context.link)
    link.send(Conversation().hello(os.getpid()))
    descriptor: int | None = None
    if isinstance(opened, Opened):
        parsed, descriptor = parsed_of(examine(opened, context.host_id), context.generation)
    else:
        parsed = Parsed(generation=context.generation, problems=(), needs=None, unchanged=True)
    link.send(pack(parsed), descriptor)
    if link.waiting or link.losses.dropped:
        raise Bug("the pipe to the supervisor has no room for one frame, or the frame is too long for any")


def parsed_of(report: Report, generation: int) -> tuple[Parsed, int | None]:
    """Return the frame's message and the descriptor that goes along, None when the configuration is refused."""
    problems = fitting(report.problems)
    if not report.configuration:
        return Parsed(generation=generation, problems=problems, needs=None), None
    return Parsed(generation=generation, problems=problems, needs=report.needs), sealed(report.configuration)


def sealed(data: bytes) -> int:
    """Return a memfd with this content that nobody can change any more."""
    descriptor = os.memfd_create("stayalived-configuration", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    return descriptor


def fitting(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return as many problems as fit one frame, errors first when not all do, and one that counts the others."""
    ordered = sorted(problems, key=lambda problem: problem.warning) if _size(problems) > PROBLEMS_SIZE else problems
    kept: list[Problem] = []
    room = PROBLEMS_SIZE
    for problem in ordered:
        room -= _size((problem,))
        if room < 0:
            left = len(problems) - len(kept)
            warning = all(other.warning for other in problems)
            text = f"and {left} more problems; `stayalived check` shows all"
            return (*kept, Problem(path="", expected=text, warning=warning))
        kept.append(problem)
    return tuple(kept)


def _size(problems: tuple[Problem, ...]) -> int:
    """Return about how many bytes problems take in a frame."""
    return sum(len(str(problem).encode()) + len(problem.path) + 64 for problem in problems)
