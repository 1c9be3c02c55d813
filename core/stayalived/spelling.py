"""What a misspelt word may have been meant to be. Pure."""

import difflib
from collections.abc import Collection

NEAR = 0.6  # how alike two words must be (difflib's ratio) for one to be proposed in place of the other


def nearest(word: str, known: Collection[str]) -> str:
    """Return which of the known words a misspelt one may have been meant to be; empty when none is like it."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=NEAR)), "")
