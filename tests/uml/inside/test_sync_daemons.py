"""Who balances, as a real kernel has it: sync daemons, backup_only, and what it says where it cannot."""

from collections.abc import Iterator

import pytest

from namespaces.lab import Host, Lab
from stayalived.ipvs.daemons import Daemon, Role
from stayalived.ipvs.events import Direct, Directed, Marks
from stayalived.kernel.direction import Direction

LOCAL = frozenset({"10.9.0.1", "fd99::1", "127.0.0.1", "::1"})


def daemon(role: Role, **changes: object) -> Daemon:
    usual = {"interface": "eth0", "sync_id": 7, "group": "224.0.0.81", "port": 8848, "ttl": 1}
    return Daemon(role=role, **{**usual, **changes})


MASTER, BACKUP = daemon(Role.MASTER), daemon(Role.BACKUP)


class Machine:
    """A machine, and the hand that directs it."""

    def __init__(self, host: Host) -> None:
        self.host, self.direction = host, Direction()

    def direct(self, *daemons: Daemon, backup_only: bool | None = None) -> Directed:
        with self.host.inside():
            return self.direction.carry_out(Direct(daemons=frozenset(daemons), backup_only=backup_only))

    def close(self) -> None:
        self.direction.close()

    def running(self) -> list[str]:
        lines = self.host.run(["ipvsadm", "-l", "--daemon"]).stdout.splitlines()
        return sorted(line.partition(" (")[0].removesuffix(" sync daemon") for line in lines)

    def details(self) -> str:
        return self.host.run(["ipvsadm", "-l", "--daemon"]).stdout

    def backup_only(self) -> str:
        return self.host.run(["cat", "/proc/sys/net/ipv4/vs/backup_only"]).stdout.strip()


@pytest.fixture(scope="module")
def one() -> Iterator[Machine]:
    with Lab() as lab:
        yield lab.keep(Machine(lab.host("one", "10.9.0.1/24", "fd99::1/64")))


@pytest.fixture
def machine(one: Machine) -> Iterator[Machine]:
    yield one
    assert () == one.direct(backup_only=False).problems
    assert [] == one.running()


def test_a_daemon_follows_its_instance(machine: Machine) -> None:
    assert () == machine.direct(BACKUP, backup_only=True).problems
    assert (["backup"], "1") == (machine.running(), machine.backup_only())

    assert () == machine.direct(MASTER, backup_only=False).problems
    assert (["master"], "0") == (machine.running(), machine.backup_only())

    assert () == machine.direct(MASTER, BACKUP).problems
    assert ["backup", "master"] == machine.running()

    assert () == machine.direct().problems
    assert [] == machine.running()


def test_what_runs_as_wanted_is_left_alone_by_another_process_too(machine: Machine) -> None:
    machine.direct(BACKUP)
    before = machine.host.run(["pgrep", "-f", "ipvs-b"], check=False).stdout

    machine.close()
    machine.direction = Direction()
    assert () == machine.direct(BACKUP).problems

    assert before
    assert before == machine.host.run(["pgrep", "-f", "ipvs-b"]).stdout


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"sync_id": 9}, "syncid=9"),
        ({"port": 9999}, "port=9999"),
        ({"ttl": 3}, "ttl=3"),
        ({"group": "224.0.0.99"}, "group=224.0.0.99"),
        ({"group": "ff02::81"}, "group=ff02::81"),
        ({"maxlen": 1000}, "maxlen=1000"),
    ],
)
def test_another_setting_is_another_daemon(machine: Machine, changes: dict[str, object], shown: str) -> None:
    machine.direct(MASTER)
    assert shown not in machine.details()

    assert () == machine.direct(daemon(Role.MASTER, **changes)).problems

    assert shown in machine.details()


def test_our_addresses_are_told(machine: Machine) -> None:
    assert LOCAL <= machine.direct().local


def test_an_interface_that_is_not_there_is_named(machine: Machine) -> None:
    (problem,) = machine.direct(daemon(Role.MASTER, interface="eth9")).problems

    assert "ipvsadm --start-daemon master --mcast-interface eth9: No such device" in problem


def test_a_kernel_without_nf_tables_says_how_else(machine: Machine) -> None:
    marks = Marks(table="peers", priority=-1, macs=(bytes(6),), mark=7, addresses=())
    with machine.host.inside():
        done = machine.direction.carry_out(Direct(marks=marks, table="peers", backup_only=True))

    (problem,) = done.problems
    assert "nft add table inet peers: Operation not supported" in problem
    assert "global.peer_mark without peer_directors" in problem
    assert "1" == machine.backup_only(), "the rest was done"
