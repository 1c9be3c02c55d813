from configuration_kit import good, read
from stayalived.config.directors import PEER_MARK, SyncDaemon
from unit.config.test_resolve_groups import GROUP, INSIDE, OUTSIDE

SERVICE = """\
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
{}
[virtual_server.web.real_server.one]
address = "192.0.2.11"
check = "echo"
"""
SYNC = '[global.lvs_sync_daemon]\ninterface = "eth1"\n'


def lines(*texts: str) -> list[str]:
    return [str(problem) for problem in read(*texts)[1]]


def sync(*texts: str) -> SyncDaemon | None:
    return good(*texts).globals.sync_daemon


def test_without_the_table_there_is_no_daemon() -> None:
    assert sync(INSIDE) is None


def test_its_id_is_the_instance_s_and_a_lone_instance_on_a_real_server_is_protected() -> None:
    assert sync(INSIDE + SYNC + 'instance = "inside"') == SyncDaemon(
        interface="eth1",
        instance="inside",
        sync_id=7,
        maxlen=0,
        port=8848,
        ttl=1,
        group="224.0.0.81",
        backup_only=None,
    )


def test_without_an_instance_both_run_and_nothing_is_switched_off() -> None:
    found = sync(SYNC + 'id = 3\nmaxlen = 1400\nport = 9000\nttl = 2\ngroup = "FF02::0:81"')

    assert found == SyncDaemon(
        interface="eth1", instance="", sync_id=3, maxlen=1400, port=9000, ttl=2, group="ff02::81", backup_only=False
    )


def test_beside_an_instance_that_moves_alone_nothing_is_switched_off() -> None:
    found = sync(INSIDE + OUTSIDE + SYNC + 'instance = "inside"')

    assert found is not None
    assert found.backup_only is False


def test_in_a_group_with_all_others_the_instance_is_as_if_alone() -> None:
    found = sync(INSIDE + OUTSIDE + GROUP + SYNC + 'instance = "inside"\nbackup_only = true')

    assert found is not None
    assert found.backup_only is True


def test_to_switch_off_what_another_instance_balances_is_refused_and_the_other_way_is_named() -> None:
    said = 'instance = "inside"\nbackup_only = true'

    (line,) = lines(INSIDE + OUTSIDE + SYNC + said)

    assert "global.lvs_sync_daemon.backup_only: found other instances on this machine: outside; stops all" in line
    assert "global.peer_directors" in line
    (line,) = lines(INSIDE + SYNC + "backup_only = true")
    assert "found no instance" in line


def test_what_is_wrong_is_named() -> None:
    assert ["did you mean inside?"] == [
        line.rpartition("; ")[2] for line in lines(INSIDE + SYNC + 'instance = "insides"')
    ]
    (line,) = lines(SYNC + 'group = "192.0.2.1"')
    assert "must be a multicast address, such as 224.0.0.81 or ff02::81" in line
    (line,) = lines(SYNC + 'inst = "a"')
    assert "write instance" in line
    (line,) = lines("[global.lvs_sync_daemon]\nid = 256\ninterface = 'eth1'")
    assert "a whole number from 0 to 255" in line


def test_peers_are_hardware_addresses() -> None:
    found = good('[global]\npeer_directors = ["52:54:00:12:34:56", "52:54:00:AB:cd:ef", "52:54:00:12:34:56"]').globals

    assert (bytes.fromhex("525400123456"), bytes.fromhex("525400abcdef")) == found.peer_directors
    assert PEER_MARK == found.peer_mark


def test_a_site_may_mark_the_packets_itself() -> None:
    found = good("[global]\npeer_mark = 7").globals

    assert ((), 7) == (found.peer_directors, found.peer_mark)


def test_a_peer_by_another_name_is_refused() -> None:
    (line,) = lines('[global]\npeer_directors = ["192.0.2.2:80"]')

    assert "must be a MAC address such as 52:54:00:12:34:56, or an IP address without a port" in line
    assert lines('[global]\npeer_directors = ["nobody"]')


def test_peers_may_be_named_by_address_or_name() -> None:
    found = good('[global]\npeer_directors = ["192.0.2.2", "tic", "2001:db8::7"]').globals

    assert ("192.0.2.2", "192.0.2.130", "2001:db8::7") == found.peer_addresses
    assert PEER_MARK == found.peer_mark


def test_the_mark_of_a_service_means_nothing_else() -> None:
    (line,) = lines(
        "[global]\npeer_mark = 7\n"
        + SERVICE.replace('address = "192.0.2.1:80"\nprotocol = "tcp"', "fwmark = 7", 1).format("")
    )

    assert "is global.peer_mark, which means packets from other directors" in line


def test_a_service_follows_an_instance() -> None:
    (service,) = good(INSIDE + SERVICE.format('follow = "inside"')).virtual_servers

    assert "inside" == service.follow


def test_a_service_that_follows_nobody_is_refused() -> None:
    (line,) = lines(INSIDE + SERVICE.format('follow = "outside"'))

    assert "no [vrrp_instance.outside]" in line


def test_synced_connections_without_a_table_are_warned_about() -> None:
    (line,) = lines(INSIDE + SYNC + 'instance = "inside"\n' + SERVICE.format('follow = "inside"'))

    assert "warning" in line
    assert "find no server on a BACKUP that has no table" in line
