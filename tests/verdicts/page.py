"""Writes the tables of `docs/verdicts.md` from the record and the table of behaviours.

python tests/verdicts/page.py docs/verdicts.md     writes the part below the marker anew
python tests/verdicts/page.py                      prints it
"""

import sys
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from stayalived.config.differences import DIFFERENCES
from stayalived.pages import Page, table
from verdicts.record import deviations, read
from verdicts.table import rows

CHECKERS = {
    "tcp": "TCP_CHECK",
    "http": "HTTP_GET",
    "https": "SSL_GET: `http` with `tls = true, verify = false`, unless it says verified",
    "smtp": "SMTP_CHECK",
    "dns": "DNS_CHECK",
    "udp": "UDP_CHECK",
    "ping": "PING_CHECK",
    "command": "MISC_CHECK, a program by what it does",
    "file": "FILE_CHECK, a file by what it holds",
}


def generated() -> str:
    """Return everything below the marker."""
    record = read()
    total = len(record.verdicts)
    lines = [f"{total} behaviours, asked of {record.version}; {total - len(deviations())} verdicts are the same.", ""]
    for kind, checker in CHECKERS.items():
        lines += [f"## {kind}", "", f"{checker}.", "", *_section(kind, record.verdicts)]
    return "\n".join(lines)


def _section(kind: str, verdicts: dict[str, str]) -> Iterator[str]:
    """Return the table of one type."""
    about = {one.name: one.about for one in DIFFERENCES if one.name}
    other = deviations()
    cells = []
    for row in rows():
        one = row.behaviour
        if one.type != kind:
            continue
        theirs, deviation = verdicts[one.key], other.get(one.key)
        here, why = (deviation.verdict, about[deviation.why]) if deviation else (theirs, "")
        cells.append((one.name, theirs, here, why))
    yield from table(("the server", "keepalived", "stayalived", "the row of migration.md that says why"), cells)


PAGE = Page(path="docs/verdicts.md", module="verdicts.page", generated=generated, script="tests/verdicts/page.py")

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
