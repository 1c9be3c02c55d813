"""What a configuration wants of vrrp: groups, the instances in them, the virtual routers of these."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stayalived.config.model import Configuration
from stayalived.config.virtual_routers import Tracker, VirtualRouter, VrrpInstance

Identity = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedInstance:
    """One instance; with `split = true` one for each half."""

    name: str
    configuration: VrrpInstance
    routers: tuple[VirtualRouter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGroup:
    """Instances that move together: a sync group, or one alone, which has no name of its own."""

    name: str
    trackers: tuple[Tracker, ...]
    instances: tuple[WantedInstance, ...]

    @property
    def key(self) -> str:
        """What the group is known by; a sync group and an instance may have the same name."""
        return f"group {self.name}" if self.name else f"instance {self.instances[0].name}"


def wanted_groups(configuration: Configuration) -> Iterator[WantedGroup]:
    """Return the groups that a configuration asks for, in its order."""
    instances = {wanted.name: wanted for instance in configuration.instances for wanted in _parts(instance)}
    for sync in configuration.sync_groups:
        members = tuple(instances.pop(name) for name in sync.instances if name in instances)
        if members:
            yield WantedGroup(name=sync.name, trackers=sync.trackers, instances=members)
    for wanted in instances.values():
        yield WantedGroup(name="", trackers=(), instances=(wanted,))


def _parts(instance: VrrpInstance) -> Iterable[WantedInstance]:
    if instance.split:
        return [WantedInstance(name=one.key, configuration=instance, routers=(one,)) for one in instance.routers]
    if not instance.routers:
        return ()
    return (WantedInstance(name=instance.name, configuration=instance, routers=instance.routers),)


def identity(router: VirtualRouter) -> Identity:
    """Return what makes a virtual router another one when it changes."""
    return (
        router.key,
        router.interface,
        router.family,
        router.version,
        router.virtual_router_id,
        router.group,
        router.source if router.peers else "",
        router.virtual_mac,
    )
