"""Packets and frames of the cases, as literal bytes.

None of them was made by code of this project: scapy and a checksum of 16-bit words made them once. `test_packets` adds
up their checksums again. Fields are set apart by spaces:

    v3: 31 33 c8 01 0064 a170 c0000264
        │  │  │  │  │    │    └ addresses: 192.0.2.100
        │  │  │  │  │    └ checksum
        │  │  │  │  └ four bits reserved, twelve of interval: 0x064 = 100 hundredths of a second
        │  │  │  └ number of addresses
        │  │  └ priority: 0xc8 = 200
        │  └ virtual router: 0x33 = 51
        └ version 3, type 1
    v2: 21 33 c8 01 0001 5465 c0000264 0000000000000000
        as above, but: 00 no authentication, 01 a second; and at the end eight bytes of authentication data

Ours is 192.0.2.1 or fe80::1, the peer 192.0.2.2 or fe80::2. Priorities: ours 120 (0x78), better 200 (0xc8), equal 120,
lower 119 (0x77), leaving 0, owner 255 (0xff).
"""

from conformance.steps import Packet

OUR_IPV6 = {"source": "fe80::1", "destination": "ff02::12"}
PEER_IPV6 = {"source": "fe80::2", "destination": "ff02::12"}
SIX = "fe800000000000000000000000000100 20010db8000000000000000000000100"
"""The addresses of the IPv6 cases: fe80::100, 2001:db8::100."""

# ── version 3 over IPv4, with the pseudo-header in the checksum (RFC 5798 5.2.8; keepalived) ─────────────────────────

OURS = Packet("31 33 78 01 0064 f171 c0000264", source="192.0.2.1")
OURS_LEAVING = Packet("31 33 00 01 0064 6972 c0000264", source="192.0.2.1")
OURS_AS_OWNER = Packet("31 33 ff 01 0064 6a71 c0000264", source="192.0.2.1")
OURS_AT_1 = Packet("31 33 01 01 0064 6872 c0000264", source="192.0.2.1")
OURS_AT_254 = Packet("31 33 fe 01 0064 6b71 c0000264", source="192.0.2.1")
OURS_EACH_2_S = Packet("31 33 78 01 00c8 f10d c0000264", source="192.0.2.1")
OURS_EACH_40_95_S = Packet("31 33 78 01 0fff e1d6 c0000264", source="192.0.2.1")
OURS_EACH_10_MS = Packet("31 33 78 01 0001 f1d4 c0000264", source="192.0.2.1")
OURS_OF_TWO_ADDRESSES = Packet("31 33 78 02 0064 c731 c0000264 c6336407", source="192.0.2.1")  # …100, 198.51.100.7
OURS_FROM_9 = Packet("31 33 78 01 0064 f169 c0000264", source="192.0.2.9")

BETTER = Packet("31 33 c8 01 0064 a170 c0000264")
A_LITTLE_BETTER = Packet("31 33 79 01 0064 f070 c0000264")  # priority 121
EQUAL = Packet("31 33 78 01 0064 f170 c0000264")
LOWER = Packet("31 33 77 01 0064 f270 c0000264")
LEAVING = Packet("31 33 00 01 0064 6971 c0000264")
OWNER = Packet("31 33 ff 01 0064 6a70 c0000264")
BETTER_EACH_2_S = Packet("31 33 c8 01 00c8 a10c c0000264")
BETTER_EACH_100_MS = Packet("31 33 c8 01 000a a1ca c0000264")
BETTER_EACH_40_95_S = Packet("31 33 c8 01 0fff 91d5 c0000264")
LOWER_EACH_2_S = Packet("31 33 77 01 00c8 f20c c0000264")
BETTER_FROM_3 = Packet("31 33 c8 01 0064 a16f c0000264", source="192.0.2.3")
EQUAL_FROM_8 = Packet("31 33 78 01 0064 f16a c0000264", source="192.0.2.8")
EQUAL_FROM_10 = Packet("31 33 78 01 0064 f168 c0000264", source="192.0.2.10")
OWNER_FROM_9 = Packet("31 33 ff 01 0064 6a69 c0000264", source="192.0.2.9")
OWNER_FROM_200 = Packet("31 33 ff 01 0064 69aa c0000264", source="192.0.2.200")
BETTER_OF_ANOTHER_ADDRESS = Packet("31 33 c8 01 0064 a16f c0000265")  # 192.0.2.101
BETTER_OF_TWO_ADDRESSES = Packet("31 33 c8 02 0064 df05 c0000264 c0000265")  # …100, …101
BETTER_WITHOUT_PSEUDO_HEADER = Packet("31 33 c8 01 0064 4402 c0000264")  # RFC 9568 5.2.8
BETTER_WITH_RESERVED_BITS = Packet("31 33 c8 01 f064 b16f c0000264")  # 0xf before the interval
BETTER_PADDED = Packet("31 33 c8 01 0064 a170 c0000264 0000000000000000000000000000")  # to 46 bytes of payload

