"""The example and the table of README.md are true."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stayalived.cli.main import SUBCOMMANDS, main

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()


@pytest.mark.parametrize("host", ["tic", "tac"])
def test_the_example_is_a_good_configuration_on_both_hosts(host: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "example.toml").write_text(block)

    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path), "--host", host])

    assert result.exit_code == 0, result.output
    assert "1 instance, 1 virtual server, 2 real servers, 0 warnings" in result.output


def test_every_subcommand_is_named() -> None:
    assert {name for name in SUBCOMMANDS if f"stayalived {name}" not in README} == set()


def test_every_link_leads_somewhere() -> None:
    pages = [TOP / "README.md", TOP / "CONTRIBUTING.md", *(TOP / "docs").glob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []
