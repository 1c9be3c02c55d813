"""What the kernel's IPVS says of itself: schedulers that it has, timeouts of connections. Pure.

Layout: `ipvs_attributes`; what the kernel does with it: net/netfilter/ipvs/ip_vs_ctl.c.
"""

from typing import Any

from stayalived.addresses import Endpoint, Family
from stayalived.ipvs.model import Service, ServiceKey, Timeouts
from stayalived.kernel.ipvs_attributes import Request
from stayalived.kernel.ipvs_messages import NEW_SERVICE, encode_service, make_request

SET_CONFIG, GET_CONFIG = 12, 13

_NOBODY = ServiceKey(Family.IPV6, "tcp", Endpoint("100::", 9))  # RFC 6666: discarded by whoever gets it


def request_probe(scheduler: str, engine: str) -> Request:
    """Return a request that no kernel carries out, but whose refusal tells whether a service could be had.

    ip_vs_add_service looks for the scheduler, then for the persistence engine (ENOENT), loading their modules, and only
    then at the prefix of IPv6, which is never 0 (EINVAL).
    """
    return make_request(
        NEW_SERVICE, encode_service(_NOBODY, Service(scheduler=scheduler, granularity=0, engine=engine))
    )


def request_timeouts() -> Request:
    """Return the request for the timeouts of connections."""
    return make_request(GET_CONFIG)


def request_change(timeouts: Timeouts) -> Request:
    """Return the request that sets timeouts; those that are 0 stay as they are (ip_vs_set_timeout)."""
    request = make_request(SET_CONFIG)
    request["attrs"] = [
        ("IPVS_CMD_ATTR_TIMEOUT_TCP", timeouts.tcp),
        ("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", timeouts.tcpfin),
        ("IPVS_CMD_ATTR_TIMEOUT_UDP", timeouts.udp),
    ]
    return request


def read_timeouts(reply: Any) -> Timeouts:
    """Return the timeouts that a reply tells; those of a protocol that the kernel is built without are 0."""
    names = ("IPVS_CMD_ATTR_TIMEOUT_TCP", "IPVS_CMD_ATTR_TIMEOUT_TCP_FIN", "IPVS_CMD_ATTR_TIMEOUT_UDP")
    tcp, tcpfin, udp = (reply.get_attr(name) or 0 for name in names)
    return Timeouts(tcp=tcp, tcpfin=tcpfin, udp=udp)
