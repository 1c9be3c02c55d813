"""From the same configuration, with `alpha = false`, the kernel's table is line by line that of keepalived.

Both daemons run at the same time, each on a host of its own with the same addresses: one start of each for all cases.
"""

import itertools
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from namespaces.daemon import Daemon
from namespaces.lab import Host, Lab
from namespaces.waiting import TooLate, wait_until

LIMIT = 60.0
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq")
METHODS = ("NAT", "DR", "TUN")
PROTOCOLS = ("tcp", "udp")
FAMILIES = {
    4: ("198.51.100.1", ("192.0.2.10", "192.0.2.11")),
    6: ("2001:db8::1", ("2001:db8:1::10", "2001:db8:1::11")),
}
"""Virtual address and real servers. These are addresses of the hosts themselves, so that checks come to an end."""

OPEN = 8080
"""Where the first of the real servers listens."""


@dataclass(frozen=True, slots=True)
class Case:
    """One virtual server: how keepalived and how we write it, and the lines that come of it."""

    name: str
    theirs: str
    ours: str
    lines: int


def endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def combination(scheduler: str, method: str, family: int, protocol: str, port: int) -> Case:
    """A service with two servers of different weight, and no check."""
    virtual, (one, two) = FAMILIES[family]
    name = f"{scheduler}-{method}-{family}-{protocol}"
    theirs = (
        f"virtual_server {virtual} {port} {{\n lb_algo {scheduler}\n lb_kind {method}\n protocol {protocol.upper()}\n"
        f" real_server {one} {port} {{\n weight 1\n }}\n real_server {two} {port} {{\n weight 3\n }}\n}}\n"
    )
    ours = (
        f'[virtual_server.{name}]\naddress = "{endpoint(virtual, port)}"\nprotocol = "{protocol}"\nalpha = false\n'
        f'scheduler = "{scheduler}"\nforward = "{method}"\n'
        f'real_server.one = {{ address = "{one}", weight = 1 }}\n'
        f'real_server.two = {{ address = "{two}", weight = 3 }}\n'
    )
    return Case(name, theirs, ours, 3)


def combinations() -> list[Case]:
    every = itertools.product(SCHEDULERS, METHODS, FAMILIES, PROTOCOLS)
    return [combination(*one, port) for port, one in enumerate(every, 1000)]


def special(name: str, port: int, theirs: str, ours: str, lines: int = 2) -> Case:
    """A service of its own address, over TCP; the texts are what stands in its block, the real servers included."""
    head = f"virtual_server 198.51.100.2 {port} {{\n protocol TCP\n"
    table = f'[virtual_server.{name}]\naddress = "198.51.100.2:{port}"\nprotocol = "tcp"\nalpha = false\n'
    return Case(name, f"{head}{theirs}\n}}\n", f"{table}{ours}\n", lines)


def marked(family: int, method: str, mark: int) -> Case:
    """A service by firewall mark."""
    one = FAMILIES[family][1][0]
    theirs = (
        f"virtual_server fwmark {mark} {{\n lb_algo rr\n lb_kind {method}\n"
        f" ip_family inet{'6' if family == 6 else ''}\n real_server {one} 80 {{\n weight 1\n }}\n}}\n"
    )
    ours = (
        f'[virtual_server.mark{mark}]\nfwmark = {mark}\nscheduler = "rr"\nforward = "{method}"\nalpha = false\n'
        f'real_server.one.address = "{endpoint(one, 80)}"\n'
    )
    return Case(f"mark-{family}-{method}", theirs, ours, 2)


ONE = "real_server 192.0.2.10 8080 {\n weight 2\n }"
OURS = 'real_server.one = { address = "192.0.2.10:8080", weight = 2 }'
CHECK = "TCP_CHECK {\n connect_timeout 2\n retry 0\n }"
CHECKED = f"""\
delay_loop 1
 real_server 192.0.2.10 {OPEN} {{
  weight 2
  {CHECK}
 }}
 real_server 192.0.2.11 {OPEN} {{
  weight 3
  {CHECK}
 }}"""
OURS_CHECKED = f"""\
check = {{ type = "tcp", delay_loop = 1, connect_timeout = 2, retry = 0 }}
real_server.one = {{ address = "192.0.2.10:{OPEN}", weight = 2 }}
real_server.two = {{ address = "192.0.2.11:{OPEN}", weight = 3 }}"""
SORRY, OUR_SORRY = "sorry_server 192.0.2.99 80", 'sorry_server = "192.0.2.99:80"'
NAT = "lb_algo rr\n lb_kind NAT\n"
OUR_NAT = 'scheduler = "rr"\nforward = "NAT"\n'


def tunnel(name: str, port: int, theirs: str, ours: str) -> Case:
    forward = f'scheduler = "rr"\nforward = {{ type = "TUN", {ours} }}\n'
    return special(name, port, f"lb_algo rr\n lb_kind TUN {theirs}\n {ONE}", forward + OURS)


