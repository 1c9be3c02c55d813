"""The engine is pure: it runs where `socket`, `os` and `time` are modules that raise."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

FORBIDDEN = ("socket", "os", "time", "asyncio", "select", "logging", "random", "pyroute2")
SHELL = ("stayalived.vrrp.sockets", "stayalived.vrrp.main")


class Raising(ModuleType):
    """A module that nobody may use."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AssertionError(f"the engine used {self.__name__}.{name}")


def ours() -> list[str]:
    return [name for name in sys.modules if name.startswith("stayalived.vrrp") or name == "vrrp_machine"]


@pytest.fixture
def bare_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = {name: sys.modules.pop(name) for name in ours()}
    with monkeypatch.context() as patch:
        for name in FORBIDDEN:
            patch.setitem(sys.modules, name, Raising(name))
        yield
    for name in ours():
        del sys.modules[name]
    sys.modules.update(before)


def test_the_engine_elects_a_master_without_the_world(bare_world: None) -> None:
    machine_module = importlib.import_module("vrrp_machine")
    machine = machine_module.Machine()

    machine.start(machine_module.instance(machine_module.router(), machine_module.router(machine_module.VIP6)))
    machine.pass_time(machine_module.seconds(10))
    machine.hear(priority=200)
    machine.stop()

    assert machine_module.events(machine.effects) == ["backup", "master", "backup", "stop"]
    assert not set(SHELL) & set(sys.modules)
