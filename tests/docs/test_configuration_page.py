"""All TOML of the pages is good."""

import re
from pathlib import Path

import pytest
import tomli

from stayalived.config import check

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "configuration.md"
BLOCK = re.compile(r"^```toml( continued)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [page.name for page in sorted(DOCS.glob("*.md")) if BLOCK.search(page.read_text())]


def configurations(page: Path) -> list[str]:
    """The examples of a page: a block that continues belongs to those before it."""
    found: list[str] = []
    for continued, text in BLOCK.findall(page.read_text()):
        if continued:
            found[-1] += text
        else:
            found.append(text)
    return found


@pytest.mark.parametrize("host", ["tic", "tac"])
def test_the_examples_are_good(host: str, tmp_path: Path) -> None:
    examples = configurations(PAGE)

    for number, text in enumerate(examples):
        (tmp_path / f"{number}.toml").write_text(text)
        configuration, problems = check.run([tmp_path / f"{number}.toml"], host)
        assert [problem for problem in problems if not problem.path.endswith(".command")] == []  # no such script here
        assert configuration is not None
    assert examples


@pytest.mark.parametrize("name", PAGES)
def test_every_toml_block_is_toml(name: str) -> None:
    assert all(tomli.loads(text) for text in configurations(DOCS / name))


def test_only_pages_whose_examples_are_tried_have_any() -> None:
    assert PAGES == ["configuration.md", "directors.md", "plugins.md"]
