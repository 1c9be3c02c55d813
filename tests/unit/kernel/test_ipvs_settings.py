import struct

import pytest

from stayalived.config.model import Timeouts
from stayalived.kernel.ipvs_settings import (
    GET_CONFIG,
    SET_CONFIG,
    read_timeouts,
    request_change,
    request_probe,
    request_timeouts,
)
from unit.kernel.test_ipvs_messages import (
    FAMILY,
    SVC_AF,
    SVC_NETMASK,
    SVC_SCHED_NAME,
    attribute,
    inner,
    received,
    sent,
)

SVC_PE_NAME = 11
TIMEOUT_TCP, TIMEOUT_TCP_FIN, TIMEOUT_UDP = 4, 5, 6
"""include/uapi/linux/ip_vs.h"""


def reply(body: bytes) -> object:
    content = struct.pack("=BBH", SET_CONFIG, 1, 0) + body
    return received(struct.pack("=IHHII", 16 + len(content), FAMILY, 0, 7, 0) + content)


@pytest.mark.parametrize(("engine", "named"), [("", None), ("sip", b"sip\0")])
def test_a_probe_is_a_service_that_no_kernel_takes(engine: str, named: bytes | None) -> None:
    (service,) = inner(sent(request_probe("mh", engine))[20:]).values()

    parts = inner(service)
    assert (struct.pack("=H", 10), b"mh\0", bytes(4)) == (parts[SVC_AF], parts[SVC_SCHED_NAME], parts[SVC_NETMASK])
    assert named == parts.get(SVC_PE_NAME)


def test_timeouts_are_asked_for_with_nothing_else() -> None:
    assert struct.pack("=BBH", GET_CONFIG, 1, 0) == sent(request_timeouts())[16:]


def test_every_timeout_is_where_the_kernel_looks_for_it() -> None:
    expected = {TIMEOUT_TCP: 77, TIMEOUT_TCP_FIN: 0, TIMEOUT_UDP: 55}

    data = sent(request_change(Timeouts(tcp=77, udp=55)))

    assert struct.pack("=BBH", SET_CONFIG, 1, 0) == data[16:20]
    assert {kind: struct.pack("=I", value) for kind, value in expected.items()} == inner(data[20:])


def test_timeouts_are_read_by_their_numbers() -> None:
    body = b"".join(
        attribute(kind, struct.pack("=I", value)) for kind, value in ((TIMEOUT_UDP, 3), (TIMEOUT_TCP, 9), (5, 1))
    )

    assert Timeouts(tcp=9, tcpfin=1, udp=3) == read_timeouts(reply(body))


def test_a_kernel_without_udp_has_no_timeout_for_it() -> None:
    tcp_only = attribute(TIMEOUT_TCP, struct.pack("=I", 9)) + attribute(TIMEOUT_TCP_FIN, struct.pack("=I", 1))

    assert Timeouts(tcp=9, tcpfin=1) == read_timeouts(reply(tcp_only))
