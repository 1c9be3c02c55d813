import os
from pathlib import Path

import pytest

from stayalived.config.machine import ThisMachine

HERE = os.geteuid()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "notify.sh"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("name", "number"), [("root", 0), ("0", 0), ("no such user", None), ("a\0", None)])
def test_a_user_is_known_by_name_and_number(name: str, number: int | None) -> None:
    assert ThisMachine().user(name) == number


def test_scripts_of_a_daemon_without_rights_run_as_itself() -> None:
    assert ThisMachine(daemon=4711).user("") == 4711


@pytest.mark.parametrize(("name", "there"), [("root", True), ("0", True), ("no such group", False)])
def test_a_group_is_known_by_name_and_number(name: str, there: bool) -> None:
    assert ThisMachine().has_group(name) == there


def test_a_program_on_a_safe_way_is_not_refused(script: Path) -> None:
    assert ThisMachine().refusal(str(script), HERE) == ""


def test_a_program_that_others_may_change_is_refused(script: Path) -> None:
    script.chmod(0o777)

    assert "others may change it" in ThisMachine().refusal(str(script), HERE)


def test_a_program_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert ThisMachine().refusal(f"{tmp_path}/nope", HERE) == f"{tmp_path}/nope: No such file or directory"


def test_a_folder_is_a_folder(script: Path) -> None:
    found = [ThisMachine().has_folder(str(path)) for path in (script.parent, script, script.parent / "nope")]

    assert found == [True, False, False]


def test_the_kernel_is_asked_for_the_mtu_of_an_interface() -> None:
    found = [ThisMachine().mtu(name) for name in ("lo", "nosuch0", "ü" * 9, "\udcff")]

    assert found == [65536, None, None, None]


def test_the_kernel_is_asked_which_interface_has_an_address() -> None:
    found = [ThisMachine().interface_of(address) for address in ("127.0.0.1", "192.0.2.254", "2001:db8::254")]

    assert found == ["lo", "", ""]
