"""IPVS in a real kernel, in user-mode Linux. Each test is one boot; see `inside` for what is asserted."""

import tempfile
from pathlib import Path

import pytest

from uml import lab


@pytest.mark.timeout(400)
def test_the_table_in_the_kernel() -> None:
    assert "" == lab.failures(
        "test_kernel.py", "test_process.py", "test_requirements.py", "test_sync_daemons.py", timeout=300
    )


@pytest.mark.timeout(500)
def test_the_table_is_that_of_keepalived() -> None:
    assert "" == lab.failures("test_keepalived.py", timeout=400)


@pytest.mark.timeout(500)
def test_every_step_of_a_plan_in_the_kernel() -> None:
    assert "" == lab.failures("test_plan.py", timeout=400)


@pytest.mark.timeout(300)
def test_a_plan_that_is_shown_is_what_is_done() -> None:
    assert "" == lab.failures("test_plan_command.py", timeout=200)


@pytest.mark.timeout(400)
def test_a_thousand_changes_of_a_pool_under_a_watcher() -> None:
    assert "" == lab.failures("test_pool_changes.py", timeout=300)


@pytest.mark.timeout(400)
def test_connections_through_the_site() -> None:
    assert "" == lab.failures("test_site.py", timeout=300)


def test_the_lab_gives_back_status_and_output() -> None:
    result = lab.run(["sh", "-c", "echo said; echo $FOO; exit 3"], environment={"FOO": "bar baz"})

    assert (3, "said\nbar baz\n") == (result.status, result.output)


def test_the_lab_shows_output_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    lab.run(["echo", "said"], stream=True)

    assert "said\n" == capsys.readouterr().out


def test_a_command_that_takes_too_long_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lab, "BOOT_LIMIT", 4.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(lab.LabFailed, match="did not end in time"):
        lab.run(["sleep", "60"], timeout=1.0)

    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(path)]
    assert [] == left
    assert [] == list(tmp_path.iterdir())


def test_a_kernel_that_does_not_boot_fails_the_test() -> None:
    with pytest.raises(lab.LabFailed, match="no exit status came back"):
        lab.run(["true"], memory="1M")


def test_without_the_packages_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "MODULES", Path("/nonexistent"))

    with pytest.raises(lab.LabFailed, match="apt-get install user-mode-linux kmod"):
        lab.run(["true"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
        return b""
