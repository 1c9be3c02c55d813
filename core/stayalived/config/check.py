"""Reads a configuration in a throw-away child: what `stayalived check` does, and a start or reload too (I/O: forks).

A plugin that breaks at import, hangs, or ends its process costs only the child. Kernel, daemon and scripts are not
touched.
"""

import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import msgspec

from stayalived.child.privileges import SERVICE_USER, Rights, assume
from stayalived.config import model
from stayalived.config.contents import Contents, load
from stayalived.config.files import Source, digest_of, hosts, parse_all
from stayalived.config.machine import ThisMachine
from stayalived.config.model import Configuration
from stayalived.config.names import Remembered
from stayalived.config.needs import needs_of
from stayalived.config.origin import Origin
from stayalived.config.problems import Problem
from stayalived.config.resolve import Surroundings, disabled_plugins, resolve
from stayalived.config.reuse import Kept, is_same, kept_of, origin_of, unchanged
from stayalived.config.secrets import Vault
from stayalived.messages.control import Needs
from stayalived.plugin import manager
from stayalived.timing import Duration, in_seconds, seconds

LIMIT = seconds(60)
"""How long the child may take, plugins included."""

Resolver = Callable[[Sequence[Source], Surroundings], tuple[Configuration | None, list[Problem]]]

EXIT_BUG = 70  # SG08
_CHUNK = 1 << 20


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of reading a configuration.

    Attributes:
        problems: everything that is wrong, in the order of the files.
        configuration: as `model.encode` writes it; empty when one of the problems is more than a warning.
        needs: what the supervisor has to know of it; None where there is none.
        hosts: names that the files have a `[host.NAME]` for.
        names: host names that were resolved, each with the addresses that were taken.
    """

    problems: tuple[Problem, ...]
    configuration: bytes
    hosts: tuple[str, ...]
    names: dict[str, tuple[str, ...]] = {}
    needs: Needs | None = None

    @property
    def good(self) -> bool:
        """Whether the configuration can be used."""
        return not any(not problem.warning for problem in self.problems)


def own_host_id() -> str:
    """Return what `--host-id` is when it is not given: the host name up to the first dot."""
    return socket.gethostname().partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What may take the rights of root to read.

    Attributes:
        sources: the files.
        unreadable: what was wrong with the others.
        vault: the secrets.
        discovery: the plugins by their metadata.
        user: id of the user who opened it, which is the daemon's.
        contents: of all files.
        previous: the configuration in force; what did not change is taken from it.
    """

    sources: list[Source]
    unreadable: list[Problem]
    vault: Vault
    discovery: manager.Discovery
    user: int
    contents: Contents = ()
    previous: Configuration | None = None