# Each with one thing wrong; the checksum is right unless it is what is wrong.
WITH_TTL_254 = Packet(BETTER.text, ttl=254)
WITH_TTL_1 = Packet(BETTER.text, ttl=1)
OF_VERSION_4 = Packet("41 33 c8 01 0064 9170 c0000264")
OF_VERSION_1 = Packet("11 33 c8 01 0064 c170 c0000264")
OF_VERSION_2 = Packet("21 33 c8 01 0001 5465 c0000264 0000000000000000")
OF_TYPE_2 = Packet("32 33 c8 01 0064 a070 c0000264")
OF_TYPE_0 = Packet("30 33 c8 01 0064 a270 c0000264")
WITH_ANOTHER_SUM = Packet("31 33 c8 01 0064 a171 c0000264")  # one more than is right
WITH_A_WRONG_BIT = Packet("31 33 c9 01 0064 a170 c0000264")  # priority 201 under the checksum of 200
OF_ANOTHER_SENDER = Packet(BETTER.text, source="192.0.2.66")  # the pseudo-header says 192.0.2.2
OF_NO_BYTE = Packet("")
OF_SEVEN_BYTES = Packet("31 33 c8 01 0064 a1")
WITHOUT_ITS_ADDRESS = Packet("31 33 c8 01 0064 a170")
OF_TWO_ADDRESSES_AND_ONE_THERE = Packet("31 33 c8 02 0064 a16f c0000264")
OF_FIVE_ADDRESSES_AND_SIX_THERE = Packet(
    "31 33 c8 05 0064 97bb c0000264 c0000265 c0000266 c0000267 c0000268 00000000"  # too long to be padding
)
OF_AN_IPV6_ADDRESS = Packet("31 33 c8 01 0064 3510 20010db8000000000000000000000100")  # in a packet of IPv4
OF_NO_ADDRESS = Packet("31 33 c8 00 0064 63da")
OF_NO_INTERVAL = Packet("31 33 c8 01 0000 a1d4 c0000264")
OF_RESERVED_BITS_AND_NO_INTERVAL = Packet("31 33 c8 01 f000 b1d3 c0000264")
OF_ROUTER_52 = Packet("31 34 c8 01 0064 a16f c0000264")
LOOPED_BACK = Packet(OURS_AS_OWNER.text, source="192.0.2.1")

# keepalived's own vector of its `auth_hmac` trailer (test/auth_hmac_test.c): type 1, key 1, time and number, MAC.
WITH_TRAILER = Packet(
    "31 33 c8 01 0064 4402 c0000264 0101 0000 68000000 8000 0000 1b84bc4e8e43892dc6d98448f8ee2265",
    source="198.51.100.10",
)
WITH_TRAILER_OF_TYPE_2 = Packet(WITH_TRAILER.text.replace(" 0101 ", " 0201 "), source="198.51.100.10")
OURS_WITHOUT_PSEUDO_HEADER = Packet("31 33 78 01 0064 9402 c0000264", source="192.0.2.1")
OURS_LEAVING_WITHOUT_PSEUDO_HEADER = Packet("31 33 00 01 0064 0c03 c0000264", source="192.0.2.1")

