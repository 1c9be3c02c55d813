"""Pings in a network namespace of its own, as the checker does, and prints what was found. `unshare --net` runs it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from stayalived.addresses import Endpoint
from stayalived.checker.echo import Pinger, open_echo_sockets
from stayalived.plugin import Target
from stayalived.plugin.testing import run_check, target_for
from stayalived.timing import milliseconds
from stayalived_plugins.checks.ping import PingCheck

GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
IGNORE = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")
COMMANDS = (
    "link set lo up",
    "address add 192.0.2.1/32 dev lo",
    "address add 192.0.2.2/32 dev lo",
    "address add 192.0.2.3/32 dev lo",
    "address add 2001:db8::1/128 dev lo nodad",
    "address add 2001:db8::3/128 dev lo nodad",
    "route add unreachable 198.51.100.0/24",
)

REFUSALS = """
table inet refusing { chain input {
    type filter hook input priority 0
    ip daddr 192.0.2.3 icmp type echo-request reject with icmp type host-unreachable
    ip6 daddr 2001:db8::3 icmpv6 type echo-request reject with icmpv6 type addr-unreachable
}
}
"""


def aim(address: str, **source: str) -> Target:
    return replace(target_for(Endpoint(address, 0), connect_timeout=milliseconds(200)), **source)


def prepare() -> None:
    for command in COMMANDS:
        subprocess.run(["ip", *command.split()], check=True)
    subprocess.run(["nft", "-f", "-"], input=REFUSALS, text=True, check=True)


def open_all(found: dict[str, Any]) -> tuple[socket.socket, ...]:
    """Open as root, then be nobody's group, as the checker is: what was opened stays open."""
    before = GROUPS.read_text()
    sockets = open_echo_sockets()
    found.update(sockets=len(sockets), restored=GROUPS.read_text() == before)
    os.setgid(65534)
    return sockets


def fall_silent() -> None:
    IGNORE.write_text("1")


async def beside_others(pinger: Pinger) -> list[str]:
    """Return the ends of requests of which each second one is refused: an error goes to nobody else's request."""
    targets = [aim("192.0.2.1"), aim("192.0.2.3")] * 50
    ends = await asyncio.gather(*(pinger.ping(target, b"x") for target in targets), return_exceptions=True)
    return sorted({f"{target.endpoint.address}: {end}" for target, end in zip(targets, ends, strict=True)})


async def main() -> dict[str, Any]:
    found: dict[str, Any] = {}
    pinger = Pinger(open_all(found))
    check = PingCheck(PingCheck.Options())

    async def ask(name: str, target: Target) -> None:
        try:
            found[name] = str(await run_check(check, target, ping=pinger.ping))
        except OSError as error:
            found[name] = f"local: {error}"

    await ask("IPv4", aim("192.0.2.1"))
    await ask("IPv6", aim("2001:db8::1"))
    await ask("source", aim("192.0.2.1", bindto="192.0.2.2"))
    await ask("interface", aim("192.0.2.1", bind_if="lo"))
    await ask("no such source", aim("192.0.2.1", bindto="203.0.113.7"))
    await ask("no such interface", aim("192.0.2.1", bind_if="eth9"))
    await ask("no route", aim("203.0.113.1"))
    await ask("no way", aim("198.51.100.1"))
    await asyncio.gather(*(pinger.ping(aim("192.0.2.1"), b"one of many") for _ in range(200)))
    await ask("refused", aim("192.0.2.3"))
    await ask("refused, IPv6", aim("2001:db8::3"))
    found["beside"] = await beside_others(pinger)
    fall_silent()
    await ask("silent", aim("192.0.2.1"))
    pinger.close()
    await ask("closed", aim("192.0.2.1"))
    return found


if __name__ == "__main__":
    prepare()
    sys.stdout.write(json.dumps(asyncio.run(main())))
