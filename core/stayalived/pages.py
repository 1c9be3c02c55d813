"""Pages of `docs/` of which a part is written from the code, so that it cannot say anything else."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page with a part that a module writes.

    Attributes:
        path: below the top of the repository.
        module: that writes it when it is run with this path.
        generated: returns what stands below the marker.
        script: file of the module, where it is no part of what is installed.
    """

    path: str
    module: str
    generated: Callable[[], str]
    script: str = ""

    @property
    def command(self) -> str:
        """What writes the page anew."""
        return f"python {self.script or f'-m {self.module}'} {self.path}"

    @property
    def marker(self) -> str:
        """The line below which everything is generated."""
        return f"<!-- What follows is written by `{self.command}`. -->"

    def rewritten(self, text: str) -> str:
        """Return the page with everything below the marker written anew.

        Raises:
            ValueError: it has no marker.
        """
        head, marker, _ = text.partition(self.marker)
        if not marker:
            raise ValueError(f"the page has no line {self.marker}")
        return f"{head}{self.marker}\n\n{self.generated()}"

    def main(self, arguments: list[str]) -> None:
        """Write the page that is named, or print what would stand below the marker."""
        if not arguments:
            sys.stdout.write(self.generated())
            return
        page = Path(arguments[0])
        page.write_text(self.rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a table, an empty one after it."""
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""
