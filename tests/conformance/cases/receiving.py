"""RFC 9568 7.1 and the fields of 5.2: which packets count, which are dropped, which counter moves."""

from collections.abc import Mapping

from conformance.cases.common import (
    NOT_YET,
    NOW,
    SIX,
    SIX_NOW,
    SIX_TAKEOVER,
    SKEW,
    START,
    TAKEOVER,
    TICK,
    V2,
    V2_NOW,
    VIP,
)
from conformance.packets import (
    BETTER,
    BETTER_OF_ANOTHER_ADDRESS,
    BETTER_OF_TWO_ADDRESSES,
    BETTER_PADDED,
    BETTER_TO_US,
    BETTER_WITH_RESERVED_BITS,
    BETTER_WITHOUT_PSEUDO_HEADER,
    LOOPED_BACK,
    OF_AN_IPV6_ADDRESS,
    OF_ANOTHER_SENDER,
    OF_FIVE_ADDRESSES_AND_SIX_THERE,
    OF_NO_BYTE,
    OF_NO_INTERVAL,
    OF_RESERVED_BITS_AND_NO_INTERVAL,
    OF_ROUTER_52,
    OF_SEVEN_BYTES,
    OF_TWO_ADDRESSES_AND_ONE_THERE,
    OF_TYPE_0,
    OF_TYPE_2,
    OF_VERSION_1,
    OF_VERSION_2,
    OF_VERSION_4,
    OURS,
    SIX_BETTER,
    SIX_OF_AN_IPV4_ADDRESS,
    SIX_OF_VERSION_2,
    SIX_OURS,
    SIX_WITH_HOP_LIMIT_254,
    SIX_WITHOUT_PSEUDO_HEADER,
    V2_BETTER,
    V2_OF_AUTHENTICATION_HEADER,
    V2_OF_PASSWORD,
    V2_OF_ROUTER_52,
    V2_OF_TYPE_2,
    V2_OF_VERSION_3,
    V2_WITH_ANOTHER_SUM,
    V2_WITH_PSEUDO_HEADER,
    V2_WITH_TTL_254,
    V2_WITHOUT_AUTHENTICATION_DATA,
    WITH_A_WRONG_BIT,
    WITH_ANOTHER_SUM,
    WITH_TTL_1,
    WITH_TTL_254,
    WITHOUT_ITS_ADDRESS,
)
from conformance.steps import Case, Hear, LinkDown, LinkUp, Packet, Pass, Sent, Step

_ENDS: dict[str, Step] = {"3": NOW, "2": V2_NOW, "6": SIX_NOW}
_ROUTERS: dict[str, Mapping[str, object]] = {"3": {}, "2": V2, "6": SIX}


def dropped(what: str, packet: Packet, counted: str, form: str = "3", *, for_us: bool = True, log: str = "") -> Case:
    """A case of a packet, with the priority of a better master, that must change nothing but a counter.

    Args:
        what: is wrong with it.
        packet: is heard by a backup whose master has been silent for three seconds.
        counted: the counter that moves.
        form: "3" for version 3 over IPv4, "2" for version 2, "6" for IPv6.
        for_us: whether it is found to be for this virtual router, and so counted as received.
        log: words of the line that is logged; empty when there is none.
    """
    return Case(
        name=f"dropped by a backup: {what}",
        router=_ROUTERS[form],
        story=(START, Pass(3), Hear(packet, logs=(log,) if log else ()), Pass(SKEW - TICK), _ENDS[form]),
        counted={counted: 1} | ({"received": 1} if for_us else {}),
    )


def accepted(what: str, packet: Packet, form: str = "3", counted: str = "", log: str = "") -> Case:
    """A case of a better packet that counts, in spite of something about it."""
    return Case(
        name=f"accepted by a backup: {what}",
        router=_ROUTERS[form],
        story=(START, Pass(3), Hear(packet, logs=(log,) if log else ()), NOT_YET, _ENDS[form]),
        counted={"received": 1} | ({counted: 1} if counted else {}),
    )


