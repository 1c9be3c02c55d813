"""VRRP messages: version 2 (RFC 3768) and version 3 (RFC 5798, RFC 9568), for IPv4 and IPv6.

`decode` takes whatever bytes come and returns an `Advert` or raises `BadAdvert`; nothing else ever. Centiseconds and
whole seconds, the units of the wire, are turned into durations here and exist nowhere else.

```
 0                   1                   2                   3
 |version|type=1 |      VRID     |    priority   | count of addr |
 | v2: auth type | v2: seconds   |            checksum           |
 | v3: 0 |  12 bits centiseconds |
 |  addresses, 4 or 16 bytes each; v2: then always 8 bytes of authentication data  |
```
"""

from dataclasses import dataclass, field
from enum import StrEnum

from stayalived.addresses import Family, packed
from stayalived.errors import PeerError
from stayalived.timing import Duration

PROTOCOL = 112
TTL = 255
ONLY_255 = range(TTL, TTL + 1)
TYPE_ADVERT = 1
AUTHENTICATION_NONE, AUTHENTICATION_PASS, AUTHENTICATION_AH = 0, 1, 2  # RFC 2338 5.3.6
PRIORITY_LEAVING = 0  # RFC 9568 5.2.4: the master gives up
PRIORITY_OWNER = 255  # RFC 9568 5.2.4: the router whose own addresses these are
MAX_ADDRESSES = 255
V2_SECONDS = range(1, 256)
V3_CENTISECONDS = range(1, 4096)

_SECOND = 1_000_000_000
_CENTISECOND = 10_000_000
_SPOKEN = {Family.IPV4: (2, 3), Family.IPV6: (3,)}
_HEADER = 8
_V2_AUTHENTICATION_DATA = bytes(8)
TRAILER = 28
"""Length of the trailer of keepalived's `auth_hmac` (draft-cassen-vrrp-auth-hmac), which begins with type 1."""

_TRAILER_START = bytes((1,))
# A frame of Ethernet has at least 46 bytes of payload; 20 of them are the IPv4 header, the rest may be padding.
_PADDED_LENGTH = 26


class Kind(StrEnum):
    """What is wrong with a message, in the order in which it is looked for. Each has its own counter."""

    LENGTH = "length"
    TTL = "ttl"
    VERSION = "version"
    INVALID_AUTHTYPE = "invalid_authtype"
    AUTHTYPE_MISMATCH = "authtype_mismatch"
    AUTH_FAILURE = "auth_failure"
    INTERVAL = "interval"
    TYPE = "type"
    CHECKSUM = "checksum"


class BadAdvert(PeerError):
    """These bytes are no advert that this virtual router may act on."""

    def __init__(self, kind: Kind, found: str) -> None:
        """Keep the kind for the counter; the text is for the log."""
        super().__init__(f"{kind}: {found}")
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """An advertisement. Addresses are in network byte order, 4 or 16 bytes each.

    What is not compared is a matter of the bytes, not of what they say.

    Attributes:
        checksum_as_v2: the checksum of version 3 over IPv4 leaves the pseudo-header out (RFC 9568 5.2.8).
        trailer: keepalived's `auth_hmac` trailer followed, which is not looked at.
    """

    version: int
    virtual_router_id: int
    priority: int
    interval: Duration
    addresses: tuple[bytes, ...]
    checksum_as_v2: bool = field(default=False, compare=False)
    trailer: bool = field(default=False, compare=False)


