import os
import stat
from pathlib import Path
from typing import Any

import pytest

from stayalived.runner.paths import open_program
from stayalived.runner.refusals import Refused

OWNERS = frozenset({0, os.geteuid()})


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    path = tmp_path / "scripts"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    return path


@pytest.fixture
def script(folder: Path) -> Any:
    path = folder / "notify.sh"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def opened(path: Any, owners: frozenset[int] = OWNERS) -> Any:
    descriptor = open_program(str(path), owners)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def descriptors() -> Any:
    return len(list(os.scandir("/proc/self/fd")))


def test_a_program_on_a_safe_way_is_opened(script: Path) -> None:
    assert opened(script).st_ino == script.stat().st_ino


def test_a_program_of_the_system_is_opened_though_its_way_has_links() -> None:
    assert stat.S_ISREG(opened("/bin/sh").st_mode)


def test_a_folder_that_others_may_write_is_named_with_its_mode_and_the_remedy(folder: Path, script: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(Refused, match=f"{folder} has mode 0777: others may change it; run `chmod go-w {folder}`"):
        opened(script)


def test_a_program_that_its_group_may_write_is_refused(script: Path) -> None:
    script.chmod(0o775)
    with pytest.raises(Refused, match=f"{script} has mode 0775"):
        opened(script)


def test_a_folder_with_the_sticky_bit_may_be_passed(folder: Path, script: Path) -> None:
    folder.chmod(0o1777)
    assert opened(script).st_ino == script.stat().st_ino


def test_a_program_of_a_stranger_is_refused(script: Path) -> None:
    with pytest.raises(Refused, match="belongs to uid"):
        opened(script, frozenset({12345}))


def test_the_folder_behind_a_link_is_looked_at(folder: Path, script: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.sh"
    link.symlink_to(script)
    assert opened(link).st_ino == script.stat().st_ino
    folder.chmod(0o777)
    with pytest.raises(Refused, match=str(folder)):
        opened(link)


def test_relative_links_and_dots_are_followed(folder: Path, script: Path) -> None:
    (folder / "up.sh").symlink_to("../scripts/./notify.sh")
    assert opened(folder / "up.sh").st_ino == script.stat().st_ino


def test_a_circle_of_links_ends(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(Refused, match="more than 40 symbolic links"):
        opened(folder / "a")


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(Refused, match=f"{folder}/nothing: No such file"):
        opened(folder / "nothing" / "notify.sh")


def test_a_folder_is_no_program(folder: Path) -> None:
    with pytest.raises(Refused, match="no regular file"):
        opened(folder)


def test_a_file_that_nobody_may_execute_is_refused_with_the_remedy(script: Path) -> None:
    script.chmod(0o644)
    with pytest.raises(Refused, match=r"mode 0644; run `chmod \+x"):
        opened(script)


def test_no_descriptor_is_left_open(folder: Path, script: Path) -> None:
    before = descriptors()
    opened(script)
    folder.chmod(0o777)
    with pytest.raises(Refused):
        opened(script)
    assert before == descriptors()
