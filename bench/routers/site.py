"""Two hosts on many links, and what of them can be seen from outside. I/O."""

import json
from collections.abc import Mapping

from namespaces.lab import Host, Lab, Segment, ip
from namespaces.waiting import TooLate, wait_until
from routers import kernel
from routers.ear import Ear
from routers.plan import FIRST, SECOND, Plan

LOOK = 0.5
"""Seconds from one look at the addresses of a host to the next: a look at 4,000 takes about 10 ms."""


class Site:
    """Hosts and links of a scenario.

    Attributes:
        plan: the virtual routers that will be on them.
        links: each a bridge in a namespace of its own.
        hosts: by name.
        macs: the hardware addresses of a host by link.
    """

    def __init__(self, lab: Lab, plan: Plan) -> None:
        self.plan = plan
        self.links: list[Segment] = [lab.segment(f"l{place}") for place in range(plan.links)]
        self.hosts = {name: self._host(lab, name) for name in (FIRST, SECOND)}
        self.macs = {
            name: {place: bytes.fromhex(host.mac(f"eth{place}").replace(":", "")) for place in range(plan.links)}
            for name, host in self.hosts.items()
        }

    def _host(self, lab: Lab, name: str) -> Host:
        host = lab.host(name, self.plan.own(0, name), segment=self.links[0])
        for place, link in list(enumerate(self.links))[1:]:
            host.attach(link, f"eth{place}", self.plan.own(place, name))
        return host

    def listen(self, only: str = "") -> Ear:
        """Begin to hear all links; the adverts of one host alone when it is named."""
        return Ear(self.links, self.macs[only] if only else None)

    def held(self, name: str) -> int:
        """Return how many virtual addresses a host has."""
        return len(kernel.virtual_addresses(self.hosts[name]))

    def made(self, name: str) -> Mapping[str, int]:
        """Return when each virtual address of a host was made (ns, wall clock)."""
        return kernel.moments(self.hosts[name])

    def wait_for_addresses(self, master: str, within: float) -> bool:
        """Wait until one host has all virtual addresses and the other none; returns whether that came about."""
        other = SECOND if master == FIRST else FIRST

        def settled() -> bool:
            return self.held(master) == self.plan.addresses and self.held(other) == 0

        try:
            wait_until(settled, within=within, what="addresses", glance=LOOK)
        except TooLate:
            return False
        return True

    def sent(self, name: str) -> int:
        """Return how many frames a host has sent: in peace these are adverts and nothing else."""
        total = 0
        for segment, port in self.hosts[name].cables.values():
            (row,) = json.loads(ip("-n", segment.namespace, "-s", "-j", "link", "show", "dev", port))
            total += row["stats64"]["rx"]["packets"]
        return total

    def cut(self, name: str) -> None:
        """Take a host off all links."""
        for interface in self.hosts[name].cables:
            self.hosts[name].cut(interface)
