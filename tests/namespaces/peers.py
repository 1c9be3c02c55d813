"""Routers that nobody here wrote: Debian's keepalived and FRR's vrrpd, each on a host of a lab.

What FRR 8.4.4 does that one would not expect; the tests in `test_frr` hold it:

- It adds and removes no address. The addresses stand on macvlans that somebody else makes, one for each family, with
  the virtual MAC; whoever is not master has them in `protodown`, which takes their carrier. So `ip addr` shows the
  address on a backup as well, and a backup's kernel answers ARP for it by the interface below unless `arp_ignore` is 1.
- Killed, it leaves the macvlans up: nothing removes what a dead master held.
- It counts in whole centiseconds, cut off.
- A new master speaks when its macvlan has its carrier back, some milliseconds later, and over IPv6 one interval later:
  the first attempt finds no link-local address on the macvlan yet.
- It announces each address once, not in two blocks, and a master that hears an inferior one neither answers nor
  announces anything (RFC 5798 6.4.3 asks for neither, RFC 9568 and keepalived answer).
- A master of IPv6 addresses sends router advertisements for their prefix from the macvlan.
- Its checksums of version 3 over IPv4 count the pseudo-header, and it takes no other form.
"""

import json
import shutil
from collections.abc import Sequence
from typing import Any

from namespaces.lab import Host, ip
from namespaces.processes import Process
from namespaces.waiting import wait_until

FRR = "/usr/lib/frr"
MACVLANS = {4: "vrrp4-1", 6: "vrrp6-1"}
"""What FRR's documentation calls the interfaces of virtual router 1."""

KEEPALIVED_COMPLAINS = ("checksum", "mismatch", "invalid", "bogus", "received an", "incompatible", "unexpected")
FRR_COMPLAINS = ("datagram invalid", "but this VRRP instance has")
REAL_TIME = ("chrt", "--rr", "1")
"""How long a peer takes must not hang on what else this machine does."""


class Keepalived:
    """Debian's keepalived, its VRRP half alone, on a host of a lab.

    Args:
        host: where it runs.
        config_text: the whole of its keepalived.conf.
        details: write what it does at every step, and not only its moves.
    """

    def __init__(self, host: Host, config_text: str, *, details: bool = True) -> None:
        self.host = host
        self.options = ["-D"] if details else []
        self.folder = host.lab.folder / f"keepalived-{host.name}"
        self.folder.mkdir(exist_ok=True)
        self.config = self.folder / "keepalived.conf"
        self.config.write_text(config_text)
        self._instances = config_text.count("vrrp_instance ")
        self._process: Process | None = None

    def start(self) -> None:
        """Start it in the foreground, with its log on standard error."""
        files = ["-f", str(self.config), "-p", str(self.folder / "parent.pid"), "-r", str(self.folder / "vrrp.pid")]
        self._process = self.host.popen(["keepalived", "-n", "-l", "-G", "-P", *self.options, *files])

    @property
    def process(self) -> Process:
        """The parent process."""
        assert self._process is not None, "keepalived was not started"
        return self._process

    def log(self) -> str:
        """Return what it wrote until now."""
        return self.process.log()

    def complaints(self) -> list[str]:
        """Return the lines of its log that find something wrong with what it heard."""
        return [line for line in self.log().splitlines() if any(word in line.lower() for word in KEEPALIVED_COMPLAINS)]

    def wait_for_backup(self, *, within: float) -> None:
        """Wait until all its instances have been BACKUP once."""
        entered = "Entering BACKUP STATE"
        wait_until(lambda: self.log().count(entered) >= self._instances, within=within, what="keepalived's BACKUP")

    def stop(self) -> int:
        """Let it end in order, priority 0, addresses removed, and return its exit status."""
        return self.process.stop(within=10.0)

    def kill(self) -> None:
        """End all its processes at one moment; what they put into the kernel stays."""
        self.process.kill_group()
        self.process.wait(within=5.0)
        for path in self.folder.glob("*.pid"):  # nobody may have reaped the child yet: "daemon is already running"
            path.unlink()


class StandIn(Keepalived):
    """A keepalived in the place of ours: whether the two of them do what is asked of ours."""

    def wait_for_state(self, state: str, *, within: float, instance: str = "") -> None:
        """Wait until all instances have been in a state once."""
        entered = f"Entering {state} STATE"
        wait_until(lambda: self.log().count(entered) >= self._instances, within=within, what=f"keepalived's {state}")

    def errors(self) -> dict[str, int]:
        """Return nothing: what it counts it does not tell."""
        return {}

    def kill_machine(self) -> None:
        """Lose the machine: all its processes, and every frame from then on."""
        self.host.cut()
        self.kill()


