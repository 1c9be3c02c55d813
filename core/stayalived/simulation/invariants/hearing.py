"""What a virtual router makes of a packet: one clause of the RFC for each state, and one counter for each packet."""

from typing import TYPE_CHECKING, Any

from stayalived.addresses import packed
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.simulation.glass import Glass
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.lan import Datagram
from stayalived.timing import seconds
from stayalived.vrrp.election import Election
from stayalived.vrrp.states import State

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster

NUMBER, PRIORITY, INTERVAL = 1, 2, 5
"""Places in a message; that of the interval in version 2 (RFC 3768 5.1, RFC 9568 5.1)."""

HARMLESS = "addresses"
"""The one error of an advert that is acted on all the same (RFC 9568 7.1)."""


class Counted(Invariant):
    """Every packet that is heard moves one counter (promise: nothing is lost silently)."""

    NAME = "every packet is counted"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nothing counted."""
        super().__init__(cluster)
        self._before = 0

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of packets)
        """Count what was counted before."""
        if datagrams:
            self._before = self._sum(glass)

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of packets)
        """Count again."""
        if datagrams and self._sum(glass) - self._before != len(datagrams):
            counted = self._sum(glass) - self._before
            self.fail(glass.machine.name, f"{len(datagrams)} packets were heard, {counted} counted")

    def _sum(self, glass: Glass) -> int:
        roster = glass.engine.roster
        found = sum(member.counters.adverts_received for _, member in roster.members.values())
        for link in roster.links.values():
            errors = link.counters.errors
            found += sum(count for kind, count in errors.items() if kind == "length" or kind.startswith("unknown_vrid"))
        return found


class Heard(Invariant):
    """What follows from one advert in each state (RFC 9568 6.4.2, 6.4.3, 7.1; RFC 3768 7.1; V54 to V57).

    A spoilt one is not acted on. A BACKUP becomes MASTER by silence alone. A MASTER yields to a higher priority, and to
    a higher address where priorities are equal, and to nothing else. What a router of the same configuration has said
    is not refused.
    """

    NAME = "what an advert leads to"

    def __init__(self, cluster: "Cluster") -> None:
        """Begin with nothing heard."""
        super().__init__(cluster)
        self._member: Election | None = None
        self._state = State.INIT
        self._errors = 0

    def before(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:
        """Find whom the packet is for, and how he stands."""
        self._member = None
        if len(datagrams) == 1 and glass.works:
            member = self._member = addressee(glass, datagrams[0], event.interface)
            if member is not None:
                self._state, self._errors = member.state, faults_of(member)

    def after(self, glass: Glass, event: Any, datagrams: tuple[Datagram, ...]) -> None:  # noqa: ARG002  (of a packet)
        """See what came of it."""
        member = self._member
        if member is None:
            return
        datagram = datagrams[0]
        refused = faults_of(member) - self._errors
        if not datagram.sound:
            self._judge_spoilt(glass, member, refused)
        elif refused:
            self._judge_refusal(glass, member, datagram)
        else:
            self._judge_accepted(glass, member, datagram)

    def _judge_spoilt(self, glass: Glass, member: Election, refused: int) -> None:
        if refused != 1 or member.state is not self._state:
            what = (
                f"{member.router.key} took a spoilt advert: {self._state} is {member.state}, {refused} errors counted"
            )
            self.fail(glass.machine.name, what)

    def _judge_refusal(self, glass: Glass, member: Election, datagram: Datagram) -> None:
        origin = datagram.origin
        if origin is not None and origin.version == 2 and seconds(datagram.data[INTERVAL]) != origin.advert_int:
            origin = None  # a goodbye of what its sender was before a reload
        if member.state is not self._state:
            self.fail(glass.machine.name, f"{member.router.key} refused an advert, and is {member.state} by it")
        if origin is not None and speak_alike(origin, member.router) and datagram.source != member.voice.source:
            self.fail(glass.machine.name, f"{member.router.key} refused an advert of a router that is set up alike")

    def _judge_accepted(self, glass: Glass, member: Election, datagram: Datagram) -> None:
        priority, key = datagram.data[PRIORITY], member.router.key
        yielded = self._state is State.MASTER and member.state is not State.MASTER
        if self._state is not State.MASTER and member.state is State.MASTER:
            self.fail(glass.machine.name, f"{key} became MASTER by hearing an advert")
        if self._state is not State.MASTER:
            return
        higher = packed(datagram.source) > packed(member.voice.source)
        if priority > member.priority and not yielded:
            self.fail(glass.machine.name, f"{key} heard priority {priority}, has {member.priority}, and is MASTER")
        if priority < member.priority and yielded:
            self.fail(glass.machine.name, f"{key} yielded to priority {priority}, having {member.priority}")
        # Of two halves, or members of a group, the leading one decides: else both machines might yield for ever.
        alone = len(list(glass.groups[key].members)) == 1
        if priority == member.priority and yielded is not higher and (alone or yielded):
            self.fail(glass.machine.name, f"{key} heard its own priority from {datagram.source}, yielded: {yielded}")


def addressee(glass: Glass, datagram: Datagram, interface: str) -> Election | None:
    """Return the virtual router that a datagram on an interface is for; None for those of strangers."""
    if len(datagram.data) <= NUMBER:
        return None
    number = datagram.data[NUMBER]
    for member in glass.members.values():
        router = member.router
        places = {router.interface, router.virtual_mac.name if router.virtual_mac else ""}
        if router.virtual_router_id == number and interface in places and router.family is datagram.family:
            ear = router.source if router.peers else router.group
            if ear == datagram.destination:
                return member
    return None


def faults_of(member: Election) -> int:
    """Return how many packets a virtual router has refused."""
    return sum(count for kind, count in member.counters.errors.items() if kind not in {HARMLESS, "overflow", "send"})


def speak_alike(one: VirtualRouter, other: VirtualRouter) -> bool:
    """Tell whether two machines' virtual routers understand each other."""
    same_interval = one.version == 3 or one.advert_int == other.advert_int  # RFC 3768 7.1: else it is discarded
    unicast = {peer.address for peer in other.peers}
    return (
        (one.version, one.virtual_router_id, one.group, one.authentication, bool(one.peers))
        == (other.version, other.virtual_router_id, other.group, other.authentication, bool(other.peers))
        and same_interval
        and (not unicast or one.source in unicast)
        and one.family is other.family
        and not other.owner_ignore_adverts
    )
