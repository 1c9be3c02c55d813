from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import socketpair

import msgspec
import pytest

from role_process import NEEDS
from stayalived.checker.main import RIGHTS, rights_for
from stayalived.child.bootstrap import Context
from stayalived.messages.control import Start


@pytest.fixture
def context() -> Iterator[Context]:
    ours, theirs = socketpair()
    needs = msgspec.structs.replace(NEEDS, checker_capabilities=("NET_RAW",))
    folder = Path("/nonexistent")
    with ours, theirs:
        yield Context(
            name="checker", start=Start.FIRST, link=ours, run_dir=folder, config_dir=folder, host_id="tic", needs=needs
        )


def test_the_bundled_checker_keeps_what_its_sockets_need(context: Context) -> None:
    assert rights_for(context).capabilities == ("NET_RAW",)
    assert rights_for(context).user == "stayalived"


def test_a_strangers_checker_keeps_nothing(context: Context) -> None:
    assert rights_for(replace(context, name="checker/acme-checks")) == RIGHTS
