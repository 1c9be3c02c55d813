"""Hosts and cables made of network namespaces: the kit that every lab uses.

    with Lab() as lab:
        tic = lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")
        tac = lab.host("tac", "192.0.2.2/24", "2001:db8::2/64")
        wire = lab.lan.capture()
        tac.run(["ping", "-c1", "192.0.2.1"])

A host is a namespace, a segment is a bridge in a namespace of its own, a cable is a veth pair made between the two:
nothing is ever created in the machine's own namespace. Names carry the process id and a counter, so labs run beside
one another, and what was made is removed by name even when the test failed. Addresses may repeat from lab to lab.
"""

import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from namespaces.capture import Capture, packet_socket
from namespaces.processes import Process
from namespaces.waiting import wait_until

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
LIMIT = 30.0
"""Seconds that one command of the lab may take."""

Value = TypeVar("Value")
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*words: str) -> str:
    """Run iproute2 and return what it printed.

    Raises:
        AssertionError: it failed; the text says why. A lab that cannot be built fails its test.
    """
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}"
    return done.stdout


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Put the calling thread into a namespace for the length of a block; sockets made there stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _move(there)
        yield
    finally:
        _move(home)
        os.close(there)
        os.close(home)


def enter(namespace: str) -> None:
    """Put the calling thread into a namespace for good: what a forked child does."""
    there = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    _move(there)
    os.close(there)


