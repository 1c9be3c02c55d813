"""VRRP side by side with keepalived: what an advert costs its sender and its hearer, and what the processes weigh.

    PYTHONPATH=core:plugins:tests python bench/vrrp.py [--routers 200] [--seconds 10]

Two hosts on one wire: one runs stayalived, the other keepalived, and either is MASTER of all routers in turn. Both are
measured at the same time, processor time from /proc/PID/schedstat, memory as PSS. Read the ratios: the figures
themselves are this machine's. The hearers do not hear the same: stayalived's adverts of many routers leave together,
keepalived's one by one, and a hearer pays for each time it is woken. Needs root.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from namespaces import daemon, peers
from namespaces.lab import Lab, ip
from namespaces.waiting import quiet_for, wait_until

SETTLING = 60.0
"""Seconds until every router must have its master."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Processor time in nanoseconds and proportional memory in KiB of all processes of one program."""

    processor: int
    memory: int


def processes(group: int) -> list[int]:
    """Return the processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[2]) == group:
            found.append(int(stat.parent.name))
    return found


def usage(group: int) -> Usage:
    """Return what the processes of a group have used until now."""
    processor = memory = 0
    for pid in processes(group):
        processor += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        memory += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return Usage(processor=processor, memory=memory)


def address(number: int) -> str:
    """Return the virtual address of a router."""
    return f"198.51.100.{number}"


def ours(routers: int, priority: int) -> str:
    """Return the conf.d file of all instances."""
    return "\n".join(
        daemon.vrrp_instance(f"{address(n)}/32", priority=priority, advert_int=1, virtual_router_id=n, name=f"site{n}")
        for n in range(1, routers + 1)
    )


def theirs(routers: int, priority: int) -> str:
    """Return the keepalived.conf of all instances."""
    instances = "".join(
        f"vrrp_instance site{n} {{ interface eth0\n version 3\n virtual_router_id {n}\n priority {priority}\n"
        f" advert_int 1\n virtual_ipaddress {{ {address(n)}/32 }} }}\n"
        for n in range(1, routers + 1)
    )
    return f"global_defs {{ router_id peer\n vrrp_version 3 }}\n{instances}"


def measure(routers: int, seconds: float, *, we_send: bool) -> tuple[Usage, Usage]:
    """Return what stayalived and keepalived used in so many seconds, one of them MASTER of all routers."""
    with Lab() as lab:
        we, they = lab.host("we", "192.0.2.1/24"), lab.host("they", "192.0.2.2/24")
        better, worse = 200, 100
        stayalived = daemon.Daemon(we, {"10-vrrp.toml": ours(routers, better if we_send else worse)})
        keepalived = peers.Keepalived(they, theirs(routers, worse if we_send else better))
        stayalived.start()
        keepalived.start()
        host = we if we_send else they
        wait_until(
            lambda: ip("-o", "-n", host.namespace, "address", "show", "dev", "eth0").count("198.51.100.") == routers,
            within=SETTLING,
            what=f"{host.name} to hold {routers} addresses",
        )
        quiet_for(8.0)  # until the second announcements are over
        groups = (stayalived.process.pid, keepalived.process.pid)
        before = [usage(group) for group in groups]
        quiet_for(seconds)
        after = [usage(group) for group in groups]
        spent = [
            Usage(processor=b.processor - a.processor, memory=b.memory) for a, b in zip(before, after, strict=True)
        ]
        stayalived.stop()
        keepalived.process.kill_group()
        return spent[0], spent[1]


def main() -> None:
    """Measure both roles and print figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routers", type=int, default=200, choices=range(1, 256), metavar="1..255")
    parser.add_argument("--seconds", type=float, default=10.0)
    words = parser.parse_args()
    adverts = words.routers * words.seconds
    sending, hearing_peer = measure(words.routers, words.seconds, we_send=True)
    hearing, sending_peer = measure(words.routers, words.seconds, we_send=False)
    rows = (
        ("advert sent, us", sending.processor / adverts / 1000, sending_peer.processor / adverts / 1000),
        ("advert heard, us", hearing.processor / adverts / 1000, hearing_peer.processor / adverts / 1000),
        ("memory, MiB (PSS)", sending.memory / 1024, sending_peer.memory / 1024),
    )
    print(f"{words.routers} routers, {words.seconds:g} s     stayalived  keepalived  ratio")
    for name, mine, other in rows:
        print(f"{name:<26} {mine:10.1f} {other:11.1f} {mine / other:6.2f}")


if __name__ == "__main__":
    main()
