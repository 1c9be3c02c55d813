import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from stayalived.cli.main import main
from stayalived.cli.obstacles import explained, make_writable


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "; run it as root, or give --run-dir"),
        (errno.EROFS, "; make the file system writable, or give --run-dir"),
        (errno.ENOTDIR, "; a folder is wanted where a file is: move the file, or give another --run-dir"),
        (errno.ELOOP, ""),
    ],
)
def test_an_error_is_the_path_the_reason_and_the_remedy(number: int, remedy: str) -> None:
    error = OSError(number, os.strerror(number), "/run/x")

    assert explained(error, "--run-dir") == f"/run/x: {os.strerror(number)}{remedy}"


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    make_writable(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write anywhere

    with pytest.raises(PermissionError, match="Permission denied") as raised:
        make_writable(tmp_path)

    assert raised.value.filename == str(tmp_path)


def test_a_daemon_whose_run_dir_is_a_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = CliRunner().invoke(main, ["run", "--config", str(tmp_path), "--run-dir", str(tmp_path / "file" / "run")])

    assert (result.exit_code, result.output) == (
        1,
        (
            f"Error: {tmp_path}/file/run: Not a directory; "
            "a folder is wanted where a file is: move the file, or give another --run-dir\n"
        ),
    )
