"""The first plugin of docs/plugins.md is written, tested, built, installed and found."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived import plugin

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "plugins.md").read_text()
FILE = re.compile(r"`([\w.]+)`[^`\n]*:\n\n```(?:python|toml)\n(.*?)```", re.DOTALL)
RUN = "from stayalived.cli.main import main; main(prog_name='stayalived')"


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redis")
    for name, text in FILE.findall(PAGE):
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def installed(distribution: Path) -> Iterator[Path]:
    """A folder to which the distribution was installed, open to others: `plugins` looks at it as another user."""
    with tempfile.TemporaryDirectory() as target:
        Path(target).chmod(0o755)
        options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--target", target]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, str(distribution)], check=True)
        yield Path(target)


def test_everything_that_a_plugin_may_import_is_on_the_page() -> None:
    assert [name for name in plugin.__all__ if f"`{name}`" not in PAGE] == []


def test_every_field_of_an_event_and_of_the_configuration_is_on_the_page() -> None:
    fields = (*plugin.Event.__struct_fields__, *plugin.Configuration.__struct_fields__)

    assert [name for name in fields if f"`{name}`" not in PAGE and f"`config.{name}`" not in PAGE] == []


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = [str(folder), str(TOP / "core"), str(TOP / "plugins")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_its_own_test_passes(distribution: Path) -> None:
    settings = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function", "-W", "error"]

    done = run(distribution, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *settings)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_it_is_shown_with_its_distribution_and_version(installed: Path) -> None:
    done = run(installed, sys.executable, "-c", RUN, "plugins")

    assert re.search(r"check +redis +stayalived-redis +1\.0", done.stdout), done.stdout + done.stderr


def test_its_check_can_be_used_and_tracked_as_the_page_configures_it(installed: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml(?: continued)?\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    site = [block for block in blocks if "[check.cache]" in block or "[vrrp_instance.cache]" in block]
    (tmp_path / "site.toml").write_text("\n".join(site))

    done = run(installed, sys.executable, "-c", RUN, "check", str(tmp_path / "site.toml"))

    assert len(site) == 2
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 instance, 0 virtual servers, 0 real servers, 0 warnings" in done.stdout


def test_its_options_are_validated_with_their_place(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[check.cache]\ntype = "redis"\ndelay_loop = 2\n')
    good = run(installed, sys.executable, "-c", RUN, "check", str(tmp_path / "good.toml"))
    assert good.returncode == 0, good.stdout + good.stderr

    (tmp_path / "bad.toml").write_text('[check.cache]\ntype = "redis"\nanswr = "+PONG"\n')
    bad = run(installed, sys.executable, "-c", RUN, "check", str(tmp_path / "bad.toml"))

    assert bad.returncode == 1
    assert "check.cache.answr" in bad.stdout
    assert "bad.toml:3" in bad.stdout
