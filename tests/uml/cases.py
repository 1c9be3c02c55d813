"""What IPVS accepts and refuses: one list of cases for the kernel in memory and for the real one.

A case gives operations that are accepted, then one operation, what becomes of it, and the table afterwards.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family
from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Operation,
    Service,
    ServiceKey,
    Table,
)
from stayalived.kernel.memory_ipvs import SCHEDULERS

WEB = ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80))
WEB6 = ServiceKey(Family.IPV6, "tcp", Endpoint("2001:db8::1", 80))
NAMES = ServiceKey(Family.IPV4, "udp", Endpoint("192.0.2.1", 53))
CALLS = ServiceKey(Family.IPV4, "sctp", Endpoint("192.0.2.1", 2905))
MARK = ServiceKey(Family.IPV4, "", None, 7)
MARK6 = ServiceKey(Family.IPV6, "", None, 7)

ONE = Endpoint("192.0.2.10", 80)
TWO = Endpoint("192.0.2.11", 80)
ONE6 = Endpoint("2001:db8::10", 80)

RR = Service(scheduler="rr")
RR6 = Service(scheduler="rr", granularity=128)
NAT = Destination(method="NAT", weight=1)
TUNNEL = Destination(method="TUN", weight=1, tunnel="ipip")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to try: `given` operations, then `when`; `refused` is the error number, 0 for success."""

    name: str
    given: Sequence[Operation] = ()
    when: Operation
    refused: int = 0
    then: Table = field(default_factory=dict)


def table(key: ServiceKey, service: Service, **destinations: tuple[Endpoint, Destination]) -> Table:
    """Return a table of one service; the names of the destinations are for the reader."""
    return {key: Entry(service, dict(destinations.values()))}


def changed(destination: Destination, **changes: object) -> Destination:
    """Return a destination that differs in the given settings."""
    fields = {name: getattr(destination, name) for name in Destination.__slots__}
    return Destination(**{**fields, **changes})


def _services() -> list[Case]:
    scheduled = [
        Case(
            name=f"a service with scheduler {name}",
            when=AddService(WEB, Service(scheduler=name)),
            then=table(WEB, Service(scheduler=name)),
        )
        for name in sorted(SCHEDULERS)
    ]
    kept = [
        Case(name=f"a service {key}", when=AddService(key, service), then=table(key, service))
        for key, service in ((WEB6, RR6), (NAMES, RR), (CALLS, RR), (MARK, RR), (MARK6, RR6))
    ]
    sticky = Service(scheduler="sh", flags=("flag-1", "flag-2"), timeout=300, granularity=24)
    sticky6 = Service(scheduler="wlc", timeout=60, granularity=64)
    by_call = Service(scheduler="rr", timeout=60, engine="sip")
    one_packet = Service(scheduler="rr", one_packet=True)
    return [
        *scheduled,
        *kept,
        Case(name="flags, persistence and a mask", when=AddService(WEB, sticky), then=table(WEB, sticky)),
        Case(name="persistence over IPv6 with a prefix", when=AddService(WEB6, sticky6), then=table(WEB6, sticky6)),
        Case(name="one-packet scheduling", when=AddService(NAMES, one_packet), then=table(NAMES, one_packet)),
        Case(
            name="a scheduler that is not there",
            when=AddService(WEB, Service(scheduler="nosuch")),
            refused=errno.ENOENT,
        ),
        Case(name="calls kept together", when=AddService(NAMES, by_call), then=table(NAMES, by_call)),
        Case(
            name="calls not kept together any more",
            given=[AddService(NAMES, by_call)],
            when=EditService(NAMES, Service(scheduler="rr", timeout=60)),
            then=table(NAMES, Service(scheduler="rr", timeout=60)),
        ),
        Case(
            name="a persistence engine that is not there",
            when=AddService(NAMES, Service(scheduler="rr", timeout=60, engine="nosuch")),
            refused=errno.ENOENT,
        ),
        Case(
            name="an IPv6 prefix of 0",
            when=AddService(WEB6, Service(scheduler="rr", granularity=0)),
            refused=errno.EINVAL,
        ),
        Case(name="a service again", given=[AddService(WEB, RR)], when=AddService(WEB, RR), then=table(WEB, RR)),
        Case(
            name="a service again with other settings",
            given=[AddService(WEB, RR)],
            when=AddService(WEB, Service(scheduler="wlc")),
            refused=errno.EEXIST,
            then=table(WEB, RR),
        ),
        Case(name="an edit of no service", when=EditService(WEB, RR), refused=errno.ESRCH),
        Case(
            name="another scheduler keeps the destinations",
            given=[AddService(WEB, RR), AddDestination(WEB, ONE, NAT)],
            when=EditService(WEB, Service(scheduler="wlc")),
            then=table(WEB, Service(scheduler="wlc"), one=(ONE, NAT)),
        ),
        Case(
            name="flags and persistence are taken away",
            given=[AddService(WEB, sticky)],
            when=EditService(WEB, RR),
            then=table(WEB, RR),
        ),
        Case(
            name="a service goes with its destinations",
            given=[AddService(WEB, RR), AddDestination(WEB, ONE, NAT)],
            when=DeleteService(WEB),
        ),
        Case(name="a service that is gone", when=DeleteService(WEB)),
    ]


