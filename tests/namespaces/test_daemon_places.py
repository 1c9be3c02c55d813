"""Hostile places: closed folders, missing users, missing rights, a kernel without IPVS, a network without IPv6."""

import os
import pwd
import shutil
import socket
from pathlib import Path

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until
from plugins.installation import install

TOP = Path(__file__).parents[2]
VIP4, VIP6 = "192.0.2.100/24", "2001:db8::100/64"
VRRP = vrrp_instance(VIP4)
SERVICE = """\
[virtual_server.web]
address = "192.0.2.100:80"
protocol = "tcp"
scheduler = "rr"
forward = "NAT"
delay_loop = 0.2
check = "tcp"
real_server.one.address = "192.0.2.1:8000"
"""
FILES = {"10-vrrp.toml": VRRP, "20-services.toml": SERVICE}
UNPRIVILEGED = ("setpriv", "--reuid=daemon", "--regid=daemon", "--clear-groups")
NO_CAPABILITIES = (*UNPRIVILEGED, "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all")

CAPABILITIES = {
    "DAC_READ_SEARCH": 2,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "IPC_LOCK": 14,
    "SYS_NICE": 23,
}
"""Numbers of capabilities (linux/capability.h)."""


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24", "2001:db8::1/64")


def closed_folder(lab: Lab) -> Path:
    folder = lab.folder / "closed"
    folder.mkdir(mode=0o700)
    return folder


def test_it_works_from_a_working_directory_that_is_closed_to_others(lab: Lab, tic: Host) -> None:
    daemon = Daemon(tic, FILES, cwd=closed_folder(lab))
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP4)
    assert daemon.stop() == 0
    assert VIP4 not in tic.addresses()
    assert "Traceback" not in daemon.log()


def test_it_works_when_its_own_code_lies_in_a_closed_folder(lab: Lab, tic: Host) -> None:
    daemon = Daemon(tic, FILES, env=copied_into(closed_folder(lab)), cwd=lab.folder / "closed")
    daemon.start()
    vrrp = daemon.child("vrrp")
    os.kill(vrrp, 9)
    daemon.wait_for_child("vrrp", vrrp, within=2.0)
    assert daemon.reload().returncode == 0
    daemon.process.wait_for_log("Check tcp of web/one at 192.0.2.1:8000 failed: connect: refused", within=5.0)
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.log()


def copied_into(folder: Path) -> dict[str, str]:
    """Put the code into a folder, and return an environment in which it is found there."""
    for name in ("core", "plugins"):
        shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return {**os.environ, "PYTHONPATH": f"{folder}/core:{folder}/plugins", "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_strangers_plugin_in_a_closed_folder_is_named_with_the_remedy(lab: Lab, tic: Host) -> None:
    folder = closed_folder(lab)
    install("polite", folder)
    files = {"10-vrrp.toml": VRRP, "20-services.toml": SERVICE.replace('"tcp"\nreal', '"polite"\nreal')}
    daemon = Daemon(tic, files, env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})

    assert daemon.launch().wait(within=10.0) == 2
    for text in ("polite", str(folder), "0700", "chmod"):
        assert text in daemon.log()


def accounts(lab: Lab, *, with_user: bool) -> tuple[str, ...]:
    """Return the words that run a program where the user `stayalived` exists, or does not."""
    others = [line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith("stayalived:")]
    ours = ["stayalived:x:64242:64242::/nonexistent:/usr/sbin/nologin"] if with_user else []
    passwd = lab.folder / "passwd"
    passwd.write_text("\n".join([*others, *ours, ""]))
    passwd.chmod(0o644)
    script = f'mount --bind {passwd} /etc/passwd && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, "sh")


def effective_capabilities(pid: int) -> int:
    (line,) = [text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith("CapEff")]
    return int(line.split()[1], 16)


def test_without_its_user_it_runs_as_nobody_and_says_so(lab: Lab, tic: Host) -> None:
    daemon = Daemon(tic, FILES, before=accounts(lab, with_user=False))
    daemon.start()

    daemon.wait_for_state("MASTER", within=5.0)
    assert {row["user"] for row in daemon.children().values()} == {"nobody"}
    for text in ("user stayalived does not exist: running as nobody", "`stayalived install` makes it"):
        assert text in daemon.log()
    assert daemon.stop() == 0


