"""One row of the table of `docs/migration.md`: what is otherwise than with keepalived, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that keepalived's users would expect to be otherwise.

    Attributes:
        about: what it is about.
        there: how it is with keepalived.
        here: how it is with us.
        why: the reason.
        name: by which the table of verdicts (`tests/verdicts`) refers to it, where a check's verdict depends on it.
    """

    about: str
    there: str
    here: str
    why: str
    name: str = ""