def _destinations() -> list[Case]:
    wanted = [
        ("NAT", changed(NAT, weight=5)),
        ("DR", Destination(method="DR", weight=1)),
        ("DR with weight 0", Destination(method="DR", weight=0)),
        ("the biggest weight", changed(NAT, weight=2**31 - 1)),
        ("thresholds", changed(NAT, upper_threshold=100, lower_threshold=50)),
        ("an IPIP tunnel", TUNNEL),
        ("a GUE tunnel", changed(TUNNEL, tunnel="gue", tunnel_port=6080)),
        (
            "a GUE tunnel with remote checksum",
            changed(TUNNEL, tunnel="gue", tunnel_port=6080, tunnel_checksum="remcsum"),
        ),
        ("a GRE tunnel with checksum", changed(TUNNEL, tunnel="gre", tunnel_checksum="csum")),
    ]
    refused = [
        ("a weight below 0", ONE, changed(NAT, weight=-1), errno.ERANGE),
        ("a lower threshold above the upper", ONE, changed(NAT, lower_threshold=5), errno.ERANGE),
        ("a GUE tunnel without a port", ONE, changed(TUNNEL, tunnel="gue"), errno.EINVAL),
        ("an IPv6 destination by NAT in an IPv4 service", ONE6, NAT, errno.EINVAL),
        ("an IPv6 destination by DR in an IPv4 service", ONE6, Destination(method="DR", weight=1), errno.EINVAL),
        ("a multicast destination", Endpoint("224.0.0.1", 80), NAT, errno.EINVAL),
        ("a broadcast destination", Endpoint("255.255.255.255", 80), NAT, errno.EINVAL),
        ("no address", Endpoint("0.0.0.0", 80), NAT, errno.EINVAL),
    ]
    service = [AddService(WEB, RR)]
    return [
        *(
            Case(
                name=f"a destination: {name}",
                given=service,
                when=AddDestination(WEB, ONE, destination),
                then=table(WEB, RR, one=(ONE, destination)),
            )
            for name, destination in wanted
        ),
        *(
            Case(
                name=name,
                given=service,
                when=AddDestination(WEB, endpoint, destination),
                refused=number,
                then=table(WEB, RR),
            )
            for name, endpoint, destination, number in refused
        ),
        Case(
            name="an IPv6 destination",
            given=[AddService(WEB6, RR6)],
            when=AddDestination(WEB6, ONE6, NAT),
            then=table(WEB6, RR6, one=(ONE6, NAT)),
        ),
        Case(
            name="a tunnel over IPv6 in an IPv4 service",
            given=service,
            when=AddDestination(WEB, ONE6, TUNNEL),
            then=table(WEB, RR, one=(ONE6, TUNNEL)),
        ),
        Case(
            name="a tunnel over IPv4 in an IPv6 service",
            given=[AddService(WEB6, RR6)],
            when=AddDestination(WEB6, ONE, TUNNEL),
            then=table(WEB6, RR6, one=(ONE, TUNNEL)),
        ),
        *(
            Case(
                name=f"a link-local or multicast IPv6 destination {address}",
                given=[AddService(WEB6, RR6)],
                when=AddDestination(WEB6, Endpoint(address, 80), NAT),
                refused=errno.EINVAL,
                then=table(WEB6, RR6),
            )
            for address in ("fe80::10", "ff02::1", "::")
        ),
        Case(
            name="a destination in a marked service",
            given=[AddService(MARK6, RR6)],
            when=AddDestination(MARK6, Endpoint("2001:db8::10", 0), NAT),
            then=table(MARK6, RR6, one=(Endpoint("2001:db8::10", 0), NAT)),
        ),
        Case(name="a destination without a service", when=AddDestination(WEB, ONE, NAT), refused=errno.ESRCH),
    ]


