"""Configurations that are read one after the other share what did not change."""

import msgspec
import pytest

from stayalived.config import model
from stayalived.config.model import Configuration
from stayalived.config.reading import Reader
from unit.ipvs.build import configuration, server, service


def two(weight: int = 1) -> Configuration:
    web = service(server("one", "192.0.2.10", weight=weight))
    mail = service(server("one", "192.0.2.20"), name="mail", addresses=("192.0.2.1:25",))
    return configuration(web, mail)


def test_a_reader_returns_what_was_encoded() -> None:
    reader = Reader()

    assert [two(), two(7), two()] == [reader.decode(model.encode(each)) for each in (two(), two(7), two())]


def test_what_did_not_change_is_the_same_object_and_nothing_else_is() -> None:
    reader = Reader()
    web, mail = reader.decode(model.encode(two())).virtual_servers

    changed, kept = reader.decode(model.encode(two(7))).virtual_servers

    assert kept is mail
    assert changed is not web
    assert 7 == changed.real_servers[0].weight


def test_bytes_that_are_no_configuration_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        Reader().decode(b"none")
