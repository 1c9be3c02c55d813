"""Keys of keepalived that change what a router does with what it hears, or what it says; and the counts of oddities."""

from conformance.cases.common import DOWN, NOT_YET, NOW, SKEW, START, TAKEOVER, TICK, V2, VIP
from conformance.packets import (
    ARP,
    ARP_OF_THE_SECOND,
    BETTER,
    BETTER_EACH_2_S,
    BETTER_OF_ANOTHER_ADDRESS,
    LOWER,
    OF_NO_ADDRESS,
    OURS,
    OURS_AS_OWNER,
    OURS_LEAVING_WITHOUT_PSEUDO_HEADER,
    OURS_WITHOUT_PSEUDO_HEADER,
    OWNER_FROM_200,
    V2_BETTER,
    V2_OF_A_SHORT_PASSWORD,
    V2_OF_ANOTHER_PASSWORD,
    V2_OF_AUTHENTICATION_HEADER,
    V2_OF_AUTHENTICATION_TYPE_3,
    V2_OF_PASSWORD,
    V2_OURS_LEAVING_OF_PASSWORD,
    V2_OURS_OF_PASSWORD,
    WITH_TRAILER,
    WITH_TRAILER_OF_TYPE_2,
)
from conformance.steps import Case, Hear, Packet, Pass, Said, Sent, Start, Stop

PASSWORD = {**V2, "authentication": "secret42"}
HIDDEN = {"accept": False}
DROP = "drop 192.0.2.100"
OWNERS_START = Start(state="MASTER", sends=(Sent(0, OURS_AS_OWNER),), adds=(VIP,), announces=(Said(0, ARP, 5),))
WITH_PASSWORD_NOW = Pass(
    TICK, state="MASTER", sends=(Sent(TICK, V2_OURS_OF_PASSWORD),), adds=(VIP,), announces=(Said(TICK, ARP, 5),)
)
FAR = "198.51.100.7/32"


def refused(what: str, packet: Packet, counted: str, log: str) -> Case:
    return Case(
        name=f"password: {what} is dropped",
        router=PASSWORD,
        story=(START, Pass(3), Hear(packet, logs=(log,)), Pass(SKEW - TICK), WITH_PASSWORD_NOW),
        counted={"received": 1, counted: 1},
    )


