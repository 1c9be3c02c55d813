"""Who may balance: sync daemons, backup_only, marked packets, services that follow an instance."""

from typing import Any

import msgspec

from stayalived.child.events import Received
from stayalived.config.directors import SyncDaemon
from stayalived.config.model import Configuration
from stayalived.ipvs.daemons import Daemon, Role
from stayalived.ipvs.events import Direct, Directed, Marks
from stayalived.ipvs.model import AddService, DeleteService, Destination, Entry, Service
from stayalived.messages.control import Start
from stayalived.messages.vrrp import InstanceState
from stayalived.timing import seconds
from unit.ipvs.build import DR, WEB, Director, configuration, server, service, two_servers

MAC = bytes.fromhex("525400123456")
OWN, OWN6 = "192.0.2.10", "2001:db8::10"
SYNC = SyncDaemon(
    interface="eth1", instance="vip", sync_id=7, maxlen=0, port=8848, ttl=1, group="224.0.0.81", backup_only=None
)


class Balancer(Director):
    """A director whose sync daemons and marks are in memory: the last `Direct`, and what it is answered."""

    local: frozenset[str] = frozenset({OWN, OWN6})
    problems: tuple[str, ...] = ()

    def directs(self) -> list[Direct]:
        return [effect for effect in self.effects if isinstance(effect, Direct)]

    def instance(self, state: str | None, name: str = "vip") -> None:
        """Tell where an instance stands; None: it is gone."""
        message = state and InstanceState(name=name, state=state, reason="", since=0, priority=100, routers=())
        self.handle(Received(topic="vrrp.instance", key=name, sender="vrrp", message=message or None))

    def _ask_kernel(self, effect: Any) -> Any:
        if isinstance(effect, Direct):
            return Directed(problems=self.problems, local=self.local)
        return super()._ask_kernel(effect)


def daemon(role: Role, **changes: Any) -> Daemon:
    usual = {"interface": "eth1", "sync_id": 7, "group": "224.0.0.81", "port": 8848, "ttl": 1, "maxlen": 0}
    return Daemon(role=role, **{**usual, **changes})


MASTER, BACKUP = daemon(Role.MASTER), daemon(Role.BACKUP)


def with_sync(**changes: Any) -> Configuration:
    return configuration(*two_servers().virtual_servers, sync_daemon=msgspec.structs.replace(SYNC, **changes))


def started(wanted: Configuration, *states: str) -> Balancer:
    director = Balancer()
    director.start(wanted)
    for state in states:
        director.instance(state)
    return director


# -- sync daemons


def test_without_any_of_it_nothing_is_directed() -> None:
    director = started(two_servers(), "BACKUP", "MASTER")
    director.stop()

    assert [] == director.directs()


def test_before_the_instance_s_state_is_known_what_runs_is_left_alone() -> None:
    found = started(with_sync()).directs()

    assert {(None, None)} == {(direct.daemons, direct.backup_only) for direct in found}


def test_the_daemon_follows_the_instance() -> None:
    director = started(with_sync(), "INIT", "BACKUP", "MASTER", "FAULT")

    found = [(direct.daemons, direct.backup_only) for direct in director.directs()[-4:]]
    backup, master = (frozenset({BACKUP}), True), (frozenset({MASTER}), False)
    assert [backup, backup, master, backup] == found


def test_without_an_instance_both_run() -> None:
    found = started(with_sync(instance="", backup_only=False)).directs()

    assert {(frozenset({MASTER, BACKUP}), None)} == {(direct.daemons, direct.backup_only) for direct in found}


def test_another_instance_is_none_of_its_business() -> None:
    director = started(with_sync(), "BACKUP")
    director.effects.clear()

    director.instance("MASTER", "other")
    director.instance("BACKUP")

    assert [] == director.directs()


