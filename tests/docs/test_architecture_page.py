"""What docs/architecture.md says of the modules of vrrp is so, and what it names is there."""

import re
import tomllib
from pathlib import Path

from stayalived.timing import for_people, in_seconds
from stayalived.vrrp import announcer, attention, desk, engine, group, holding, past, rhythm

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "architecture.md").read_text()
VRRP = TOP / "core" / "stayalived" / "vrrp"
OUTSIDE = TOP / "tests" / "architecture" / "outside.toml"
PLACES = (TOP, TOP / "core" / "stayalived", TOP / "core" / "stayalived" / "kernel")


def rows() -> list[tuple[list[str], str]]:
    """Return the rows of the table of vrrp's modules: names, and what is said of them."""
    table = PAGE[PAGE.index("| modules of `core/stayalived/vrrp/`") : PAGE.index("Two ways through it")]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:] if line.startswith("|")]
    return [(re.findall(r"`(\w+)`", names), said) for names, said in cells]


def test_every_module_of_vrrp_has_its_place_in_the_table_and_no_other_has() -> None:
    named = [name for names, _ in rows() for name in names]

    assert sorted(named) == sorted(path.stem for path in VRRP.glob("*.py") if path.stem != "__init__")


def test_the_shell_is_what_reaches_out_of_the_process() -> None:
    (shell,) = [set(names) for names, said in rows() if said.startswith("the shell")]
    listed = [name for name in tomllib.loads(OUTSIDE.read_text()) if name.startswith("stayalived.vrrp.")]

    assert {name.rpartition(".")[2] for name in listed} == shell


def test_the_figures_are_those_of_the_code() -> None:
    """A sentence of the page may be broken anywhere."""
    page = " ".join(PAGE.split())
    said = (
        f"at most {desk.CHANGES} changes of the kernel",
        f"at most {desk.TALK} messages",
        f"in chunks of {announcer.CHUNK}",
        f"more than {rhythm.FEW} virtual routers",
        f"{rhythm.TOGETHER} at most at one moment",
        f"within the first {in_seconds(rhythm.WINDOW):g} s of the interval",
        f"From {attention.DENSE} packets a second on",
        f"at least {attention.LOOKS_IN_AN_INTERVAL} times in the shortest interval",
        f"there are {for_people(holding.REPAIR_PAUSE)} from one repair to the next",
        f"More than {holding.REPAIRS} in {for_people(holding.REPAIR_WINDOW)}",
        f"it waits {for_people(group.PATIENCE)} at most",
        f"less than {past.ADOPTION_LIMIT} intervals old",
        f"A standstill** of {in_seconds(engine.STALL):g} s or more",
    )

    assert [words for words in said if words not in page] == []


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.(?:py|toml))`", PAGE))

    assert [name for name in named if not any((place / name).exists() for place in PLACES)] == []
    assert len(named) > 10
