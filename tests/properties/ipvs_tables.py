"""Tables of IPVS drawn at random: few addresses, so that two tables have much in common."""

from hypothesis import strategies as st

from stayalived.addresses import Endpoint, Family
from stayalived.ipvs.model import Destination, Entry, Service, ServiceKey, Table

FOUR = tuple(Endpoint(f"192.0.2.{number}", 80) for number in (10, 11, 12, 13))
SIX = tuple(Endpoint(f"2001:db8::{number}", 80) for number in (10, 11, 12, 13))
KEYS = (
    ServiceKey(Family.IPV4, "tcp", Endpoint("192.0.2.1", 80)),
    ServiceKey(Family.IPV4, "udp", Endpoint("192.0.2.1", 53)),
    ServiceKey(Family.IPV6, "tcp", Endpoint("2001:db8::1", 80)),
    ServiceKey(Family.IPV4, "sctp", Endpoint("192.0.2.1", 2905)),
    ServiceKey(Family.IPV4, "", None, 7),
    ServiceKey(Family.IPV6, "", None, 7),
)


DESTINATIONS = tuple(
    Destination(
        method=method, weight=weight, upper_threshold=upper, tunnel=tunnel, tunnel_port=port, tunnel_checksum=sum_
    )
    for method, upper, tunnel, port, sum_ in (
        ("NAT", 0, "", 0, ""),
        ("NAT", 100, "", 0, ""),
        ("DR", 0, "", 0, ""),
        ("TUN", 0, "ipip", 0, ""),
        ("TUN", 0, "gue", 6080, ""),
        ("TUN", 0, "gue", 6081, "remcsum"),
        ("TUN", 0, "gre", 0, "csum"),
    )
    for weight in (0, 1, 2, 5)
)


def services(family: Family) -> st.SearchStrategy[Service]:
    whole = family.bits
    return st.sampled_from(
        [
            Service(scheduler="rr", granularity=whole),
            Service(scheduler="wlc", granularity=whole),
            Service(scheduler="sh", flags=("flag-1",), granularity=whole),
            Service(scheduler="mh", flags=("flag-1", "flag-2"), granularity=whole),
            Service(scheduler="rr", timeout=30, granularity=whole),
            Service(scheduler="rr", timeout=30, granularity=whole, engine="sip"),
            Service(scheduler="rr", granularity=whole, one_packet=True),
            Service(scheduler="wrr", timeout=300, granularity=24),
        ]
    )


def entries(key: ServiceKey) -> st.SearchStrategy[Entry]:
    endpoints = st.sampled_from(FOUR if key.family is Family.IPV4 else SIX)
    pools = st.dictionaries(endpoints, st.sampled_from(DESTINATIONS), max_size=4)
    return st.builds(Entry, services(key.family), pools)


def tables() -> st.SearchStrategy[Table]:
    """Draw a table: each of `KEYS` is in it or not."""
    return st.fixed_dictionaries({}, optional={key: entries(key) for key in KEYS})


def weights_of(table: Table, key: ServiceKey) -> dict[Endpoint, int]:
    """Return the weight of each destination of a service; empty when it is not there."""
    entry = table.get(key)
    return {endpoint: one.weight for endpoint, one in entry.destinations.items()} if entry is not None else {}


def is_safe(before: Table, now: Table, afterwards: Table) -> bool:
    """Tell whether a table between two others keeps what both have, for each set of destinations of each service.

    It is enough to look at single destinations in each phase, but that is the planner's proof; here every set is tried.
    """
    for key in {*before, *afterwards}:
        old, new, present = (weights_of(table, key) for table in (before, afterwards, now))
        endpoints = sorted({*old, *new})
        for chosen in range(1, 2 ** len(endpoints)):
            some = [endpoint for number, endpoint in enumerate(endpoints) if chosen >> number & 1]
            least = min(sum(old.get(one, 0) for one in some), sum(new.get(one, 0) for one in some))
            if sum(present.get(one, 0) for one in some) < least:
                return False
    return True
