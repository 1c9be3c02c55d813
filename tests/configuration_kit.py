"""Files as texts, plugins that never change, hosts that always resolve: for tests of what a configuration means."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import msgspec

from stayalived.config.files import Source, parse
from stayalived.config.iproute_names import KNOWN, TABLES
from stayalived.config.model import BUNDLED, Configuration
from stayalived.config.names import BadHost
from stayalived.config.problems import Problem
from stayalived.config.resolve import Surroundings, resolve
from stayalived.config.secret import Secret
from stayalived.config.secrets import Vault
from stayalived.plugin import (
    Check,
    CheckOptions,
    Event,
    Notifier,
    NotifierOptions,
    Scheduler,
    SchedulerOptions,
    Tools,
)
from stayalived.plugin.catalogue import Catalogue, Provided
from stayalived.plugin.manager import Installed, Plugins
from stayalived_plugins.notifiers.weight import Weight
from stayalived_plugins.schedulers import SCHEDULERS

HOSTS: Mapping[str, Sequence[str]] = {
    "tic": ("192.0.2.130", "2001:db8::130"),
    "tac": ("192.0.2.131",),
    "six": ("2001:db8::6",),
}


class Room(msgspec.Struct, frozen=True):
    door: int

    def __post_init__(self) -> None:
        if self.door == 13:
            raise ValueError("there is no door 13")


class KnockOptions(CheckOptions, frozen=True):
    word: str = "hello"
    times: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    password: Secret | None = None
    codes: list[Annotated[int, msgspec.Meta(ge=100, le=599)]] = msgspec.field(default_factory=list)
    rooms: tuple[Room, ...] = ()

    def __post_init__(self) -> None:
        if self.word == "forbidden":
            raise ValueError("word must not be forbidden")
        if len(self.word) == 1 and self.times > 2:
            raise ValueError("word is too short for so many times")


class Knock(Check):
    """Says a word and waits for an answer."""

    name = "knock"
    Options: ClassVar[type[CheckOptions]] = KnockOptions
    defaults: ClassVar[Mapping[str, float]] = {"delay_before_retry": 3}


class Fair(Scheduler):
    """A third party's scheduler that computes weights."""

    name = "fair"
    computes_weights = True

    @property
    def kernel(self) -> str:
        """Never reached."""
        return "wrr"


class Echo(Check):
    """Needs no port."""

    name = "echo"
    needs_port = False


class ShoutOptions(NotifierOptions, frozen=True):
    volume: Annotated[int, msgspec.Meta(ge=0, le=11)] = 3


class Shout(Notifier):
    """Tells everybody."""

    name = "shout"
    Options: ClassVar[type[NotifierOptions]] = ShoutOptions

    async def notify(self, event: Event, tools: Tools) -> None:
        """Say nothing: these tests only read configurations."""


class DashOptions(NotifierOptions, frozen=True):
    command: tuple[str, ...]
    user: str = ""
    group: str = ""


class Dash(Notifier):
    """Runs a program."""

    name = "dash"
    Options: ClassVar[type[NotifierOptions]] = DashOptions

    async def notify(self, event: Event, tools: Tools) -> None:
        """Do nothing: these tests only read configurations."""


class PaperMachine:
    """Has two users, one group, one program and one folder."""

    def user(self, name: str) -> int | None:
        """Look it up."""
        return {"": 0, "root": 0, "runs": 7}.get(name)

    def has_group(self, name: str) -> bool:
        """Look it up."""
        return name == "runners"

    def refusal(self, program: str, owner: int) -> str:
        """Refuse all others."""
        return "" if program == "/bin/true" else f"{program} is not for uid {owner}"

    def has_folder(self, path: str) -> bool:
        """Look it up."""
        return path == "/var/log"

    def mtu(self, interface: str) -> int | None:
        """Look it up."""
        return {"eth0": 1500, "tiny0": 68}.get(interface)

    def interface_of(self, address: str) -> str:
        """Look it up."""
        return {"192.0.2.11": "eth0", "2001:db8::11": "eth0", "198.51.100.11": "eth1"}.get(address, "")


class PaperNames:
    """Names two tables beside those that everybody knows."""

    def numbers(self, kind: str) -> Mapping[str, int]:
        """Look them up."""
        return {**KNOWN[kind], **({"blue": 100, "green": 200} if kind == TABLES else {})}


class Picky(Scheduler):
    """Refuses everything."""

    name = "picky"

    def __init__(self, options: SchedulerOptions) -> None:
        """Refuse."""
        super().__init__(options)
        raise RuntimeError("not today")

    @property
    def kernel(self) -> str:
        """Never reached."""
        return "rr"


def plugins() -> Plugins:
    """Return two check types, one of them of a third party, two action types and the bundled schedulers."""
    return Plugins(
        catalogue=Catalogue(
            checks={
                "echo": Provided("echo", Echo, "acme-checks", "2.0"),
                "knock": Provided("knock", Knock, BUNDLED, "0.1.0"),
            },
            notifiers={
                "dash": Provided("dash", Dash, BUNDLED, "0.1.0"),
                "shout": Provided("shout", Shout, BUNDLED, "0.1.0"),
                "weight": Provided("weight", Weight, BUNDLED, "0.1.0"),
            },
            schedulers={
                **{scheduler.name: Provided(scheduler.name, scheduler, BUNDLED, "0.1.0") for scheduler in SCHEDULERS},
                "fair": Provided("fair", Fair, "acme-checks", "2.0"),
                "picky": Provided("picky", Picky, "acme-checks", "2.0"),
            },
        ),
        loaded=(Installed(BUNDLED, "0.1.0", ()), Installed("acme-checks", "2.0", ())),
    )


def ask_table(host: str) -> Sequence[str]:
    """Resolve a host from a table."""
    if host not in HOSTS:
        raise BadHost("does not resolve (no such host)")
    return HOSTS[host]


def sources_of(*texts: str) -> tuple[list[Source], list[Problem]]:
    """Return texts as the files a.toml, b.toml, …"""
    problems: list[Problem] = []
    found = [parse(f"{'abcdef'[number]}.toml", text.encode(), problems) for number, text in enumerate(texts)]
    return [source for source in found if source is not None], problems


def read(
    *texts: str, host: str = "tic", vault: Vault | None = None, loaded: Plugins | None = None
) -> tuple[Configuration | None, list[str]]:
    """Return the configuration that some files mean, and the problems as people see them."""
    sources, unreadable = sources_of(*texts)
    around = Surroundings(
        plugins=loaded or plugins(),
        host_id=host,
        host_name=host,
        vault=vault or Vault(),
        lookup=ask_table,
        machine=PaperMachine(),
        numbers=PaperNames(),
    )
    configuration, problems = resolve(sources, around)
    return (None if unreadable else configuration), [str(problem) for problem in (*unreadable, *problems)]


def good(*texts: str, host: str = "tic", vault: Vault | None = None, loaded: Plugins | None = None) -> Configuration:
    """Return the configuration of files with which nothing is wrong, not even a little."""
    configuration, problems = read(*texts, host=host, vault=vault, loaded=loaded)
    assert problems == []
    assert configuration is not None
    return configuration
