"""Files that did not change are not parsed and not resolved again: which, and what takes their place. Pure.

A site with thousands of services keeps them in files of nothing but `[virtual_server.NAME]`. Of such a *plain* file
that is byte for byte what it was, the virtual servers are taken from the configuration in force, as long as every other
file is what it was, too, or plain. Where nothing at all asks anything of the world outside, the same files are the same
configuration, and there is nothing to be done. What stands in two files, differs between hosts, or asks anything of the
world outside is read anew each time, and so is everything when anything is wrong: then each problem has its line.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stayalived.config.files import HOST, Source
from stayalived.config.model import BUNDLED, Configuration, VirtualServer
from stayalived.config.origin import FileOrigin, Origin
from stayalived.config.problems import Problem

KIND = "virtual_server"
_WORLDLY = re.compile(r"\b(notify|command|file|env|script_user)\b")
"""Keys of actions, of programs, and of secrets, wherever they stand: who has a word too many is read once too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is not resolved again.

    Attributes:
        services: by name.
        order: of all virtual servers, those that are resolved now among them.
    """

    services: Mapping[str, VirtualServer] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def joined(self, made: tuple[VirtualServer, ...]) -> tuple[VirtualServer, ...]:
        """Return what was resolved now together with what is kept, in the order of the files."""
        if not self.services:
            return made
        every = {**self.services, **{service.name: service for service in made}}
        return tuple(every[name] for name in self.order if name in every)


def unchanged(
    previous: Configuration | None, surroundings: bytes, digests: Mapping[str, bytes]
) -> dict[str, FileOrigin]:
    """Return the files that need not be parsed, by name.

    Args:
        previous: the configuration in force.
        surroundings: digest of host and plugins, as they are now.
        digests: of all files, as they are now.
    """
    origin = previous.origin if previous is not None else None
    if origin is None or origin.surroundings != surroundings:
        return {}
    if any(digests.get(known.name) != known.digest for known in origin.files if not known.plain):
        return {}
    return {known.name: known for known in origin.files if known.plain and digests.get(known.name) == known.digest}


def is_same(origin: Origin | None, surroundings: bytes, digests: Mapping[str, bytes]) -> bool:
    """Tell whether files mean what they meant, all of them, without a look into one.

    Args:
        origin: where the configuration in force came from.
        surroundings: digest of host and plugins, as they are now.
        digests: of all files, as they are now.
    """
    if origin is None or not origin.settled or origin.surroundings != surroundings:
        return False
    return [(known.name, known.digest) for known in origin.files] == list(digests.items())


def kept_of(sources: Sequence[Source], previous: Configuration | None) -> Kept | None:
    """Return what the files that were not parsed mean; None when the others reach into them: then parse all.

    Args:
        sources: all files in their order.
        previous: the configuration in force.
    """
    names = {name for source in sources if source.kept for name in source.kept.services}
    if not names or previous is None or previous.origin is None:
        return Kept()
    same = {known.name for known in previous.origin.files if not known.plain}
    for source in sources:
        if source.name not in same and (set(source.data) - {KIND} or names & set(_services(source))):
            return None
    services = {service.name: service for service in previous.virtual_servers if service.name in names}
    order = tuple(name for source in sources for name in (source.kept.services if source.kept else _services(source)))
    return Kept(services=services, order=order) if len(services) == len(names) else None


def origin_of(
    sources: Sequence[Source],
    configuration: Configuration,
    problems: Collection[Problem],
    names: Collection[str],
    surroundings: bytes,
) -> Origin:
    """Return where a configuration came from.

    Args:
        sources: its files.
        configuration: what they mean.
        problems: warnings.
        names: host names that were looked up.
        surroundings: digest of host and plugins.
    """
    served = {service.name for service in configuration.virtual_servers}
    times = Counter(name for source in sources for name in _services(source))
    told = {problem.file for problem in problems}
    acted = {_service_of(action.subject) for action in configuration.actions}
    shared = any(HOST in source.data for source in sources)
    files = []
    for source in sources:
        services = tuple(_services(source))
        apart = not shared and source.name not in told and set(source.data) == {KIND}
        own = all(name in served and name not in acted and times[name] == 1 for name in services)
        plain = apart and own and not _is_worldly(source.text, names)
        fresh = FileOrigin(name=source.name, digest=source.digest, services=services, plain=plain)
        files.append(source.kept or fresh)
    worldly = any(_is_worldly(source.text, names) for source in sources)
    settled = not (problems or names or worldly or _asks_the_host(configuration))
    return Origin(surroundings=surroundings, files=tuple(files), settled=settled)


def _asks_the_host(configuration: Configuration) -> bool:
    """Whether something of it may hang on interfaces, neighbours, programs, or on code of strangers."""
    return bool(
        configuration.instances
        or configuration.tracked_checks
        or configuration.actions
        or configuration.globals.sync_daemon
        or configuration.globals.peer_directors
        or configuration.globals.peer_addresses
        or any(used.name != BUNDLED for used in configuration.distributions)
    )


def _service_of(subject: str) -> str:
    """Return the virtual server that an action is of: some have one though their file says nothing of it."""
    return subject.partition(" ")[2].partition("/")[0]


def _is_worldly(text: str, names: Collection[str]) -> bool:
    return _WORLDLY.search(text) is not None or any(name in text for name in names)


def _services(source: Source) -> Iterator[str]:
    tables = source.data.get(KIND)
    return iter(tables) if isinstance(tables, Mapping) else iter(())
