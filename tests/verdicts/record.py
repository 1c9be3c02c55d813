"""The record of what keepalived makes of each behaviour, and of what ours makes of it where that is another.

    python tests/verdicts/record.py [FOLDER]

asks the keepalived that is installed, in one boot of user-mode Linux, and writes `keepalived.toml` beside this file
anew; keepalived's log is left in the folder.
"""

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from uml import lab
from verdicts.table import Row

FILE = Path(__file__).with_name("keepalived.toml")
OURS = Path(__file__).with_name("ours.toml")
"""Where our verdict is another: which, and the `name` of the row in `stayalived.config.differences` that says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one program said."""

    version: str
    verdicts: dict[str, str]

    def ours(self, table: Iterable[Row]) -> dict[str, str]:
        """Return what ours has to say: the same, but where a row says that it differs."""
        other = deviations()
        keys = [row.behaviour.key for row in table]
        return {key: other[key].verdict if key in other else self.verdicts[key] for key in keys}


class Deviation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Our verdict where it is another, and the name of the difference that says why."""

    verdict: str
    why: str


def deviations() -> dict[str, Deviation]:
    """Return the rows in which ours differs."""
    return msgspec.toml.decode(OURS.read_bytes(), type=dict[str, Deviation])


def read() -> Record:
    """Return the record."""
    found = msgspec.toml.decode(FILE.read_bytes())
    return Record(found["version"], found["verdicts"])


def write(record: Record, path: Path) -> None:
    """Write a record, a line for each behaviour."""
    lines = [
        f"{msgspec.json.encode(key).decode()} = {msgspec.json.encode(value).decode()}"
        for key, value in record.verdicts.items()
    ]
    text = f"version = {msgspec.json.encode(record.version).decode()}\n\n[verdicts]\n" + "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8")


def main(folder: Path) -> None:
    """Make the record anew."""
    target = folder / "keepalived.toml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        "-s",
        "tests/uml/inside/test_verdicts.py::test_keepalived_still_says_what_was_recorded",
    ]
    result = lab.run(command, timeout=600, folder=lab.CHECKOUT, environment={"STAYALIVED_VERDICTS_RECORD": str(target)})
    sys.stdout.write(result.output)
    FILE.write_text(target.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp()))