def scheduled(name: str, port: int, theirs: str, ours: str) -> Case:
    return special(name, port, f"lb_kind DR\n {theirs}\n {ONE}", f'forward = "DR"\n{ours}\n{OURS}')


def checked(name: str, port: int, theirs: str, ours: str, lines: int) -> Case:
    """One server passes its check, the other one does not."""
    return special(name, port, f"{NAT} {theirs}\n {CHECKED}", f"{OUR_NAT}{ours}\n{OURS_CHECKED}", lines)


SETTINGS = [
    scheduled("bare", 2000, "", ""),
    scheduled(
        "persistent",
        2001,
        "lb_algo sh\n persistence_timeout 300\n persistence_granularity 255.255.255.0",
        'scheduler = "sh"\npersistence_timeout = 300\npersistence_granularity = "255.255.255.0"',
    ),
    scheduled("sticky", 2002, "persistence_timeout 60", "persistence_timeout = 60"),
    scheduled("port", 2003, "lb_algo sh\n sh-port", 'scheduler = { type = "sh", port = true }'),
    scheduled(
        "fallback",
        2004,
        "lb_algo sh\n sh-port\n sh-fallback",
        'scheduler = { type = "sh", port = true, fallback = true }',
    ),
    tunnel("gue", 2010, "type gue port 6080", 'tunnel = "gue", port = 6080'),
    tunnel("gue-csum", 2011, "type gue port 6080 csum", 'tunnel = "gue", port = 6080, checksum = "csum"'),
    tunnel("gue-remcsum", 2012, "type gue port 6080 remcsum", 'tunnel = "gue", port = 6080, checksum = "remcsum"'),
    tunnel("gre", 2013, "type gre", 'tunnel = "gre"'),
    tunnel("gre-csum", 2014, "type gre csum", 'tunnel = "gre", checksum = "csum"'),
    special("ported", 2020, f"{NAT} {ONE}", OUR_NAT + OURS),
    special(
        "thresholds",
        2021,
        f"{NAT} real_server 192.0.2.10 80 {{\n uthreshold 100\n lthreshold 50\n }}",
        OUR_NAT + 'real_server.one = { address = "192.0.2.10:80", uthreshold = 100, lthreshold = 50 }',
    ),
    special(
        "methods",
        2022,
        f"{NAT} {ONE}\n real_server 192.0.2.11 2022 {{\n lvs_method DR\n }}\n"
        " real_server 192.0.2.12 2022 {\n lvs_method TUN\n }",
        OUR_NAT + OURS + '\nreal_server.two = { address = "192.0.2.11", forward = "DR" }'
        '\nreal_server.three = { address = "192.0.2.12", forward = "TUN" }',
        4,
    ),
    special(
        "drained",
        2023,
        f"{NAT} real_server 192.0.2.10 80 {{\n weight 0\n }}",
        OUR_NAT + 'real_server.one = { address = "192.0.2.10:80", weight = 0 }',
    ),
]
HEALTH = [
    checked("half", 3000, "", "", 2),
    checked("enough", 3001, f"quorum 2\n {SORRY}", f"quorum = 2\n{OUR_SORRY}", 2),
    checked("too-little", 3002, f"quorum 3\n {SORRY}", f"quorum = 3\n{OUR_SORRY}", 2),
    checked("too-little-without", 3003, "quorum 3", "quorum = 3", 2),
    checked("damped", 3004, f"quorum 3\n hysteresis 1\n {SORRY}", f"quorum = 3\nhysteresis = 1\n{OUR_SORRY}", 2),
    special(
        "inhibited",
        3005,
        f"{NAT} delay_loop 1\n real_server 192.0.2.11 {OPEN} {{\n inhibit_on_failure\n {CHECK}\n }}",
        OUR_NAT + 'check = { type = "tcp", delay_loop = 1, retry = 0 }\n'
        f'real_server.one = {{ address = "192.0.2.11:{OPEN}", inhibit_on_failure = true }}',
    ),
    special(
        "nobody",
        3006,
        f"{NAT} delay_loop 1\n {SORRY}\n real_server 192.0.2.11 {OPEN} {{\n {CHECK}\n }}",
        OUR_NAT + OUR_SORRY + '\ncheck = { type = "tcp", delay_loop = 1, retry = 0 }\n'
        f'real_server.one.address = "192.0.2.11:{OPEN}"',
    ),
]
OTHERS = [
    Case(
        "one-packet",
        "virtual_server 198.51.100.3 53 {\n lb_algo rr\n lb_kind NAT\n protocol UDP\n ops\n"
        " real_server 192.0.2.10 53 {\n }\n}\n",
        '[virtual_server.one-packet]\naddress = "198.51.100.3:53"\nprotocol = "udp"\nscheduler = "rr"\nops = true\n'
        'forward = "NAT"\nalpha = false\nreal_server.one.address = "192.0.2.10:53"\n',
        2,
    ),
    Case(
        "prefix",
        "virtual_server 2001:db8::2 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 300\n"
        " persistence_granularity 64\n real_server 2001:db8:1::10 80 {\n }\n}\n",
        '[virtual_server.prefix]\naddress = "[2001:db8::2]:80"\nprotocol = "tcp"\nscheduler = "rr"\nforward = "DR"\n'
        "persistence_timeout = 300\npersistence_granularity = 64\nalpha = false\n"
        'real_server.one.address = "2001:db8:1::10"\n',
        2,
    ),
    Case(
        "two-addresses",
        "virtual_server_group both {\n 198.51.100.4 80\n 198.51.100.5 80\n}\n"
        "virtual_server group both {\n lb_algo rr\n lb_kind DR\n protocol TCP\n real_server 192.0.2.10 80 {\n }\n}\n",
        '[virtual_server.two-addresses]\naddress = ["198.51.100.4:80", "198.51.100.5:80"]\nprotocol = "tcp"\n'
        'scheduler = "rr"\nforward = "DR"\nalpha = false\nreal_server.one.address = "192.0.2.10"\n',
        4,
    ),
    Case(
        "any-port",
        "virtual_server 198.51.100.6 0 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 60\n"
        " real_server 192.0.2.10 0 {\n }\n}\n",
        '[virtual_server.any-port]\naddress = "198.51.100.6"\nprotocol = "tcp"\nscheduler = "rr"\nforward = "DR"\n'
        'persistence_timeout = 60\nalpha = false\nreal_server.one.address = "192.0.2.10"\n',
        2,
    ),
]
MARKS = [marked(family, method, mark) for mark, (family, method) in enumerate(itertools.product(FAMILIES, METHODS), 7)]
CASES = [*combinations(), *SETTINGS, *HEALTH, *OTHERS, *MARKS]
LINES = sum(case.lines for case in CASES)


