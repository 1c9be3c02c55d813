import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from stayalived.cli import accounts, installation, manifest
from stayalived.cli.installation import CONFIG, UNIT, Installation
from stayalived.cli.main import main
from stayalived.cli.manifest import BadManifest

EXAMPLES = {"00-global.toml": b"[global]\n", "10-vrrp.toml": b"# instances\n"}
Install = Callable[[], tuple[list[str], int]]


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    present = dict(EXAMPLES)
    monkeypatch.setattr(installation, "examples", lambda: present)
    return present


def run(root: Path, *, uninstall: bool = False) -> list[str]:
    said: list[str] = []
    job = Installation(root=root, executable="/opt/x/bin/stayalived", say=said.append)
    if uninstall:
        job.uninstall()
    else:
        job.install()
    return said


def snapshot(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    return {
        str(path.relative_to(root)): (
            path.stat().st_mode,
            path.stat().st_uid,
            path.stat().st_gid,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def test_everything_is_put_in_place_and_said(tmp_path: Path) -> None:
    said = run(tmp_path)

    assert f"put {tmp_path / UNIT}" in said
    assert (tmp_path / CONFIG / "10-vrrp.toml").read_bytes() == EXAMPLES["10-vrrp.toml"]
    assert (tmp_path / installation.STATE).stat().st_mode & 0o777 == 0o750
    unit = (tmp_path / UNIT).read_text()
    assert "ExecStart=/opt/x/bin/stayalived run" in unit
    assert "ExecReload=/opt/x/bin/stayalived reload" in unit
    assert installation.PACKAGED_EXECUTABLE not in unit


def test_files_are_readable_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        run(tmp_path)
    finally:
        os.umask(before)

    assert (tmp_path / UNIT).stat().st_mode & 0o777 == 0o644
    assert (tmp_path / CONFIG).stat().st_mode & 0o777 == 0o755


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    before = snapshot(tmp_path)

    assert run(tmp_path) == []
    assert before == snapshot(tmp_path)


def test_what_was_made_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/system.conf").write_text("theirs")
    before = snapshot(tmp_path)
    run(tmp_path)

    said = run(tmp_path, uninstall=True)

    assert before == snapshot(tmp_path)
    assert f"removed {tmp_path / UNIT}" in said
    assert run(tmp_path, uninstall=True) == []


def test_a_root_that_is_not_there_is_made_and_removed_again(tmp_path: Path) -> None:
    root = tmp_path / "package" / "root"
    root.parent.mkdir()

    run(root)
    assert (root / UNIT).is_file()
    run(root, uninstall=True)

    assert not root.exists()
    assert root.parent.is_dir()


def test_what_was_there_before_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    (tmp_path / UNIT).parent.mkdir(parents=True)
    (tmp_path / UNIT).write_text("[Service]\nExecStart=/mine\n")
    before = snapshot(tmp_path)

    said = run(tmp_path)
    assert any("-ExecStart=/mine" in line for line in said)
    assert any(line.startswith(f"kept {tmp_path / UNIT}, which differs") for line in said)
    run(tmp_path, uninstall=True)

    assert before == snapshot(tmp_path)


def test_a_changed_file_is_kept_at_a_second_run_and_at_the_removal(tmp_path: Path) -> None:
    run(tmp_path)
    mine = tmp_path / CONFIG / "10-vrrp.toml"
    mine.write_text("# mine\n")

    said = run(tmp_path)
    assert [line.strip() for line in said if line.strip().startswith(("-#", "+#"))] == ["-# mine", "+# instances"]
    removed = run(tmp_path, uninstall=True)

    assert f"kept {mine}: it was changed" in removed
    assert mine.read_text() == "# mine\n"
    assert not (tmp_path / UNIT).exists()


def test_a_newer_version_replaces_what_nobody_changed(tmp_path: Path, examples: dict[str, bytes]) -> None:
    run(tmp_path)
    examples["10-vrrp.toml"] = b"# instances, better explained\n"

    said = run(tmp_path)

    assert said == [f"updated {tmp_path / CONFIG / '10-vrrp.toml'}"]
    assert (tmp_path / CONFIG / "10-vrrp.toml").read_bytes() == examples["10-vrrp.toml"]


def test_an_example_that_was_deleted_does_not_come_back(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / CONFIG / "10-vrrp.toml").unlink()

    assert run(tmp_path) == []
    assert not (tmp_path / CONFIG / "10-vrrp.toml").exists()


def test_examples_are_not_mixed_into_a_configuration_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / CONFIG).mkdir(parents=True)
    (tmp_path / CONFIG / "site.toml").write_text("[global]\n")

    said = run(tmp_path)

    assert f"left {tmp_path / CONFIG} alone: it holds files that are not examples" in said
    assert sorted(path.name for path in (tmp_path / CONFIG).iterdir()) == ["site.toml"]


def test_the_state_that_the_daemon_wrote_goes_with_its_folder(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / installation.STATE / "drains").write_text("service42/tic")

    run(tmp_path, uninstall=True)

    assert snapshot(tmp_path) == {}


def test_what_was_made_before_a_failure_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").write_text("a file where a folder belongs")
    before = snapshot(tmp_path)

    with pytest.raises(OSError, match="system"):
        run(tmp_path)
    run(tmp_path, uninstall=True)

    assert before == snapshot(tmp_path)


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / manifest.PLACE).write_text("{")

    with pytest.raises(BadManifest, match=r"\.installed\.json"):
        run(tmp_path)


def test_a_folder_without_users_gets_none(tmp_path: Path) -> None:
    assert not accounts.can_have(tmp_path)
    assert accounts.find(tmp_path) is None


def test_the_user_is_found_in_the_system_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nstayalived:x:998:997::/:/usr/sbin/nologin\n")

    assert accounts.find(tmp_path) == accounts.Account(998, 997)


def test_the_real_examples_and_unit_are_in_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert b"Type=notify" in installation.unit("/x")
    assert all(name.endswith(".toml") for name in installation.examples())


def test_the_group_is_found_in_the_system_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    assert not accounts.has_group(tmp_path)
    (tmp_path / "etc/group").write_text("root:x:0:\nstayalived:x:997:\n")

    assert accounts.has_group(tmp_path)


def test_a_listener_that_goes_away_stops_nothing_half_way(tmp_path: Path) -> None:
    run(tmp_path)
    program = "import sys; from stayalived.cli.main import main; main(prog_name='stayalived')"
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(
        [sys.executable, "-c", program, "install", "--uninstall", "--root", str(tmp_path)],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        env=environment,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")
    assert snapshot(tmp_path) == {}


def test_a_file_where_the_root_should_be_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(main, ["install", "--root", str(tmp_path / "file" / "root")])

    assert result.exit_code == 1
    assert f"{tmp_path}/file/root" in result.output
    assert "Not a directory; a folder is wanted where a file is" in result.output
    assert "Errno" not in result.output
