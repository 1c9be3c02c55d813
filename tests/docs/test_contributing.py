"""Follows CONTRIBUTING.md on a copy of the bundled plugins, as somebody new would: writes its files, runs its tests."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
CONTRIBUTING = TOP / "CONTRIBUTING.md"
FILE = re.compile(r"`([\w./]+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
REGISTERING = {
    "SCHEDULERS": "SCHEDULERS: tuple[type[Scheduler], ...] = (\n",
    "CHECKS": "CHECKS: tuple[type[Check], ...] = (\n",
}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return dict(FILE.findall(CONTRIBUTING.read_text()))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> Path:
    top = tmp_path_factory.mktemp("checkout")
    shutil.copytree(TOP / "plugins", top / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", top)
    (top / "core").symlink_to(TOP / "core")
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    register(top, "schedulers", "failover", "WeightedFailover")
    register(top, "checks", "banner", "BannerCheck")
    return top


def register(top: Path, kind: str, module: str, name: str) -> None:
    """Do what "import it and add it" says."""
    register = top / f"plugins/stayalived_plugins/{kind}/__init__.py"
    opening = REGISTERING[kind.upper()]
    text = register.read_text()
    assert opening in text
    importing = f"from stayalived_plugins.{kind}.{module} import {name}\n"
    first = "from stayalived_plugins.checks.certificate"
    if kind == "checks":
        text = text.replace(first, f"{importing}{first}", 1)
    else:
        text = text.replace("\n\nSCHEDULERS", f"\n{importing}\nSCHEDULERS", 1)
    register.write_text(text.replace(opening, f"{opening}    {name},\n"))


def must_run(checkout: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{checkout / 'plugins'}{os.pathsep}{TOP / 'core'}"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_examples_are_files_of_the_layout(files: dict[str, str]) -> None:
    assert [Path(name).name for name in files] == [
        "banner.py",
        "test_banner.py",
        "failover.py",
        "test_failover.py",
    ]
    assert all((TOP / name).parent.is_dir() for name in files)


def test_the_tests_of_the_examples_pass(checkout: Path) -> None:
    said = must_run(checkout, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")

    assert "3 passed" in said


def test_the_examples_keep_the_style(checkout: Path) -> None:
    must_run(checkout, sys.executable, "-m", "ruff", "check", "--no-cache", "plugins", "tests")
    must_run(checkout, sys.executable, "-m", "ruff", "format", "--check", "--no-cache", "plugins", "tests")


def test_the_registered_types_are_there(checkout: Path) -> None:
    program = (
        "from stayalived_plugins import checks, schedulers;"
        "print(*(one.name for one in (*checks.stayalived_checks(), *schedulers.stayalived_schedulers())))"
    )

    names = must_run(checkout, sys.executable, "-c", program).split()

    assert {"banner", "fo"} <= set(names)


def test_the_register_example_keeps_all_that_is_bundled(checkout: Path) -> None:
    program = "from stayalived_plugins import checks; print(*(one.name for one in checks.stayalived_checks()))"
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'plugins'}{os.pathsep}{TOP / 'core'}"}

    bundled = subprocess.check_output([sys.executable, "-c", program], text=True, env=environment).split()

    assert set(bundled) <= set(must_run(checkout, sys.executable, "-c", program).split())


def test_the_places_that_are_named_exist() -> None:
    text = CONTRIBUTING.read_text()
    table = text[text.index("| you look for") : text.index("In a role's package")]
    named = re.findall(r"`((?:core|plugins|tests|bench|demo)/[\w./]*)`", table)
    inside = [
        f"{folder}{name}"
        for folder, names in re.findall(r"`([\w./]+/)` \((`[\w.]+`(?:, `[\w.]+`)*)\)", table)
        for name in re.findall(r"`([\w.]+)`", names)
    ]

    assert [name for name in (*named, *inside) if not (TOP / name).exists()] == []
    assert len(named) > 20
    assert len(inside) > 5


def test_the_table_of_labs_has_every_folder_of_tests() -> None:
    text = CONTRIBUTING.read_text()
    table = text[text.index("| folder of `tests/`") : text.index("One part or one test")]
    named = [name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)]
    folders = [path.name for path in (TOP / "tests").iterdir() if any(path.glob("**/test_*.py"))]

    assert sorted(named) == sorted(folders)


def test_the_kind_that_is_named_is_one_of_the_matrix() -> None:
    (kind,) = re.findall(r"`-k ([\w-]+)` plays one", CONTRIBUTING.read_text())

    assert f'"{kind}": Kind(' in (TOP / "tests/namespaces/test_elections.py").read_text()


def test_the_configuration_of_the_examples_is_toml() -> None:
    blocks = [tomllib.loads(block) for page in (CONTRIBUTING, TOP / "README.md") for block in _toml(page)]

    assert {"greets", "answers"} == {name for block in blocks for name in block["check"]}


def _toml(page: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