def test_a_stop_stops_the_daemon_and_switches_balancing_on() -> None:
    director = started(with_sync(), "BACKUP")
    director.effects.clear()

    director.stop()

    assert [Direct(daemons=frozenset(), backup_only=False)] == director.directs()
    assert director.finished


def test_a_stop_that_leaves_everything_leaves_the_daemon() -> None:
    director = started(with_sync(), "BACKUP")
    director.effects.clear()

    director.stop(leave=True)

    assert [] == director.directs()


def test_a_reload_without_it_takes_it_away() -> None:
    director = started(with_sync(), "BACKUP")
    director.effects.clear()

    director.reload(two_servers())
    director.advance(seconds(60))

    assert [Direct(daemons=frozenset(), backup_only=False)] == director.directs()


def test_a_replacement_starts_from_what_is_told_again() -> None:
    director = Balancer()
    director.instance("MASTER")
    director.start(with_sync(), Start.RESPAWNED)

    assert {frozenset({MASTER})} == {direct.daemons for direct in director.directs()}


def test_it_is_looked_after_and_tried_again() -> None:
    director = started(with_sync(), "MASTER")
    director.effects.clear()
    director.advance(seconds(30))
    assert 1 == len(director.directs())

    director.problems = ("ipvsadm --start-daemon master: No such device",)
    director.advance(seconds(30))
    director.effects.clear()
    director.advance(seconds(2))

    assert 1 == len(director.directs())
    assert list(director.problems) == director.reports()


def test_without_ipvs_there_is_one_error_and_not_three() -> None:
    director = Balancer()
    director.kernel.absent = True
    director.problems = ("read the sync daemons: No such file or directory", "sysctl net/ipv4/vs/backup_only: No such")
    director.start(with_sync())
    director.advance(seconds(60))

    said = {text for text in director.reports() if "No such" in text}
    assert {"find IPVS in the kernel: No such file or directory; `modprobe ip_vs`"} == said


def test_a_machine_that_is_no_real_server_never_stops_balancing() -> None:
    director = Balancer()
    director.local = frozenset({"192.0.2.99"})
    director.start(with_sync())
    director.instance("BACKUP")
    assert {None} == {direct.backup_only for direct in director.directs()}

    director.local = frozenset({OWN})
    director.advance(seconds(30))
    assert director.directs()[-1].backup_only is True
    director.local = frozenset()
    director.advance(seconds(30))
    assert director.directs()[-1].backup_only is False


def test_unless_it_is_told_to() -> None:
    director = Balancer()
    director.local = frozenset()
    director.start(with_sync(backup_only=True))
    director.instance("BACKUP")

    assert director.directs()[-1].backup_only is True


# -- marked packets


def active_active(**changes: Any) -> Configuration:
    servers = (server("one", OWN, OWN6, forward=DR), server("two", "192.0.2.11", "2001:db8::11", forward=DR))
    wanted = service(*servers, addresses=("192.0.2.1:80", "[2001:db8::1]:80"), scheduler="wlc")
    return configuration(wanted, **{"peer_directors": (MAC,), "peer_mark": 5, **changes})


def marked(director: Director) -> dict[str, Entry]:
    return {str(key): entry for key, entry in director.kernel.table.items() if key.fwmark}


def test_marked_packets_are_served_by_this_machine() -> None:
    director = started(active_active())

    own = Destination(method="DR", weight=1)
    found = {key: (entry.service, list(entry.destinations.items())) for key, entry in marked(director).items()}
    expected = {"-f 5": (Service(scheduler="wlc"), OWN), "-f 5 -6": (Service(scheduler="wlc", granularity=128), OWN6)}
    assert {
        key: (wanted, [(address + ":0", own)]) for key, (wanted, address) in expected.items()
    } == {
        key: (wanted, [(f"{endpoint.address}:{endpoint.port}", one) for endpoint, one in destinations])
        for key, (wanted, destinations) in found.items()
    }  # fmt: skip


