"""Codes of HTTP as the check `http` takes them: one, a range, or several of these (C16)."""

import re
from collections.abc import Iterator

Status = int | str | list[int | str]


def ranges(status: Status) -> Iterator[tuple[int, int]]:
    """Return the ranges of codes that an option names, both ends included.

    Raises:
        ValueError: it names none, or codes outside of 100 to 599.
    """
    for entry in status if isinstance(status, list) and status else [status]:
        found = re.fullmatch(r"([1-5]\d\d)(?:-([1-5]\d\d))?", str(entry))
        if found is None or (found[2] or found[1]) < found[1]:
            raise ValueError(f"status_code {entry!r} must be a code from 100 to 599 or a range such as '200-299'")
        yield int(found[1]), int(found[2] or found[1])
