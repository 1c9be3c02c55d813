"""What strangers send: an advert or `BadAdvert`, no other exception, no memory, and the engine goes on.

`STAYALIVED_FUZZ_PACKETS` says how many packets of the mutator, other than a million.
"""

import dataclasses
import gc
import os
import random
import struct
import tracemalloc
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.driver import arrival, fresh
from conformance.steps import Packet
from conformance.sums import sealed
from fuzz.packets import IPV4_ENDS, IPV6_ENDS, OUTCOMES, Mutator, Received, good, outcome
from stayalived.addresses import KNOWN_ADDRESSES, Family, packed
from stayalived.timing import Duration, Instant
from stayalived.vrrp.datagrams import IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, split_ipv4, text_of
from vrrp_machine import VIP6, Machine, instance, router

PACKETS = int(os.environ.get("STAYALIVED_FUZZ_PACKETS", "1000000"))
SECOND = Duration(1_000_000_000)
PASSWORD = b"secret42"
GROWTH = 64 * 1024
"""Bytes by which four fifths of fifty thousand packets may leave more behind than the first fifth did."""

WARM_UP, REST = 10_000, 40_000
GOOD = good()
INTERVALS = st.sampled_from([None, SECOND])
VERSIONS = st.sampled_from([None, 2, 3])


def fuzz(count: int, seed: int) -> Counter[str]:
    """Decode mutated packets; return how many had which outcome."""
    mutator, outcomes = Mutator(seed), Counter[str]()
    for number in range(count):
        version, password = (None, 2, 3)[number % 3], PASSWORD if number % 8 == 0 else b""
        outcomes[outcome(mutator.next(), version, SECOND if number % 2 else None, password)] += 1
    return outcomes


def test_a_million_mutated_packets_are_adverts_or_bad_ones() -> None:
    outcomes = fuzz(PACKETS, seed=112)

    assert outcomes.keys() == OUTCOMES
    assert min(outcomes.values()) > PACKETS / 20_000
    assert outcomes.total() == PACKETS


def test_good_packets_are_accepted() -> None:
    assert [outcome(packet) for packet in GOOD] == ["accepted"] * len(GOOD)


def test_mutated_packets_leave_nothing_behind() -> None:
    mutator = Mutator(seed=2338)
    tracemalloc.start()
    try:
        for _ in range(WARM_UP):
            outcome(mutator.next())
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(REST):
            outcome(mutator.next())
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < GROWTH


def test_the_engine_survives_mutated_packets_and_counts_each() -> None:
    machine = listening()
    count = PACKETS // 25

    hear(machine, count, seed=9568)

    counted = [machine.counters("tic/4"), machine.counters("tic/6"), machine.counters("eth0")]
    unknown = sum(counted[2].errors.values())
    assert counted[0].adverts_received + counted[1].adverts_received + unknown == count
    assert {"length", "ttl", "version", "interval", "type", "checksum"} <= counted[0].errors.keys()


def test_the_engine_keeps_nothing_of_mutated_packets() -> None:
    machine = listening()
    packed.cache_clear()  # what was remembered before `start` is not counted, what takes its place is
    text_of.cache_clear()
    tracemalloc.start()
    try:
        hear_from_everywhere(machine)
        hear(machine, WARM_UP, seed=1)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        hear(machine, REST, seed=2)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < GROWTH


def listening() -> Machine:
    machine = Machine()
    machine.start(instance(router(virtual_router_id=51), router(VIP6, virtual_router_id=51)))
    return machine


