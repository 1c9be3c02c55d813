"""Stories of a kernel's network, told step by step on a world: the real kernel, or the one in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel.api import Barrier, Change, Item, NetworkKernel, Verb
from stayalived.kernel.routes import identity

GIVEN = ("192.0.2.1/24", "2001:db8::1/64")

_NO_SUCH_INTERFACE = 4711


class World(Protocol):
    """A kernel with one interface `eth0`, and the switches that a case may turn."""

    kernel: Any

    def set_link(self, *, up: bool) -> None: ...
    def disable_ipv6(self) -> None: ...
    def delete_address(self, address: str) -> None: ...
    def held(self, interface: str) -> set[str]: ...
    def barriers(self) -> set[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A verb, the things that it is done to, and the error number expected for each of them; 0 is a success."""

    verb: str
    things: tuple[Any, ...] = ()
    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One story: what `eth0` has at first, what is done, what is there in the end (of `held`, what it names)."""

    name: str
    given: tuple[str, ...] = GIVEN
    steps: tuple[Step, ...]
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    barriers: set[str] = field(default_factory=set)
    held: dict[str, set[str]] = field(default_factory=dict)


def add(*items: Item | str, refused: int | tuple[int, ...] = 0) -> Step:
    """Add things, with one error number expected for all of them, or one for each; a text is an address on `eth0`."""
    expected = refused if isinstance(refused, tuple) else (refused,) * len(items)
    return Step(verb="add", things=_items(items), refused=expected)


def remove(*items: Item | str) -> Step:
    return Step(verb="remove", things=_items(items), refused=(0,) * len(items))


def make(wanted: VirtualMac, refused: int = 0) -> Step:
    return Step(verb="make", things=(wanted,), refused=(refused,))


def unmake(name: str, refused: int = 0) -> Step:
    return Step(verb="unmake", things=(name,), refused=(refused,))


def switch(verb: str, *things: str) -> Step:
    return Step(verb=verb, things=things)


def _items(items: Iterable[Item | str]) -> tuple[Item, ...]:
    return tuple(address(item) if isinstance(item, str) else item for item in items)


def route(destination: str, gateway: str = "", interface: str = "", **more: Any) -> Route:
    parsed = VirtualAddress.parse(destination)
    return Route(family=parsed.family, destination=parsed, gateway=gateway, interface=interface, **more)


def rule(preference: int, family: Family = Family.IPV4, **more: Any) -> Rule:
    return Rule(family=family, preference=preference, **more)


def address(text: str, interface: str = "eth0", **more: Any) -> PlacedAddress:
    return PlacedAddress(address=VirtualAddress.parse(text), interface=interface, **more)


def barrier(text: str) -> Barrier:
    return Barrier(address=text)


def play(case: Case, world: World) -> dict[str, object]:
    """Tell the story; return what was refused at each step, and what is there in the end."""
    return {
        "refused": [perform(step, world) for step in case.steps],
        "routes": [identity(found) for found in in_order(world.kernel.routes())],
        "rules": sorted(found.key for found in world.kernel.rules()),
        "barriers": world.barriers(),
        "held": {interface: world.held(interface) for interface in case.held},
    }


def expected_of(case: Case) -> dict[str, object]:
    """Return what `play` returns where all is well."""
    return {
        "refused": [step.refused for step in case.steps],
        "routes": [identity(wanted) for wanted in in_order(case.routes)],
        "rules": sorted(wanted.key for wanted in case.rules),
        "barriers": case.barriers,
        "held": dict(case.held),
    }


def in_order(routes: Iterable[Route]) -> list[Route]:
    return sorted(routes, key=identity)


def perform(step: Step, world: World) -> tuple[int, ...]:
    """Do one step and return the error number for each thing that the kernel was asked for."""
    kernel: NetworkKernel = world.kernel
    if step.verb in {"add", "remove"}:
        problems = kernel.apply(changes(Verb.ADD if step.verb == "add" else Verb.REMOVE, step.things, kernel))
        return tuple(problem.errno if problem else 0 for problem in problems)
    if step.verb in {"make", "unmake"}:
        try:
            (kernel.make_virtual_mac if step.verb == "make" else kernel.remove_virtual_mac)(*step.things)
        except KernelProblem as problem:
            return (problem.errno,)
        return (0,)
    if step.verb in {"up", "down"}:
        world.set_link(up=step.verb == "up")
    else:
        {"no ipv6": world.disable_ipv6, "delete address": world.delete_address}[step.verb](*step.things)
    return ()


def changes(verb: Verb, items: Iterable[Item], kernel: NetworkKernel) -> list[Change]:
    """Return changes with the indexes that they need."""
    indexes = {name: interface.index for name, interface in kernel.interfaces().items()}
    return [
        Change(verb=verb, item=item, index=indexes.get(item.interface, _NO_SUCH_INTERFACE))
        if isinstance(item, PlacedAddress)
        else Change(verb=verb, item=item)
        for item in items
    ]
