import os
from pathlib import Path

import pytest

from configuration_kit import Knock, good, read
from stayalived.config import secrets
from stayalived.config.secret import Secret
from stayalived.config.secrets import NoSecret, Vault
from stayalived.plugin.catalogue import Provided, encode_options

CHECK = '[check.c]\ntype = "knock"\npassword = '
SERVICE = '[virtual_server.w]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\ncheck = "c"\n'
SERVER = '[virtual_server.w.real_server.one]\naddress = "192.0.2.11"\n'


def vault_of(reference: dict[str, str]) -> Vault:
    vault = Vault()
    vault.fill({"some": [{"password": reference}]})
    return vault


def test_a_secret_shows_itself_as_stars() -> None:
    assert "hunter2" not in repr(Secret("hunter2")) + str(Secret("hunter2"))


def test_a_secret_may_stand_in_a_file_or_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    monkeypatch.setenv("PASSWORD", "hunter3")

    opened = [
        vault_of(reference).open(reference).reveal()
        for reference in ({"file": str(tmp_path / "password")}, {"env": "PASSWORD"})
    ]

    assert opened == ["hunter2", "hunter3"]


def test_a_fifo_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    reference = {"file": str(tmp_path / "fifo")}

    with pytest.raises(NoSecret, match="is no regular file"):
        vault_of(reference).open(reference)


def test_a_file_without_end_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (secrets.MAX_SECRET + 1))
    reference = {"file": str(tmp_path / "big")}

    with pytest.raises(NoSecret, match="is longer than 65536 bytes"):
        vault_of(reference).open(reference)


def test_a_plugin_gets_the_secret_and_no_message_shows_it() -> None:
    found = good(CHECK + '"hunter2"\n' + SERVICE + SERVER)

    (check,) = found.virtual_servers[0].real_servers[0].checks
    options = Provided("knock", Knock, "stayalived", "1").make(check.options).options

    assert "hunter2" not in repr(options)
    assert b"hunter2" in encode_options(options)


@pytest.mark.parametrize("value", ['["hunter2"]', '{ phile = "hunter2" }', '"hunter2"\nwordd = "hunter2"\nword = 3'])
def test_a_wrong_secret_is_not_shown(value: str) -> None:
    _, problems = read(CHECK + value)

    assert problems
    assert "hunter2" not in "".join(problems)


def test_a_secret_that_cannot_be_read_is_named() -> None:
    vault = vault_of({"file": "/nowhere/at/all"})

    _, problems = read(CHECK + '{ file = "/nowhere/at/all" }', vault=vault)

    assert problems == ["a.toml:3:1: check.c.password: cannot read /nowhere/at/all: No such file or directory"]
