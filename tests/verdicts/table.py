"""All behaviours, numbered, and the two configurations that ask the same of them.

Each server stands in two services: `alpha`, where it is out until it has passed, and `plain`, where it is in until it
has failed. Where both services agree, the verdict has been reached, without a clock; where they never do, there is
none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from verdicts import mail, others, tcp, web
from verdicts.behaviour import WEIGHT, Behaviour

FIRST_PORT = 10_000
PATIENCE = (2, 6)
"""`connect_timeout` in seconds of checks that hear silence, and of all others, however busy the machine is."""

START_RATE = 30
DELAY_LOOP = 6
"""Seconds: the one processor of user-mode Linux must not be late with hundreds of checks."""

SERVICES = {
    "alpha": "198.51.100.1:80",
    "plain": "198.51.100.2:80",
    "alpha6": "[2001:db8::1]:80",
    "plain6": "[2001:db8::2]:80",
}
NONE = "none"

_LINE = re.compile(r"-a -t (\S+) -r \[?([^\]\s]+?)\]?:(\d+) -\S+ -w (-?\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """A behaviour with a port of its own: the line of the kernel's table tells it from the others."""

    number: int
    behaviour: Behaviour

    @property
    def port(self) -> int:
        """Where the server stands in the kernel's table."""
        return FIRST_PORT + self.number

    @property
    def is_elsewhere(self) -> bool:
        """Whether the check asks another port than the one of the table."""
        return self.behaviour.port != 0

    def is_of(self, service: str) -> bool:
        """Whether it stands in this service: each has one family."""
        return (":" in self.behaviour.address) is service.endswith("6")

    @property
    def endpoint(self) -> tuple[str, int]:
        """As the kernel's table has it."""
        return self.behaviour.address, self.port


def rows() -> list[Row]:
    """Return the table. Names are unique: the record goes by them."""
    every = [*tcp.BEHAVIOURS, *web.BEHAVIOURS, *mail.BEHAVIOURS, *others.BEHAVIOURS]
    keys = [one.key for one in every]
    assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
    return [Row(number, one) for number, one in enumerate(every)]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of the site lie."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The file of the authority that has signed what is right."""
        return self.folder / "authority.pem"

    def script(self, row: Row) -> Path:
        """The program of a row."""
        return self.folder / f"script-{row.number}"

    def file(self, row: Row) -> Path:
        """The tracked file of a row."""
        return self.folder / f"file-{row.number}"

    def filled(self, text: str, row: Row, limit: int) -> str:
        """Return a text with the names of files and the limit of programs in place of their words."""
        words = {
            "limit": limit,
            "script": self.script(row),
            "file": self.file(row),
            "ca": self.ca,
            "tracked": f"file{row.number}",
        }
        for word, value in words.items():
            text = text.replace(f"{{{word}}}", str(value))
        return text


def theirs(table: Sequence[Row], places: Places) -> str:
    """Return the configuration of keepalived."""
    tracked = "".join(
        f"track_file file{row.number} {{\n file {places.file(row)}\n}}\n"
        for row in table
        if row.behaviour.type == "file"
    )
    services = []
    for name, address in SERVICES.items():
        servers = "".join(_their_server(row, places) for row in table if row.is_of(name))
        alpha = "alpha\n" if name.startswith("alpha") else ""
        words = address.replace("]:", " ").replace(":80", " 80").strip("[")
        services.append(
            f"virtual_server {words} {{\n delay_loop {DELAY_LOOP}\n lb_algo rr\n lb_kind NAT\n protocol TCP\n {alpha}"
            f"{servers}}}\n"
        )
    return "global_defs {\n script_user root\n checker_log_all_failures\n}\n" + tracked + "".join(services)


def _their_server(row: Row, places: Places) -> str:
    one = row.behaviour
    port = f" connect_port {one.port}\n" if row.is_elsewhere else ""
    limit = PATIENCE[0] if one.waits else PATIENCE[1]
    all_have = f"{port} connect_timeout {limit}\n retry 0\n delay_before_retry 1\n warmup 0"
    checker = places.filled(one.theirs.replace("%s", all_have), row, limit)
    return f" real_server {one.address} {row.port} {{\n weight {WEIGHT}\n {checker}\n }}\n"


def ours(table: Sequence[Row], places: Places, *, patience: tuple[int, int] = PATIENCE) -> str:
    """Return our configuration; patience: the limit of those that wait for silence, and of all others."""
    parts = [f'[global]\nscript_user = "root"\nstart_rate = {START_RATE}\n']
    for name, address in SERVICES.items():
        parts.append(
            f'[virtual_server.{name}]\naddress = "{address}"\nprotocol = "tcp"\nscheduler = "rr"\n'
            f'forward = "NAT"\nalpha = {"true" if name.startswith("alpha") else "false"}\n'
        )
        for row in sorted(table, key=_spread):
            if not row.is_of(name):
                continue
            parts.append(
                f'real_server.b{row.number} = {{ address = "{_endpoint(row)}", weight = {WEIGHT}, '
                f"check = {{ {_our_check(row, places, patience)} }} }}\n"
            )
    return "".join(parts)


def _spread(row: Row) -> int:
    """Mix the rows: programs take long to start there, and stand beside each other."""
    return row.number * 7919 % 1009


def _endpoint(row: Row) -> str:
    address, port = row.endpoint
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _our_check(row: Row, places: Places, patience: tuple[int, int]) -> str:
    one = row.behaviour
    limit = patience[0] if one.waits else patience[1]
    keys = [
        f'type = "{one.type.replace("https", "http")}"',
        f"delay_loop = {DELAY_LOOP}",
        f"connect_timeout = {limit}",
        "retry = 0",
    ]
    keys += ["warmup = 0", *([f"connect_port = {one.port}"] if row.is_elsewhere else [])]
    keys += [places.filled(one.ours, row, limit)] if one.ours else []
    return ", ".join(keys)


def verdicts(table: Sequence[Row], lines: Iterable[str]) -> dict[str, str]:
    """Return what the kernel's table, as `ipvsadm -Sn` writes it, says of each behaviour."""
    weights: dict[tuple[str, str, int], int] = {}
    for line in lines:
        if found := _LINE.match(line.strip()):
            weights[found[1], found[2], int(found[3])] = int(found[4])
    return {row.behaviour.key: _verdict(row, weights) for row in table}


def _verdict(row: Row, weights: dict[tuple[str, str, int], int]) -> str:
    alpha, plain = (weights.get((address, *row.endpoint)) for name, address in SERVICES.items() if row.is_of(name))
    if (alpha is None) is not (plain is None):
        return NONE
    return spoken(alpha is not None, alpha or 0)


def spoken(up: bool | None, weight: int) -> str:
    """Return a verdict as the record has it: `up`, `down`, `none`, or `up 12` where the weight is not as configured."""
    if up is None:
        return NONE
    if not up:
        return "down"
    return "up" if weight == WEIGHT else f"up {weight}"
