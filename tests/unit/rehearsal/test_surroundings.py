"""What a plan says of sync daemons, marks of peers, `backup_only`, timeouts, and of what the site lacks."""

from dataclasses import replace

from stayalived.addresses import packed
from stayalived.child.events import Received
from stayalived.config.directors import SyncDaemon
from stayalived.config.model import Configuration, Timeouts
from stayalived.ipvs.daemons import Daemon, Role
from stayalived.ipvs.events import Direct, Marks
from stayalived.ipvs.surroundings import FORWARDING, Surroundings
from stayalived.messages.vrrp import InstanceState
from stayalived.rehearsal.composition import Read, plan_of
from stayalived.rehearsal.situation import Situation
from stayalived.rehearsal.surroundings import Beside
from stayalived.rehearsal.table import TableSteps, rehearse_table
from unit.ipvs.build import START, configuration, server, service

SYNC = SyncDaemon(
    interface="eth0", instance="tic", sync_id=7, maxlen=0, port=8848, ttl=1, group="224.0.0.81", backup_only=True
)
BACKUP = Daemon(role=Role.BACKUP, interface="eth0", sync_id=7, group="224.0.0.81", port=8848, ttl=1)
START_BACKUP = (
    "ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 7 --mcast-group 224.0.0.81 --mcast-port 8848 "
    "--mcast-ttl 1"
)
PEER = "52:54:00:12:34:56"
MARKS = Marks(
    table="stayalived_peers",
    priority=-1,
    macs=(bytes.fromhex(PEER.replace(":", "")),),
    mark=0x7374,
    addresses=(packed("192.0.2.1"),),
)
FROM_PEER = f"nft add rule inet stayalived_peers input meta iiftype ether ether saddr {PEER}"
MAKE_MARKS = [
    "nft add table inet stayalived_peers",
    "nft add set inet stayalived_peers ipv4 '{ type ipv4_addr; }'",
    "nft add element inet stayalived_peers ipv4 '{ 192.0.2.1 }'",
    "nft add set inet stayalived_peers ipv6 '{ type ipv6_addr; }'",
    "nft add chain inet stayalived_peers input '{ type filter hook input priority -1; policy accept; }'",
    f"{FROM_PEER} ip daddr @ipv4 meta mark set 0x7374",
    f"{FROM_PEER} ip6 daddr @ipv6 meta mark set 0x7374",
]


def serving(**changes: object) -> Configuration:
    return configuration(service(server("one", "192.0.2.10")), **changes)


def instance(state: str) -> InstanceState:
    return InstanceState(name="tic", state=state, reason="", since=START, priority=100, routers=())


def rehearse(wanted: Configuration, situation: Situation | None = None, state: str = "BACKUP") -> TableSteps:
    return rehearse_table(wanted, situation or Situation(), START, {"tic": instance(state)})


def running(configured: Configuration, state: str = "BACKUP", **more: object) -> Situation:
    told = Received(topic="vrrp.instance", key="tic", sender="vrrp", message=instance(state))
    return Situation(running=configured, told=(told,), **more)


def test_a_start_starts_the_daemon_of_the_state_that_the_instance_gets() -> None:
    steps = rehearse(serving(sync_daemon=SYNC))

    assert ("sysctl -w net.ipv4.vs.backup_only=1", START_BACKUP) == steps.beside


def test_what_runs_and_is_set_already_has_no_line() -> None:
    there = Situation(daemons=(BACKUP,), backup_only=True)

    assert () == rehearse(serving(sync_daemon=SYNC), there).beside


def test_a_reload_with_nothing_changed_has_no_line() -> None:
    same = serving(sync_daemon=SYNC, peer_directors=MARKS.macs, peer_mark=MARKS.mark, lvs_timeouts=Timeouts(tcp=77))
    there = running(same, daemons=(BACKUP,), backup_only=True, timeouts=Timeouts(tcp=77, tcpfin=120, udp=300))

    assert () == rehearse(same, there).beside


def test_a_reload_that_takes_the_daemon_away_stops_it() -> None:
    there = running(serving(sync_daemon=SYNC), daemons=(BACKUP,), backup_only=True)

    steps = rehearse(serving(), there)

    assert ("sysctl -w net.ipv4.vs.backup_only=0", "ipvsadm --stop-daemon backup") == steps.beside


def test_another_packet_length_is_asked_for_in_words() -> None:
    steps = rehearse(serving(sync_daemon=SyncDaemon(**_values(SYNC) | {"maxlen": 1400})))

    assert f"{START_BACKUP} --sync-maxlen 1400" == steps.beside[-1]


def test_timeouts_are_set_where_they_differ() -> None:
    found = Timeouts(tcp=900, tcpfin=120, udp=300)
    wanted = serving(lvs_timeouts=Timeouts(tcp=77, udp=300))

    steps = rehearse(wanted, Situation(timeouts=found))
    again = rehearse(wanted, Situation(timeouts=Timeouts(tcp=77, tcpfin=120, udp=300)))

    assert ["ipvsadm --set 77 120 300"] == [*steps.beside]
    assert () == again.beside


def test_marks_of_peers_are_made_and_removed() -> None:
    beside = Beside((), backup_only=False, timeouts=Timeouts())

    beside.direct(Direct(marks=MARKS, table=MARKS.table))
    beside.direct(Direct(marks=MARKS, table=MARKS.table))
    assert MAKE_MARKS == beside.lines

    beside.direct(Direct(table=MARKS.table))
    assert "nft delete table inet stayalived_peers" == beside.lines[-1]


def test_marks_are_of_other_marks_and_of_tunnels_too() -> None:
    beside = Beside((), backup_only=False, timeouts=Timeouts())

    beside.direct(Direct(marks=replace(MARKS, fwmarks=(9,), tunnelled=True), table=MARKS.table))

    assert [
        f"{FROM_PEER} {what} meta mark set 0x7374"
        for what in ("meta mark 0x9", "meta l4proto 4", "meta l4proto 41", "meta l4proto 47")
    ] == beside.lines[-4:]


def test_of_a_peer_that_is_looked_up_there_is_a_sentence() -> None:
    beside = Beside((), backup_only=False, timeouts=Timeouts())

    beside.direct(Direct(marks=replace(MARKS, macs=(), peers=("192.0.2.7",)), table=MARKS.table))

    assert "mark the same of 192.0.2.7 with 0x7374, once its MAC address is known" == beside.lines[-1]


def test_what_the_site_lacks_is_a_warning_and_the_configuration_good() -> None:
    around = Surroundings(dict.fromkeys(FORWARDING.values(), "0"), {})
    read = Read(host="lb1", configuration=serving())

    plan = plan_of(read, Situation(around=around), START)

    assert plan.good
    assert ["net/ipv4/ip_forward is 0"] == [problem.removeprefix("warning: ")[:24] for problem in plan.problems]


def test_lines_beside_the_table_are_steps_of_ipvs_at_once() -> None:
    plan = plan_of(Read(host="lb1", configuration=serving(lvs_timeouts=Timeouts(tcp=77))), Situation(), START)

    assert ("ipvs", "at once", "ipvsadm --set 77 0 0", "") in [
        (step.part, step.when, step.line, step.about) for step in plan.steps
    ]


def _values(daemon: SyncDaemon) -> dict[str, object]:
    return {name: getattr(daemon, name) for name in daemon.__struct_fields__}
