import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugins.checker_process import CheckerProcess
from plugins.installation import SOURCES, install


@pytest.fixture(scope="session")
def site() -> Iterator[Path]:
    """A folder with all the third-party distributions, readable for everybody as a system's own is."""
    folder = Path(tempfile.mkdtemp(prefix="stayalived-site-"))
    folder.chmod(0o755)
    for source in sorted(SOURCES.glob("*.py")):
        install(source.stem, folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def checker(site: Path, tmp_path: Path) -> Iterator[Callable[[str], CheckerProcess]]:
    """Start checker processes by name; whatever is left of them ends with the test."""
    started: list[CheckerProcess] = []

    def start(name: str) -> CheckerProcess:
        started.append(CheckerProcess(name, site, tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.kill()