class Frr:
    """FRR's zebra and vrrpd on a host of a lab, and the macvlans that they need. Its state is in the lab's folder.

    Args:
        host: where it runs.
        addresses: the virtual addresses `ADDRESS/PREFIX`, of one family or of both.
        priority: of the virtual router; FRR has one for both families.
        version: of VRRP.
        advert_int: in seconds; a multiple of 10 ms.
        link_local: of the macvlan that carries IPv6: adverts come from it. One that is derived from the virtual MAC
            would be the same on every router.
        more: further lines for the interface, such as `no vrrp 1 preempt`.
    """

    def __init__(
        self,
        host: Host,
        addresses: Sequence[str],
        *,
        priority: int,
        version: int = 3,
        advert_int: float = 1,
        link_local: str = "fe80::12/64",
        more: Sequence[str] = (),
    ) -> None:
        self.host, self._link_local = host, link_local
        self.folder = host.lab.folder / f"frr-{host.name}"
        self._families: dict[int, list[str]] = {}
        for address in addresses:
            self._families.setdefault(6 if ":" in address else 4, []).append(address)
        for family in self._families:
            self._make_macvlan(family)
        self._write(priority=priority, version=version, advert_int=advert_int, more=more)
        self._processes: dict[str, Process] = {}

    def start(self) -> None:
        """Start zebra, and vrrpd when zebra listens."""
        door = self.folder / "zserv.api"
        door.unlink(missing_ok=True)
        self._start("zebra")
        wait_until(door.exists, within=5.0, what="zebra to listen")
        self._start("vrrpd")

    def _start(self, name: str) -> None:
        files = ["-f", str(self.folder / f"{name}.conf"), "-i", str(self.folder / f"{name}.pid")]
        doors = ["-z", str(self.folder / "zserv.api"), "--vty_socket", str(self.folder), "-P", "0"]
        words = [*REAL_TIME, f"{FRR}/{name}", *files, *doors, "--log", "stdout", "--log-level", "debug"]
        self._processes[name] = self.host.popen(words)

    @property
    def process(self) -> Process:
        """The process of vrrpd."""
        assert "vrrpd" in self._processes, "FRR was not started"
        return self._processes["vrrpd"]

    def log(self) -> str:
        """Return what vrrpd wrote until now."""
        return self.process.log()

    def complaints(self) -> list[str]:
        """Return the lines of its log that find something wrong with what it heard."""
        return [line for line in self.log().splitlines() if any(word in line for word in FRR_COMPLAINS)]

    def show(self) -> dict[str, Any]:
        """Return the virtual router as `show vrrp json` has it."""
        (router,) = json.loads(self._vtysh("show vrrp json"))
        found: dict[str, Any] = router
        return found

    def configure(self, *lines: str) -> None:
        """Change its configuration while it runs."""
        self._vtysh("configure terminal", *lines)

    def _vtysh(self, *lines: str) -> str:
        words = ["vtysh", "--vty_socket", str(self.folder), *(word for line in lines for word in ("-c", line))]
        return self.host.run(words).stdout

    def wait_for_backup(self, *, within: float) -> None:
        """Wait until each family has been Backup."""
        wait_until(
            lambda: self.log().count("Initialize -> Backup") >= len(self._families), within=within, what="FRR's Backup"
        )

    def stop(self) -> int:
        """Let it end in order, priority 0, macvlans in protodown, and return an exit status."""
        statuses = [self._processes[name].stop(within=10.0) for name in ("vrrpd", "zebra")]
        return next(filter(None, statuses), 0)

    def kill(self) -> None:
        """End both at one moment; the macvlans stay as they are."""
        for process in self._processes.values():
            process.kill_group()
        for process in self._processes.values():
            process.wait(within=5.0)

    def _make_macvlan(self, family: int) -> None:
        """Make the interface with the virtual MAC (RFC 5798 7.3), unless FRR ran here before."""
        host, name = self.host.namespace, MACVLANS[family]
        if f" {name}@" in ip("-n", host, "link", "show"):
            return
        mac = f"00:00:5e:00:{1 if family == 4 else 2:02x}:01"
        ip("-n", host, "link", "add", name, "link", "eth0", "address", mac, "type", "macvlan", "mode", "bridge")
        ip("-n", host, "link", "set", "dev", name, "addrgenmode", "none")
        for address in self._families[family] + ([self._link_local] if family == 6 else []):
            self.host.add_address(address, name)
        ip("-n", host, "link", "set", name, "up", "protodown", "on")  # as FRR leaves it

    def _write(self, *, priority: int, version: int, advert_int: float, more: Sequence[str]) -> None:
        lines = [
            "debug vrrp packets",
            "debug vrrp protocol",
            "interface eth0",
            f"vrrp 1 version {version}",
            f"vrrp 1 priority {priority}",
            f"vrrp 1 advertisement-interval {round(advert_int * 1000)}",
            *more,
        ]
        for family, addresses in self._families.items():
            word = "ip" if family == 4 else "ipv6"
            lines += [f"vrrp 1 {word} {address.partition('/')[0]}" for address in addresses]
        self.host.lab.folder.chmod(0o755)  # it gives up root for the user frr
        self.folder.mkdir(exist_ok=True)
        (self.folder / "vrrpd.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "zebra.conf").write_text("hostname peer\n")
        for path in (self.folder, *self.folder.iterdir()):
            shutil.chown(path, "frr", "frr")
