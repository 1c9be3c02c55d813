"""What a kernel does with addresses: the list that runs on the real one and on the one in memory.

Each case begins with an interface `eth0` that is up and has the addresses `given`. `steps` are done one after the
other; an expected error number of 0 is a success. `held` is what the interface carries in the end, link-local
addresses aside.
"""

import errno
from dataclasses import dataclass
from typing import Protocol

from stayalived.addresses import VirtualAddress
from stayalived.kernel.api import AddressKernel


class World(Protocol):
    """A kernel with one interface `eth0`, and the switches that a case may turn."""

    kernel: AddressKernel
    index: int

    def set_link(self, *, up: bool) -> None: ...
    def disable_ipv6(self) -> None: ...
    def held(self) -> set[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`add` or `remove` addresses, with the error number expected for each, or `down`, `up`, `no ipv6`: a switch."""

    verb: str
    addresses: dict[str, int]
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One story."""

    name: str
    given: tuple[str, ...] = ()
    steps: tuple[Step, ...]
    held: set[str]


NO_SUCH_INTERFACE = 4711


def add(*addresses: str, refused: int = 0, index: int = 0) -> Step:
    return Step(verb="add", addresses=dict.fromkeys(addresses, refused), index=index)


def remove(*addresses: str, refused: int = 0, index: int = 0) -> Step:
    return Step(verb="remove", addresses=dict.fromkeys(addresses, refused), index=index)


def switch(verb: str) -> Step:
    return Step(verb=verb, addresses={})


MANY = tuple(f"10.0.{number // 200}.{number % 200 + 1}/32" for number in range(250))

CASES = (
    Case(
        name="both families are added with their prefixes",
        given=("192.0.2.1/24",),
        steps=(add("192.0.2.9/32", "198.51.100.1/28", "2001:db8::9/128", "2001:db8:1::1/64"),),
        held={"192.0.2.1/24", "192.0.2.9/32", "198.51.100.1/28", "2001:db8::9/128", "2001:db8:1::1/64"},
    ),
    Case(
        name="to add what is there is a success",
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), add("192.0.2.9/32", "2001:db8::9/128")),
        held={"192.0.2.9/32", "2001:db8::9/128"},
    ),
    Case(
        name="an IPv4 address with another prefix is another address",
        given=("192.0.2.9/24",),
        steps=(add("192.0.2.9/32"),),
        held={"192.0.2.9/24", "192.0.2.9/32"},
    ),
    Case(
        name="an IPv6 address is there once and keeps the prefix that it has",
        given=("2001:db8::9/64",),
        steps=(add("2001:db8::9/128"),),
        held={"2001:db8::9/64"},
    ),
    Case(
        name="what was added can be removed, the rest stays",
        given=("192.0.2.1/24", "2001:db8::1/64"),
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), remove("192.0.2.9/32", "2001:db8::9/128")),
        held={"192.0.2.1/24", "2001:db8::1/64"},
    ),
    Case(
        name="to remove what is not there is a success",
        given=("192.0.2.1/24",),
        steps=(remove("192.0.2.9/32", "2001:db8::9/128", "ff02::1/128"),),
        held={"192.0.2.1/24"},
    ),
    Case(
        name="an address with another prefix is not removed",
        given=("192.0.2.9/24", "2001:db8::9/64"),
        steps=(remove("192.0.2.9/32", "2001:db8::9/128"),),
        held={"192.0.2.9/24", "2001:db8::9/64"},
    ),
    Case(
        name="IPv6 addresses that no host can have are refused, the others of the request are added",
        steps=(
            Step(
                verb="add",
                addresses={
                    "::/128": errno.EADDRNOTAVAIL,
                    "2001:db8::8/128": 0,
                    "::1/128": errno.EADDRNOTAVAIL,
                    "ff02::5/128": errno.EADDRNOTAVAIL,
                    "2001:db8::9/128": 0,
                },
            ),
        ),
        held={"2001:db8::8/128", "2001:db8::9/128"},
    ),
    Case(
        name="IPv4 takes almost anything and forgets 0.0.0.0",
        steps=(add("0.0.0.0/32", "224.0.0.5/32", "240.0.0.1/32"),),
        held={"224.0.0.5/32", "240.0.0.1/32"},
    ),
    Case(
        name="on an interface that is not there nothing can be added, and there is nothing to remove",
        steps=(
            add("192.0.2.9/32", "2001:db8::9/128", refused=errno.ENODEV, index=NO_SUCH_INTERFACE),
            remove("192.0.2.9/32", "2001:db8::9/128", index=NO_SUCH_INTERFACE),
        ),
        held=set(),
    ),
    Case(
        name="the first IPv4 address of a subnet takes the others of that subnet with it",
        steps=(
            add("192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/25", "198.51.100.1/24"),
            remove("192.0.2.1/24", "192.0.2.2/24"),
        ),
        held={"192.0.2.3/25", "198.51.100.1/24"},
    ),
    Case(
        name="a later IPv4 address of a subnet goes alone",
        steps=(add("192.0.2.1/24", "192.0.2.2/24"), remove("192.0.2.2/24")),
        held={"192.0.2.1/24"},
    ),
    Case(
        name="an interface that is set down loses its IPv6 addresses and keeps the others",
        steps=(add("192.0.2.9/32", "2001:db8::9/128"), switch("down"), switch("up")),
        held={"192.0.2.9/32"},
    ),
    Case(
        name="addresses can be added to an interface that is down",
        steps=(switch("down"), add("192.0.2.9/32", "2001:db8::9/128"), switch("up")),
        held={"192.0.2.9/32", "2001:db8::9/128"},
    ),
    Case(
        name="without IPv6 its addresses are refused",
        given=("2001:db8::1/64",),
        steps=(switch("no ipv6"), add("2001:db8::9/128", refused=errno.EACCES), add("192.0.2.9/32")),
        held={"192.0.2.9/32"},
    ),
    Case(
        name="hundreds are added and removed in one call",
        given=("192.0.2.1/24",),
        steps=(add(*MANY), remove(*MANY[1:])),
        held={"192.0.2.1/24", MANY[0]},
    ),
)


def play(case: Case, world: World) -> None:
    """Tell the story and compare: what is refused at each step, what is held in the end."""
    for step in case.steps:
        if step.verb in {"up", "down"}:
            world.set_link(up=step.verb == "up")
        elif step.verb == "no ipv6":
            world.disable_ipv6()
        else:
            act = world.kernel.add_addresses if step.verb == "add" else world.kernel.remove_addresses
            problems = act(step.index or world.index, [VirtualAddress.parse(text) for text in step.addresses])
            refused = {text: number for text, number in step.addresses.items() if number}
            assert refused == {str(address): problem.errno for address, problem in problems.items()}
    assert case.held == world.held()
