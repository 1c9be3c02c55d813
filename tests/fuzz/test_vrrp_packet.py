"""Mutated packets, many: an advert or `BadAdvert`, and the engine goes on.

`STAYALIVED_FUZZ_PACKETS` says how many other than a million.
"""

import dataclasses
import os
import random

from stayalived.addresses import Family
from stayalived.timing import Duration, seconds
from stayalived.vrrp.packet import Advert, BadAdvert, decode, encode
from vrrp_machine import VIP6, Machine, instance, router

PACKETS = int(os.environ.get("STAYALIVED_FUZZ_PACKETS", "1000000"))
ENDS = {Family.IPV4: ("192.0.2.2", "224.0.0.18"), Family.IPV6: ("fe80::2", "ff02::12")}
NASTY = (0, 1, 0x21, 0x31, 0x7F, 0x80, 0xFE, 0xFF)


def seeds() -> list[tuple[Family, bytes]]:
    """Good packets of each form."""
    packets = []
    for version, family in ((2, Family.IPV4), (3, Family.IPV4), (3, Family.IPV6)):
        source, destination = ENDS[family]
        for count in (0, 1, 5, 255):
            advert = Advert(
                version=version,
                virtual_router_id=1,
                priority=100,
                interval=Duration(seconds(1)),
                addresses=(bytes(range(family.bits // 8)),) * count,
            )
            packets.append((family, encode(advert, family=family, source=source, destination=destination)))
    return packets


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The packet with one to three things about it changed: bytes, length, bits."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        what = rng.random()
        if what < 0.45 and changed:
            changed[rng.randrange(min(len(changed), 12))] = rng.choice(NASTY)
        elif what < 0.65 and changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        elif what < 0.85:
            del changed[rng.randrange(len(changed) + 1) :]
        else:
            changed += rng.randbytes(rng.randrange(1, 30))
    return bytes(changed)


def fuzz_decoder(count: int, seed: int) -> dict[str, int]:
    """Decode `count` mutated packets; return how many had which outcome."""
    rng = random.Random(seed)
    packets = seeds()
    outcomes: dict[str, int] = {}
    for _ in range(count):
        family, data = packets[int(rng.random() * len(packets))]
        source, destination = ENDS[family]
        try:
            decode(mutated(data, rng), family=family, source=source, destination=destination)
            outcome = "accepted"
        except BadAdvert as error:
            outcome = error.kind.value
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return outcomes


def test_the_decoder_survives_mutated_packets() -> None:
    outcomes = fuzz_decoder(PACKETS, seed=112)

    assert sum(outcomes.values()) == PACKETS
    assert {"accepted", "length", "version", "authentication", "interval", "type", "checksum"} == set(outcomes)


def test_the_engine_survives_mutated_packets_and_counts_each() -> None:
    machine = Machine()
    four, six = router(), router(VIP6)
    machine.start(instance(four, six))
    rng = random.Random(9568)
    packets = [machine.datagram(like=half, priority=priority) for half in (four, six) for priority in (0, 50, 200)]
    count = PACKETS // 25

    for _ in range(count):
        packet = rng.choice(packets)
        machine.do(dataclasses.replace(packet, data=mutated(packet.data, rng), at=machine.now))

    counted = [machine.counters("tic/4"), machine.counters("tic/6"), machine.counters("eth0")]
    unknown = sum(counted[2].errors.values())
    assert counted[0].adverts_received + counted[1].adverts_received + unknown == count