def _move(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """A named network namespace."""

    def __init__(self, lab: "Lab", name: str) -> None:
        self.lab, self.name = lab, name
        self.namespace = f"sa{os.getpid()}-{next(_numbers)}-{name}"
        ip("netns", "add", self.namespace)
        ip("-n", self.namespace, "link", "set", "lo", "up")

    def inside(self) -> Any:
        """Return a context manager: what the calling thread opens in its block belongs to this namespace."""
        return entered(self.namespace)

    def sysctl(self, name: str, value: object) -> None:
        """Set a sysctl of the namespace: `net.ipv4.ip_forward`."""
        with self.inside():
            Path("/proc/sys", *name.split(".")).write_text(str(value))

    def run(
        self, argv: Sequence[str], *, check: bool = True, within: float = LIMIT, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program here to its end.

        Raises:
            AssertionError: it failed and `check` is set; the text has what it wrote.
        """
        command = ["ip", "netns", "exec", self.namespace, *argv]
        done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False, **options)
        assert not check or done.returncode == 0, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def popen(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Process:
        """Start a program here; it is killed with its group when the lab ends. What it writes is `Process.log()`."""
        command = ["ip", "netns", "exec", self.namespace, *argv]
        process = Process.start(command, self.lab.folder, f"{self.name}-{Path(argv[0]).name}", env=env, cwd=cwd)
        self.lab.keep(process)
        return process

    def fork(self, function: Any, name: str = "child") -> Process:
        """Fork this interpreter and run a function in the child, here; its exceptions end in `Process.log()`."""

        def run() -> None:
            enter(self.namespace)
            function()

        process = Process.fork(run, self.lab.folder, f"{self.name}-{name}")
        self.lab.keep(process)
        return process

    def remove(self) -> None:
        """Kill what still runs here, then remove the namespace and all that is in it."""
        for pid in map(int, ip("netns", "pids", self.namespace).split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ip("netns", "del", self.namespace)


class Segment(Namespace):
    """A wire: a bridge without snooping, spanning tree or addresses of its own."""

    BRIDGE = "br0"

    def __init__(self, lab: "Lab", name: str) -> None:
        super().__init__(lab, name)
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        settings = ("mcast_snooping", "0", "stp_state", "0", "forward_delay", "0")
        ip("-n", self.namespace, "link", "add", self.BRIDGE, "type", "bridge", *settings)
        ip("-n", self.namespace, "link", "set", self.BRIDGE, "up")
        self.ports: dict[str, str] = {}

    def capture(self, *, everything: bool = False) -> Capture:
        """Begin to record what hosts send onto this wire. `Packet.sender` is the host's name.

        Frames of a host that was `cut` are recorded too: they left it, though nobody heard them.
        """
        with self.inside():
            sock = packet_socket()
        return self.lab.keep(Capture(sock, self.ports, everything=everything))


class Host(Namespace):
    """A machine on one or more segments. `eth0` is its first interface, on the segment it was made for."""

    def __init__(self, lab: "Lab", name: str, *, duplicate_detection: bool = False) -> None:
        super().__init__(lab, name)
        if not duplicate_detection:
            for scope in ("all", "default"):
                self.sysctl(f"net.ipv6.conf.{scope}.accept_dad", 0)
                self.sysctl(f"net.ipv6.conf.{scope}.dad_transmits", 0)
        self.cables: dict[str, tuple[Segment, str]] = {}
        self.cut_off: set[str] = set()

    def attach(self, segment: Segment, interface: str, *addresses: str) -> None:
        """Plug a new interface into a segment and give it addresses."""
        port = f"p{len(segment.ports)}-{self.name}"[:15]
        make = ("link", "add", port, "type", "veth", "peer", "name", interface, "netns", self.namespace)
        ip("-n", segment.namespace, *make)
        ip("-n", segment.namespace, "link", "set", port, "master", Segment.BRIDGE, "up")
        segment.ports[port] = self.name
        self.cables[interface] = (segment, port)
        ip("-n", self.namespace, "link", "set", interface, "up")
        for address in addresses:
            self.add_address(address, interface)
        self._wait_for_link_local(interface)

    def add_address(self, address: str, interface: str = "eth0") -> None:
        """Give an interface an address `ADDRESS/PREFIX`."""
        ip("-n", self.namespace, "address", "add", address, "dev", interface, *(("nodad",) if ":" in address else ()))

    def addresses(self, interface: str = "eth0", *, link_local: bool = False) -> set[str]:
        """Return what `ip -j addr` says the interface carries: `{"192.0.2.1/24", …}`."""
        rows = json.loads(ip("-j", "-n", self.namespace, "address", "show", "dev", interface))
        return {
            f"{entry['local']}/{entry['prefixlen']}"
            for row in rows
            for entry in row.get("addr_info", ())
            if link_local or entry["scope"] != "link"
        }

    def wait_for_address(
        self, address: str, *, present: bool = True, within: float = 5.0, interface: str = "eth0"
    ) -> None:
        """Wait until an address `ADDRESS/PREFIX` is on the interface, or no longer.

        Raises:
            TooLate: the limit in seconds is over.
        """
        wait_until(
            lambda: (address in self.addresses(interface, link_local=True)) == present,
            within=within,
            what=f"{address} {'on' if present else 'to leave'} {self.name}",
        )

    def mac(self, interface: str = "eth0") -> str:
        """Return the hardware address of an interface."""
        return str(json.loads(ip("-j", "-n", self.namespace, "link", "show", "dev", interface))[0]["address"])

    def link(self, *, up: bool, interface: str = "eth0") -> None:
        """Set an interface administratively up or down on the host itself."""
        ip("-n", self.namespace, "link", "set", interface, "up" if up else "down")

    def plug(self, *, into: bool, interface: str = "eth0") -> None:
        """Pull the cable out or put it back: the host sees its carrier go or come."""
        segment, port = self.cables[interface]
        ip("-n", segment.namespace, "link", "set", port, "up" if into else "down")

    def cut(self, interface: str = "eth0") -> None:
        """Let the switch lose every frame of this host, both ways; it keeps its carrier and does not notice."""
        segment, port = self.cables[interface]
        ip("-n", segment.namespace, "link", "set", port, "nomaster")
        self.cut_off.add(interface)

    def heal(self, interface: str = "eth0") -> None:
        """Undo `cut`."""
        segment, port = self.cables[interface]
        ip("-n", segment.namespace, "link", "set", port, "master", Segment.BRIDGE)
        self.cut_off.discard(interface)

    def capture(self, interface: str = "eth0", *, everything: bool = False, outgoing: bool = False) -> Capture:
        """Begin to record what reaches this host by an interface, or with `outgoing` what leaves it."""
        with self.inside():
            sock = packet_socket()
        return self.lab.keep(Capture(sock, {interface: self.name}, everything=everything, outgoing=outgoing))

    def _wait_for_link_local(self, interface: str) -> None:
        def ready() -> bool:
            rows = json.loads(ip("-j", "-n", self.namespace, "-6", "address", "show", "dev", interface))
            entries = [entry for row in rows for entry in row.get("addr_info", ())]
            return bool(entries) and not any(entry.get("tentative") for entry in entries)

        wait_until(ready, within=5.0, what=f"the link-local address of {self.name}")


class Lab:
    """A site that exists for the length of a `with` block."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._namespaces: list[Namespace] = []
        self._lan: Segment | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="stayalived-lab-"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as everything:  # each step is taken even when another fails
            everything.callback(shutil.rmtree, self.folder)
            for namespace in self._namespaces:
                everything.callback(namespace.remove)
            for kept in self._kept:
                everything.callback(kept.close)

    @property
    def lan(self) -> Segment:
        """The segment that hosts are on unless they say otherwise."""
        if self._lan is None:
            self._lan = self.segment("lan")
        return self._lan

    def segment(self, name: str) -> Segment:
        """Make another wire."""
        return self._own(Segment(self, name))

    def host(
        self, name: str, *addresses: str, segment: Segment | None = None, duplicate_detection: bool = False
    ) -> Host:
        """Make a host with `eth0` on a segment (the `lan`) and these addresses `ADDRESS/PREFIX`."""
        wire = segment or self.lan
        host = self._own(Host(self, name, duplicate_detection=duplicate_detection))
        host.attach(wire, "eth0", *addresses)
        return host

    def keep(self, thing: Value) -> Value:
        """Close a thing when the lab ends."""
        self._kept.append(thing)
        return thing

    def processes(self) -> list[Process]:
        """Return what was started in this lab, ended or not."""
        return [kept for kept in self._kept if isinstance(kept, Process)]

    def _own(self, namespace: Any) -> Any:
        self._namespaces.append(namespace)
        return namespace
