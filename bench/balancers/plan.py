"""The site as data, and as the configuration of each program. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

SERVICES, SERVERS = 2277, 37205
PER_FILE = 100
"""Virtual servers in one file: a site of this size does not keep them all in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """One real server."""

    name: str
    address: str
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Virtual:
    """One virtual server, TCP, weighted round robin, direct routing, without checks."""

    name: str
    address: str
    servers: tuple[Real, ...]


Plan = tuple[Virtual, ...]


def plan(services: int = SERVICES, servers: int = SERVERS) -> Plan:
    """Return a site in which the servers are spread evenly."""
    return tuple(_virtual(number, services, servers) for number in range(services))


def _virtual(number: int, services: int, servers: int) -> Virtual:
    first, end = number * servers // services, (number + 1) * servers // services
    reals = tuple(Real(name=f"r{each}", address=_address(128, each)) for each in range(first, end))
    return Virtual(name=f"v{number}", address=_address(64, number), servers=reals)


def with_one_weight(site: Plan) -> Plan:
    """Return the site with another weight of one server."""
    middle = len(site) // 2
    first, *others = site[middle].servers
    changed = replace(site[middle], servers=(replace(first, weight=7), *others))
    return (*site[:middle], changed, *site[middle + 1 :])


def with_others(site: Plan, share: int = 10) -> Plan:
    """Return the site with every tenth server replaced by one of another address."""
    return tuple(replace(virtual, servers=tuple(_other(real, share) for real in virtual.servers)) for virtual in site)


def _other(real: Real, share: int) -> Real:
    number = int(real.name[1:])
    if number % share:
        return real
    return replace(real, name=f"n{number}", address=_address(192, number))


def _address(block: int, number: int) -> str:
    return f"10.{block + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def table(site: Plan) -> set[str]:
    """Return the site as `ipvsadm -Sn` prints it."""
    lines = set()
    for virtual in site:
        lines.add(f"-A -t {virtual.address}:80 -s wrr")
        lines |= {f"-a -t {virtual.address}:80 -r {real.address}:80 -g -w {real.weight}" for real in virtual.servers}
    return lines


def tomls(site: Plan) -> dict[str, str]:
    """Return a conf.d: text by name of the file."""
    files = {"00-global.toml": '[global]\nlog = "stderr"\n'}
    for start in range(0, len(site), PER_FILE):
        part = site[start : start + PER_FILE]
        files[f"{20 + start // PER_FILE:03}-services.toml"] = "".join(map(_toml, part))
    return files


def _toml(virtual: Virtual) -> str:
    head = (
        f'[virtual_server.{virtual.name}]\naddress = "{virtual.address}:80"\nprotocol = "tcp"\nscheduler = "wrr"\n'
        'forward = "DR"\n'
    )
    return head + "".join(
        f'[virtual_server.{virtual.name}.real_server.{real.name}]\naddress = "{real.address}"\nweight = {real.weight}\n'
        for real in virtual.servers
    )


def keepalived_confs(site: Plan) -> dict[str, str]:
    """Return the same for keepalived, in as many files."""
    files = {"keepalived.conf": "global_defs {\n router_id bench\n}\ninclude part-*.conf\n"}
    for start in range(0, len(site), PER_FILE):
        part = site[start : start + PER_FILE]
        files[f"part-{start // PER_FILE:03}.conf"] = "".join(line for virtual in part for line in _block(virtual))
    return files


def _block(virtual: Virtual) -> Iterator[str]:
    yield f"virtual_server {virtual.address} 80 {{\n lb_algo wrr\n lb_kind DR\n protocol TCP\n"
    for real in virtual.servers:
        yield f" real_server {real.address} 80 {{\n  weight {real.weight}\n }}\n"
    yield "}\n"
