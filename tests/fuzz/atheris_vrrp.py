"""Coverage-guided fuzzing of what strangers may send: the decoder and what stands before it. To be run by hand.

    pip install atheris
    python tests/fuzz/atheris_vrrp.py -max_total_time=60

Arguments are libFuzzer's: a folder holds its corpus. It ends with a traceback and the input when anything but an advert
or `BadAdvert` comes of one.
"""

import struct
import sys
from pathlib import Path

import atheris

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP / "tests"), str(TOP / "core")]

with atheris.instrument_imports(include=["stayalived.vrrp"]):
    from conformance.steps import Packet
    from conformance.sums import sealed
    from fuzz.packets import IPV4_ENDS, IPV6_ENDS, Received, good, outcome
    from stayalived.addresses import Family
    from stayalived.timing import Duration
    from stayalived.vrrp.datagrams import IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO

SECOND = Duration(1_000_000_000)
HEADER = good()[0].data[:20]


def look(data: bytes) -> None:
    """Try one input: its first byte says as what, the rest is what comes."""
    choice, data = data[0] if data else 0, data[1:]
    version, interval = (None, 2, 3, 3)[choice & 3], SECOND if choice & 4 else None
    if choice & 8 and len(data) >= 8:  # with a checksum that is right: else the fuzzer would never get past it
        data = sealed(Packet(data.hex(), *(IPV6_ENDS if choice & 16 else IPV4_ENDS))).data
        data = data if choice & 16 else HEADER + data
    if choice & 16:
        received = Received(Family.IPV6, data[choice & 32 :], "fe80::2%eth0", ancillary_of(data, choice))
    else:
        received = Received(Family.IPV4, data)
    outcome(received, version, interval)


def ancillary_of(data: bytes, choice: int) -> list[tuple[int, int, bytes]]:
    """Return what the kernel might say beside a message: all in order, or cut out of the input."""
    if not choice & 32:
        group = bytes.fromhex("ff020000000000000000000000000012")
        return [
            (IPPROTO_IPV6, IPV6_PKTINFO, group + bytes(4)),
            (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", 255)),
        ]
    middle = choice >> 6 << 3
    return [(IPPROTO_IPV6, IPV6_PKTINFO, data[:middle]), (IPPROTO_IPV6, IPV6_HOPLIMIT, data[middle:32])]


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