def machine(lab: Lab, name: str) -> Host:
    """A host on a wire of its own that is all real servers itself."""
    own = [f"{address}/64" if ":" in address else f"{address}/24" for _, both in FAMILIES.values() for address in both]
    return lab.host(name, *own, segment=lab.segment(f"lan-{name}"))


class Pair:
    """Both daemons at work on all cases."""

    def __init__(self, lab: Lab) -> None:
        self._hosts = {name: machine(lab, name) for name in ("theirs", "ours")}
        self.listening: list[socket.socket] = []
        self.open()
        file = lab.folder / "keepalived.conf"
        file.write_text("".join(case.theirs for case in CASES))
        pids = ["--pid", str(lab.folder / "pid"), "--checkers_pid", str(lab.folder / "checkers.pid")]
        words = ["keepalived", "--dont-fork", "--log-console", "--check", "--use-file", str(file), *pids]
        self._peer = self._hosts["theirs"].popen(words)
        self._daemon = Daemon(self._hosts["ours"], {"50-services.toml": "\n".join(case.ours for case in CASES)})
        self._daemon.start()

    def open(self) -> None:
        """Let the first real server of both accept connections."""
        for host in self._hosts.values():
            with host.inside():
                self.listening.append(socket.create_server((FAMILIES[4][1][0], OPEN), backlog=1000))

    def close(self) -> None:
        """Let it refuse them."""
        while self.listening:
            self.listening.pop().close()

    def expect_same(self, lines: int) -> list[str]:
        """Wait until keepalived's table has so many lines, then until ours is the same; return it.

        Raises:
            AssertionError: it does not become so.
        """
        with suppress(TooLate):  # the assertions show what is missing
            wait_until(lambda: len(self._table("theirs")) == lines, within=LIMIT, what=f"{lines} lines")
            wait_until(lambda: self._table("ours") == self._table("theirs"), within=LIMIT, what="the same table")
        table = self._table("ours")
        assert self._table("theirs") == table, self._peer.log() + self._daemon.log()
        assert lines == len(set(table))
        return table

    def _table(self, name: str) -> list[str]:
        return sorted(line.strip() for line in self._hosts[name].run(["ipvsadm", "-Sn"]).stdout.splitlines())


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Lab() as lab:
        pair = Pair(lab)
        yield pair
        pair.close()


def test_the_tables_are_equal_line_by_line(pair: Pair) -> None:
    assert 10 * 3 * 2 * 2 * 3 == sum(case.lines for case in combinations())

    pair.expect_same(LINES)


def test_they_stay_equal_when_servers_die_and_return(pair: Pair) -> None:
    damped = "-t 198.51.100.2:3004"
    assert f"-a {damped} -r 192.0.2.10:{OPEN} -m -w 2" in pair.expect_same(LINES)

    pair.close()
    without = pair.expect_same(LINES - 2)  # two services have no sorry server
    pair.open()

    assert f"-a {damped} -r 192.0.2.99:80 -m -w 1" in without
    assert f"-a {damped} -r 192.0.2.99:80 -m -w 1" in pair.expect_same(LINES), "gained at quorum + hysteresis only"
