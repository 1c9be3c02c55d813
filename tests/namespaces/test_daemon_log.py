"""Where a whole daemon's log goes when `stayalived run --log` says it, whatever the configuration says."""

import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab
from namespaces.waiting import wait_until

MASTER = "(site) Entering MASTER STATE"
IN_GLOBAL = '[global]\nlog = "{}"\n'


@pytest.fixture
def tic(lab: Lab) -> Host:
    return lab.host("tic", "192.0.2.1/24")


def daemon(host: Host, ordered: str, configured: str, before: tuple[str, ...] = ()) -> Daemon:
    files = {"00-global.toml": IN_GLOBAL.format(configured), "10-vrrp.toml": vrrp_instance("192.0.2.100/24")}
    return Daemon(host, files, options=("--log", ordered), before=before)


@contextmanager
def service(path: Path) -> Iterator[socket.socket]:
    """A datagram socket where a log service would listen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        path.chmod(0o777)
        listening.settimeout(0.2)
        yield listening


def heard(listening: socket.socket) -> str:
    """Return what a service has got until nothing came for a while."""
    said = []
    while True:
        try:
            said.append(listening.recv(1 << 16).decode())
        except TimeoutError:
            return "\n".join(said)


def test_stderr_wins_over_the_configuration(tic: Host) -> None:
    path = tic.lab.folder / "unused.log"
    site = daemon(tic, "stderr", f"file:{path}")
    site.start()
    site.wait_for_state("MASTER", within=5.0)
    site.process.wait_for_log(MASTER, within=2.0)

    assert site.reload().returncode == 0
    assert not path.exists()
    assert site.stop() == 0


def test_a_file_wins_over_the_configuration_and_stays_through_a_reload(tic: Host) -> None:
    folder = tic.lab.folder / "log"
    folder.mkdir()
    folder.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    path = folder / "stayalived.log"
    site = daemon(tic, f"file:{path}", "syslog")
    site.start()
    wait_until(lambda: MASTER in path.read_text(), within=5.0, what=f"{MASTER} in the file")

    assert site.reload().returncode == 0
    assert site.stop() == 0
    assert MASTER not in site.log()


# The paths of the sockets cannot be chosen: the daemon alone sees a folder of the test in the place of /dev or /run.
IN_PLACE_OF_RUN = 'mount --bind "$0" /run && exec "$@"'
IN_PLACE_OF_DEV = """
for device in null zero full random urandom; do
    touch "$0/$device" && mount --bind "/dev/$device" "$0/$device" || exit
done
ln -s /proc/self/fd "$0/fd" && mount --rbind "$0" /dev && exec "$@"
"""


@pytest.mark.parametrize(
    ("target", "place", "script"),
    [("syslog", "log", IN_PLACE_OF_DEV), ("journald", "systemd/journal/socket", IN_PLACE_OF_RUN)],
)
def test_a_service_wins_over_the_configuration(tic: Host, target: str, place: str, script: str) -> None:
    stand_in = tic.lab.folder / target
    with service(stand_in / place) as listening:
        before = ("unshare", "--mount", "sh", "-c", script, str(stand_in))
        site = daemon(tic, target, "stderr", before=before)
        site.start()
        site.wait_for_state("MASTER", within=5.0)
        assert site.reload().returncode == 0
        assert site.stop() == 0
        said = heard(listening)
    assert MASTER in said
    assert MASTER not in site.log()
