"""The site of what users of keepalived have reported: instances of a test's own, and a keepalived that waits."""

import time
from functools import partial

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.kinds import Kind
from namespaces.lab import Lab
from namespaces.ownership import AddressMonitor
from namespaces.rivals import VIP4, VIP6, Rivals

ADVERT = 0.2
OTHER = "192.0.2.200/24"
KIND = Kind(version=3, addresses=(VIP4, VIP6), advert_int=ADVERT)
HIGH, LOW = 200, 100

# One block of announcements: a second one would come while something else is looked at.
written = partial(vrrp_instance, advert_int=ADVERT, garp_master_delay=0)


class Site(Rivals):
    """Ours runs instances of a test's own, keepalived has one of the addresses `VIP4` and `VIP6` and waits."""

    def __init__(self, lab: Lab, *texts: str) -> None:
        super().__init__(lab, KIND)
        self.daemon = self.ours = Daemon(self.tic, files(*texts))
        self.daemon.start()

    def settle(self, *, alone: bool = False) -> None:
        """Let keepalived wait for us, unless we are to be alone, and begin to look from then on."""
        self.daemon.wait_for_state("MASTER", within=5.0)
        if not alone:
            self.start("peer", LOW)
            self.theirs.wait_for_backup(within=5.0)
        self.wait_for_master("tic")
        self.wait_for_adverts("tic", 2)
        self.monitor = AddressMonitor(self.tic)
        self.begun = time.time_ns()

    def reload(self, *texts: str, master: str = "tic") -> None:
        """Let ours take other instances over, and look on for some adverts of the master."""
        self.daemon.write(files(*texts))
        done = self.daemon.reload()
        assert done.returncode == 0, done.stderr
        self.wait_for_adverts(master, 4)

    def announced(self) -> set[str]:
        """Return what ours has announced since `settle`."""
        packets = (packet for packet in self.wire.packets() if packet.time > self.begun and packet.sender == "tic")
        return {packet.gratuitous() for packet in packets} - {""}

    def check_that_nobody_noticed(self) -> None:
        """No advert of `site` is missing, keepalived has said nothing, no address of it has come or gone."""
        assert [] == self.wire.adverts("peer", self.begun)
        assert [] == self.monitor.changes(VIP4, VIP6)
        for router in KIND.routers:
            assert max(self.gaps("tic", router, self.begun)) < 2 * ADVERT


def files(*texts: str) -> dict[str, str]:
    return {f"1{number}.toml": text for number, text in enumerate(texts)}


def site_text(priority: int = HIGH) -> str:
    return written(VIP4, VIP6, priority=priority)


def other_text(*more: str) -> str:
    return written(OTHER, *more, name="other", virtual_router_id=2, priority=HIGH)
