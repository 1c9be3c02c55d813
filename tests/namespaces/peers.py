"""Routers that nobody here wrote."""

from namespaces.lab import Host
from namespaces.processes import Process


class Keepalived:
    """Debian's keepalived, its VRRP half alone, on a host of a lab.

    Args:
        host: where it runs.
        config_text: the whole of its keepalived.conf.
    """

    def __init__(self, host: Host, config_text: str) -> None:
        self.host = host
        self.folder = host.lab.folder / f"keepalived-{host.name}"
        self.folder.mkdir(exist_ok=True)
        self.config = self.folder / "keepalived.conf"
        self.config.write_text(config_text)
        self._process: Process | None = None

    def start(self) -> None:
        """Start it in the foreground, with its log on standard error."""
        files = ["-f", str(self.config), "-p", str(self.folder / "pid"), "-r", str(self.folder / "vrrp.pid")]
        self._process = self.host.popen(["keepalived", "-n", "-l", "-D", "-P", *files])

    @property
    def process(self) -> Process:
        """The parent process."""
        assert self._process is not None, "keepalived was not started"
        return self._process

    def log(self) -> str:
        """Return what it wrote until now."""
        return self.process.log()

    def stop(self) -> None:
        """Let it end in order: priority 0, addresses removed."""
        assert self.process.stop(within=10.0) == 0, self.log()

    def kill(self) -> None:
        """End all its processes at one moment; what they put into the kernel stays."""
        self.process.kill_group()
        self.process.wait(within=5.0)


def vrrp_instance(
    addresses: str,
    *,
    priority: int,
    version: int = 3,
    advert_int: float = 1,
    virtual_router_id: int = 1,
    more: str = "",
) -> str:
    """Return a keepalived.conf with one instance `peer` on eth0."""
    return f"""
global_defs {{
    router_id peer
    vrrp_version {version}
    vrrp_garp_master_delay 1
}}
vrrp_instance peer {{
    interface eth0
    version {version}
    virtual_router_id {virtual_router_id}
    priority {priority}
    advert_int {advert_int}
    virtual_ipaddress {{ {addresses} }}
    {more}
}}
"""
