"""Starts, signals, stops, and what a service manager is told."""

import os
import signal
import socket
from pathlib import Path

import pytest

from namespaces.daemon import STAYALIVED, Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import quiet_for, wait_until

VIP = "192.0.2.100/24"
FILES = {"10-vrrp.toml": vrrp_instance(VIP)}


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24")


class ServiceManager:
    """The socket that NOTIFY_SOCKET names, and what came through it."""

    def __init__(self, folder: Path, *, watchdog_usec: int = 0) -> None:
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        path = folder / "notify.sock"
        self._socket.bind(str(path))
        self.env = {**os.environ, "NOTIFY_SOCKET": str(path)}
        if watchdog_usec:
            self.env["WATCHDOG_USEC"] = str(watchdog_usec)

    def close(self) -> None:
        self._socket.close()

    def words(self) -> list[str]:
        """Return the first line of each message until now."""
        while True:
            try:
                self.told.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return [message.partition("\n")[0] for message in self.told]

    def wait_for(self, count: int, word: str) -> None:
        wait_until(
            lambda: self.words().count(word) >= count,
            within=10.0,
            what=f"{count} times {word} in {self.told}",
            descriptor=self._socket.fileno(),
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_it_is_told_to(tic: Host, number: signal.Signals) -> None:
    daemon = Daemon(tic, FILES)
    daemon.start()
    daemon.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP)

    daemon.process.send(number)

    assert daemon.process.wait(within=5.0) == 0
    assert tic.addresses() == {"192.0.2.1/24"}
    assert list(daemon.run_dir.iterdir()) == []
    assert "Traceback" not in daemon.log()


def test_the_command_stop_waits_until_it_is_gone(tic: Host) -> None:
    daemon = Daemon(tic, FILES)
    daemon.start()

    done = daemon.command("stop")

    assert (0, "stopped\n") == (done.returncode, done.stdout)
    assert daemon.process.wait(within=0.5) == 0
    again = daemon.command("stop")
    assert again.returncode == 1
    assert "no daemon answers" in again.stderr
    assert "stayalived run" in again.stderr


def test_a_second_start_says_that_it_runs_already_and_as_whom(tic: Host) -> None:
    daemon = Daemon(tic, FILES)
    daemon.start()
    before = daemon.children()

    second = daemon.host.run([*map(str, words_of(daemon))], check=False)

    assert second.returncode == 1
    assert f"already running (pid {daemon.process.pid})" in second.stderr
    assert str(daemon.run_dir) in second.stderr
    assert before.keys() == daemon.children().keys()
    assert {row["pid"] for row in before.values()} == {row["pid"] for row in daemon.children().values()}
    assert daemon.stop() == 0


def words_of(daemon: Daemon) -> list[object]:
    return [STAYALIVED, "run", "--config", daemon.conf_d, "--run-dir", daemon.run_dir]


def test_two_daemons_live_on_one_host_with_a_run_dir_each(tic: Host) -> None:
    one = Daemon(tic, FILES)
    two = Daemon(tic, {"10.toml": vrrp_instance("192.0.2.200/24", virtual_router_id=2, name="two")})
    one.start()
    two.start()
    one.wait_for_state("MASTER", within=5.0)
    two.wait_for_state("MASTER", within=5.0, instance="two")

    assert one.stop() == 0
    assert two.instance("two")["state"] == "MASTER"
    assert tic.addresses() == {"192.0.2.1/24", "192.0.2.200/24"}
    assert two.stop() == 0


def test_a_start_after_the_loss_of_all_processes_takes_the_place(tic: Host) -> None:
    lost = Daemon(tic, FILES)
    lost.start()
    lost.wait_for_state("MASTER", within=5.0)
    tic.wait_for_address(VIP)
    lost.process.kill_group()
    lost.process.wait(within=5.0)
    assert VIP in tic.addresses()

    lost.start()

    lost.wait_for_state("MASTER", within=5.0)
    assert lost.stop() == 0
    assert VIP not in tic.addresses()


def test_hup_reads_the_files_again_and_usr1_writes_the_status_to_the_log(tic: Host) -> None:
    daemon = Daemon(tic, FILES)
    daemon.start()
    daemon.write({"10-vrrp.toml": vrrp_instance(VIP, priority=77)})

    daemon.process.send(signal.SIGHUP)
    wait_until(lambda: daemon.instance().get("priority") == 77, within=5.0, what="the new priority")
    daemon.process.send(signal.SIGUSR1)

    vrrp = daemon.child("vrrp")
    daemon.process.wait_for_log("status: running, configuration 2", within=2.0)
    daemon.process.wait_for_log(f"pid {vrrp}, restarts 0", within=2.0)
    daemon.process.wait_for_log("keys remembered", within=2.0)
    assert daemon.stop() == 0


