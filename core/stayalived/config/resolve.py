"""From files to a configuration that leaves nothing to look up, or to everything that is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from stayalived.config import rules
from stayalived.config.decode import Decoder, unknown_key
from stayalived.config.desk import Desk
from stayalived.config.files import Source, join, merge, overlay
from stayalived.config.findings import Findings, Table
from stayalived.config.iproute_names import IprouteNames, NumberNames
from stayalived.config.levels import look_at_levels
from stayalived.config.machine import Machine, ThisMachine
from stayalived.config.model import GLOBAL, Action, Check, Configuration, Distribution, VirtualServer
from stayalived.config.names import BadHost, Lookup, Names, ask_resolver
from stayalived.config.others import look_at_others, missing_host
from stayalived.config.places import Places
from stayalived.config.problems import Problem
from stayalived.config.programs import look_at_machine
from stayalived.config.resolve_checks import KIND as CHECK
from stayalived.config.resolve_checks import CheckRoom
from stayalived.config.resolve_directors import check_followers, check_mixed, peers_of, sync_daemon_of
from stayalived.config.resolve_global import global_table, globals_of
from stayalived.config.resolve_groups import KIND as VRRP_SYNC_GROUP
from stayalived.config.resolve_groups import GroupRoom
from stayalived.config.resolve_services import KIND as VIRTUAL_SERVER
from stayalived.config.resolve_services import ServiceRoom
from stayalived.config.resolve_track import TrackRoom, look_at_groups
from stayalived.config.resolve_vrrp import KIND as VRRP_INSTANCE
from stayalived.config.resolve_vrrp import InstanceRoom
from stayalived.config.reuse import Kept
from stayalived.config.secrets import Vault
from stayalived.plugin.manager import Plugins

KINDS = (GLOBAL, CHECK, VRRP_INSTANCE, VRRP_SYNC_GROUP, VIRTUAL_SERVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a configuration depends on beside its files."""

    plugins: Plugins
    host_id: str
    host_name: str
    vault: Vault = field(default_factory=Vault)
    lookup: Lookup = ask_resolver
    machine: Machine = field(default_factory=ThisMachine)
    numbers: NumberNames = field(default_factory=IprouteNames)
    kept: Kept = field(default_factory=Kept)


