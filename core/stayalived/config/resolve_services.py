"""Virtual servers and their real servers: from tables to what ipvs and checker work on."""

from dataclasses import dataclass

from stayalived.addresses import Endpoint, Family
from stayalived.config import services
from stayalived.config.alerts import alert
from stayalived.config.desk import Desk, first_set
from stayalived.config.findings import Findings, Path, Table, shown
from stayalived.config.model import Forwarding, PoolManners, RealServer, VirtualServer
from stayalived.config.persistence import persistence_of
from stayalived.config.resolve_actions import act
from stayalived.config.resolve_checks import CheckRoom, Specification, Subject
from stayalived.config.resolve_listening import (
    addresses_of,
    engine_of,
    families_of,
    mark_families,
    marks_of,
    protocols_of,
)
from stayalived.config.services import ForwardTable, RealServerTable, VirtualServerTable
from stayalived.config.telling import is_mailed
from stayalived.plugin.catalogue import SCHEDULER, Provided
from stayalived.plugin.schedulers import Scheduler

KIND = "virtual_server"
SERVER_KIND = "real_server"
_PLAIN = Forwarding(method="NAT", tunnel="", port=0, checksum="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policy:
    """A scheduler with its options, as it goes into a virtual server."""

    provided: Provided[Scheduler]
    options: bytes
    made: Scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """A virtual server while its real servers are resolved."""

    name: str
    path: Path
    table: VirtualServerTable
    addresses: tuple[Endpoint, ...]
    families: tuple[Family, ...]  # of the addresses; for a mark those that its servers may have
    forward: Forwarding
    sorry_forward: Forwarding
    checks: list[Specification]

    def port(self, family: Family) -> int | None:
        """Return the port of a family's addresses, 0 without any; None when there are several.

        A family that the service has not, which a tunnel may have, sees all ports of it.
        """
        ports = {one.port for one in self.addresses if one.family is family or family not in self.families}
        if len(ports) > 1:
            return None
        return next(iter(ports), 0)


class ServiceRoom:
    """Turns `[virtual_server.NAME]` into virtual servers."""

    def __init__(self, desk: Desk, checks: CheckRoom) -> None:
        """Work at a desk, with the named checks at hand."""
        self._desk = desk
        self._checks = checks
        self._findings: Findings = desk.findings
        self._policies: dict[str, _Policy] = {}

    def take(self, tree: Table) -> tuple[VirtualServer, ...]:
        """Return every virtual server that could be resolved."""
        made = [self._take_one(name, table) for name, table in self._desk.tables(tree, KIND).items()]
        return tuple(service for service in made if service is not None)

    def _take_one(self, name: str, raw: Table) -> VirtualServer | None:
        path: Path = (KIND, name)
        before = self._findings.errors
        table = self._desk.decoder.table(raw, VirtualServerTable, path, KIND)
        if table is None:
            return None
        addresses = addresses_of(table, path, self._desk)
        policy = self._policy(table, path)
        protocols = protocols_of(table, path, self._desk)
        act(self._desk, table.notify, f"virtual_server {name}", (*path, "notify"))
        alert(self._desk, bool(self._alert(table.smtp_alert)), f"virtual_server {name}", path)
        forward = self._forward(table.forward, (*path, "forward")) or _PLAIN
        service = _Service(
            name=name,
            path=path,
            table=table,
            addresses=addresses,
            families=families_of(table, addresses, path, self._desk),
            forward=forward,
            sorry_forward=self._forward(table.sorry_server_lvs_method, (*path, "sorry_server_lvs_method")) or forward,
            checks=self._checks.specifications(table.check, (*path, "check")),
        )
        servers = self._servers(service)
        if policy is None or self._findings.errors != before:
            return None
        return self._make(service, servers, policy, protocols)

    def _make(
        self, service: _Service, servers: tuple[RealServer, ...], policy: _Policy, protocols: tuple[str, ...]
    ) -> VirtualServer | None:
        before = self._findings.errors
        table = service.table
        engine = engine_of(table, service.path, self._desk)
        timeout, granularity = persistence_of(table, service.path, self._findings, service.families)
        if self._findings.errors != before:
            return None
        return VirtualServer(
            name=service.name,
            protocols=protocols,
            addresses=service.addresses,
            fwmarks=marks_of(table, service.path, self._desk),
            fwmark_families=mark_families(service.families, servers) if table.fwmark else (),
            scheduler=policy.made.kernel,
            scheduler_flags=tuple(sorted(policy.made.flags())),
            policy=policy.provided.name,
            policy_distribution=policy.provided.distribution,
            policy_options=policy.options,
            computes_weights=policy.provided.provider.computes_weights,
            persistence_timeout=timeout,
            persistence_granularity=granularity,
            persistence_engine=engine,
            one_packet=table.ops,
            alpha=first_set(table.alpha, default=True),
            quorum=table.quorum,
            hysteresis=table.hysteresis,
            sorry_servers=self._sorry_servers(service),
            sorry_forward=service.sorry_forward,
            real_servers=servers,
            follow=table.follow or "",
            manners=self._manners(table, service.path),
        )

    # What a virtual server says of itself

    def _policy(self, table: VirtualServerTable, path: Path) -> _Policy | None:
        where = (*path, "scheduler")
        value = table.scheduler
        if value is None:
            value = self._default_scheduler()
        if value is None:
            self._findings.error(where, 'missing; write scheduler = "NAME"')
            return None
        if isinstance(value, str) and value.lower() in self._policies:
            return self._policies[value.lower()]
        found = self._desk.specification(value, where)
        if found is None:
            return None
        name, options_table = found
        provided = self._desk.provided(SCHEDULER, self._desk.catalogue.schedulers, name, where)
        options = None if provided is None else self._desk.options(provided, options_table, where)
        if provided is None or options is None:
            return None
        if provided.provider.computes_weights and not provided.bundled:
            # The process that changes the kernel's table runs no stranger's code.
            text = f"computes weights, which only those of stayalived may; let a check of {provided.distribution} do it"
            self._findings.error(where, text, found=shown(name))
            return None
        policy = _Policy(provided=provided, options=options, made=provided.make(options))
        if isinstance(value, str):
            self._policies[value.lower()] = policy
        return policy

    def _default_scheduler(self) -> str | None:
        schedulers = self._desk.catalogue.schedulers.items()
        return next((name for name, entry in schedulers if entry.bundled and entry.provider.is_default), None)

    def _forward(self, value: str | Table | None, path: Path) -> Forwarding | None:
        if value is None:
            return None
        if isinstance(value, str):
            table: ForwardTable | None = ForwardTable(type=value)
        else:
            table = self._desk.decoder.table(value, ForwardTable, path)
        if table is None:
            return None
        where = path if isinstance(value, str) else (*path, "type")
        method = self._desk.choice(table.type, services.METHODS, where)
        if method != "TUN":
            if table.tunnel or table.port or table.checksum:
                self._findings.error(path, "tunnel, port and checksum go with TUN only")
            return Forwarding(method=method, tunnel="", port=0, checksum="")
        return self._tunnel(table, path)

    def _tunnel(self, table: ForwardTable, path: Path) -> Forwarding:
        tunnel = self._desk.choice(table.tunnel or services.TUNNELS[0], services.TUNNELS, (*path, "tunnel"))
        checksum = table.checksum or services.CHECKSUMS[0]
        checksum = self._desk.choice(checksum, services.CHECKSUMS, (*path, "checksum"))
        if (tunnel == "gue") != (table.port is not None):
            self._findings.error((*path, "port"), 'goes with tunnel = "gue", which must have one')
        # LV10, ip_vs_ctl.c: remote checksum offload exists for GUE only, and IPIP has no checksum at all.
        if (checksum == "remcsum" and tunnel != "gue") or (checksum == "csum" and tunnel == "ipip"):
            self._findings.error((*path, "checksum"), f"{checksum} does not exist for {tunnel}", found=shown(checksum))
        return Forwarding(
            method="TUN", tunnel=tunnel, port=table.port or 0, checksum="" if checksum == "nocsum" else checksum
        )

    def _sorry_servers(self, service: _Service) -> tuple[Endpoint, ...]:
        path = (*service.path, "sorry_server")
        found = self._desk.each_family(service.table.sorry_server, path)
        tunnelled = service.sorry_forward.method == "TUN"  # which carries packets of either family
        others = list(found)[:1] if tunnelled else []
        chosen = [family for family in service.families if family in found] or others
        if found and not chosen:
            self._findings.error(
                path, "has no address of the service's family", found=shown(service.table.sorry_server)
            )
        if chosen and len(chosen) < len(service.families) and service.addresses and not tunnelled:
            self._findings.warn(path, f"stands in for IPv{chosen[0]} only; the service has both families")
        endpoints = []
        for family in chosen:
            address, port, place = found[family]
            port = self._kept_port(port, service.port(family) or 0, service.sorry_forward, place)
            endpoints.append(Endpoint(address, port))
        return tuple(endpoints)

    def _manners(self, table: VirtualServerTable, path: Path) -> PoolManners:
        for key in ("sorry_server_inhibit", "sorry_server_lvs_method"):
            if getattr(table, key) and table.sorry_server is None:
                self._findings.warn((*path, key), "has no effect without sorry_server")
        if table.ha_suspend and table.fwmark is not None:
            self._findings.error((*path, "ha_suspend"), "goes with address only: a mark is on no machine; leave it out")
        stale = self._desk.choice(table.stale, services.STALE, (*path, "stale"))
        return PoolManners(
            panic_threshold=first_set(table.panic_threshold, self._desk.globals.panic_threshold, default=0),
            omega=table.omega,
            sorry_inhibit=table.sorry_server_inhibit,
            stale_is_down=stale == "down",
            ha_suspend=table.ha_suspend,
        )

    # Real servers

    def _servers(self, service: _Service) -> tuple[RealServer, ...]:
        path = (*service.path, SERVER_KIND)
        made: list[RealServer] = []
        for name, raw in service.table.real_server.items():
            if not self._desk.named(name, (*path, name)):
                continue
            table = self._desk.decoder.table(raw, RealServerTable, (*path, name), SERVER_KIND)
            if table is not None:
                server = self._server(service, name, table, (*path, name))
                if server is not None:
                    made.append(server)
        return tuple(made)

    def _server(self, service: _Service, name: str, table: RealServerTable, path: Path) -> RealServer | None:
        above = service.table
        forward = self._forward(table.forward, (*path, "forward")) or service.forward
        subject = f"{service.name}/{name}"
        act(self._desk, table.notify, f"real_server {subject}", (*path, "notify"))
        is_wanted = self._alert(table.smtp_alert)  # M06: None, which is true where there is somebody to mail
        alert(self._desk, is_wanted, f"real_server {subject}", path)
        endpoints = self._endpoints(service, table, forward, path)
        if not endpoints:
            return None
        own = self._checks.specifications(table.check, (*path, "check")) if table.check is not None else service.checks
        whom = Subject(
            name=subject,
            endpoints=endpoints,
            virtual_host=first_set(table.virtualhost, above.virtualhost, default=""),
            layers=(table, above),
            path=path,
            weight=first_set(table.weight, above.weight, default=1),
        )
        return RealServer(
            name=name,
            addresses=endpoints,
            weight=whom.weight,
            forward=forward,
            upper_threshold=first_set(table.uthreshold, above.uthreshold, default=0),
            lower_threshold=first_set(table.lthreshold, above.lthreshold, default=0),
            inhibit_on_failure=first_set(table.inhibit_on_failure, above.inhibit_on_failure, default=False),
            checks=self._checks.checks(whom, own),
        )

    def _alert(self, own: bool | None) -> bool | None:
        return is_mailed(own, self._desk.globals.smtp_alert_checker, self._desk.globals.smtp_alert)

    def _endpoints(
        self, service: _Service, table: RealServerTable, forward: Forwarding, path: Path
    ) -> tuple[Endpoint, ...]:
        where = (*path, "address")
        before = self._findings.errors
        found = self._desk.each_family(table.address, where)
        if not found:
            if self._findings.errors == before:
                self._findings.error(where, "must name at least one address", found=shown(table.address))
            return ()
        tunnelled = forward.method == "TUN"
        if not tunnelled and not found.keys() & set(service.families):
            families = " or ".join(f"IPv{family}" for family in service.families)
            self._findings.error(where, f"must have an {families} address, as the service has")
            return ()
        endpoints = []
        for family in dict.fromkeys((*service.families, *found)) if tunnelled else service.families:
            if family in found:
                address, port, place = found[family]
                endpoints.append(Endpoint(address, self._port(service, family, port, forward, place)))
            elif service.addresses and not tunnelled:
                text = f"has no IPv{family} address: it serves nothing of the service's IPv{family} addresses"
                self._findings.warn(where, text)
        return tuple(endpoints)

    def _port(self, service: _Service, family: Family, port: int, forward: Forwarding, path: Path) -> int:
        ports = service.port(family)
        if ports is None:
            if not port:
                self._findings.error(path, "must have a port: the addresses of the service have several")
            return port
        return self._kept_port(port, ports, forward, path)

    def _kept_port(self, port: int, service_port: int, forward: Forwarding, path: Path) -> int:
        """Return the port that packets will arrive at: DR and TUN do not change it (LV09)."""
        if forward.method != "NAT" and port not in (0, service_port):
            text = f"{forward.method} keeps the service's port {service_port}: that one is used"
            self._findings.warn(path, text, found=f"port {port}")
            return service_port
        return port or service_port