def test_systemd_is_told_of_each_step(lab: Lab, tic: Host) -> None:
    manager = lab.keep(ServiceManager(lab.folder, watchdog_usec=400_000))
    daemon = Daemon(tic, FILES, env=manager.env)
    daemon.launch()
    manager.wait_for(1, "READY=1")
    ready = next(text for text in manager.told if text.startswith("READY=1"))
    assert "configuration 1 in force" in ready

    daemon.process.send(signal.SIGHUP)
    manager.wait_for(2, "READY=1")
    daemon.write({"10-vrrp.toml": "[broken"})
    daemon.process.send(signal.SIGHUP)
    manager.wait_for(3, "READY=1")
    manager.wait_for(3, "WATCHDOG=1")
    assert daemon.stop() == 0

    steps = [word for word in manager.words() if word != "WATCHDOG=1"]
    assert ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"] == steps
    reloading = [message for message in manager.told if message.startswith("RELOADING=1")]
    moments = [int(message.partition("MONOTONIC_USEC=")[2].split()[0]) for message in reloading]
    assert moments == sorted(moments)
    assert 0 < moments[0] < 10**13


def test_no_child_speaks_to_systemd(lab: Lab, tic: Host) -> None:
    manager = lab.keep(ServiceManager(lab.folder))
    daemon = Daemon(tic, FILES, env=manager.env)
    daemon.launch()
    manager.wait_for(1, "READY=1")

    environments = {name: Path(f"/proc/{row['pid']}/environ").read_bytes() for name, row in daemon.children().items()}

    assert len(environments) >= 3
    assert daemon.stop() == 0
    assert ["READY=1", "STOPPING=1"] == manager.words()


def test_an_empty_configuration_runs_and_waits_for_a_better_one(lab: Lab, tic: Host) -> None:
    manager = lab.keep(ServiceManager(lab.folder))
    daemon = Daemon(tic, {}, env=manager.env)
    daemon.launch()
    manager.wait_for(1, "READY=1")
    assert daemon.status()["instances"] == []
    assert daemon.children().keys() == {"log", "api"}

    daemon.write(FILES)
    assert daemon.reload().returncode == 0
    daemon.wait_for_state("MASTER", within=5.0)
    assert VIP in tic.addresses()

    daemon.write({})
    doubted = daemon.reload()
    assert doubted.returncode == 1
    assert "--force" in doubted.stderr
    assert VIP in tic.addresses()
    assert daemon.command("reload", "--force").returncode == 0
    tic.wait_for_address(VIP, present=False)
    wait_until(lambda: daemon.children().keys() == {"log", "api"}, within=5.0, what="no vrrp")
    assert daemon.stop() == 0


def test_a_bad_configuration_ends_the_start_with_a_report(lab: Lab, tic: Host) -> None:
    manager = lab.keep(ServiceManager(lab.folder))
    bad = FILES["10-vrrp.toml"].replace("priority = 100", "priority = 300\nprority = 5")
    daemon = Daemon(tic, {"10-vrrp.toml": bad, "20.toml": "[global]\nlog = 3\n"}, env=manager.env)

    assert daemon.launch().wait(within=10.0) == 2

    for text in ("10-vrrp.toml:4", "vrrp_instance.site.priority", "300", "255", "prority", "20.toml:2", "global.log"):
        assert text in daemon.log()
    assert "READY=1" not in manager.words()
    assert "Traceback" not in daemon.log()
    assert list(daemon.run_dir.iterdir()) == []


def test_without_a_folder_of_files_it_says_so(tic: Host) -> None:
    daemon = Daemon(tic, {})
    daemon.conf_d.rmdir()

    assert daemon.launch().wait(within=10.0) == 6
    assert f"{daemon.conf_d}: no such folder" in daemon.log()


def test_it_goes_on_when_nobody_reads_its_standard_error(lab: Lab, tic: Host) -> None:
    """The reader of a pipe that is full stalls the log alone."""
    wire = lab.lan.capture()
    script = f"exec {STAYALIVED} run --config $0 --run-dir $1"
    daemon = Daemon(tic, FILES)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    full = b"x" * 65536
    try:
        while os.write(writing, full):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)
    pid = f"/proc/{os.getpid()}/fd/{writing}"
    process = tic.popen(["sh", "-c", f"{script} 2>{pid}", str(daemon.conf_d), str(daemon.run_dir)])
    daemon._process = process
    daemon.wait_for_state("MASTER", within=10.0)
    before = len(wire.adverts("tic"))
    for _ in range(5):
        process.send(signal.SIGUSR1)
    quiet_for(0.5)
    wire.wait_for(lambda _: len(wire.adverts("tic")) > before + 4, within=5.0, what="adverts")

    assert process.stop() == 0
    os.close(reading)
    os.close(writing)
