"""Who may balance, from tables to what ipvs works on: sync daemon, marks of peer directors, what services follow."""

import ipaddress
import re
from collections.abc import Collection, Sequence

from stayalived.config import resolve_services, resolve_vrrp
from stayalived.config.desk import Desk, first_set
from stayalived.config.directors import PEER_MARK, Peers, SyncDaemon, SyncDaemonTable
from stayalived.config.findings import Findings, Path, shown
from stayalived.config.model import VirtualServer
from stayalived.config.virtual_routers import SyncGroup, VrrpInstance
from stayalived.spelling import nearest

SYNC_DAEMON = "lvs_sync_daemon"
PEERS = "peer_directors"
MARK = "peer_mark"
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_GLOBAL = "global"


def sync_daemon_of(desk: Desk, instances: Sequence[VrrpInstance], groups: Sequence[SyncGroup]) -> SyncDaemon | None:
    """Return the connection sync daemon; None without one, or after an error.

    Args:
        desk: with `[global]`.
        instances: of this machine.
        groups: in which some of them move together.
    """
    path: Path = (_GLOBAL, SYNC_DAEMON)
    if desk.globals.lvs_sync_daemon is None:
        return None
    table = desk.decoder.table(desk.globals.lvs_sync_daemon, SyncDaemonTable, path, SYNC_DAEMON)
    if table is None:
        return None
    instance = next((each for each in instances if each.name == table.instance), None)
    if table.instance is not None and instance is None:
        _miss(table.instance, [each.name for each in instances], (*path, "instance"), desk.findings)
    own_id = instance.routers[0].virtual_router_id if instance else 0
    return SyncDaemon(
        interface=table.interface,
        instance=table.instance or "",
        sync_id=first_set(table.id, default=own_id),
        maxlen=table.maxlen or 0,
        port=table.port,
        ttl=table.ttl,
        group=_multicast(table.group, (*path, "group"), desk.findings),
        backup_only=_backup_only(table, instances, groups, desk.findings),
    )


def peers_of(desk: Desk, services: Sequence[VirtualServer]) -> Peers:
    """Return the other directors."""
    table, findings = desk.globals, desk.findings
    macs, addresses = [], []
    for number, text in enumerate(table.peer_directors):
        if _MAC.fullmatch(text):
            macs.append(bytes.fromhex(text.replace(":", "")))
        else:
            found, port = desk.host(text, (_GLOBAL, PEERS, number))
            addresses += list(found.values())[:1]  # one is enough to learn its MAC address
            if port:
                remedy = "must be a MAC address such as 52:54:00:12:34:56, or an IP address without a port"
                findings.error((_GLOBAL, PEERS, number), remedy, found=shown(text))
    mark = first_set(table.peer_mark, default=PEER_MARK if table.peer_directors else 0)
    for service in services:
        if mark and mark in service.fwmarks:
            text = f"is {_GLOBAL}.{MARK}, which means packets from other directors; take another one"
            findings.error((resolve_services.KIND, service.name, "fwmark"), text, found=shown(mark))
    return Peers(macs=tuple(dict.fromkeys(macs)), addresses=tuple(dict.fromkeys(addresses)), mark=mark)


def check_followers(
    services: Sequence[VirtualServer], names: Collection[str], daemon: SyncDaemon | None, findings: Findings
) -> None:
    """Look at the services that are on the MASTER only.

    Args:
        services: of this machine.
        names: of all instances, also of those with which something is wrong.
        daemon: the sync daemon, if there is one.
        findings: where to note it.
    """
    for service in services:
        path: Path = (resolve_services.KIND, service.name, "follow")
        if service.follow and service.follow not in names:
            _miss(service.follow, names, path, findings)
        elif service.follow and daemon is not None:
            text = (
                "connections that come over lvs_sync_daemon find no server on a BACKUP that has no table: after a "
                "takeover, thresholds, wlc and drain do not see them; backup_only keeps the table there"
            )
            findings.warn(path, text, found=shown(service.follow))


def check_mixed(services: Sequence[VirtualServer], daemon: SyncDaemon | None, findings: Findings) -> None:
    """Look for tunnels into another family than the service's, which no sync daemon can tell of.

    net/netfilter/ipvs/ip_vs_ctl.c: with a daemon the kernel refuses such a server (ip_vs_genl_set_cmd), and with such a
    server the daemon (ip_vs_genl_new_daemon).

    Args:
        services: of this machine.
        daemon: the sync daemon, if there is one.
        findings: where to note it.
    """
    for service in services if daemon is not None else ():
        families = service.fwmark_families if service.fwmarks else {one.family for one in service.addresses}
        for server in service.real_servers:
            lacking = [family for family in sorted(families) if server.endpoint(family) is None]
            if server.forward.method == "TUN" and lacking:
                path = (resolve_services.KIND, service.name, resolve_services.SERVER_KIND, server.name, "address")
                text = (
                    f"has no IPv{lacking[0]} address, as the service has: with {_GLOBAL}.{SYNC_DAEMON} the kernel "
                    "refuses tunnels into another family"
                )
                findings.error(path, text, found=", ".join(str(one) for one in server.addresses))


def _miss(name: str, names: Collection[str], path: Path, findings: Findings) -> None:
    near = nearest(name, names)
    remedy = f"did you mean {near}?" if near else f"there are: {', '.join(sorted(names)) or 'none'}"
    findings.error(path, f"no [{resolve_vrrp.KIND}.{name}]; {remedy}", found=shown(name))


def _multicast(text: str, path: Path, findings: Findings) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or not address.is_multicast:
        findings.error(path, "must be a multicast address, such as 224.0.0.81 or ff02::81", found=shown(text))
        return text
    return str(address)


def _backup_only(
    table: SyncDaemonTable, instances: Sequence[VrrpInstance], groups: Sequence[SyncGroup], findings: Findings
) -> bool | None:
    """Return whether a BACKUP balances nothing: net.ipv4.vs.backup_only holds for a whole network namespace.

    None leaves it to ipvs, which knows whether this machine is a real server.
    """
    others = _others(table.instance or "", instances, groups)
    alone = bool(table.instance) and not others
    if table.backup_only and not alone:
        found = f"other instances on this machine: {', '.join(others)}" if table.instance else "no instance"
        text = (
            "stops all balancing in this network namespace, of what another instance is MASTER of too; leave it out, "
            f"and name the other directors in {_GLOBAL}.{PEERS}"
        )
        findings.error((_GLOBAL, SYNC_DAEMON, "backup_only"), text, found=found)
    return None if alone and table.backup_only is None else bool(table.backup_only)


def _others(name: str, instances: Sequence[VrrpInstance], groups: Sequence[SyncGroup]) -> list[str]:
    """Return the instances that do not move with the one of this name."""
    moving = {name}.union(*(group.instances for group in groups if name in group.instances))
    return [instance.name for instance in instances if instance.name not in moving]
