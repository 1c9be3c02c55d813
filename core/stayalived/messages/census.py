"""How many objects there are and how many a reload takes away, told without their names. Pure.

The names of thousands of instances do not fit one frame. Of each kind of object there is a number, and marks of 4 bytes
for names: of all as long as they are few, and of a sample beyond, which is drawn by the marks themselves and so is the
same in two configurations as far as their names are.
"""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

MARKS = 2048
"""Names of one kind that have a mark: 8 KiB of a frame. A share of a sample of so many is right to about 2 %."""

_SIZE = 4


class Census(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The objects of one kind.

    Attributes:
        kind: such as `vrrp_instance`.
        count: how many there are.
        marks: of their names, 4 bytes each, in ascending order; the lowest `MARKS` of them.
    """

    kind: str
    count: int
    marks: bytes


def take_census(kind: str, names: Iterable[str]) -> Census:
    """Return the census of the objects of one kind."""
    marks = sorted(blake2b(name.encode(), digest_size=_SIZE).digest() for name in names)
    return Census(kind=kind, count=len(marks), marks=b"".join(marks[:MARKS]))


def count_missing(old: Census, new: Census) -> int:
    """Return how many objects of the old census are not in the new one; an estimate where there are more than `MARKS`.

    A sample says something only of marks up to its highest one, so only so far two of them are compared.
    """
    before, after = _marks(old), _marks(new)
    limit = min((marks[-1] for marks in (before, after) if len(marks) == MARKS), default=None)
    if limit is not None:
        before = [mark for mark in before if mark <= limit]
    missing = len(set(before).difference(after))
    return round(old.count * missing / len(before)) if before else 0


def _marks(census: Census) -> list[bytes]:
    return [census.marks[place : place + _SIZE] for place in range(0, len(census.marks), _SIZE)]
