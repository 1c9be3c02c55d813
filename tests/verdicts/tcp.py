"""Behaviours of servers over TCP, whatever they speak."""

from stayalived.plugin.testing import Act, Reset, Say, Silence
from stayalived.timing import milliseconds
from verdicts.acts import Wait
from verdicts.behaviour import (
    ABSENT,
    ABSENT6,
    CLOSED,
    FORBIDDEN,
    NO_ROUTE,
    PROHIBITED,
    REJECTED,
    SERVER6,
    SWALLOWED,
    UNREACHABLE,
    Behaviour,
    FullQueue,
    Script,
)

THEIRS = "TCP_CHECK {\n %s\n }"


def tcp(name: str, *acts: Act, address: str = "", theirs: str = "", ours: str = "", tls: str = "") -> Behaviour:
    where = {"address": address} if address else {}
    return Behaviour(
        type="tcp", name=name, theirs=THEIRS % f"{theirs} %s", ours=ours, serving=Script(acts=acts, tls=tls), **where
    )


def nobody(
    name: str, address: str, *, port: int = 0, waits: bool = False, theirs: str = "", ours: str = ""
) -> Behaviour:
    """A server that is no program."""
    return Behaviour(
        type="tcp", name=name, theirs=THEIRS % f"{theirs} %s", ours=ours, address=address, port=port, waits=waits
    )


BEHAVIOURS = (
    tcp("accepts and is silent", Silence()),
    tcp("accepts and closes"),
    tcp("accepts and resets a moment later", Wait(milliseconds(10_000)), Reset()),
    tcp("greets", Say(b"220 hello\r\n"), Silence()),
    tcp("greets and resets a moment later", Say(b"220 hello\r\n"), Wait(milliseconds(10_000)), Reset()),
    tcp("floods", Say(b"x" * 200_000), Silence()),
    tcp("speaks TLS", Silence(), tls="good"),
    tcp("accepts over IPv6", Silence(), address=SERVER6),
    Behaviour(
        type="tcp", name="never takes what waits in its queue", theirs=THEIRS % "%s", serving=FullQueue(), waits=True
    ),
    nobody("refuses", "192.0.2.10", port=CLOSED),
    nobody("refuses over IPv6", SERVER6, port=CLOSED),
    nobody("host unreachable", UNREACHABLE),
    nobody("net unreachable", REJECTED),
    nobody("prohibited on the way", PROHIBITED),
    nobody("SYNs are dropped", SWALLOWED, waits=True),
    nobody("absent from the wire", ABSENT, waits=True),
    nobody("absent from the wire over IPv6", ABSENT6, waits=True),
    nobody("no route here", NO_ROUTE),
    nobody("forbidden by a route here", FORBIDDEN),
    nobody(
        "bound to an address that is not here",
        "192.0.2.10",
        theirs="bindto 198.51.100.77",
        ours='bindto = "198.51.100.77"',
    ),
    tcp("bound to an interface", Silence(), theirs="bind_if eth0", ours='bind_if = "eth0"'),
    tcp("another port is asked", Silence(), theirs="connect_port 9", ours="connect_port = 9"),
    tcp("another address is asked", Silence(), theirs="connect_ip 192.0.2.11", ours='connect_ip = "192.0.2.11"'),
)