def encode(
    advert: Advert,
    *,
    family: Family,
    source: str,
    destination: str,
    authentication: bytes = b"",
) -> bytes:
    """Return the message that carries an advert.

    Args:
        advert: what to say.
        family: of the IP packet that will carry it.
        source: address that the packet is sent from; part of the checksum of version 3.
        destination: address that it is sent to.
        authentication: the eight bytes of a simple password of version 2; empty: none.

    Raises:
        ValueError: a field cannot be carried: version, interval, number or family of the addresses, password.
    """
    if advert.version not in _SPOKEN[family]:
        raise ValueError(f"there is no VRRPv{advert.version} over IPv{family}")
    size = family.bits // 8
    if len(advert.addresses) > MAX_ADDRESSES or any(len(address) != size for address in advert.addresses):
        raise ValueError(f"at most {MAX_ADDRESSES} addresses, of one family, fit into an advert")
    if authentication and (advert.version != 2 or len(authentication) != len(_V2_AUTHENTICATION_DATA)):
        raise ValueError("a password has eight bytes, and version 2 alone can carry it")
    if advert.version == 2:
        kind = AUTHENTICATION_PASS if authentication else AUTHENTICATION_NONE
        timing = bytes((kind, _units(advert.interval, _SECOND, V2_SECONDS)))
        trailer = authentication or _V2_AUTHENTICATION_DATA
    else:
        timing = _units(advert.interval, _CENTISECOND, V3_CENTISECONDS).to_bytes(2)
        trailer = b""
    head = bytes((advert.version << 4 | TYPE_ADVERT, advert.virtual_router_id, advert.priority, len(advert.addresses)))
    tail = b"".join(advert.addresses) + trailer
    message = b"".join((head, timing, b"\0\0", tail))
    # keepalived's form: version 3 over IPv4 counts the pseudo-header too (RFC 5798 5.2.8), version 2 does not.
    bare = advert.version == 2 or (advert.checksum_as_v2 and family is Family.IPV4)
    covered = message if bare else _pseudo_header(source, destination, len(message)) + message
    return b"".join((head, timing, checksum(covered).to_bytes(2), tail))