def test_the_peer_s_packets_to_virtual_addresses_are_marked() -> None:
    first = started(active_active(nftables="mine", nftables_priority=-9)).directs()[-1]

    assert first.table == "mine_peers"
    assert first.marks == Marks(
        table="mine_peers",
        priority=-9,
        macs=(MAC,),
        mark=5,
        addresses=(bytes((192, 0, 2, 1)), bytes.fromhex("20010db8000000000000000000000001")),
    )


def test_peers_by_address_are_left_to_be_looked_up() -> None:
    marks = started(active_active(peer_directors=(), peer_addresses=("192.0.2.11",))).directs()[-1].marks

    assert marks is not None
    assert ((), ("192.0.2.11",)) == (marks.macs, marks.peers)


def test_tunnels_and_services_by_mark_are_thought_of() -> None:
    by_mark = service(server("one", OWN, forward=DR), addresses=(), fwmarks=(9,))
    tunnelled = msgspec.structs.replace(DR, method="TUN", tunnel="ipip")
    wanted = configuration(by_mark, service(server("one", OWN, forward=tunnelled), name="t"), peer_mark=5)
    wanted = msgspec.structs.replace(wanted, globals=msgspec.structs.replace(wanted.globals, peer_directors=(MAC,)))

    marks = started(wanted).directs()[0].marks

    assert marks is not None
    assert ((9,), True) == (marks.fwmarks, marks.tunnelled)


def test_where_the_site_marks_the_packets_there_is_no_table_of_ours() -> None:
    director = started(active_active(peer_directors=()))

    assert {(None, "")} == {(direct.marks, direct.table) for direct in director.directs()}
    assert ["-f 5", "-f 5 -6"] == list(marked(director))


def test_a_machine_that_is_no_real_server_serves_no_marked_packets() -> None:
    director = Balancer()
    director.local = frozenset({"192.0.2.99"})
    director.start(active_active())

    assert {} == marked(director)


def test_they_go_with_a_reload_and_with_a_stop() -> None:
    director = started(active_active())
    director.reload(active_active(peer_mark=0, peer_directors=()))
    assert {} == marked(director)
    assert (None, "stayalived_peers") == (director.directs()[-1].marks, director.directs()[-1].table)

    director = started(active_active())
    director.stop()
    assert {} == director.kernel.table
    assert (None, "stayalived_peers") == (director.directs()[-1].marks, director.directs()[-1].table)


# -- services that follow


def following(**changes: Any) -> Configuration:
    return two_servers(follow="vip", **changes)


def test_a_service_is_in_the_table_of_the_master_only() -> None:
    director = started(following())
    director.hear("web/one", up=True)
    assert {} == director.kernel.table

    director.instance("BACKUP")
    assert {} == director.kernel.table
    director.instance("MASTER")
    assert {"192.0.2.10:80": 1} == director.pool()
    director.instance("FAULT")
    assert {} == director.kernel.table
    assert [AddService, DeleteService] == [
        type(one) for one in director.kernel.journal if isinstance(one, AddService | DeleteService)
    ]


def test_health_is_followed_where_it_is_not_in_the_table() -> None:
    director = started(following(), "BACKUP")
    director.hear("web/one", up=True)
    director.hear("web/two", up=False)

    assert ["UP", "DOWN"] == [row.state for row in director.state().servers]
    assert [-1, -1] == [row.weight for row in director.state().servers]


def test_after_the_death_of_the_process_the_table_stays_until_the_state_is_told() -> None:
    before = started(following(), "MASTER")
    before.hear("web/one", up=True)

    after = Balancer(kernel=before.kernel)
    after.start(following(), Start.RESPAWNED)
    assert {"192.0.2.10:80": 1} == after.pool()

    after.instance("BACKUP")
    assert {} == after.kernel.table


def test_an_instance_that_is_gone_leaves_the_table_as_it_is() -> None:
    director = started(following(), "MASTER")

    director.instance(None)

    assert WEB in director.kernel.table