CASES = (
    accepted("an advert of version 3 with nothing wrong about it", BETTER),
    accepted("an advert of version 2 with nothing wrong about it", V2_BETTER, "2"),
    accepted("an advert over IPv6 with nothing wrong about it", SIX_BETTER, "6"),
    # ── TTL and hop limit ────────────────────────────────────────────────────────────────────────────────────────────
    dropped("a TTL of 254", WITH_TTL_254, "ttl", log="TTL 254"),
    dropped("a TTL of 1", WITH_TTL_1, "ttl", log="TTL 1"),
    dropped("a TTL of 254 in version 2", V2_WITH_TTL_254, "ttl", "2", log="TTL 254"),
    dropped("a hop limit of 254", SIX_WITH_HOP_LIMIT_254, "ttl", "6", log="TTL 254"),
    Case(
        name="a master does not yield to an advert with a TTL of 254",
        story=(START, TAKEOVER, Hear(WITH_TTL_254), Pass(1, sends=(Sent(1, OURS),))),
        counted={"received": 1, "ttl": 1},
    ),
    Case(
        name="a master of IPv6 does not yield to an advert with a hop limit of 254",
        router=SIX,
        story=(START, SIX_TAKEOVER, Hear(SIX_WITH_HOP_LIMIT_254), Pass(1, sends=(Sent(1, SIX_OURS),))),
        counted={"received": 1, "ttl": 1},
    ),
    # ── version and type ─────────────────────────────────────────────────────────────────────────────────────────────
    dropped("version 4", OF_VERSION_4, "version", log="version 4"),
    dropped("version 1", OF_VERSION_1, "version", log="version 1"),
    dropped("version 2 where 3 is spoken", OF_VERSION_2, "version", log="version 2"),
    dropped("version 3 where 2 is spoken", V2_OF_VERSION_3, "version", "2", log="version 3"),
    dropped("version 2 over IPv6", SIX_OF_VERSION_2, "version", "6", log="version 2"),
    dropped("type 2", OF_TYPE_2, "type", log="type 2"),
    dropped("type 0", OF_TYPE_0, "type", log="type 0"),
    dropped("type 2 in version 2", V2_OF_TYPE_2, "type", "2", log="type 2"),
    # ── length ───────────────────────────────────────────────────────────────────────────────────────────────────────
    dropped("no byte at all", OF_NO_BYTE, "length", for_us=False),
    dropped("seven bytes", OF_SEVEN_BYTES, "length", log="7 bytes"),
    dropped("a header without the address that it counts", WITHOUT_ITS_ADDRESS, "length", log="8 bytes"),
    dropped("two addresses counted and one there", OF_TWO_ADDRESSES_AND_ONE_THERE, "length", log="12 bytes"),
    dropped("five addresses counted and six there", OF_FIVE_ADDRESSES_AND_SIX_THERE, "length", log="32 bytes"),
    dropped("version 2 without authentication data", V2_WITHOUT_AUTHENTICATION_DATA, "length", "2", log="12 bytes"),
    dropped("an address of IPv4 in a packet of IPv6", SIX_OF_AN_IPV4_ADDRESS, "length", "6", log="12 bytes"),
    dropped("an address of IPv6 in a packet of IPv4", OF_AN_IPV6_ADDRESS, "checksum", log="checksum"),
    accepted("the padding of a short Ethernet frame", BETTER_PADDED),
    # ── checksum ─────────────────────────────────────────────────────────────────────────────────────────────────────
    dropped("another checksum", WITH_ANOTHER_SUM, "checksum", log="checksum a171"),
    dropped("a wrong bit under the checksum", WITH_A_WRONG_BIT, "checksum", log="checksum a170"),
    dropped("the checksum of another sender", OF_ANOTHER_SENDER, "checksum", log="checksum a170"),
    dropped("another checksum in version 2", V2_WITH_ANOTHER_SUM, "checksum", "2", log="checksum 5466"),
    dropped(
        "a pseudo-header in the checksum of version 2", V2_WITH_PSEUDO_HEADER, "checksum", "2", log="checksum b1cb"
    ),
    dropped("no pseudo-header in the checksum over IPv6", SIX_WITHOUT_PSEUDO_HEADER, "checksum", "6", log="d82b"),
    accepted("no pseudo-header in the checksum over IPv4", BETTER_WITHOUT_PSEUDO_HEADER),
    # ── whom it is for ───────────────────────────────────────────────────────────────────────────────────────────────
    dropped("the number of a virtual router that is not here", OF_ROUTER_52, "unknown_vrid_52", for_us=False),
    dropped("such a number in version 2", V2_OF_ROUTER_52, "unknown_vrid_52", "2", for_us=False),
    dropped(
        "the number of a virtual router of another interface",
        Packet(BETTER.text, interface="eth1"),
        "unknown_vrid_51",
        for_us=False,
    ),
    dropped("a packet to this machine alone", BETTER_TO_US, "destination"),
    dropped("our own address as the sender", LOOPED_BACK, "own"),
    # ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────
    dropped("an interval of zero", OF_NO_INTERVAL, "interval", log="advert interval of 0 s"),
    dropped(
        "an interval of zero behind reserved bits",
        OF_RESERVED_BITS_AND_NO_INTERVAL,
        "interval",
        log="advert interval of 0 s",
    ),
    accepted("reserved bits that are set", BETTER_WITH_RESERVED_BITS),
    accepted("another address", BETTER_OF_ANOTHER_ADDRESS, counted="addresses", log="other addresses"),
    accepted("one address more", BETTER_OF_TWO_ADDRESSES, counted="addresses", log="other addresses"),
    dropped("a password where none is configured", V2_OF_PASSWORD, "authtype_mismatch", "2", log="type 1"),
    dropped("an authentication header", V2_OF_AUTHENTICATION_HEADER, "authtype_mismatch", "2", log="type 2"),
    # ── when nobody listens ──────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="an advert that comes in after the link went down is counted and moves nothing",
        story=(
            START,
            TAKEOVER,
            LinkDown(state="FAULT", removes=(VIP,)),
            Hear(BETTER),
            LinkUp(state="BACKUP"),
            NOT_YET,
            NOW,
        ),
        counted={"received": 1},
    ),
)