def open_all(paths: Sequence[Path], host_id: str = "", previous: Configuration | None = None) -> Opened:
    """Read files, secrets and metadata of plugins, and import the bundled ones, which may lie in a closed folder.

    Args:
        paths: files and directories.
        host_id: whose configuration it shall be, where one is in force.
        previous: the configuration in force.
    """
    return open_found(look(paths), host_id, previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Files and plugins as they are now, and nothing of them looked into yet."""

    contents: Contents
    unreadable: list[Problem]
    discovery: manager.Discovery

    def is_same(self, host_id: str, origin: Origin | None) -> bool:
        """Tell whether this means, by an origin, what the configuration in force is already."""
        digests = {name: digest_of(raw) for name, raw in self.contents if raw is not None}
        return not self.unreadable and is_same(origin, _surroundings(self.discovery, host_id), digests)


def look(paths: Sequence[Path]) -> Found:
    """Read files, and metadata of plugins."""
    contents, unreadable = load(paths)
    return Found(contents=contents, unreadable=unreadable, discovery=manager.discover())


def open_found(found: Found, host_id: str = "", previous: Configuration | None = None) -> Opened:
    """Do what `open_all` does with what was read already."""
    contents, unreadable, discovery = found.contents, found.unreadable, found.discovery
    sources = _parse(contents, unreadable, previous, _surroundings(discovery, host_id))
    vault = Vault()
    for source in sources:
        vault.fill(source.data)
    manager.load({model.BUNDLED}, discovery=discovery)
    return Opened(
        sources=sources,
        unreadable=unreadable,
        vault=vault,
        discovery=discovery,
        user=os.geteuid(),
        contents=contents,
        previous=previous,
    )


def _parse(
    contents: Contents, problems: list[Problem], previous: Configuration | None, surroundings: bytes
) -> list[Source]:
    """Parse what changed since the configuration in force, or everything."""
    digests = {name: digest_of(raw) for name, raw in contents if raw is not None} if previous is not None else {}
    found: list[Problem] = []
    sources = parse_all(contents, found, unchanged(previous, surroundings, digests))
    if kept_of(sources, previous) is None:
        found.clear()
        sources = parse_all(contents, found)
    problems += found
    return sources


def _surroundings(discovery: manager.Discovery, host_id: str) -> bytes:
    """Return what tells the host and the installed plugins from any others."""
    installed = [f"{one.name} {one.version}" for one in discovery.installed]
    return digest_of("\n".join((host_id, socket.gethostname(), *installed)).encode())


def examine(opened: Opened, host_id: str, resolver: Resolver = resolve) -> Report:
    """Load the plugins and resolve a configuration, in this very process: the part that needs no rights.

    Args:
        opened: what was read before.
        host_id: whose configuration it shall be.
        resolver: makes a configuration of the files; another one than the whole that they mean, where it is asked for.
    """
    report = _examine(opened, host_id, resolver)
    if report.good or not any(source.kept for source in opened.sources):
        return report
    unreadable = list(opened.unreadable)  # of files that were kept there was nothing to say
    return _examine(replace(opened, sources=parse_all(opened.contents, []), unreadable=unreadable), host_id, resolver)


def _examine(opened: Opened, host_id: str, resolver: Resolver) -> Report:
    sources, unreadable = opened.sources, opened.unreadable
    plugins = manager.load(disabled=disabled_plugins(sources, host_id), discovery=opened.discovery)
    lookup = Remembered()
    around = Surroundings(
        plugins=plugins,
        host_id=host_id,
        host_name=socket.gethostname(),
        vault=opened.vault,
        lookup=lookup,
        machine=ThisMachine(opened.user),
        kept=kept_of(sources, opened.previous) or Kept(),
    )
    configuration, problems = resolver(sources, around)
    every = (*unreadable, *problems)
    usable = configuration is not None and all(problem.warning for problem in unreadable)
    encoded = b""
    if configuration is not None and usable:
        origin = origin_of(sources, configuration, every, lookup.answers, _surroundings(opened.discovery, host_id))
        if plugins.config_loaded.observers:  # who may say something else of it the next time
            origin = msgspec.structs.replace(origin, settled=False)
        encoded = model.encode(msgspec.structs.replace(configuration, origin=origin))
    return Report(
        problems=every,
        configuration=encoded,
        hosts=tuple(hosts(sources)),
        names=lookup.answers,
        needs=needs_of(configuration) if configuration is not None and encoded else None,
    )


def run(
    paths: Sequence[Path], host_id: str = "", limit: Duration = LIMIT
) -> tuple[Configuration | None, list[Problem]]:
    """Return the configuration of some files and directories, and everything that is wrong with it.

    Args:
        paths: files, and directories of which every `*.toml` is read.
        host_id: whose configuration it shall be; empty: this host's.
        limit: how long it may take.

    Returns:
        no configuration when one of the problems is more than a warning.
    """
    report = inspect(paths, host_id, limit)
    configuration = model.decode(report.configuration) if report.configuration else None
    return configuration, list(report.problems)


def inspect(paths: Sequence[Path], host_id: str = "", limit: Duration = LIMIT, resolver: Resolver = resolve) -> Report:
    """Do what `run` does and return the whole report, with the configuration encoded and the hosts by name."""

    def work() -> Report:
        opened = open_all(paths)
        if os.geteuid() == 0:  # plugins of others shall find here what they will find in the daemon: no rights
            assume("check", Rights(user=SERVICE_USER))
        return examine(opened, host_id or own_host_id(), resolver)

    return in_child(work, limit)


def in_child(work: Callable[[], Report], limit: Duration) -> Report:
    """Do some work in a forked child and return its report; a report of one problem when the child brought none."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _be_child(work, writer)
    os.close(writer)
    try:
        answer = _read_until_end(reader, limit)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # harmless after its end: nobody else has waited for it
        _, status = os.waitpid(child, 0)
    if answer is None:
        return _failure(f"took longer than {in_seconds(limit):g} s: a plugin hangs, or a name does not resolve")
    try:
        return msgspec.msgpack.decode(answer, type=Report)
    except msgspec.MsgspecError:
        return _failure(f"ended early ({_ending(status)}), most likely in a plugin; see `disable_plugins`")


def _be_child(work: Callable[[], Report], writer: int) -> NoReturn:
    code = EXIT_BUG
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(msgspec.msgpack.encode(work()))
        code = 0
    except BaseException:  # noqa: BLE001  (a forked child must not return into its parent's program)
        traceback.print_exc()
    finally:
        os._exit(code)


def _read_until_end(reader: int, limit: Duration) -> bytes | None:
    """Return everything that comes until the end, None when the limit passes before."""
    deadline = time.monotonic() + in_seconds(limit)
    poller = select.poll()
    poller.register(reader, select.POLLIN)
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            return None
        part = os.read(reader, _CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {-code}"


def _failure(text: str) -> Report:
    problem = Problem(path="", expected=f"reading the configuration {text}")
    return Report(problems=(problem,), configuration=b"", hosts=())