def hear(machine: Machine, count: int, seed: int) -> None:
    """Let an engine hear mutated packets from ever other senders, at ten thousand a second."""
    mutator, rng = Mutator(seed), random.Random(seed)
    for number in range(count):
        machine.now = Instant(machine.now + SECOND // 10_000)
        packet = packet_of(mutator.next(), rng)
        machine.do(fresh([packet]) if number % 2 else arrival(packet, machine.now))
        if machine.engine.deadline is not None and machine.engine.deadline <= machine.now:
            machine.wake()
        machine.effects.clear()


def hear_from_everywhere(machine: Machine) -> None:
    """Let an engine hear more senders than it remembers the addresses of."""
    for number in range(KNOWN_ADDRESSES):
        text_of(number.to_bytes(4))
        machine.do(arrival(Packet(GOOD[-1].data.hex(), f"fe80::1:{number:x}", IPV6_ENDS[1]), machine.now))
    machine.effects.clear()


def packet_of(received: Received, rng: random.Random) -> Packet:
    """Return a packet from anywhere, for the group."""
    if received.family is Family.IPV4:
        header, message = split_ipv4(received.data)
        source = f"192.0.2.{rng.randrange(256)}" if rng.random() < 0.5 else "192.0.2.2"
        return Packet(message.hex(), source, IPV4_ENDS[1], header.ttl or 255)
    source = f"fe80::{rng.randrange(1 << 16):x}" if rng.random() < 0.5 else "fe80::2"
    return Packet(received.data.hex(), source, IPV6_ENDS[1])


# ── whatever Hypothesis finds ────────────────────────────────────────────────────────────────────────────────────────

HEADS = st.sampled_from([b"", b"\x21", b"\x31", b"\x31\x33\x64\x01\x00\x64", b"\x21\x33\x64\x01\x00\x01"])
MESSAGES = st.builds(lambda head, rest: head + rest, HEADS, st.binary(max_size=80))


def with_a_right_sum(message: bytes, ends: tuple[str, str]) -> bytes:
    return sealed(Packet(message.hex(), *ends)).data if len(message) >= 8 else message


IPV4_HEADERS = st.builds(
    lambda first, rest, ttl: bytes((first,)) + rest[:7] + bytes((ttl,)) + rest[7:],
    st.sampled_from([0x45, 0x46, 0x4F, 0x44, 0x40, 0x60, 0x05, 0xFF]),
    st.binary(min_size=18, max_size=18),
    st.sampled_from([0, 1, 254, 255]),
)
IPV4_PACKETS = st.one_of(
    st.binary(max_size=100),
    st.builds(lambda head, message: head + message, IPV4_HEADERS, MESSAGES),
    MESSAGES.map(lambda message: GOOD[0].data[:20] + with_a_right_sum(message, IPV4_ENDS)),
)
ANCILLARY = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.binary(max_size=40)),
        st.tuples(st.just(IPPROTO_IPV6), st.just(IPV6_PKTINFO), st.binary(max_size=40)),
        st.tuples(st.just(IPPROTO_IPV6), st.just(IPV6_HOPLIMIT), st.binary(max_size=10)),
        st.just((IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", 255))),
        st.just((IPPROTO_IPV6, IPV6_PKTINFO, GOOD[-1].ancillary[1][2])),
    ),
    max_size=4,
)


@settings.get_profile("decoders")
@given(data=IPV4_PACKETS, version=VERSIONS, interval=INTERVALS)
def test_whatever_comes_over_ipv4_is_an_advert_or_a_bad_one(
    data: bytes, version: int | None, interval: Duration | None
) -> None:
    assert outcome(Received(Family.IPV4, data), version, interval) in OUTCOMES


@settings.get_profile("decoders")
@given(message=MESSAGES, right=st.booleans(), ancillary=ANCILLARY, version=VERSIONS)
def test_whatever_comes_over_ipv6_is_an_advert_or_a_bad_one(
    message: bytes, right: bool, ancillary: list[tuple[int, int, bytes]], version: int | None
) -> None:
    data = with_a_right_sum(message, IPV6_ENDS) if right else message

    assert outcome(Received(Family.IPV6, data, "fe80::2%eth0", ancillary), version) in OUTCOMES


def test_a_packet_with_no_header_at_all_is_nothing() -> None:
    assert outcome(Received(Family.IPV4, b"")) == "nothing"
    assert outcome(dataclasses.replace(GOOD[-1], ancillary=())) == "nothing"
