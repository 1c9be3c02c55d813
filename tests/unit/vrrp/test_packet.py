"""The wire: RFC 3768 5.3, RFC 5798 5.2, RFC 9568 5.2; refusals in keepalived's order."""

import pytest

from stayalived.addresses import Family
from stayalived.timing import Duration, milliseconds, seconds
from stayalived.vrrp.packet import Advert, BadAdvert, Kind, checksum, decode, encode

SOURCE, GROUP = "192.0.2.2", "224.0.0.18"
SOURCE6, GROUP6 = "fe80::2", "ff02::12"
ADDRESS = bytes((192, 0, 2, 100))
SECRET = b"secret\0\0"
ADDRESS6 = bytes.fromhex("20010db8000000000000000000000100")


def advert(**changes: object) -> Advert:
    values: dict[str, object] = {
        "version": 3,
        "virtual_router_id": 7,
        "priority": 100,
        "interval": seconds(1),
        "addresses": (ADDRESS,),
    }
    return Advert(**(values | changes))


def encoded(value: Advert, authentication: bytes = b"") -> bytes:
    return encode(value, family=Family.IPV4, source=SOURCE, destination=GROUP, authentication=authentication)


def decoded(data: bytes, **changes: object) -> Advert:
    values: dict[str, object] = {"family": Family.IPV4, "source": SOURCE, "destination": GROUP}
    return decode(data, **(values | changes))


def resealed(data: bytes) -> bytes:
    """The message with a checksum that is right, without pseudo-header."""
    bare = data[:6] + b"\0\0" + data[8:]
    return bare[:6] + checksum(bare).to_bytes(2) + bare[8:]


def test_version_2_has_eight_bytes_of_authentication_data_even_without_authentication() -> None:
    data = encoded(advert(version=2))

    assert data[:6] == bytes((0x21, 7, 100, 1, 0, 1))
    assert data[8:] == ADDRESS + bytes(8)


def test_version_2_checksum_counts_no_pseudo_header() -> None:
    data = encoded(advert(version=2))

    assert int.from_bytes(data) % 0xFFFF == 0


def test_version_3_carries_centiseconds() -> None:
    data = encoded(advert(interval=milliseconds(2550)))

    assert data[:6] == bytes((0x31, 7, 100, 1, 0, 255))
    assert data[8:] == ADDRESS


@pytest.mark.parametrize("centiseconds", [1, 99, 100, 4095])
def test_every_interval_of_version_3_comes_back_exactly(centiseconds: int) -> None:
    interval = Duration(centiseconds * 10_000_000)

    assert decoded(encoded(advert(interval=interval))).interval == interval


def test_reserved_bits_before_the_interval_are_ignored() -> None:
    data = encoded(advert())

    heard = decoded(resealed(data[:4] + bytes((data[4] | 0xF0,)) + data[5:]))

    assert heard.interval == seconds(1)


def test_version_3_over_ipv4_is_accepted_with_and_without_pseudo_header() -> None:
    with_pseudo_header = encoded(advert())
    without = resealed(with_pseudo_header)

    assert with_pseudo_header != without
    assert decoded(with_pseudo_header) == decoded(without) == advert()


def test_version_3_over_ipv6_is_refused_without_pseudo_header() -> None:
    six = {"family": Family.IPV6, "source": SOURCE6, "destination": GROUP6}
    data = encode(advert(addresses=(ADDRESS6,)), **six)

    assert decode(data, **six).addresses == (ADDRESS6,)
    with pytest.raises(BadAdvert) as refusal:
        decode(resealed(data), **six)
    assert refusal.value.kind is Kind.CHECKSUM


def test_checksum_covers_the_real_source_address() -> None:
    with pytest.raises(BadAdvert) as refusal:
        decoded(encoded(advert()), source="192.0.2.3")
    assert refusal.value.kind is Kind.CHECKSUM


def test_padding_of_a_short_ethernet_frame_is_tolerated() -> None:
    data = encoded(advert())

    assert decoded(data + bytes(14)) == advert()
    assert decoded(data + b"\xff" * 14) == advert()


