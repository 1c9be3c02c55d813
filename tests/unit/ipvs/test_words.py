"""Operations in the words of ipvsadm; that it takes them is tested in user-mode Linux (`tests/uml/inside`)."""

import pytest

from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Operation,
    Service,
    Timeouts,
    in_words,
)
from uml.cases import CALLS, MARK6, NAMES, NAT, ONE, ONE6, RR, TUNNEL, WEB, WEB6, changed

DR = Destination(method="DR", weight=0)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (AddService(WEB, RR), "-A -t 192.0.2.1:80 -s rr"),
        (EditService(NAMES, Service(scheduler="wlc", one_packet=True)), "-E -u 192.0.2.1:53 -s wlc -o"),
        (DeleteService(CALLS), "-D --sctp-service 192.0.2.1:2905"),
        (
            AddService(WEB, Service(scheduler="sh", flags=("flag-1", "flag-2"), timeout=300, granularity=24)),
            "-A -t 192.0.2.1:80 -s sh -p 300 -M 255.255.255.0 -b flag-1,flag-2",
        ),
        (
            AddService(WEB6, Service(scheduler="mh", flags=("flag-2",), timeout=60, granularity=64)),
            "-A -t [2001:db8::1]:80 -s mh -p 60 -M 64 -b flag-2",
        ),
        (AddService(WEB, Service(scheduler="rr", flags=("flag-3",))), "-A -t 192.0.2.1:80 -s rr -b flag-3"),
        (
            AddService(NAMES, Service(scheduler="rr", timeout=60, engine="sip")),
            "-A -u 192.0.2.1:53 -s rr -p 60 --pe sip",
        ),
        (AddService(MARK6, Service(scheduler="fo", granularity=128)), "-A -f 7 -6 -s fo"),
        (AddDestination(WEB, ONE, NAT), "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1"),
        (EditDestination(WEB, ONE, DR), "-e -t 192.0.2.1:80 -r 192.0.2.10:80 -g -w 0"),
        (DeleteDestination(WEB6, ONE6), "-d -t [2001:db8::1]:80 -r [2001:db8::10]:80"),
        (
            AddDestination(WEB, ONE, changed(NAT, upper_threshold=100, lower_threshold=50)),
            "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1 -x 100 -y 50",
        ),
        (AddDestination(WEB, ONE, TUNNEL), "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -i -w 1 --tun-type ipip"),
        (
            AddDestination(WEB, ONE, changed(TUNNEL, tunnel="gue", tunnel_port=6080)),
            "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
        ),
        (
            AddDestination(WEB, ONE6, changed(TUNNEL, tunnel="gre", tunnel_checksum="csum")),
            "-a -t 192.0.2.1:80 -r [2001:db8::10]:80 -i -w 1 --tun-type gre --tun-csum",
        ),
    ],
)
def test_an_operation_is_what_people_type(operation: Operation, words: str) -> None:
    assert f"ipvsadm {words}" == in_words(operation)


def test_timeouts_are_what_people_type() -> None:
    assert "ipvsadm --set 900 0 300" == str(Timeouts(tcp=900, udp=300))
