from collections.abc import Iterator

import pytest

from namespaces.conftest import lab  # noqa: F401  (a fixture)
from namespaces.lab import Lab
from uml.directors import Directors


@pytest.fixture(scope="session")
def directors() -> Iterator[Directors]:
    """The site with two directors, made once for all files of a boot: its daemons take long to start here."""
    with Lab() as site:
        yield Directors(site)