@pytest.mark.parametrize(
    ("kind", "data", "options"),
    [
        (Kind.LENGTH, b"", {}),
        (Kind.LENGTH, bytes(7), {}),
        (Kind.LENGTH, encoded(advert())[:-1], {}),
        (Kind.LENGTH, encoded(advert(version=2))[:-8], {}),
        (Kind.LENGTH, encoded(advert(addresses=(ADDRESS,) * 5)) + b"\0", {}),
        (Kind.TTL, encoded(advert()), {"ttl": 254}),
        (Kind.VERSION, encoded(advert(version=2)), {"version": 3}),
        (Kind.VERSION, encoded(advert()), {"version": 2}),
        (Kind.VERSION, b"\x41" + encoded(advert())[1:], {}),
        (Kind.VERSION, encoded(advert(version=2)), {"family": Family.IPV6, "source": SOURCE6, "destination": GROUP6}),
        (Kind.INVALID_AUTHTYPE, resealed(encoded(advert(version=2))[:4] + b"\3" + encoded(advert(version=2))[5:]), {}),
        (Kind.AUTHTYPE_MISMATCH, resealed(encoded(advert(version=2))[:4] + b"\1" + encoded(advert(version=2))[5:]), {}),
        (Kind.AUTHTYPE_MISMATCH, encoded(advert(version=2)), {"authentication": SECRET}),
        (Kind.AUTH_FAILURE, encoded(advert(version=2), authentication=b"another\0"), {"authentication": SECRET}),
        (Kind.INTERVAL, encoded(advert(version=2, interval=seconds(2))), {"interval": seconds(1)}),
        (Kind.INTERVAL, resealed(encoded(advert())[:4] + bytes(2) + encoded(advert())[6:]), {}),
        (Kind.TYPE, resealed(b"\x32" + encoded(advert())[1:]), {}),
        (Kind.CHECKSUM, encoded(advert())[:-1] + b"\xff", {}),
        (Kind.CHECKSUM, encoded(advert(version=2))[:-1] + b"\xff", {}),
    ],
)
def test_a_bad_advert_is_refused_and_its_kind_is_named(kind: Kind, data: bytes, options: dict[str, object]) -> None:
    with pytest.raises(BadAdvert, match=kind.value) as refusal:
        decoded(data, **options)
    assert refusal.value.kind is kind


def test_checks_come_in_keepaliveds_order() -> None:
    """A message with every fault at once, mended fault by fault (keepalived 2.2.7 `vrrp_check_packet`)."""
    good = encoded(advert(version=2))
    wrong = b"\x42" + good[1:4] + bytes((9, 5)) + b"\0\0" + good[8:]
    found = []
    for data, ttl in (
        (good[:-1], 1),
        (wrong, 1),
        (wrong, 255),
        (b"\x22" + wrong[1:], 255),
        (b"\x22" + wrong[1:4] + bytes((0, 5)) + wrong[6:], 255),
        (b"\x22" + wrong[1:4] + bytes((1, 5)) + wrong[6:-8] + b"another\0", 255),
        (b"\x22" + wrong[1:4] + bytes((1, 5)) + wrong[6:-8] + SECRET, 255),
        (b"\x22" + wrong[1:4] + bytes((1, 1)) + wrong[6:-8] + SECRET, 255),
        (good[:4] + b"\1" + good[5:6] + b"\0\0" + good[8:-8] + SECRET, 255),
    ):
        with pytest.raises(BadAdvert) as refusal:
            decoded(data, ttl=ttl, version=2, interval=seconds(1), authentication=SECRET)
        found.append(refusal.value.kind)

    assert found == list(Kind)


@pytest.mark.parametrize(
    "value",
    [
        advert(interval=milliseconds(1)),
        advert(interval=seconds(41)),
        advert(version=2, interval=milliseconds(500)),
        advert(version=2, interval=seconds(256)),
        advert(addresses=(ADDRESS,) * 256),
        advert(addresses=(ADDRESS6,)),
        advert(version=4),
    ],
)
def test_what_the_wire_cannot_carry_is_not_encoded(value: Advert) -> None:
    with pytest.raises(ValueError):
        encoded(value)


def test_a_password_of_version_2_comes_back() -> None:
    data = encoded(advert(version=2), authentication=SECRET)

    assert data[4:5] + data[-8:] == b"\1" + SECRET
    assert decoded(data, authentication=SECRET) == advert(version=2)


@pytest.mark.parametrize("value", [{"version": 3}, {"version": 2, "password": b"short"}])
def test_a_password_that_cannot_be_carried_is_not_encoded(value: dict[str, object]) -> None:
    password = value.pop("password", SECRET)
    with pytest.raises(ValueError, match="password"):
        encoded(advert(**value), authentication=password)


def test_a_checksum_without_the_pseudo_header_is_accepted_and_told_apart() -> None:
    bare, full = encoded(advert(checksum_as_v2=True)), encoded(advert())

    assert bare != full
    assert (decoded(bare).checksum_as_v2, decoded(full).checksum_as_v2) == (True, False)
    assert decoded(bare) == decoded(full)


def test_a_trailer_of_auth_hmac_is_seen_and_passed_over() -> None:
    trailer = bytes.fromhex("01010000 68000000 80000000 1b84bc4e8e43892dc6d98448f8ee2265")

    assert decoded(encoded(advert()) + trailer).trailer
    assert not decoded(encoded(advert())).trailer


def test_what_is_as_long_as_a_trailer_and_is_none_is_a_wrong_length() -> None:
    with pytest.raises(BadAdvert) as refusal:
        decoded(encoded(advert()) + b"\2" + bytes(27))
    assert refusal.value.kind is Kind.LENGTH
