"""From the same configuration, with `alpha = false`, the kernel's table is line by line that of keepalived."""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from namespaces.waiting import wait_until
from stayalived.addresses import Endpoint, Family
from stayalived.config.model import Forwarding, VirtualServer
from stayalived.kernel.ipvs import LinuxIpvs
from stayalived.timing import seconds
from unit.ipvs.build import DR, NAT, TUN, Director, configuration, server, service

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq")
METHODS = {"NAT": NAT, "DR": DR, "TUN": TUN}
ADDRESSES = {
    Family.IPV4: ("198.51.100.1", ("192.0.2.10", "192.0.2.11")),
    Family.IPV6: ("2001:db8::1", ("2001:db8:1::10", "2001:db8:1::11")),
}
LIMIT = 30.0

GUE = Forwarding(method="TUN", tunnel="gue", port=6080, checksum="csum")
GRE = Forwarding(method="TUN", tunnel="gre", port=0, checksum="")


def table() -> list[str]:
    done = subprocess.run(["ipvsadm", "-Sn"], check=True, capture_output=True, text=True)
    return sorted(line.strip() for line in done.stdout.splitlines())


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    subprocess.run(["ipvsadm", "-C"], check=True)
    yield
    subprocess.run(["ipvsadm", "-C"], check=True)


def of_keepalived(text: str, lines: int, folder: Path) -> list[str]:
    """Return the table that keepalived makes, and leave an empty one."""
    file = folder / "keepalived.conf"
    file.write_text(text)
    words = ["keepalived", "--dont-fork", "--log-console", "--check", "--use-file", str(file)]
    words += ["--pid", str(folder / "pid"), "--checkers_pid", str(folder / "checkers_pid")]
    with (folder / "log").open("wb") as log:
        peer = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        what = f"{lines} lines of keepalived; {(folder / 'log').read_text()}"
        wait_until(lambda: len(table()) >= lines, within=LIMIT, what=what)
        return table()
    finally:
        peer.send_signal(signal.SIGTERM)
        peer.wait(LIMIT)
        subprocess.run(["ipvsadm", "-C"], check=True)


def of_ours(*services: VirtualServer) -> list[str]:
    """Return the table that our engine makes in this kernel."""
    kernel = LinuxIpvs()
    director = Director(kernel=kernel)  # type: ignore[arg-type]  # the real one in place of the one in memory
    director.start(configuration(*services))
    kernel.close()
    return table()


def test_every_scheduler_method_family_and_protocol(tmp_path: Path) -> None:
    ours, theirs = [], []
    combinations = itertools.product(SCHEDULERS, METHODS, Family, ("tcp", "udp"))
    for port, (scheduler, method, family, protocol) in enumerate(combinations, 1000):
        virtual, real = ADDRESSES[family]
        servers = [
            server(name, str(Endpoint(address, port)), weight=weight, forward=METHODS[method], alpha=False)
            for name, address, weight in (("one", real[0], 1), ("two", real[1], 3))
        ]
        address = str(Endpoint(virtual, port))
        ours.append(
            service(*servers, name=f"s{port}", addresses=[address], protocol=protocol, scheduler=scheduler, alpha=False)
        )
        theirs.append(
            f"virtual_server {virtual} {port} {{\n"
            f" lb_algo {scheduler}\n lb_kind {method}\n protocol {protocol.upper()}\n"
            f" real_server {real[0]} {port} {{\n  weight 1\n }}\n"
            f" real_server {real[1]} {port} {{\n  weight 3\n }}\n}}\n"
        )

    expected = of_keepalived("".join(theirs), 3 * len(theirs), tmp_path)

    assert 10 * 3 * 2 * 2 * 3 == len(expected)
    assert expected == of_ours(*ours)


SPECIAL = [
    (
        "persistence_timeout 300\n persistence_granularity 255.255.255.0\n lb_kind NAT",
        {"persistence_timeout": seconds(300), "persistence_granularity": 24},
        NAT,
    ),
    ("lb_kind TUN type gue port 6080 csum", {}, GUE),
    ("lb_kind TUN type gre", {}, GRE),
    ("flag-1\n flag-2\n lb_kind DR", {"scheduler_flags": ("flag-1", "flag-2")}, DR),
]


@pytest.mark.parametrize(("words", "settings", "forward"), SPECIAL, ids=["persistence", "gue", "gre", "flags"])
def test_special_settings(words: str, settings: dict[str, object], forward: Forwarding, tmp_path: Path) -> None:
    text = (
        f"virtual_server 198.51.100.1 80 {{\n lb_algo sh\n {words}\n protocol TCP\n"
        " real_server 192.0.2.10 8080 {\n  weight 2\n }\n}\n"
    )
    one = server("one", "192.0.2.10:8080", weight=2, forward=forward, alpha=False)

    expected = of_keepalived(text, 2, tmp_path)

    assert expected == of_ours(service(one, addresses=["198.51.100.1:80"], scheduler="sh", alpha=False, **settings))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", Family)
def test_marks(method: str, family: Family, tmp_path: Path) -> None:
    _, real = ADDRESSES[family]
    text = (
        f"virtual_server fwmark 7 {{\n lb_algo rr\n lb_kind {method}\n ip_family inet{'6' if family == 6 else ''}\n"
        f" real_server {real[0]} 80 {{\n  weight 1\n }}\n}}\n"
    )
    one = server("one", str(Endpoint(real[0], 80)), forward=METHODS[method], alpha=False)

    expected = of_keepalived(text, 2, tmp_path)

    assert expected == of_ours(service(one, addresses=[], fwmark=7, fwmark_family=family, alpha=False))


def test_the_sorry_server(tmp_path: Path) -> None:
    text = (
        "virtual_server 198.51.100.1 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n alpha\n"
        " sorry_server 192.0.2.99 80\n"
        " real_server 192.0.2.10 80 {\n  TCP_CHECK {\n   connect_port 9\n   connect_timeout 1\n  }\n }\n}\n"
    )
    one = service(
        server("one", "192.0.2.10:80", forward=DR),
        addresses=["198.51.100.1:80"],
        sorry_server=Endpoint("192.0.2.99", 80),
        sorry_forward=DR,
    )

    expected = of_keepalived(text, 2, tmp_path)

    kernel = LinuxIpvs()
    director = Director(kernel=kernel)  # type: ignore[arg-type]  # the real one in place of the one in memory
    director.start(configuration(one))
    director.hear("web/one", up=False)
    kernel.close()
    assert expected == table()