CASES = (
    # ── RFC 9568 5.2.5, 7.1, 2.5, 8.3.2 ──────────────────────────────────────────────────────────────────────────────
    Case(
        name="an advert that counts no address is dropped by a backup",
        story=(START, Pass(3), Hear(OF_NO_ADDRESS), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "addresses": 1},
    ),
    Case(
        name="a master does not yield to an advert that counts no address",
        story=(START, TAKEOVER, Hear(OF_NO_ADDRESS), Pass(1, sends=(Sent(1, OURS),))),
        counted={"received": 1, "addresses": 1},
    ),
    Case(
        name="another interval in version 3 is logged",
        story=(START, Hear(BETTER_EACH_2_S, logs=("192.0.2.2 advertises every 2 s",)), Pass(7.0625 - TICK), NOW),
        counted={"received": 1},
    ),
    Case(
        name="a lower advert that a master hears is logged",
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, sends=(Sent(0, OURS),), announces=(Said(0, ARP, 5),), logs=("lower priority",)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="an advert of another owner that an owner hears is logged",
        router={"priority": 255},
        story=(
            OWNERS_START,
            Pass(0.4),
            Hear(OWNER_FROM_200, state="BACKUP", removes=(VIP,), logs=("192.0.2.200",)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="an advert of anybody else that an owner hears is logged",
        router={"priority": 255},
        story=(
            OWNERS_START,
            Pass(0.4),
            Hear(BETTER, sends=(Sent(0, OURS_AS_OWNER),), announces=(Said(0, ARP, 5),), logs=("192.0.2.2",)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="other addresses are counted for each advert that has them",
        story=(
            START,
            Hear(BETTER_OF_ANOTHER_ADDRESS),
            Pass(1),
            Hear(BETTER_OF_ANOTHER_ADDRESS),
            Pass(1),
            Hear(BETTER_OF_ANOTHER_ADDRESS),
            NOT_YET,
            NOW,
        ),
        counted={"received": 3, "addresses": 3},
    ),
    # ── RFC 2338 5.3.6, PASS ─────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="password: adverts and the last of priority 0 carry it",
        router=PASSWORD,
        story=(
            START,
            Pass(
                DOWN,
                state="MASTER",
                sends=(Sent(DOWN, V2_OURS_OF_PASSWORD),),
                adds=(VIP,),
                announces=(Said(DOWN, ARP, 5),),
            ),
            Stop(state="INIT", sends=(Sent(0, V2_OURS_LEAVING_OF_PASSWORD),), removes=(VIP,)),
        ),
    ),
    Case(
        name="password: an advert with the same one counts",
        router=PASSWORD,
        story=(START, NOT_YET, Hear(V2_OF_PASSWORD), NOT_YET, WITH_PASSWORD_NOW),
        counted={"received": 1},
    ),
    refused("another one", V2_OF_ANOTHER_PASSWORD, "auth_failure", "password"),
    refused("a shorter one", V2_OF_A_SHORT_PASSWORD, "auth_failure", "password"),
    refused("an advert without one", V2_BETTER, "authtype_mismatch", "type 0"),
    refused("an authentication header", V2_OF_AUTHENTICATION_HEADER, "authtype_mismatch", "type 2"),
    refused("a type that there is not", V2_OF_AUTHENTICATION_TYPE_3, "invalid_authtype", "type 3"),
    # ── accept = false ───────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="accept = false: a master drops what comes to its address, and a backup has neither",
        router=HIDDEN,
        story=(
            START,
            Pass(DOWN, state="MASTER", sends=(Sent(DOWN, OURS),), adds=(VIP, DROP), announces=(Said(DOWN, ARP, 5),)),
            Hear(BETTER, state="BACKUP", removes=(VIP, DROP)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="accept = false: an owner accepts all the same",
        router={**HIDDEN, "priority": 255},
        story=(OWNERS_START, Pass(1, sends=(Sent(1, OURS_AS_OWNER),))),
    ),
    # ── checksums, trailers ──────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="v3_checksum_as_v2: adverts leave without the pseudo-header in their checksum",
        router={"checksum_as_v2": True},
        story=(
            START,
            Pass(
                DOWN,
                state="MASTER",
                sends=(Sent(DOWN, OURS_WITHOUT_PSEUDO_HEADER),),
                adds=(VIP,),
                announces=(Said(DOWN, ARP, 5),),
            ),
            Stop(state="INIT", sends=(Sent(0, OURS_LEAVING_WITHOUT_PSEUDO_HEADER),), removes=(VIP,)),
        ),
    ),
    Case(
        name="v3_checksum_as_v2: an advert with the pseudo-header in its checksum counts",
        router={"checksum_as_v2": True},
        story=(START, Pass(3), Hear(BETTER), Pass(3)),
        counted={"received": 1},
    ),
    Case(
        name="auth_hmac: a trailer is counted, and its advert counts",
        story=(START, NOT_YET, Hear(WITH_TRAILER), NOT_YET, NOW),
        counted={"received": 1, "trailers": 1},
    ),
    Case(
        name="auth_hmac: what follows an advert and is no trailer makes it too long",
        story=(START, Pass(3), Hear(WITH_TRAILER_OF_TYPE_2), Pass(SKEW - TICK), NOW),
        counted={"received": 1, "length": 1},
    ),
    # ── what is answered ─────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="lower_prio_no_advert: a lower advert is announced against, and not answered",
        router={"lower_prio_no_advert": True},
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(LOWER, announces=(Said(0, ARP, 5),)),
            Pass(0.6, sends=(Sent(0.6, OURS),)),
        ),
        counted={"received": 1},
    ),
    Case(
        name="higher_prio_send_advert: a master speaks once more before it yields",
        router={"higher_prio_send_advert": True},
        story=(
            START,
            TAKEOVER,
            Pass(0.4),
            Hear(BETTER, state="BACKUP", sends=(Sent(0, OURS),), removes=(VIP,)),
            NOT_YET,
        ),
        counted={"received": 1},
    ),
    Case(
        name="owner_ignore_adverts: an owner hears nobody",
        router={"priority": 255, "owner_ignore_adverts": True},
        story=(OWNERS_START, Pass(0.4), Hear(OWNER_FROM_200), Pass(0.6, sends=(Sent(0.6, OURS_AS_OWNER),))),
        counted={"received": 1, "owner_ignored": 1},
    ),
    # ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="virtual_ipaddress_excluded: an address is held and announced, and not advertised",
        router={"excluded": FAR},
        story=(
            START,
            Pass(
                DOWN,
                state="MASTER",
                sends=(Sent(DOWN, OURS),),
                adds=(VIP, FAR),
                announces=(Said(DOWN, ARP, 5), Said(DOWN, ARP_OF_THE_SECOND, 5)),
            ),
            Hear(BETTER, state="BACKUP", removes=(VIP, FAR)),
        ),
        counted={"received": 1},
    ),
    # ── when it begins ───────────────────────────────────────────────────────────────────────────────────────────────
    Case(
        name="vrrp_startup_delay: nothing is said or taken before it is over, then the router is a backup",
        story=(Start(delay=10, state="INIT"), Pass(10 - TICK), Pass(TICK, state="BACKUP"), NOT_YET, NOW),
    ),
    Case(
        name="vrrp_startup_delay: what is heard meanwhile is read and thrown away",
        story=(
            Start(delay=10, state="INIT"),
            Pass(5),
            Hear(BETTER_EACH_2_S),
            Pass(5, state="BACKUP"),
            NOT_YET,
            NOW,
        ),
        counted={"received": 1},
    ),
    Case(
        name="vrrp_startup_delay: an owner waits too",
        router={"priority": 255},
        story=(
            Start(delay=10, state="INIT"),
            Pass(10 - TICK),
            Pass(
                TICK,
                state="MASTER",
                sends=(Sent(TICK, OURS_AS_OWNER),),
                adds=(VIP,),
                announces=(Said(TICK, ARP, 5),),
            ),
        ),
    ),
)
