"""What must hold, with the clause that says so. Safety is looked at after every event, the rest at the end of the calm.

An invariant comes from an RFC or from a promise of this project's documents, never from intuition: among equals of a
VRRP election whoever is master stays, so "the highest address wins" would be wrong (RFC 9568 6.4.2, step 6.4.3).
"""

from stayalived.messages.control import Start
from stayalived.messages.routes import CONFIG
from stayalived.messages.vrrp import InstanceState
from stayalived.simulation.cluster import Cluster, Machine, Violation
from stayalived.supervisor.lifecycle import State
from stayalived.timing import Duration, Instant, elapsed, for_people, milliseconds, seconds

SLACK = milliseconds(50)
"""What hand-over may take beyond what the RFC computes: forks, pipes and netlink take their time."""

RELEASE_MARGIN = seconds(0.5)
RESPAWN_TIME = seconds(0.3)
"""From the fork of a vrrp process to its first word, on a machine that is not frozen."""

AFTER_REFUSAL = seconds(1.5)
"""What the kernel refused is asked of it again after a second."""

FREED_AS_MASTER = seconds(1)
"""How long a MASTER may be without its addresses while the kernel refuses nothing."""


def state_of(machine: Machine) -> InstanceState | None:
    """Return what the machine's vrrp said of its instance last, or None when it has said nothing."""
    vrrp = machine.vrrp() if machine.node.on else None
    told = vrrp.told.get(("InstanceState", "site")) if vrrp is not None else None
    return told if isinstance(told, InstanceState) else None


def masters(cluster: Cluster) -> list[Machine]:
    """Return the machines whose instance is MASTER."""
    found = []
    for machine in cluster.machines:
        state = state_of(machine)
        if state is not None and state.state == "MASTER":
            found.append(machine)
    return found


def holds_addresses(machine: Machine) -> set[str]:
    """Return which virtual addresses the machine's kernel carries."""
    virtual = {str(a) for r in machine.configuration().instances[0].routers for a in r.addresses}
    return virtual & {str(address) for address in machine.kernel.interfaces()["eth0"].addresses}


def longest_master_down(cluster: Cluster) -> Duration:
    """Return the longest master-down interval in the cluster: three adverts and a skew (RFC 9568 6.1)."""
    drawn = cluster.drawn
    return Duration(3 * drawn.advert_int + max(skew(cluster, machine) for machine in cluster.machines))


