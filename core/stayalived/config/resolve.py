"""From files to a configuration that leaves nothing to look up, or to everything that is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from stayalived.config import rules
from stayalived.config.decode import Decoder, unknown_key
from stayalived.config.desk import Desk, first_set
from stayalived.config.files import Source, join, merge, overlay
from stayalived.config.findings import Findings, Table, Value, shown
from stayalived.config.general import FACILITIES, LEVELS, LOG_TARGETS, LOGS, GlobalTable, is_log_target
from stayalived.config.machine import Machine, ThisMachine
from stayalived.config.model import Action, Check, Configuration, Distribution, Globals, VirtualServer
from stayalived.config.names import BadHost, Lookup, Names, ask_resolver
from stayalived.config.others import look_at_others, missing_host
from stayalived.config.places import Places
from stayalived.config.problems import Problem
from stayalived.config.programs import look_at_machine
from stayalived.config.resolve_checks import KIND as CHECK
from stayalived.config.resolve_checks import CheckRoom
from stayalived.config.resolve_services import KIND as VIRTUAL_SERVER
from stayalived.config.resolve_services import ServiceRoom
from stayalived.config.resolve_vrrp import KIND as VRRP_INSTANCE
from stayalived.config.resolve_vrrp import InstanceRoom
from stayalived.config.secrets import Vault
from stayalived.config.virtual_routers import VrrpInstance
from stayalived.plugin.manager import Plugins
from stayalived.timing import NO_TIME, Duration, seconds

GLOBAL = "global"
KINDS = (GLOBAL, CHECK, VRRP_INSTANCE, VIRTUAL_SERVER)
LONGEST_HOLD = seconds(10)
HOLD_SPARE = seconds(1)  # beyond the longest limit of a step
FAST = seconds(1)  # an advert interval below this asks for real-time scheduling
GLOBAL_EVENTS = (
    "master", "backup", "fault", "stop", "deleted", "lower_priority", "up", "down", "quorum_up", "quorum_down",
    "child_died", "child_started", "plugin_failed", "reloaded", "reload_refused",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a configuration depends on beside its files."""

    plugins: Plugins
    host_id: str
    host_name: str
    vault: Vault = field(default_factory=Vault)
    lookup: Lookup = ask_resolver
    machine: Machine = field(default_factory=ThisMachine)


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
    desk = _desk(around, around.host_id, findings)
    configuration = _take(overlay(common, differences.get(around.host_id, {})), desk, around.plugins)

    missing_host(differences, around.host_id, findings)
    look_at_others(common, differences, around.host_id, partial(_found_by, around), findings)
    look_at_machine(desk.globals, desk.actions, around.machine, findings)
    if not findings.errors:
        _ask_plugins(configuration, around.plugins, findings)
    places = Places(sources, around.host_id)
    return (None if findings.errors else configuration), findings.problems(places)


def _desk(around: Surroundings, host_id: str, findings: Findings) -> Desk:
    return Desk(
        findings=findings,
        decoder=Decoder(findings, around.vault),
        catalogue=around.plugins.catalogue,
        names=Names(around.lookup),
        host_id=host_id,
        host_name=around.host_name,
    )


def _found_by(around: Surroundings, tree: Table, host_id: str) -> Findings:
    """Return what another host would find, as far as its names and addresses do not matter."""
    found = Findings()
    _take(tree, _desk(replace(around, lookup=_ask_nobody), host_id, found), around.plugins)
    return found


def _ask_nobody(host: str) -> list[str]:
    raise BadHost(f"{host} is a name for another host to resolve")


def _take(tree: Table, desk: Desk, plugins: Plugins) -> Configuration:
    for key in tree:
        if key not in KINDS:
            unknown_key(desk.findings, (key,), KINDS)
    desk.globals = _global_table(tree.get(GLOBAL, {}), desk)
    checks = CheckRoom(desk)
    checks.take_named(tree)
    instances = InstanceRoom(desk).take(tree)
    services = ServiceRoom(desk, checks).take(tree)
    rules.check_instances(instances, desk.findings)
    rules.check_services(services, desk.findings)
    served = _served(services)
    actions = tuple(action for action, _ in desk.actions)
    return Configuration(
        globals=_globals(desk, instances, served),
        instances=instances,
        virtual_servers=served,
        tracked_checks=(),
        actions=actions,
        distributions=_distributions(plugins, served, actions),
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


def _global_table(value: Value, desk: Desk) -> GlobalTable:
    table = desk.decoder.table(value, GlobalTable, (GLOBAL,), GLOBAL) or GlobalTable()
    desk.act(table.notify, GLOBAL, GLOBAL_EVENTS, (GLOBAL, "notify"))
    return table


def _globals(desk: Desk, instances: Sequence[VrrpInstance], services: Sequence[VirtualServer]) -> Globals:
    table = desk.globals
    fast = any(router.advert_int < FAST for instance in instances for router in instance.routers)
    return Globals(
        router_id=table.router_id or desk.host_name,
        host_id=desk.host_id,
        child_wait_time=seconds(table.child_wait_time),
        script_user=table.script_user,
        start_hold=_start_hold(table, services),
        start_rate=table.start_rate,
        dynamic_interfaces=table.dynamic_interfaces,
        realtime=first_set(table.realtime, default=fast),
        flush=table.flush,
        log=_log(table.log, desk),
        log_facility=desk.choice(table.log_facility, FACILITIES, (GLOBAL, "log_facility")),
        log_level=desk.choice(table.log_level, LEVELS, (GLOBAL, "log_level")),
    )


def _log(value: str, desk: Desk) -> str:
    if is_log_target(value):
        return value
    desk.findings.error((GLOBAL, "log"), f"must be {LOG_TARGETS}", found=shown(value))
    return LOGS[0]


def checks_of(services: Sequence[VirtualServer]) -> list[Check]:
    """Return the checks of all real servers."""
    return [check for service in services for server in service.real_servers for check in server.checks]


def _start_hold(table: GlobalTable, services: Sequence[VirtualServer]) -> Duration:
    if table.start_hold is not None:
        return seconds(table.start_hold)
    longest = max((check.timing.connect_timeout for check in checks_of(services)), default=NO_TIME)
    return min(Duration(longest + HOLD_SPARE), LONGEST_HOLD) if longest else NO_TIME


def _distributions(
    plugins: Plugins, services: Sequence[VirtualServer], actions: Sequence[Action]
) -> tuple[Distribution, ...]:
    """Return the distributions that this configuration uses, and in which roles."""
    roles: dict[str, set[str]] = {}
    for check in checks_of(services):
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
