"""The programs that are compared: how each is told what to do, started and killed. I/O."""

import json
import time
from collections.abc import Iterator
from typing import Protocol

from namespaces.daemon import Daemon
from namespaces.lab import Host
from namespaces.peers import Keepalived
from routers.plan import Plan, Router

GARP_DELAY = 5
"""Seconds from the first announcements after a takeover to the second ones: keepalived's default, named for both."""


class Stack(Protocol):
    """One program on one host."""

    def __init__(self, host: Host, plan: Plan, priority: int) -> None: ...

    def read(self) -> float:
        """Let it read its configuration, do nothing else, and return the seconds that it took."""
        ...

    def launch(self) -> None:
        """Start it and return at once."""
        ...

    @property
    def group(self) -> int:
        """Its process group."""
        ...

    def kill(self) -> None:
        """End all its processes at one moment; what they put into the kernel stays."""
        ...

    def stop(self) -> None:
        """Let it end in order."""
        ...

    def log(self) -> str:
        """Return what it wrote until now."""
        ...


class Ours:
    """`stayalived run` with one file of all instances."""

    def __init__(self, host: Host, plan: Plan, priority: int) -> None:
        self._daemon = Daemon(
            host, {"00-global.toml": '[global]\nlog = "stderr"\n', "10-vrrp.toml": toml(plan, priority)}
        )

    def read(self) -> float:
        return _timed(self._daemon.host, [*self._daemon.program, "check", "--config", str(self._daemon.conf_d)])

    def launch(self) -> None:
        self._daemon.launch()

    @property
    def group(self) -> int:
        return self._daemon.process.pid

    def kill(self) -> None:
        self._daemon.process.kill_group()
        self._daemon.process.wait(within=10.0)

    def stop(self) -> None:
        self._daemon.stop(within=60.0)

    def log(self) -> str:
        return self._daemon.log()


class Theirs:
    """keepalived with its VRRP process alone, writing a line for each move as ours does."""

    def __init__(self, host: Host, plan: Plan, priority: int) -> None:
        self._daemon = Keepalived(host, keepalived_conf(plan, priority), details=False)

    def read(self) -> float:
        return _timed(self._daemon.host, ["keepalived", "-t", "-f", str(self._daemon.config)])

    def launch(self) -> None:
        self._daemon.start()

    @property
    def group(self) -> int:
        return self._daemon.process.pid

    def kill(self) -> None:
        self._daemon.kill()

    def stop(self) -> None:
        self._daemon.process.stop(within=60.0)

    def log(self) -> str:
        return self._daemon.log()


def _timed(host: Host, words: list[str]) -> float:
    begun = time.monotonic()
    host.run(words)
    return time.monotonic() - begun


OURS, THEIRS = "stayalived", "keepalived"
STACKS: dict[str, type[Ours] | type[Theirs]] = {OURS: Ours, THEIRS: Theirs}


def toml(plan: Plan, priority: int) -> str:
    """Return a conf.d file with all virtual routers."""
    return "\n".join(line for router in plan for line in _table(router, plan, priority))


def _table(router: Router, plan: Plan, priority: int) -> Iterator[str]:
    yield f"[vrrp_instance.{router.name}]"
    yield f'interface = "{router.interface}"'
    yield f"virtual_router_id = {router.number}"
    yield f"priority = {priority}"
    yield f"advert_int = {plan.interval}"
    yield f"version = {plan.version}"
    yield f"garp_master_delay = {GARP_DELAY}"
    yield f"virtual_ipaddress = {json.dumps([router.address])}"
    if router.excluded:
        yield f"virtual_ipaddress_excluded = {json.dumps(router.excluded)}"


def keepalived_conf(plan: Plan, priority: int) -> str:
    """Return a keepalived.conf with all virtual routers."""
    head = f"global_defs {{\n router_id bench\n vrrp_version {plan.version}\n vrrp_garp_master_delay {GARP_DELAY}\n}}\n"
    return head + "".join(_block(router, plan, priority) for router in plan)


def _block(router: Router, plan: Plan, priority: int) -> str:
    excluded = "".join(f"  {address}\n" for address in router.excluded)
    return (
        f"vrrp_instance {router.name} {{\n interface {router.interface}\n version {plan.version}\n"
        f" virtual_router_id {router.number}\n priority {priority}\n advert_int {plan.interval:g}\n"
        f" virtual_ipaddress {{\n  {router.address}\n }}\n"
        + (f" virtual_ipaddress_excluded {{\n{excluded} }}\n" if excluded else "")
        + "}\n"
    )
