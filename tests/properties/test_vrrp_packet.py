"""What is encoded comes back, and nothing else is taken for it. What strangers send is in `tests/fuzz`."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from stayalived.addresses import Family
from stayalived.timing import Duration
from stayalived.vrrp.packet import Advert, BadAdvert, decode, encode

ENDS = {Family.IPV4: ("192.0.2.2", "224.0.0.18"), Family.IPV6: ("fe80::2", "ff02::12")}
SPOKEN = st.sampled_from([(2, Family.IPV4), (3, Family.IPV4), (3, Family.IPV6)])


@st.composite
def adverts(draw: st.DrawFn) -> tuple[Family, Advert]:
    version, family = draw(SPOKEN)
    size = family.bits // 8
    units = draw(st.integers(1, 255)) * 100 if version == 2 else draw(st.integers(1, 4095))
    return family, Advert(
        version=version,
        virtual_router_id=draw(st.integers(0, 255)),
        priority=draw(st.integers(0, 255)),
        interval=Duration(units * 10_000_000),
        addresses=tuple(draw(st.lists(st.binary(min_size=size, max_size=size), max_size=20))),
    )


@given(adverts())
@settings(max_examples=300, deadline=None)
def test_decode_gives_back_what_was_encoded(case: tuple[Family, Advert]) -> None:
    family, advert = case
    source, destination = ENDS[family]

    data = encode(advert, family=family, source=source, destination=destination)

    assert decode(data, family=family, source=source, destination=destination) == advert


@given(adverts(), st.integers(0, 255), st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_one_wrong_bit_is_never_taken_for_the_same_advert(case: tuple[Family, Advert], place: int, bit: int) -> None:
    family, advert = case
    source, destination = ENDS[family]
    data = bytearray(encode(advert, family=family, source=source, destination=destination))
    data[place % len(data)] ^= 1 << bit
    heard = None

    with contextlib.suppress(BadAdvert):
        heard = decode(bytes(data), family=family, source=source, destination=destination)

    assert heard != advert
