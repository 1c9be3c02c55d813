"""Writes the tables of `docs/plan.md` from the document that `plan --json` prints.

python -m stayalived.rehearsal.reference docs/plan.md     writes the part below the marker anew
"""

import sys

from stayalived.api.reference import sections
from stayalived.pages import Page
from stayalived.rehearsal.document import Plan, Processes, Step


def generated() -> str:
    """Return everything below the marker."""
    return sections((Plan, Step, Processes))


PAGE = Page(path="docs/plan.md", module="stayalived.rehearsal.reference", generated=generated)

if __name__ == "__main__":
    PAGE.main(sys.argv[1:])