def test_each_child_has_its_user_and_no_more_rights_than_it_needs(lab: Lab, tic: Host) -> None:
    text = vrrp_instance(VIP4, more='notify = [{ type = "script", command = ["/bin/true"] }]')
    daemon = Daemon(tic, {"10.toml": text, "20.toml": SERVICE}, before=accounts(lab, with_user=True))
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)

    children = daemon.children()
    rights = {name: effective_capabilities(row["pid"]) for name, row in children.items()}
    masks = {name: 1 << number for name, number in CAPABILITIES.items()}
    network = masks["NET_RAW"] | masks["NET_ADMIN"] | masks["SYS_NICE"] | masks["IPC_LOCK"]
    programs = masks["SETUID"] | masks["SETGID"] | masks["KILL"] | masks["DAC_READ_SEARCH"]
    assert rights == {
        "vrrp": network,
        "ipvs": masks["NET_ADMIN"],
        "runner": programs,
        **dict.fromkeys(("checker", "notify", "api", "log"), 0),
    }
    assert dict.fromkeys(children, 64242) | {"runner": 0} == {
        name: int(status_of(row["pid"], "Uid")) for name, row in children.items()
    }
    assert "does not exist" not in daemon.log()
    assert daemon.stop() == 0


def status_of(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))


def test_without_ipvs_the_addresses_are_served_and_what_is_missing_is_said(tic: Host) -> None:
    listening = tic.fork(lambda: serve("192.0.2.1", 8000), "server")
    daemon = Daemon(tic, FILES)
    daemon.start()

    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP4)
    (service,) = daemon.status()["services"]
    assert "the kernel has no IPVS: `modprobe ip_vs`" in service["problem"]
    wait_until(
        lambda: daemon.peek()["services"][0]["servers"][0]["state"] == "UP", within=5.0, what="the check to succeed"
    )
    assert daemon.log().count("the kernel has no IPVS") <= 2
    assert {row["restarts"] for row in daemon.children().values()} == {0}
    listening.kill_group()
    assert daemon.stop() == 0


def serve(address: str, port: int) -> None:
    with socket.create_server((address, port)) as server:
        while True:
            server.accept()[0].close()


def test_without_rights_it_ends_and_says_which_are_missing(tic: Host) -> None:
    daemon = Daemon(tic, FILES, before=NO_CAPABILITIES)
    daemon.folder.chmod(0o777)

    assert daemon.launch().wait(within=10.0) == 4
    for text in ("lacks CAP_NET_", "CAP_NET_ADMIN", "start as root", "AmbientCapabilities="):
        assert text in daemon.log()
    assert "READY" not in daemon.log()
    assert "Traceback" not in daemon.log()


def test_without_a_right_to_the_run_dir_it_says_so(tic: Host) -> None:
    daemon = Daemon(tic, FILES, before=NO_CAPABILITIES)

    assert daemon.launch().wait(within=10.0) == 1
    for text in (f"{daemon.run_dir}: Permission denied", "root", "--run-dir"):
        assert text in daemon.log()
    assert "Traceback" not in daemon.log()


def test_with_the_rights_of_the_network_alone_it_works_without_root(tic: Host) -> None:
    rights = "+net_admin,+net_raw"
    words = (*UNPRIVILEGED, f"--inh-caps={rights}", f"--ambient-caps={rights}")
    daemon = Daemon(tic, FILES, before=words)
    daemon.folder.chmod(0o777)

    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP4)
    assert {row["user"] for row in daemon.children().values()} == {"daemon"}
    uid = pwd.getpwnam("daemon").pw_uid
    assert {uid} == {int(status_of(row["pid"], "Uid")) for row in daemon.children().values()}
    assert daemon.stop() == 0
    assert VIP4 not in tic.addresses()


def test_in_a_network_without_ipv6_the_ipv4_instance_works_and_the_other_names_its_half(tic: Host) -> None:
    for scope in ("all", "default", "eth0"):
        tic.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", 1)
    both = vrrp_instance("192.0.2.200/24", VIP6, name="both", virtual_router_id=2)
    daemon = Daemon(tic, {"10-vrrp.toml": VRRP, "11-both.toml": both})
    daemon.start()

    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP4)
    daemon.wait_for_state("FAULT", within=5.0, instance="both")
    reason = daemon.instance("both")["reason"]
    assert "both/6" in reason
    assert "eth0 has no IPv6 link-local address" in reason
    assert "192.0.2.200/24" not in tic.addresses()

    for scope in ("all", "default", "eth0"):
        tic.sysctl(f"net.ipv6.conf.{scope}.disable_ipv6", 0)
    daemon.wait_for_state("MASTER", within=8.0, instance="both")
    assert daemon.stop() == 0
