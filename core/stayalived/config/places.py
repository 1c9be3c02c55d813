"""Where each key of the merged configuration stands. Built only when there is something to complain about."""

from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.config.files import HOST, Source, contains
from stayalived.config.findings import Path
from stayalived.config.scan import Scan


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a file."""

    file: str
    line: int
    column: int


class Places:
    """Finds the place of a key of the merged configuration in the files that it came from."""

    def __init__(self, sources: Sequence[Source], host_id: str) -> None:
        """Keep the files; each is scanned when it is first asked for."""
        self._sources = sources
        self._host_id = host_id
        self._indexes: dict[str, dict[Path, tuple[int, int]]] = {}

    def find(self, path: Path, file: str = "") -> Spot | None:
        """Return the place of a path, of the nearest table around it when it is in no file, or None.

        What `[host.ID]` says comes first: it is what counts. With `file`, only that file is looked at.
        """
        for length in range(len(path), 0, -1):
            for candidate in ((HOST, self._host_id, *path[:length]), path[:length]):
                for source in self._sources:
                    if file in ("", source.name) and contains(source.data, candidate):
                        line, column = self._index(source).get(candidate, (0, 0))
                        return Spot(source.name, line, column)
        return None

    def _index(self, source: Source) -> dict[Path, tuple[int, int]]:
        if source.name not in self._indexes:
            self._indexes[source.name] = Scan(source.text).index
        return self._indexes[source.name]
