"""Messages that make, change and find links."""

import struct

from namespaces.network_cases import VMAC_6
from stayalived.kernel import links
from stayalived.kernel.links import FoundLink
from stayalived.kernel.netlink_messages import Message, attributes_of, messages, pack_text
from stayalived.kernel.rtnetlink import DELETE_LINK, NEW_LINK


def sent(data: bytes) -> Message:
    (message,) = messages(data)
    return message


def test_a_macvlan_is_described_as_it_is_asked_for() -> None:
    request = sent(links.add_macvlan(VMAC_6, 7, 1))

    expected = FoundLink(index=0, name="vrrp6.51", kind="macvlan", parent=7, mac=VMAC_6.mac, private=True, alias="")
    assert (NEW_LINK, expected) == (request.kind, links.read_link(request))


def test_a_link_of_another_kind_is_no_private_one() -> None:
    body = struct.pack("=BxHiII", 0, 1, 3, 0, 0) + pack_text(3, "eth0") + pack_text(20, "the uplink")

    found = links.read_link(Message(NEW_LINK, 0, 1, 0, body))

    assert FoundLink(index=3, name="eth0", kind="", parent=0, mac=b"", private=False, alias="the uplink") == found


def test_up_and_down_change_that_flag_alone() -> None:
    heads = [struct.unpack_from("=BxHiII", sent(links.set_link(7, 1, up=up)).body) for up in (True, False)]

    assert [(0, 0, 7, 1, 1), (0, 0, 7, 0, 1)] == heads


def test_a_group_is_removed_by_its_number() -> None:
    request = sent(links.delete_group(4_000_000_000, 1))

    assert (DELETE_LINK, {27: struct.pack("=I", 4_000_000_000)}) == (request.kind, attributes_of(request.body, 16))
    assert (7, {27: struct.pack("=I", 9)}) == (
        struct.unpack_from("=BxHi", sent(links.set_group(7, 9, 1)).body)[2],
        attributes_of(sent(links.set_group(7, 9, 1)).body, 16),
    )