# ── version 3, unicast: the pseudo-header has the peer's address ─────────────────────────────────────────────────────

OURS_TO_2 = Packet("31 33 78 01 0064 0f82 c0000264", source="192.0.2.1", destination="192.0.2.2")
OURS_TO_3 = Packet("31 33 78 01 0064 0f81 c0000264", source="192.0.2.1", destination="192.0.2.3")
OURS_LEAVING_TO_2 = Packet("31 33 00 01 0064 8782 c0000264", source="192.0.2.1", destination="192.0.2.2")
OURS_LEAVING_TO_3 = Packet("31 33 00 01 0064 8781 c0000264", source="192.0.2.1", destination="192.0.2.3")
OURS_TO_2_WITH_TTL_64 = Packet(OURS_TO_2.text, source="192.0.2.1", destination="192.0.2.2", ttl=64)
BETTER_TO_US = Packet("31 33 c8 01 0064 bf81 c0000264", destination="192.0.2.1")
BETTER_TO_US_WITH_TTL_64 = Packet(BETTER_TO_US.text, destination="192.0.2.1", ttl=64)
BETTER_TO_US_WITH_TTL_63 = Packet(BETTER_TO_US.text, destination="192.0.2.1", ttl=63)
BETTER_TO_US_FROM_66 = Packet("31 33 c8 01 0064 bf41 c0000264", source="192.0.2.66", destination="192.0.2.1")
BETTER_TO_9 = Packet("31 33 c8 01 0064 bf79 c0000264", destination="192.0.2.9")

# ── version 3 from a virtual MAC ─────────────────────────────────────────────────────────────────────────────────────

MAC, SIX_MAC = "00005e000133", "00005e000233"
OURS_FROM_MAC = Packet(OURS.text, source="192.0.2.1", interface="vrrp.51", mac=MAC)
OURS_LEAVING_FROM_MAC = Packet(OURS_LEAVING.text, source="192.0.2.1", interface="vrrp.51", mac=MAC)
OURS_AS_OWNER_FROM_MAC = Packet(OURS_AS_OWNER.text, source="192.0.2.1", interface="vrrp.51", mac=MAC)

# ── version 2 ────────────────────────────────────────────────────────────────────────────────────────────────────────

V2_OURS = Packet("21 33 78 01 0001 a465 c0000264 0000000000000000", source="192.0.2.1")
V2_OURS_LEAVING = Packet("21 33 00 01 0001 1c66 c0000264 0000000000000000", source="192.0.2.1")
V2_OURS_AS_OWNER = Packet("21 33 ff 01 0001 1d65 c0000264 0000000000000000", source="192.0.2.1")
V2_OURS_EACH_2_S = Packet("21 33 78 01 0002 a464 c0000264 0000000000000000", source="192.0.2.1")
V2_OURS_EACH_255_S = Packet("21 33 78 01 00ff a367 c0000264 0000000000000000", source="192.0.2.1")

V2_BETTER = Packet("21 33 c8 01 0001 5465 c0000264 0000000000000000")
V2_EQUAL = Packet("21 33 78 01 0001 a465 c0000264 0000000000000000")
V2_EQUAL_FROM_0 = Packet("21 33 78 01 0001 a465 c0000264 0000000000000000", source="192.0.2.0")  # no pseudo-header
V2_LOWER = Packet("21 33 77 01 0001 a565 c0000264 0000000000000000")
V2_LEAVING = Packet("21 33 00 01 0001 1c66 c0000264 0000000000000000")
V2_OWNER = Packet("21 33 ff 01 0001 1d65 c0000264 0000000000000000")
V2_BETTER_EACH_2_S = Packet("21 33 c8 01 0002 5464 c0000264 0000000000000000")
V2_LEAVING_EACH_2_S = Packet("21 33 00 01 0002 1c65 c0000264 0000000000000000")
V2_BETTER_OF_ANOTHER_ADDRESS = Packet("21 33 c8 01 0001 5464 c0000265 0000000000000000")
V2_OWNER_OF_ANOTHER_ADDRESS = Packet("21 33 ff 01 0001 1d64 c0000265 0000000000000000")
V2_BETTER_WITH_DATA = Packet("21 33 c8 01 0001 b09f c0000264 7768617465766572")  # "whatever", type still 0