def disabled_plugins(sources: Sequence[Source], host_id: str) -> list[str]:
    """Return `[global] disable_plugins`, which must be known before plugins are loaded; mistakes are told later."""
    shared = merge(sources, host_id, Findings()).get(GLOBAL)
    wanted = shared.get("disable_plugins") if isinstance(shared, Mapping) else None
    return [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []


def resolve(sources: Sequence[Source], around: Surroundings) -> tuple[Configuration | None, list[Problem]]:
    """Return the configuration that the files mean on this host, and everything that is wrong with them.

    Args:
        sources: the files, parsed.
        around: plugins, host, secrets, resolver.

    Returns:
        no configuration when one of the problems is more than a warning.
    """
    findings = Findings()
    common, differences = join(sources, findings)
    findings.add(around.plugins.problems)
    desk = desk_for(around, around.host_id, findings)
    configuration = _take(overlay(common, differences.get(around.host_id, {})), desk, around.plugins, around.kept)

    missing_host(differences, around.host_id, findings)
    look_at_others(common, differences, around.host_id, partial(_found_by, around), findings)
    look_at_machine(desk.globals, desk.commands, around.machine, findings)
    rules.check_fit(configuration.instances, around.machine.mtu, findings)
    if not findings.errors:
        _ask_plugins(configuration, around.plugins, findings)
    places = Places(sources, around.host_id)
    return (None if findings.errors else configuration), findings.problems(places)


def desk_for(around: Surroundings, host_id: str, findings: Findings) -> Desk:
    """Return what everybody who resolves a part of one host's configuration has at hand."""
    return Desk(
        findings=findings,
        decoder=Decoder(findings, around.vault),
        catalogue=around.plugins.catalogue,
        names=Names(around.lookup),
        host_id=host_id,
        host_name=around.host_name,
        interface_of=around.machine.interface_of,
        numbers=around.numbers,
    )


def _found_by(around: Surroundings, tree: Table, host_id: str) -> Findings:
    """Return what another host would find, as far as its names and addresses do not matter."""
    found = Findings()
    desk = desk_for(replace(around, lookup=_ask_nobody), host_id, found)
    desk.interface_of = str  # an address there is as good as a name
    _take(tree, desk, around.plugins)
    return found


def _ask_nobody(host: str) -> list[str]:
    raise BadHost(f"{host} is a name for another host to resolve")


def _take(tree: Table, desk: Desk, plugins: Plugins, kept: Kept | None = None) -> Configuration:
    for key in tree:
        if key not in KINDS:
            unknown_key(desk.findings, (key,), KINDS)
    desk.globals = global_table(tree.get(GLOBAL, {}), desk)
    checks = CheckRoom(desk)
    checks.take_named(tree)
    tracks = TrackRoom(desk, checks)
    instances = InstanceRoom(desk, tracks).take(tree)
    groups = GroupRoom(desk, instances, tracks).take(tree)
    look_at_groups(groups, instances, desk.findings)
    services = (kept or Kept()).joined(ServiceRoom(desk, checks).take(tree))
    rules.check_instances(instances, desk.findings)
    rules.check_services(services, desk.findings)
    look_at_levels(desk, services)
    served = _served(services)
    named = tree.get(VRRP_INSTANCE)
    daemon = sync_daemon_of(desk, instances, groups)
    check_mixed(services, daemon, desk.findings)
    check_followers(services, list(named) if isinstance(named, Mapping) else [], daemon, desk.findings)
    actions = tuple(action for action, _ in desk.actions)
    return Configuration(
        globals=globals_of(desk, instances, checks_of(served), daemon, peers_of(desk, services)),
        instances=instances,
        virtual_servers=served,
        tracked_checks=tracks.checks,
        actions=actions,
        distributions=_distributions(plugins, served, tracks.checks, actions),
        sync_groups=groups,
    )


def _served(services: Sequence[VirtualServer]) -> tuple[VirtualServer, ...]:
    """Return the services that have a server, with a quorum that can be reached."""
    return tuple(
        msgspec.structs.replace(
            service, quorum=rules.capped_quorum(service), hysteresis=rules.capped_hysteresis(service)
        )
        for service in services
        if service.real_servers
    )


def checks_of(services: Sequence[VirtualServer]) -> list[Check]:
    """Return the checks of all real servers."""
    return [check for service in services for server in service.real_servers for check in server.checks]


def _distributions(
    plugins: Plugins, services: Sequence[VirtualServer], tracked: Sequence[Check], actions: Sequence[Action]
) -> tuple[Distribution, ...]:
    """Return the distributions that this configuration uses, and in which roles."""
    roles: dict[str, set[str]] = {}
    for check in (*checks_of(services), *tracked):
        roles.setdefault(check.distribution, set()).add("checker")
    for service in services:
        found = roles.setdefault(service.policy_distribution, set())
        if service.computes_weights:
            found.add("checker")
    for action in actions:
        roles.setdefault(action.distribution, set()).add("notify")
    for observer in plugins.events.observers:
        roles.setdefault(observer.distribution, set()).add("notify")
    versions = {installed.name: installed.version for installed in plugins.loaded}
    return tuple(
        Distribution(name, versions.get(name, ""), tuple(sorted(used))) for name, used in sorted(roles.items())
    )


def _ask_plugins(configuration: Configuration, plugins: Plugins, findings: Findings) -> None:
    """Let the plugins look at the whole: what they say counts, what they raise is a warning."""
    for answer in plugins.config_loaded.call(config=configuration):
        if answer.failure is not None:
            findings.add([Problem(path="", expected=str(answer.failure), warning=True)])
            continue
        try:
            said = msgspec.convert(answer.value or (), list[Problem], from_attributes=True)
        except msgspec.ValidationError:
            text = f"plugin {answer.distribution}: {plugins.config_loaded.hook} returned no list of problems"
            findings.add([Problem(path="", expected=text, warning=True)])
            continue
        findings.add(said)
