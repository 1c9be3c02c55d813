import ast
import tomllib

import pytest

from architecture.sizes import OUTSIDE_LIST
from architecture.tree import bundled, core, modules, outside_of, reached_by

ENGINES = sorted(name for name in core() if name.endswith(".engine"))
NEVER = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
HOMONYMS = {"weight", "tcp", "udp", "sh", "command", "file", "process", "mail", "fifo"}
"""Names of plugins that mean something else, too: protocols, a shell, a program, a secret's place, fields, a log's."""

KERNEL = ("stayalived.kernel.", "stayalived.simulation.")
"""Speak the kernel's own names of schedulers, which are those of the bundled policies."""


def listed() -> dict[str, list[str]]:
    return dict(tomllib.loads(OUTSIDE_LIST.read_text()))


def test_only_the_listed_modules_reach_out_of_the_process() -> None:
    reaching = {name: outside_of(module) for name, module in modules().items() if outside_of(module)}

    assert listed() == reaching


def test_a_module_that_reaches_out_says_so_in_its_first_lines() -> None:
    silent = [name for name in listed() if "I/O" not in modules()[name].docstring]

    # The first asks for the text of an error number, the others for pyroute2's classes of messages, which reach nobody.
    assert silent == ["stayalived.errors", "stayalived.kernel.ipvs_attributes", "stayalived.kernel.ipvs_messages"]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_loads_nothing_that_reaches_out(name: str) -> None:
    reaching = sorted((reached_by(name) & listed().keys()) - {"stayalived.errors"})

    assert reaching == []


def test_there_is_an_engine_for_every_role() -> None:
    roles = ("api", "checker", "ipvs", "log", "notify", "runner", "supervisor", "vrrp")

    assert set(ENGINES) >= {f"stayalived.{role}.engine" for role in roles}


def test_ipvs_stands_on_pyroute2_which_is_known_to_kernel_only() -> None:
    users = [name for name, module in modules().items() if "pyroute2" in {i.split(".")[0] for i in module.imports}]

    assert [name for name in users if not name.startswith("stayalived.kernel.")] == []
    assert {"stayalived.kernel.generic", "stayalived.kernel.ipvs_attributes"} <= set(users)
    assert "stayalived.kernel.generic" in reached_by("stayalived.ipvs.main")


@pytest.mark.parametrize(
    "name", ["stayalived.vrrp.main", "stayalived.kernel.network", "stayalived.kernel.route_monitor"]
)
def test_vrrp_does_without_pyroute2_which_takes_long_to_import(name: str) -> None:
    users = {module.name for module in core().values() if "pyroute2" in {each.split(".")[0] for each in module.imports}}

    assert reached_by(name) & users == set()


def test_core_imports_no_bundled_plugin() -> None:
    guilty = [
        name for name, module in core().items() if any(i.startswith("stayalived_plugins") for i in module.imports)
    ]

    assert guilty == []


def bundled_names() -> set[str]:
    names = set()
    for module in bundled().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                names |= {
                    statement.value.value
                    for statement in node.body
                    if isinstance(statement, ast.Assign)
                    and [target.id for target in statement.targets if isinstance(target, ast.Name)] == ["name"]
                    and isinstance(statement.value, ast.Constant)
                    and isinstance(statement.value.value, str)
                }
    return names


def test_core_names_no_bundled_check_action_or_scheduler() -> None:
    names = bundled_names() - HOMONYMS
    guilty = {
        f"{name}:{node.lineno}: {node.value}"
        for name, module in core().items()
        for node in ast.walk(module.tree)
        if not name.startswith(KERNEL)
        and isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in names
    }

    assert guilty == set()
    assert {"http", "script", "rr"} <= names


def test_bundled_plugins_import_only_what_strangers_do() -> None:
    guilty = {
        f"{name}: {i}"
        for name, module in bundled().items()
        for i in module.imports
        if i.split(".")[0] == "stayalived" and not i.startswith("stayalived.plugin")
    }

    assert guilty == set()


def test_nothing_is_pickled() -> None:
    guilty = [name for name, module in modules().items() if {i.split(".")[0] for i in module.imports} & NEVER]

    assert guilty == []


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("supervisor", {"threading", "asyncio", "subprocess", "multiprocessing", "pyroute2", "pluggy"}),
        ("vrrp", {"threading", "asyncio", "subprocess", "multiprocessing", "pluggy"}),
        ("api", {"threading", "subprocess", "pyroute2", "pluggy"}),
        ("ipvs", {"threading", "asyncio", "subprocess", "pluggy"}),
        ("messages", {"logging"}),
    ],
)
def test_what_a_package_must_not_even_know(package: str, forbidden: set[str]) -> None:
    guilty = {
        f"{name}: {i}"
        for name, module in core().items()
        for i in module.imports
        if name.startswith(f"stayalived.{package}") and i.split(".")[0] in forbidden
    }

    assert guilty == set()


def test_only_the_log_child_has_threads() -> None:
    users = {name for name, module in core().items() if "threading" in outside_of(module)}

    assert {name for name in users if not name.startswith(("stayalived.log.", "stayalived.checker."))} == set()
