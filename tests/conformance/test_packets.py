"""The literal packets are what their names say."""

import struct

import pytest

from conformance import packets
from conformance.steps import Packet
from conformance.sums import adds_up, pseudo_header

ALL = {name: packet for name, packet in vars(packets).items() if isinstance(packet, Packet)}
WRONG_SUM = {"WITH_ANOTHER_SUM", "WITH_A_WRONG_BIT", "OF_ANOTHER_SENDER", "V2_WITH_ANOTHER_SUM"}
WITHOUT_PSEUDO_HEADER = {
    "BETTER_WITHOUT_PSEUDO_HEADER",
    "OURS_WITHOUT_PSEUDO_HEADER",
    "OURS_LEAVING_WITHOUT_PSEUDO_HEADER",
    "SIX_WITHOUT_PSEUDO_HEADER",
    "WITH_TRAILER",
    "WITH_TRAILER_OF_TYPE_2",
}
WITH_PSEUDO_HEADER = {"V2_WITH_PSEUDO_HEADER"}
FOLLOWED = {"BETTER_PADDED", "WITH_TRAILER", "WITH_TRAILER_OF_TYPE_2"}
"""Messages of one address with something behind them that their sum does not count."""

CUT = {"OF_NO_BYTE", "OF_SEVEN_BYTES", "WITHOUT_ITS_ADDRESS"}
"""Cut after they were made: what is left has no sum of its own."""

FRAMES = {name: text for name, text in vars(packets).items() if name.startswith(("ARP", "NEIGHBOUR"))}


def counts_pseudo_header(name: str, packet: Packet) -> bool:
    version_2_of_ipv4 = packet.data[0] >> 4 == 2 and ":" not in packet.source
    return name in WITH_PSEUDO_HEADER or not (version_2_of_ipv4 or name in WITHOUT_PSEUDO_HEADER)


@pytest.mark.parametrize("name", sorted(ALL.keys() - CUT))
def test_a_packet_has_the_sum_that_its_name_promises(name: str) -> None:
    packet = ALL[name]
    data = packet.data[:12] if name in FOLLOWED else packet.data
    head = pseudo_header(packet, len(data)) if counts_pseudo_header(name, packet) else b""

    assert adds_up(head + data) is (name not in WRONG_SUM)


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_a_frame_is_complete(name: str) -> None:
    frame = bytes.fromhex(FRAMES[name])

    if name.startswith("ARP"):
        assert len(frame) == 42
    else:
        payload = frame[14 + 40 :]
        head = frame[14 + 8 : 14 + 40] + struct.pack("!II", len(payload), 58)
        assert adds_up(head + payload)


def test_no_two_packets_are_the_same_by_mistake() -> None:
    seen: dict[Packet, str] = {}
    twins = {(seen.setdefault(packet, name), name) for name, packet in ALL.items()}

    # What version 2 calls an advert of version 3 is a good one of version 3; an equal priority at another address
    # has the same bytes in version 2.
    assert {pair for pair in twins if pair[0] != pair[1]} == {
        ("BETTER", "V2_OF_VERSION_3"),
        ("OF_VERSION_2", "V2_BETTER"),
        ("OURS_AS_OWNER", "LOOPED_BACK"),
    }
