"""Fixtures of the labs. They need root and fail without it; nothing is skipped."""

from collections.abc import Iterator

import pytest

from namespaces.lab import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A site of namespaces that is gone when the test ends."""
    with Lab() as site:
        yield site
