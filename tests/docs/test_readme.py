"""The example and the table of README.md are true."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from stayalived.cli.main import SUBCOMMANDS, main
from stayalived_plugins.checks import stayalived_checks

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()


@pytest.mark.parametrize("host", ["tic", "tac"])
def test_the_example_is_a_good_configuration_on_both_hosts(host: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "example.toml").write_text(block)

    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path), "--host", host])

    assert result.exit_code == 0, result.output
    assert "1 instance, 1 virtual server, 2 real servers, 0 warnings" in result.output


def test_the_bundled_checks_are_named() -> None:
    (checks,) = re.findall(r"checks ((?:`\w+`[, and\n]*)+)\.", README)

    assert sorted(re.findall(r"`(\w+)`", checks)) == sorted(check.name for check in stayalived_checks())


def test_what_is_said_to_come_is_refused_as_not_yet(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        """
[global]
startup_script = "/bin/true"

[bfd_instance.a]

[vrrp_instance.a]
interface = "eth0"
virtual_router_id = 1
virtual_ipaddress = ["192.0.2.1/24"]
auth_hmac = { }
"""
    )

    result = CliRunner().invoke(main, ["check", "--config", str(tmp_path)])

    assert result.exit_code == 1
    assert result.output.count("not yet in this version; leave it out") == 3, result.output


def sayings(source: Path) -> list[str]:
    """Return what the strings of a module match, in any of which something may be put in."""
    texts = [
        "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else r"\S+"
            for part in (node.values if isinstance(node, ast.JoinedStr) else [node])
        )
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]
    return [text for text in texts if len(text) > len(r"\S+")]


def test_the_story_of_the_demo_is_told_in_the_demos_words() -> None:
    (told,) = re.findall(r"```\n(  [\d.]+ s  .*?)```", README, re.DOTALL)
    lines = [re.sub(r"^ +[\d.]+ s +", "", line) for line in told.splitlines() if line.strip() != "…"]
    known = "|".join(sayings(TOP / "demo" / "story.py"))

    untold = [line for line in lines if not re.fullmatch(f"(?:{known})(?:: (?:{known}|\\d+))?", line)]

    assert untold == []
    assert len(lines) >= 5


def test_every_subcommand_is_named() -> None:
    assert {name for name in SUBCOMMANDS if f"stayalived {name}" not in README} == set()


PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.name}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []


def anchors(page: Path) -> set[str]:
    """Return what a link may lead to within a page: its headings, as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_into_a_page_leads_to_a_heading() -> None:
    links = [(page, found) for page in PAGES for found in re.findall(r"\]\(([^):#]*)#([^)]+)\)", page.read_text())]
    broken = [
        f"{page.name}: {name}#{anchor}"
        for page, (name, anchor) in links
        if anchor not in anchors(page.parent / name if name else page)
    ]

    assert broken == []
    assert len(links) > 5
