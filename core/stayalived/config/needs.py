"""What the supervisor has to know of a configuration that it does not read."""

import msgspec

from stayalived.checker.shards import shard_names
from stayalived.config.decode import fields_of
from stayalived.config.general import GlobalTable
from stayalived.config.kinds import remarks
from stayalived.config.model import BUNDLED, GLOBAL, Configuration
from stayalived.config.resolve import checks_of
from stayalived.config.resolve_services import KIND as VIRTUAL_SERVER
from stayalived.config.resolve_vrrp import KIND as VRRP_INSTANCE
from stayalived.messages.census import take_census
from stayalived.messages.control import Needs
from stayalived.runner.requests import Permits
from stayalived.vrrp.timers import master_down_interval

FIRST_FREE_PORT = 1024
"""Ports below take CAP_NET_BIND_SERVICE to bind to (ip(7))."""

START_ONLY = tuple(key for key, known in fields_of(GlobalTable).items() if remarks(known.type)["restart"])
"""Keys of `[global]` that cannot change without a restart (P28)."""


def needs_of(configuration: Configuration) -> Needs:
    """Return what the supervisor must start, keep and refuse for this configuration."""
    return Needs(
        children=_children(configuration),
        child_wait_time=configuration.globals.child_wait_time,
        log=configuration.globals.log,
        log_facility=configuration.globals.log_facility,
        log_level=configuration.globals.log_level,
        objects=_objects(configuration),
        shortest_master_down=_shortest_master_down(configuration),
        realtime=configuration.globals.realtime,
        start_only=tuple(f"{GLOBAL}.{key}={getattr(configuration.globals, key)}" for key in START_ONLY),
        removable=(
            take_census(VRRP_INSTANCE, (instance.name for instance in configuration.instances)),
            take_census(VIRTUAL_SERVER, (service.name for service in configuration.virtual_servers)),
        ),
        plugins=tuple(f"{used.name} {used.version}" for used in configuration.distributions),
        checker_capabilities=_checker_capabilities(configuration),
        state_dir=configuration.globals.state_dir,
        fifos=_fifos(configuration),
    )


def _fifos(configuration: Configuration) -> tuple[str, ...]:
    """Return the FIFOs of all actions: by an option `fifo` a plugin says that it writes into one."""
    found = [msgspec.msgpack.decode(action.options) for action in configuration.actions]
    paths = [options.get("fifo") for options in found if isinstance(options, dict)]
    return tuple(dict.fromkeys(path for path in paths if isinstance(path, str)))


def _checker_capabilities(configuration: Configuration) -> tuple[str, ...]:
    """Return what the bundled checker has to keep for its sockets: capabilities(7), SO_MARK in socket(7)."""
    checks = (*checks_of(configuration.virtual_servers), *configuration.tracked_checks)
    sources = [check.source for check in checks if check.distribution == BUNDLED]
    needed = {
        "NET_RAW": any(source.fwmark for source in sources),
        "NET_BIND_SERVICE": any(0 < source.bind_port < FIRST_FREE_PORT for source in sources),
    }
    return tuple(name for name, is_needed in needed.items() if is_needed)


def _children(configuration: Configuration) -> tuple[str, ...]:
    """Return the names of the children, log first: the others speak through it."""
    children = ["log"]
    if configuration.instances:
        children.append("vrrp")
    if configuration.virtual_servers:
        children.append("ipvs")
    if configuration.tracked_checks or checks_of(configuration.virtual_servers):
        children.extend(shard_names(configuration.globals.checker_processes))
    strangers = [used for used in configuration.distributions if used.name != BUNDLED]
    children.extend(f"checker/{used.name}" for used in strangers if "checker" in used.roles)
    telling = [used for used in configuration.distributions if "notify" in used.roles]
    if telling:
        children.append("notify")
    children.extend(f"notify/{used.name}" for used in telling if used.name != BUNDLED)
    if telling or Permits.of(configuration).granted:
        children.append("runner")
    return (*children, "api")


def _objects(configuration: Configuration) -> int:
    servers = sum(len(service.real_servers) for service in configuration.virtual_servers)
    checks = len(checks_of(configuration.virtual_servers)) + len(configuration.tracked_checks)
    routers = sum(len(instance.routers) for instance in configuration.instances)
    groups = len(configuration.sync_groups)
    return routers + groups + len(configuration.virtual_servers) + servers + checks + len(configuration.actions)


def _shortest_master_down(configuration: Configuration) -> int:
    return min(
        (
            master_down_interval(router.version, router.priority, router.advert_int, router.down_timer_adverts)
            for instance in configuration.instances
            for router in instance.routers
        ),
        default=0,
    )