V2_WITH_TTL_254 = Packet(V2_BETTER.text, ttl=254)
V2_OF_VERSION_3 = BETTER
V2_OF_TYPE_2 = Packet("22 33 c8 01 0001 5365 c0000264 0000000000000000")
V2_WITH_ANOTHER_SUM = Packet("21 33 c8 01 0001 5466 c0000264 0000000000000000")
V2_WITH_PSEUDO_HEADER = Packet("21 33 c8 01 0001 b1cb c0000264 0000000000000000")  # as version 3 counts
V2_WITHOUT_AUTHENTICATION_DATA = Packet("21 33 c8 01 0001 5465 c0000264")
V2_OF_PASSWORD = Packet("21 33 c8 01 0101 e2e6 c0000264 7365637265743432")  # type 1, "secret42"
V2_OF_ANOTHER_PASSWORD = Packet("21 33 c8 01 0101 e2e5 c0000264 7365637265743433")  # "secret43"
V2_OF_A_SHORT_PASSWORD = Packet("21 33 c8 01 0101 8f02 c0000264 6162630000000000")  # "abc"
V2_OURS_OF_PASSWORD = Packet("21 33 78 01 0101 32e7 c0000264 7365637265743432", source="192.0.2.1")
V2_OURS_LEAVING_OF_PASSWORD = Packet("21 33 00 01 0101 aae7 c0000264 7365637265743432", source="192.0.2.1")
V2_OF_AUTHENTICATION_TYPE_3 = Packet("21 33 c8 01 0301 5165 c0000264 0000000000000000")
V2_OF_AUTHENTICATION_HEADER = Packet("21 33 c8 01 0201 5265 c0000264 0000000000000000")  # type 2
V2_OF_ROUTER_52 = Packet("21 34 c8 01 0001 5464 c0000264 0000000000000000")

# ── version 3 over IPv6: the pseudo-header is always counted (RFC 9568 5.2.8, RFC 8200 8.1) ──────────────────────────

SIX_OURS = Packet(f"31 33 78 02 0064 29fd {SIX}", **OUR_IPV6)
SIX_OURS_LEAVING = Packet(f"31 33 00 02 0064 a1fd {SIX}", **OUR_IPV6)
SIX_OURS_AS_OWNER = Packet(f"31 33 ff 02 0064 a2fc {SIX}", **OUR_IPV6)
SIX_OURS_FROM_9 = Packet(f"31 33 78 02 0064 29f5 {SIX}", source="fe80::9", destination="ff02::12")

SIX_BETTER = Packet(f"31 33 c8 02 0064 d9fb {SIX}", **PEER_IPV6)
SIX_EQUAL = Packet(f"31 33 78 02 0064 29fc {SIX}", **PEER_IPV6)
SIX_LOWER = Packet(f"31 33 77 02 0064 2afc {SIX}", **PEER_IPV6)
SIX_LEAVING = Packet(f"31 33 00 02 0064 a1fc {SIX}", **PEER_IPV6)
SIX_BETTER_EACH_2_S = Packet(f"31 33 c8 02 00c8 d997 {SIX}", **PEER_IPV6)
SIX_EQUAL_FROM_8 = Packet(f"31 33 78 02 0064 29f6 {SIX}", source="fe80::8", destination="ff02::12")
SIX_EQUAL_FROM_10 = Packet(f"31 33 78 02 0064 29ee {SIX}", source="fe80::10", destination="ff02::12")
SIX_BETTER_OF_NO_LINK_LOCAL = Packet("31 33 c8 01 0064 d98d 20010db8000000000000000000000100", **PEER_IPV6)