def decode(
    data: bytes,
    *,
    family: Family,
    source: str,
    destination: str,
    ttl: int = TTL,
    ttls: range = ONLY_255,
    version: int | None = None,
    interval: Duration | None = None,
    authentication: bytes = b"",
) -> Advert:
    """Return the advert in a VRRP message, checked in keepalived's order (`vrrp.c`, vrrp_check_packet).

    Args:
        data: the message, without the IP header.
        family: of the IP packet that carried it.
        source: the packet's source address as text.
        destination: its destination address.
        ttl: its time to live or hop limit.
        ttls: those that are accepted: 255 alone proves that no router has forwarded it (RFC 9568 5.1.1.3).
        version: the only version to accept; both when None.
        interval: the interval that a message of version 2 must carry; any when None.
        authentication: the simple password that a message of version 2 must carry; empty: none may be used.

    Raises:
        BadAdvert: it is none, or not one for this virtual router.
    """
    if len(data) < _HEADER:
        raise BadAdvert(Kind.LENGTH, f"{len(data)} bytes are less than a header")
    found_version = data[0] >> 4
    size, trailer = _expected_length(data, family, found_version)
    _check_ttl(ttl, ttls)
    _check_version(found_version, family, version)
    if found_version == 2:
        _check_authentication(data, size, authentication)
    heard = _interval(data, found_version)
    if not heard or (found_version == 2 and interval is not None and heard != interval):
        raise BadAdvert(Kind.INTERVAL, f"advert interval of {heard / _SECOND:g} s")
    _check_type(data[0] & 0x0F)
    return Advert(
        version=found_version,
        virtual_router_id=data[1],
        priority=data[2],
        interval=heard,
        addresses=_addresses(data, family.bits // 8),
        checksum_as_v2=_checksum_form(data, size, family, found_version, source, destination),
        trailer=trailer,
    )


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of an even number of bytes.

    A sum of 16-bit words with end-around carry is the number modulo 0xFFFF, because 0x10000 leaves the remainder 1.
    """
    return (0xFFFF - int.from_bytes(data) % 0xFFFF) % 0xFFFF


def _units(interval: Duration, unit: int, allowed: range) -> int:
    """Return the interval in units of the wire."""
    count = round(interval / unit)
    if count not in allowed:
        raise ValueError(f"an advert cannot carry an interval of {interval / _SECOND:g} s")
    return count


def _interval(data: bytes, version: int) -> Duration:
    """Return the advert interval of a header."""
    if version == 2:
        return Duration(data[5] * _SECOND)
    return Duration(((data[4] & 0x0F) << 8 | data[5]) * _CENTISECOND)


def _expected_length(data: bytes, family: Family, version: int) -> tuple[int, bool]:
    """Return the length that the header promises, and whether a trailer follows.

    Padding of a short Ethernet frame is not part of it. A version that we do not know promises no length; the check of
    the version speaks for it.
    """
    size = _HEADER + data[3] * (family.bits // 8)
    if version == 2:
        size += len(_V2_AUTHENTICATION_DATA)
    if version not in _SPOKEN[family] or len(data) == size:
        return size, False
    if len(data) == size + TRAILER and data[size : size + 1] == _TRAILER_START:
        return size, True
    padded = family is Family.IPV4 and len(data) <= _PADDED_LENGTH
    if len(data) < size or not padded:
        raise BadAdvert(Kind.LENGTH, f"{len(data)} bytes where {data[3]} addresses make {size}")
    return size, False


def _addresses(data: bytes, width: int) -> tuple[bytes, ...]:
    end = _HEADER + data[3] * width
    return tuple(data[place : place + width] for place in range(_HEADER, end, width))


def _check_ttl(ttl: int, ttls: range) -> None:
    if ttl not in ttls:
        wanted = f"{TTL} proves that no router forwarded it" if ttls == ONLY_255 else f"{ttls[0]} to {ttls[-1]} is due"
        raise BadAdvert(Kind.TTL, f"TTL {ttl} where {wanted}")


def _check_version(found: int, family: Family, wanted: int | None) -> None:
    """Refuse a version. Version 2 knows IPv4 only, so over IPv6 it is one that nobody speaks."""
    if found not in _SPOKEN[family] or (wanted is not None and found != wanted):
        raise BadAdvert(Kind.VERSION, f"version {found} where {wanted or '2 or 3'} is spoken")


def _check_type(found: int) -> None:
    if found != TYPE_ADVERT:
        raise BadAdvert(Kind.TYPE, f"type {found}")


def _check_authentication(data: bytes, size: int, wanted: bytes) -> None:
    """Refuse another type of authentication than ours, or another password (RFC 2338 5.3.6; RFC 3768 has type 0)."""
    found, kind = data[4], AUTHENTICATION_PASS if wanted else AUTHENTICATION_NONE
    if found not in {AUTHENTICATION_NONE, AUTHENTICATION_PASS, AUTHENTICATION_AH}:
        raise BadAdvert(Kind.INVALID_AUTHTYPE, f"authentication type {found} does not exist")
    if found != kind:
        raise BadAdvert(Kind.AUTHTYPE_MISMATCH, f"authentication type {found} where {kind} is used")
    if wanted and data[size - len(wanted) : size] != wanted:
        raise BadAdvert(Kind.AUTH_FAILURE, "another password than ours")


def _checksum_form(data: bytes, size: int, family: Family, version: int, source: str, destination: str) -> bool:
    """Return in which of the forms that are in use the checksum holds: whether without pseudo-header in version 3.

    RFC 9568 5.2.8, Cisco and Juniper leave the pseudo-header out for IPv4; RFC 5798 and keepalived count it. Over IPv6
    the checksum covers a trailer, too, because the kernel computes it over the packet.
    """
    message = data[:size] if family is Family.IPV4 else data
    if family is Family.IPV4 and int.from_bytes(message) % 0xFFFF == 0:
        return version == 3
    if version == 2 or int.from_bytes(_pseudo_header(source, destination, len(message)) + message) % 0xFFFF:
        raise BadAdvert(Kind.CHECKSUM, f"checksum {data[6:8].hex()} is wrong")
    return False


def _pseudo_header(source: str, destination: str, length: int) -> bytes:
    """Return the pseudo-header of IPv6 (RFC 8200 8.1) or IPv4 (RFC 793 3.1) for the checksum."""
    ends = packed(source) + packed(destination)
    if len(ends) == 8:
        return ends + bytes((0, PROTOCOL)) + length.to_bytes(2)
    return ends + length.to_bytes(4) + bytes((0, 0, 0, PROTOCOL))
