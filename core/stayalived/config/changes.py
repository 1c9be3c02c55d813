"""What differs between two configurations, object by object: for the report of a reload and for `check` beside it."""

from collections.abc import Iterator

import msgspec

from stayalived.config.model import Configuration
from stayalived.config.resolve_groups import KIND as VRRP_SYNC_GROUP
from stayalived.config.resolve_services import KIND as VIRTUAL_SERVER
from stayalived.config.resolve_vrrp import KIND as VRRP_INSTANCE


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Names of objects, such as `vrrp_instance tic` or `real_server service42/tac`, in the order of the files."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        """Return one line for people: `added …; removed …; changed …`, or `nothing changed`."""
        parts = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        return "; ".join(f"{word} {', '.join(names)}" for word, names in parts if names) or "nothing changed"


def _objects(configuration: Configuration) -> Iterator[tuple[str, msgspec.Struct]]:
    yield "global", configuration.globals
    for instance in configuration.instances:
        yield f"{VRRP_INSTANCE} {instance.name}", instance
    for group in configuration.sync_groups:
        yield f"{VRRP_SYNC_GROUP} {group.name}", group
    for service in configuration.virtual_servers:
        yield f"{VIRTUAL_SERVER} {service.name}", msgspec.structs.replace(service, real_servers=())
        for server in service.real_servers:
            yield f"real_server {service.name}/{server.name}", server
    for check in configuration.tracked_checks:
        yield f"check {check.key}", check
    for number, action in enumerate(configuration.actions):
        yield f"notify {action.subject} {action.type}#{number}", action


def compare(old: Configuration, new: Configuration) -> Changes:
    """Return what is in one configuration and not in the other, and what is in both and differs."""
    before, after = dict(_objects(old)), dict(_objects(new))
    return Changes(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name, found in after.items() if name in before and before[name] != found),
    )