SIX_WITH_HOP_LIMIT_254 = Packet(SIX_BETTER.text, ttl=254, **PEER_IPV6)
SIX_WITHOUT_PSEUDO_HEADER = Packet(f"31 33 c8 02 0064 d82b {SIX}", **PEER_IPV6)
SIX_OF_VERSION_2 = Packet(f"21 33 c8 02 0001 ea56 {SIX} 0000000000000000", **PEER_IPV6)
SIX_OF_AN_IPV4_ADDRESS = Packet("31 33 c8 01 0064 45ee c0000264", **PEER_IPV6)

SIX_OURS_FROM_MAC = Packet(SIX_OURS.text, interface="vrrp6.51", mac=SIX_MAC, **OUR_IPV6)
SIX_OURS_LEAVING_FROM_MAC = Packet(SIX_OURS_LEAVING.text, interface="vrrp6.51", mac=SIX_MAC, **OUR_IPV6)

# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# Ethernet to all from 02:00:00:00:00:01, ARP (0806); Ethernet, IPv4, lengths 6 and 4, request; sender: that hardware
# address and 192.0.2.100; target: the broadcast address and 192.0.2.100.
ARP = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c0000264 ffffffffffff c0000264"
ARP_OF_THE_SECOND = "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 c6336407 ffffffffffff c6336407"
ARP_OF_9 = "ffffffffffff 020000000009 0806 0001 0800 06 04 0001 020000000009 c0000264 ffffffffffff c0000264"

# Ethernet to all nodes, IPv6 (86dd), 32 bytes of ICMPv6 with hop limit 255 from the virtual address to ff02::1;
# type 136 (88), checksum, flags a0: Router and Override set, Solicited clear; target: the virtual address; option 2,
# target link-layer address 02:00:00:00:00:01.
NEIGHBOUR_LINK_LOCAL = (
    "333300000001 020000000001 86dd 6000000000203aff fe800000000000000000000000000100 ff020000000000000000000000000001"
    "8800 d59c a0000000 fe800000000000000000000000000100 0201 020000000001"
)
NEIGHBOUR_GLOBAL = (
    "333300000001 020000000001 86dd 6000000000203aff 20010db8000000000000000000000100 ff020000000000000000000000000001"
    "8800 772c a0000000 20010db8000000000000000000000100 0201 020000000001"
)
NEIGHBOUR_LINK_LOCAL_OF_9 = (
    "333300000001 020000000009 86dd 6000000000203aff fe800000000000000000000000000100 ff020000000000000000000000000001"
    "8800 d594 a0000000 fe800000000000000000000000000100 0201 020000000009"
)
NEIGHBOUR_GLOBAL_OF_9 = (
    "333300000001 020000000009 86dd 6000000000203aff 20010db8000000000000000000000100 ff020000000000000000000000000001"
    "8800 7724 a0000000 20010db8000000000000000000000100 0201 020000000009"
)

# The same from the virtual MACs 00:00:5e:00:01:33 and 00:00:5e:00:02:33.
ARP_FROM_MAC = "ffffffffffff 00005e000133 0806 0001 0800 06 04 0001 00005e000133 c0000264 ffffffffffff c0000264"
NEIGHBOUR_LINK_LOCAL_FROM_MAC = (
    "333300000001 00005e000233 86dd 6000000000203aff fe800000000000000000000000000100 ff020000000000000000000000000001"
    "8800 776a a0000000 fe800000000000000000000000000100 0201 00005e000233"
)
NEIGHBOUR_GLOBAL_FROM_MAC = (
    "333300000001 00005e000233 86dd 6000000000203aff 20010db8000000000000000000000100 ff020000000000000000000000000001"
    "8800 18fa a0000000 20010db8000000000000000000000100 0201 00005e000233"
)
