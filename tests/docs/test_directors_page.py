"""The examples of docs/directors.md can be used, each for itself; its paths and numbers are those of the code."""

import re
from pathlib import Path

import pytest

from configuration_kit import good
from stayalived.config.directors import PEER_MARK

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "directors.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
AROUND = """\
[vrrp_instance.service42]
interface = "eth0"
virtual_router_id = 1
virtual_ipaddress = ["192.0.2.1/24"]
"""
SERVICE = """\
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
[virtual_server.web.real_server.one]
address = "192.0.2.11"
check = "echo"
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.partition("\n")[0] for example in EXAMPLES])
def test_an_example_can_be_used(example: str) -> None:
    key = "[virtual_server.web]\n"
    service = SERVICE.replace(key, key + example.removeprefix(key)) if key in example else f"{example}\n{SERVICE}"

    assert good(AROUND + service).virtual_servers


def test_the_mark_is_the_one_that_is_used() -> None:
    assert {str(PEER_MARK)} == set(re.findall(r"(?:-f|mark) (\d+)", PAGE))


def test_files_that_are_named_are_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", PAGE)

    assert named
    assert [] == [path for path in named if not (TOP / path).exists()]
