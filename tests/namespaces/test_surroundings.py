"""The whole daemon says at its start what the site has left undone, and nothing where it has done its part."""

from namespaces.daemon import Daemon, vrrp_instance
from namespaces.lab import Host, Lab

VIP = "192.0.2.100"
SERVICE = """\
[virtual_server.web]
address = "192.0.2.100:80"
protocol = "tcp"
scheduler = "rr"
forward = "{}"
[virtual_server.web.real_server.one]
address = "192.0.2.1"
"""


def said_by(host: Host, method: str) -> str:
    """Return the log of a daemon that has started and stopped."""
    daemon = Daemon(host, {"a.toml": vrrp_instance(f"{VIP}/24", priority=100) + SERVICE.format(method)})
    daemon.start()
    daemon.stop()
    return daemon.log()


def test_what_is_missing_is_said_with_its_remedy() -> None:
    with Lab() as lab:
        host = lab.host("one", "192.0.2.1/24")
        host.sysctl("net.ipv4.ip_forward", 0)

        direct, nat = said_by(host, "DR"), said_by(host, "NAT")

    assert f"ip address add {VIP}/32 dev lo" in direct
    assert "sysctl -w net.ipv4.conf.all.arp_ignore=1" in direct
    assert "sysctl -w net.ipv4.conf.all.arp_announce=2" in direct
    assert "sysctl -w net.ipv4.ip_forward=1" in nat


def test_a_site_that_has_done_its_part_hears_nothing() -> None:
    with Lab() as lab:
        host = lab.host("one", "192.0.2.1/24")
        host.add_address(f"{VIP}/32", "lo")
        host.sysctl("net.ipv4.conf.all.arp_ignore", 1)
        host.sysctl("net.ipv4.conf.all.arp_announce", 2)

        said = said_by(host, "DR")

    assert "sysctl -w" not in said
    assert "dev lo" not in said
