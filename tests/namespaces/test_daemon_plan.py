"""`stayalived plan` beside a whole daemon: to do what it says comes to what the daemon does."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until

VIP, SECOND, THIRD, VIP6 = "192.0.2.100/24", "192.0.2.101/24", "192.0.2.102/24", "2001:db8::100/64"
NOTHING, NOT_GOOD, SOMETHING = 0, 1, 3
OWN = ("192.0.2.{}/24", "2001:db8::{}/64")


def files(*addresses: str, more: str = "", **others: str) -> dict[str, str]:
    """The files of a director with one instance, and with more."""
    return {"10-site.toml": vrrp_instance(*addresses, priority=200, more=more), **others}


@pytest.fixture
def tic() -> Iterator[Daemon]:
    with Lab() as lab:
        yield Daemon(lab.host("tic", *(text.format(1) for text in OWN)), files(VIP, SECOND, VIP6))


def plan(daemon: Daemon, *words: str) -> tuple[int, dict[str, Any]]:
    """Return exit status and document of a plan."""
    done = daemon.command("plan", "--json", *words)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def commands(document: dict[str, Any], when: str = "at once") -> list[str]:
    """Return the command lines of a plan that can be typed."""
    steps = [step["line"] for step in document["steps"] if step["when"] == when]
    return [line for line in steps if line.startswith("ip ")]


def addresses(host: Host) -> dict[str, list[str]]:
    """Return what `ip -j addr` lists of each interface, but for the machine's own addresses and the kernel's."""
    own = {text.format(number).partition("/")[0] for text in OWN for number in (1, 2)}
    found = {}
    for link in json.loads(host.run(["ip", "-j", "address"]).stdout):
        listed = (one for one in link["addr_info"] if one["local"] not in own and one["scope"] != "link")
        found[link["ifname"]] = sorted(f"{one['local']}/{one['prefixlen']}" for one in listed)
    return found


def imitate(host: Host, lines: list[str]) -> None:
    """Do on another machine what a plan says."""
    for line in lines:
        host.run(shlex.split(line))


def begin(daemon: Daemon) -> None:
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)


def test_before_a_start_it_names_what_the_master_will_hold(tic: Daemon) -> None:
    twin = tic.host.lab.host("twin", *(text.format(2) for text in OWN))

    status, document = plan(tic, "--config", str(tic.conf_d), "--host", subprocess.getoutput("hostname -s"))

    assert (SOMETHING, False) == (status, document["running"])
    assert [] == commands(document)
    begin(tic)
    imitate(twin, commands(document, "as MASTER"))
    assert addresses(twin) == addresses(tic.host)
    assert {"eth0"} == {name for name, held in addresses(twin).items() if held}.difference({"lo"})


def test_with_the_files_as_they_are_there_is_nothing_to_do(tic: Daemon) -> None:
    begin(tic)

    status, document = plan(tic)

    assert (NOTHING, []) == (status, document["steps"])
    assert (True, 1, "tic") == (document["running"], document["generation"], document["host"])
    assert "would do nothing" in tic.command("plan").stdout


def test_what_it_says_of_a_reload_is_what_the_reload_does(tic: Daemon) -> None:
    begin(tic)
    twin = tic.host.lab.host("twin", *(text.format(2) for text in OWN))
    imitate(twin, [f"ip address add {address} dev eth0" for address in (VIP, SECOND, VIP6)])
    assert addresses(twin) == addresses(tic.host)
    other = vrrp_instance("192.0.2.200/24", name="other", virtual_router_id=7, more="use_vmac = true")
    tic.write(files(VIP, THIRD, VIP6, **{"20-other.toml": other}))
    before = addresses(tic.host)

    status, document = plan(tic)

    assert SOMETHING == status
    assert (["vrrp_instance other"], ["vrrp_instance site"]) == (document["added"], document["changed"])
    assert before == addresses(tic.host)  # to look changes nothing
    imitate(twin, commands(document))
    assert 0 == tic.reload().returncode
    tic.wait_for_state("MASTER", within=5.0, instance="other")
    imitate(twin, commands(document, "as MASTER"))
    wait_until(lambda: addresses(twin) == addresses(tic.host), within=2.0, what="the same addresses on both")


def test_what_a_reload_would_refuse_is_said_with_what_it_would_do(tic: Daemon) -> None:
    begin(tic)
    tic.write({"00-global.toml": "[global]\n"})

    status, document = plan(tic)

    assert SOMETHING == status
    assert "reload --force" in " ".join(document["refused"])
    assert {f"ip address delete {address} dev eth0" for address in (VIP6, SECOND, VIP)} == set(commands(document))
    assert 1 == tic.reload().returncode


def test_files_that_are_not_good_are_said_to_be_so(tic: Daemon) -> None:
    begin(tic)
    tic.write(files(VIP, more="pirority = 3"))

    done = tic.command("plan")

    assert NOT_GOOD == done.returncode
    assert "priority?" in done.stdout


def test_an_interface_that_is_not_there_would_be_refused(tic: Daemon) -> None:
    begin(tic)
    tic.write({"10-site.toml": vrrp_instance(VIP).replace("eth0", "eth7")})

    status, document = plan(tic)

    assert (NOT_GOOD, False) == (status, document["good"])
    assert "eth7" in " ".join(document["problems"])


def test_who_may_not_see_what_is_in_force_is_told_so(tic: Daemon) -> None:
    begin(tic)
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *tic.program, "plan", "--json"]

    done = tic.host.run([*words, "--config", str(tic.conf_d), "--run-dir", str(tic.run_dir)], check=False)

    assert "permission denied" in " ".join(json.loads(done.stdout)["notes"])


def test_another_machine_is_planned_without_a_look_at_this_one(tic: Daemon) -> None:
    begin(tic)
    tic.write(files(VIP, **{"30-tac.toml": '[host.tac.vrrp_instance.site]\ninterface = "eth9"\n'}))

    status, document = plan(tic, "--host", "tac")

    assert (SOMETHING, False, "tac") == (status, document["running"], document["host"])
    assert [f"ip address add {VIP} dev eth9"] == commands(document, "as MASTER")
