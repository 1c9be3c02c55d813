"""Writes the tables of `docs/events.md` from the list of events.

python -m stayalived.api.event_page docs/events.md     writes the part below the marker anew
"""

import sys
from collections.abc import Iterator

from stayalived.api.reference import explained, kinds_of_fields
from stayalived.messages.events import KINDS, SUBJECT_TYPES, VERSION
from stayalived.messages.notify import Event
from stayalived.pages import Page, table


def generated() -> str:
    """Return everything below the marker."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield f"Version {VERSION}.\n"
    for subject_type, text in SUBJECT_TYPES.items():
        yield f"## `{subject_type}`\n"
        yield f"The subject is {text}.\n"
        rows = [kind for kind in KINDS if kind.subject_type == subject_type]
        yield from table(
            ("kind", "what happened", "without `on`", "ended by"),
            (
                (
                    f"`{kind.name}`",
                    kind.meaning,
                    "no" if kind.by_name else "yes",
                    " ".join(f"`{end}`" for end in kind.ended_by),
                )
                for kind in rows
            ),
        )
    yield "## Fields\n"
    kinds = kinds_of_fields(Event)
    yield from table(("field", "is", ""), ((f"`{name}`", kinds[name], text) for name, text in explained(Event)))


PAGE = Page(path="docs/events.md", module="stayalived.api.event_page", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