def skew(cluster: Cluster, machine: Machine) -> Duration:
    """Return a machine's skew time: of the interval in version 3 (RFC 9568 6.1), of a second in 2 (RFC 3768 6.1)."""
    unit = cluster.drawn.advert_int if cluster.drawn.version == 3 else seconds(1)
    return Duration((256 - machine.router.priority) * unit // 256)


def held_without_master(cluster: Cluster) -> Duration:
    """Return how long addresses may stay while nobody on the machine speaks for them.

    A respawn delay that would end later than half a second before a peer takes over is not waited for: the addresses
    are released at once (docs/architecture.md, crash loop).
    """
    shortest = min(Duration(3 * cluster.drawn.advert_int + skew(cluster, machine)) for machine in cluster.machines)
    return Duration(max(shortest - RELEASE_MARGIN, 0) + RESPAWN_TIME)


class AddressesFollowState:
    """Addresses are held exactly while MASTER, within a bound, also across the death of a child (RFC 9568 6.4.3)."""

    NAME = "addresses follow state"

    def __init__(self, cluster: Cluster) -> None:
        """Begin with machines that hold nothing."""
        self.cluster = cluster
        self._wrong_since: dict[str, Instant] = {}
        self._limits = {True: held_without_master(cluster), False: FREED_AS_MASTER}

    def watch(self) -> None:
        """Look at every machine after an event."""
        now = self.cluster.world.now
        for machine in self.cluster.machines:
            wrong = self._wrong(machine)
            since = self._wrong_since.get(machine.name)
            if wrong is None:
                self._wrong_since.pop(machine.name, None)
            elif since is None:
                self._wrong_since[machine.name] = now
            elif elapsed(since, now) > self._limit(machine, now, wrong=wrong):
                what = "held without being MASTER" if wrong else "MASTER without its addresses"
                raise Violation(self.NAME, machine.name, f"{what} for {for_people(elapsed(since, now))}")

    def _limit(self, machine: Machine, now: Instant, *, wrong: bool) -> Duration:
        """Return how long this may last: longer after a refusal, because vrrp asks the kernel again only so often."""
        refused = machine.refused_at is not None and elapsed(machine.refused_at, now) < 2 * AFTER_REFUSAL
        return Duration(self._limits[wrong] + (AFTER_REFUSAL if refused else 0))

    def _wrong(self, machine: Machine) -> bool | None:
        """Return None when all is well or nothing can be done: a frozen machine, a kernel that refuses."""
        if not machine.node.on or machine.node.frozen_until is not None or machine.refusing:
            return None
        state = state_of(machine)
        is_master = state is not None and state.state == "MASTER"
        held = bool(holds_addresses(machine))
        return None if held == is_master else held


class Retelling:
    """A replaced vrrp goes on as MASTER where its predecessor spoke less than two advert intervals ago.

    The promise of docs/architecture.md: no takeover, no lost address. Asked once for each new process, when it commits.
    """

    NAME = "retelling"

    def __init__(self, cluster: Cluster) -> None:
        """Begin with nobody replaced."""
        self.cluster = cluster
        self._asked: dict[str, int] = {}

    def watch(self) -> None:
        """Look at every machine after an event."""
        for machine in self.cluster.machines:
            vrrp = machine.vrrp()
            if vrrp is None or vrrp.committed_at is None or self._asked.get(machine.name) == vrrp.pid:
                continue
            self._asked[machine.name] = vrrp.pid
            if vrrp.start is Start.RESPAWNED and self._must_go_on(machine, vrrp.committed_at):
                state = state_of(machine)
                if state is None or state.state != "MASTER":
                    raise Violation(self.NAME, machine.name, "was MASTER, spoke in time, and was replaced by a BACKUP")

    def _must_go_on(self, machine: Machine, now: Instant) -> bool:
        node = machine.node
        before = node.last_words.get("vrrp", {}).get(("InstanceState", "site"))
        if not isinstance(before, InstanceState) or before.state != "MASTER":
            return False
        spoke = [node.send_times.get(row.slot) for row in before.routers]
        fresh = all(time is not None and elapsed(time, now) < 2 * self.cluster.drawn.advert_int for time in spoke)
        return fresh and machine.lan.link_is_up(machine.name) and not node.counts["lost with the writer"]


def judge_calm(cluster: Cluster) -> None:
    """Look at the end of the calm: who is MASTER, what the kernels hold, whether every child runs.

    Raises:
        Violation: the first thing that is wrong.
    """
    _judge_children(cluster)
    found = masters(cluster)
    names = [machine.name for machine in found]
    if len(found) != 1:  # RFC 9568 1.2: one Active Router for each virtual router
        raise Violation("one master", "segment", f"MASTER are {names or 'none'}")
    present = max(machine.router.priority for machine in cluster.machines)
    preempting = cluster.drawn.preempt or present == 255
    if preempting and found[0].router.priority != present:  # RFC 9568 6.4.2: preempt mode
        raise Violation("right master", found[0].name, f"priority {found[0].router.priority}, {present} is present")
    for machine in cluster.machines:
        expected = len(cluster.drawn.families) if machine is found[0] else 0
        held = holds_addresses(machine)
        if len(held) != expected:
            raise Violation(AddressesFollowState.NAME, machine.name, f"holds {sorted(held)}, expected {expected}")
        _judge_table(machine)


def judge_counts(cluster: Cluster) -> None:
    """See that every datagram and every frame arrived or moved a counter (promise: nothing is lost silently).

    Raises:
        Violation: the sums differ.
    """
    lan = cluster.lan.counts
    ended = lan["cut"] + lan["lost"] + lan["delivered"] + lan["nobody there"] + cluster.lan.flying
    if lan["carried"] + lan["doubled"] != ended:
        raise Violation("nothing lost silently", "segment", str(dict(lan)))
    for machine in cluster.machines:
        counts, waiting = machine.node.counts, machine.node.frames_under_way()
        ended = counts["delivered"] + counts["merged or dropped"] + counts["reader gone"] + waiting
        if counts["sent"] != ended + counts["lost with the writer"]:
            raise Violation("nothing lost silently", machine.name, f"{dict(counts)}, {waiting} under way")


def _judge_children(cluster: Cluster) -> None:
    for machine in cluster.machines:
        for child in machine.node.supervisor.decides.children():
            if child.name != CONFIG and child.state is not State.RUNNING:
                raise Violation("retelling", f"{machine.name}/{child.name}", f"is {child.state} after the calm")


def _judge_table(machine: Machine) -> None:
    """The kernel's table is what the configuration and the verdicts say: in the calm every server is up."""
    service = machine.configuration().virtual_servers
    expected = {str(server.addresses[0]): server.weight for server in service[0].real_servers} if service else {}
    actual = {
        str(endpoint): destination.weight
        for entry in machine.ipvs.table.values()
        for endpoint, destination in entry.destinations.items()
    }
    if expected != actual:
        raise Violation("table follows health", machine.name, f"the kernel has {actual}, expected {expected}")
