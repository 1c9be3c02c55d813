import struct

import pytest

from stayalived.ipvs.daemons import Daemon, Role
from stayalived.kernel.ipvs_daemons import DEL_DAEMON, NEW_DAEMON, DaemonReply, encode, read_daemon, request
from stayalived.kernel.netlink_messages import attributes_of

ONE = Daemon(role=Role.BACKUP, interface="eth1", sync_id=7, group="224.0.0.81", port=8848, ttl=3, maxlen=1400)
SIX = Daemon(role=Role.MASTER, interface="vlan.42", sync_id=255, group="ff02::81", port=1, ttl=255, maxlen=1)


def test_a_daemon_is_encoded_as_the_header_says() -> None:
    found = attributes_of(encode(ONE))

    assert {
        1: struct.pack("=I", 2),
        2: b"eth1\0",
        3: struct.pack("=I", 7),
        4: struct.pack("=H", 1400),
        5: bytes((224, 0, 0, 81)),
        7: struct.pack("=H", 8848),  # of all numbers of IPVS that are ports, the one in the machine's order
        8: bytes((3,)),
    } == found


def test_no_length_is_left_to_the_kernel() -> None:
    without = Daemon(role=Role.MASTER, interface="eth1", sync_id=0, group="ff02::81", port=8848, ttl=1)

    found = attributes_of(encode(without))

    assert 4 not in found
    assert bytes.fromhex("ff020000000000000000000000000081") == found[6]


@pytest.mark.parametrize("daemon", [ONE, SIX])
def test_what_is_told_is_what_the_kernel_shows(daemon: Daemon) -> None:
    asked = request(NEW_DAEMON, encode(daemon))
    asked.encode()
    shown = DaemonReply(bytes(asked.data))
    shown.decode()

    assert daemon == read_daemon(shown)


def test_a_request_names_its_command() -> None:
    assert (DEL_DAEMON, []) == (request(DEL_DAEMON)["cmd"], request(DEL_DAEMON)["attrs"])
