"""The demo's site: a client, two directors `tic` and `tac`, two real servers, one segment, and the files they use.

What is written for the directors is what a user would write: four files in a `conf.d`, the same on both machines.
"""

import shutil
from pathlib import Path

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.processes import Process

PORT = 42
VIP4, VIP6 = "10.42.0.42", "fd42::42"
DIRECTORS = {"tic": 11, "tac": 12}
SERVERS = {"web1": 21, "web2": 22}
CLIENT = 50

CONF_D = {
    "00-global.toml": """\
[global]
router_id = "demo"
""",
    "10-vrrp.toml": f"""\
[vrrp_instance.service]
interface = "eth0"
virtual_router_id = {PORT}
priority = 100
advert_int = 1
virtual_ipaddress = ["{VIP4}/24", "{VIP6}/64"]

[host.tic.vrrp_instance.service]
priority = 200

[host.tac.vrrp_instance.service]
priority = 100
""",
    "20-services.toml": f"""\
[check.answers]
type = "http"
delay_loop = 1
connect_timeout = 1
retry = 1
delay_before_retry = 0.5

[virtual_server.service42]
address = ["{VIP4}:{PORT}", "[{VIP6}]:{PORT}"]
protocol = "tcp"
scheduler = "rr"
forward = "DR"
check = "answers"

[virtual_server.service42.real_server.web1]
address = ["10.42.0.21", "fd42::21"]

[virtual_server.service42.real_server.web2]
address = ["10.42.0.22", "fd42::22"]
""",
    "30-notify.toml": """\
[[vrrp_instance.service.notify]]
type = "script"
on = ["master", "backup", "fault"]
command = ["/bin/sh", "-c", "true"]
""",
}

NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_timeout 0; default_type text/plain;
  server {{ listen {port}; listen [::]:{port} ipv6only=on; return 200 "{name}\\n"; }}
}}
"""


class Director(Daemon):
    """A machine that runs `stayalived run`."""

    def __init__(self, host: Host) -> None:
        """Write its `conf.d`; nothing runs yet."""
        super().__init__(host, CONF_D)

    def lose(self) -> None:
        """Lose the machine: its cable and every process at one moment; what a power cut takes is gone."""
        self.kill_machine()
        self.host.run(["ipvsadm", "-C"])
        for address, prefix in ((VIP4, 24), (VIP6, 64)):
            self.host.run(["ip", "address", "del", f"{address}/{prefix}", "dev", "eth0"], check=False)

    def restore(self) -> None:
        """Put the cable back and boot the machine again."""
        self.host.heal()
        self.launch()

    def holds(self) -> set[str]:
        """Return which of the two virtual addresses this machine carries now."""
        return {address.partition("/")[0] for address in self.host.addresses()} & {VIP4, VIP6}

    def balances(self) -> list[str]:
        """Return the kernel's table, line by line, as `ipvsadm -Sn` prints it."""
        return sorted(self.host.run(["ipvsadm", "-Sn"]).stdout.splitlines())


class WebServer:
    """A real server: nginx, and the virtual addresses on its loopback, silent to ARP, as direct routing wants it."""

    def __init__(self, host: Host, folder: Path) -> None:
        """Prepare the machine."""
        self.host = host
        self.folder = folder / host.name
        self.folder.mkdir()
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, port=PORT, name=host.name))
        host.sysctl("net.ipv4.conf.all.arp_ignore", 1)
        host.sysctl("net.ipv4.conf.all.arp_announce", 2)
        host.add_address(f"{VIP4}/32", "lo")
        host.add_address(f"{VIP6}/128", "lo")
        self.process: Process | None = None

    def start(self) -> None:
        """Start nginx."""
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = self.host.popen([nginx, "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)])

    def stop(self) -> None:
        """Stop nginx at once."""
        if self.process is not None:
            self.process.kill_group()
            self.process.wait(within=10)


class Site:
    """All machines of the demo."""

    def __init__(self, lab: Lab) -> None:
        """Build the machines and their cables; nothing runs yet."""
        self.lab = lab
        lab.folder.chmod(0o755)  # the daemon's children read nothing here as root
        self.client = lab.host("client", *_addresses(CLIENT))
        self.directors = {name: Director(lab.host(name, *_addresses(number))) for name, number in DIRECTORS.items()}
        self.servers = {
            name: WebServer(lab.host(name, *_addresses(number)), lab.folder) for name, number in SERVERS.items()
        }


def _addresses(number: int) -> tuple[str, str]:
    return f"10.42.0.{number}/24", f"fd42::{number}/64"
