"""Directors for the tests of the engine."""

import pytest

from unit.ipvs.build import Director, two_servers


@pytest.fixture
def director() -> Director:
    return Director()


@pytest.fixture
def serving(director: Director) -> Director:
    """A director whose two servers are up."""
    director.start(two_servers())
    director.hear("web/one", up=True)
    director.hear("web/two", up=True)
    director.forget_effects()
    return director
