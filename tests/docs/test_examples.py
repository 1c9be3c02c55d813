"""What is commented out in conf.d is good as soon as somebody takes the comment signs off."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stayalived.config import check
from stayalived.config.model import Configuration
from stayalived.config.problems import Problem

CONF_D = Path(__file__).parents[2] / "conf.d"
TOML = re.compile(r"^# ((?:\[|\]|    |[a-z_0-9.]+ = ).*)$")
KEY = re.compile(r"^# [a-z_0-9.]+ = (?:\[[^\]\n]*\n(?:#     .*\n)*# \]|.*)$", re.MULTILINE)
ABSENT = (".command", ".script_user")
HEADER = re.compile(r"^# \[[\w.]+\]$", re.MULTILINE)
TABLES = re.compile(r"^# \[(?:vrrp_instance|vrrp_sync_group|virtual_server|check)\.(\w+)\]$", re.MULTILINE)


def blocks(text: str) -> Iterator[str]:
    """Yield what can be uncommented for itself: a paragraph that has a table, or else each key alone."""
    for paragraph in re.split(r"\n\n+", text):
        lines = [line for line in paragraph.splitlines() if TOML.match(line)]
        if HEADER.search(paragraph):
            yield "\n".join(lines)
        else:
            yield from keys("\n".join(lines))


def keys(text: str) -> Iterator[str]:
    """Yield each key with its value, which may be a list of several lines."""
    for found in KEY.finditer(text):
        yield found.group()


def uncommented(text: str, block: str) -> str:
    """Return a file with a block uncommented, and the checks that the block names."""
    for name in re.findall(r'check = "(\w+)"', block):
        for needed in blocks(text):
            if needed != block and needed.startswith(f"# [check.{name}]"):
                text = uncommented(text, needed)
    for line in block.splitlines():
        text = text.replace(f"\n{line}\n", f"\n{line.removeprefix('# ')}\n", 1)
    return text


EXAMPLES = [(path.name, block) for path in sorted(CONF_D.glob("*.toml")) for block in blocks(path.read_text())]


def examined(folder: Path, changed: dict[str, str], host: str) -> tuple[Configuration | None, list[Problem]]:
    """Read all the examples, some of them changed. That users and programs which they name are not here is left out."""
    for path in CONF_D.glob("*.toml"):
        (folder / path.name).write_text(changed.get(path.name, path.read_text()))
    configuration, problems = check.run([folder], host)
    return configuration, [problem for problem in problems if not problem.path.endswith(ABSENT)]


@pytest.mark.parametrize("host", ["tic", "tac"])
@pytest.mark.parametrize(("name", "block"), EXAMPLES, ids=[block.splitlines()[0] for _, block in EXAMPLES])
def test_each_example_can_be_used_for_itself(name: str, block: str, host: str, tmp_path: Path) -> None:
    text = uncommented((CONF_D / name).read_text(), block)

    configuration, problems = examined(tmp_path, {name: text}, host)

    assert text != (CONF_D / name).read_text()
    assert [str(problem) for problem in problems if not problem.warning] == []
    if configuration is None:
        assert block.startswith("# script_user")  # which is not here
    else:
        found = (*configuration.instances, *configuration.sync_groups, *configuration.virtual_servers)
        names = {one.name for one in found} | {one.name for one in configuration.tracked_checks}
        assert set(TABLES.findall(block)) <= names


@pytest.mark.parametrize("host", ["tic", "tac"])
def test_all_instances_together_draw_no_warning(host: str, tmp_path: Path) -> None:
    name = "10-vrrp.toml"
    text = (CONF_D / name).read_text()
    for block in blocks(text):
        text = uncommented(text, block) if HEADER.search(block) else text

    configuration, problems = examined(tmp_path, {name: text}, host)

    assert problems == []
    assert configuration is not None
    routers = {router.instance: router for instance in configuration.instances for router in instance.routers}
    assert len(configuration.instances) == 8
    assert [peer.address for peer in routers["cloud"].peers] == [f"198.51.100.{2 if host == 'tic' else 1}"]
    assert routers["gateway"].virtual_mac is not None
    assert (len(routers["uplink"].routes), len(routers["uplink"].rules), len(routers["uplink"].excluded)) == (3, 1, 2)
    assert routers["legacy"].authentication == b"eight123"
    assert configuration.sync_groups[0].instances == ("inside", "outside")
    edge = next(instance for instance in configuration.instances if instance.name == "edge")
    assert [tracker.name for tracker in edge.trackers] == ["uplink", "eth1"]


def test_every_comment_that_looks_like_toml_is_tried() -> None:
    looking = [
        line
        for path in CONF_D.glob("*.toml")
        for line in path.read_text().splitlines()
        if re.match(r"^# *(\[|\w+ *=)", line)
    ]

    assert [line for line in looking if not any(line in block.splitlines() for _, block in EXAMPLES)] == []
    assert len(EXAMPLES) >= 10