def _changes() -> list[Case]:
    limited = Destination(method="NAT", weight=1, upper_threshold=100, lower_threshold=50)
    heavier = changed(limited, weight=9)
    given = [AddService(WEB, RR), AddDestination(WEB, ONE, limited), AddDestination(WEB, TWO, NAT)]
    start = table(WEB, RR, one=(ONE, limited), two=(TWO, NAT))
    gue = changed(TUNNEL, tunnel="gue", tunnel_port=6080)
    return [
        Case(
            name="another weight keeps method and thresholds",
            given=given,
            when=EditDestination(WEB, ONE, heavier),
            then=table(WEB, RR, one=(ONE, heavier), two=(TWO, NAT)),
        ),
        Case(
            name="another forwarding method",
            given=given,
            when=EditDestination(WEB, TWO, Destination(method="DR", weight=1)),
            then=table(WEB, RR, one=(ONE, limited), two=(TWO, Destination(method="DR", weight=1))),
        ),
        Case(
            name="from NAT to a tunnel",
            given=given,
            when=EditDestination(WEB, TWO, gue),
            then=table(WEB, RR, one=(ONE, limited), two=(TWO, gue)),
        ),
        Case(
            name="from one tunnel to another",
            given=[AddService(WEB, RR), AddDestination(WEB, ONE, gue)],
            when=EditDestination(WEB, ONE, TUNNEL),
            then=table(WEB, RR, one=(ONE, TUNNEL)),
        ),
        Case(name="a destination again", given=given, when=AddDestination(WEB, TWO, NAT), then=start),
        Case(
            name="a destination again with other settings",
            given=given,
            when=AddDestination(WEB, TWO, changed(NAT, weight=2)),
            refused=errno.EEXIST,
            then=start,
        ),
        Case(
            name="a destination goes",
            given=given,
            when=DeleteDestination(WEB, TWO),
            then=table(WEB, RR, one=(ONE, limited)),
        ),
        Case(name="a destination that is gone", given=given, when=DeleteDestination(WEB, ONE6), then=start),
        Case(name="a destination of a service that is gone", when=DeleteDestination(WEB, ONE)),
        Case(
            name="an edit of no destination",
            given=[AddService(WEB, RR)],
            when=EditDestination(WEB, ONE, NAT),
            refused=errno.ENOENT,
            then=table(WEB, RR),
        ),
        Case(name="an edit without a service", when=EditDestination(WEB, ONE, NAT), refused=errno.ESRCH),
        Case(
            name="a weight below 0 afterwards",
            given=given,
            when=EditDestination(WEB, ONE, changed(limited, weight=-1)),
            refused=errno.ERANGE,
            then=start,
        ),
    ]


CASES = [*_services(), *_destinations(), *_changes()]
