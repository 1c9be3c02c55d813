"""One process that plays all behaviours, and the site around it."""

import asyncio
import resource
import socket
import ssl
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from certificates import Authority
from namespaces.lab import Host, Lab, ip
from namespaces.waiting import TooLate, wait_until
from stayalived.addresses import Endpoint
from stayalived.plugin.testing import ScriptedServer
from verdicts.behaviour import FORBIDDEN, MUTE, OTHER, SERVER, SERVER6, Datagrams, FullQueue, Script
from verdicts.others import FILES, SCRIPTS
from verdicts.router import Router
from verdicts.table import Places, Row

START_LIMIT = 20.0


class Site:
    """Directors and servers on one wire.

    Args:
        lab: where it is made.
        table: the behaviours.
        directors: names of hosts.
    """

    def __init__(self, lab: Lab, table: list[Row], *directors: str) -> None:
        self.places = Places(lab.folder)
        self._table = table
        lab.folder.chmod(0o755)
        self._write_files()
        addresses = [f"{address}/24" for address in (SERVER, OTHER)]
        self.servers = lab.host("servers", *addresses, f"{SERVER6}/64")
        self.servers.sysctl("net.ipv4.icmp_ratelimit", 0)
        lab.host("mute", f"{MUTE}/24").sysctl("net.ipv4.icmp_echo_ignore_all", 1)
        self.directors = {
            name: _director(lab.host(name, f"192.0.2.{number}/24", f"2001:db8:1::{number}/64"))
            for number, name in enumerate(directors, 1)
        }
        self._ready = lab.folder / "ready"
        self.process = self.servers.fork(self._serve, "servers")
        with suppress(TooLate):
            wait_until(self._ready.exists, within=START_LIMIT, what="the servers")
        assert self._ready.exists(), self.process.log()

    def _write_files(self) -> None:
        for row in self._table:
            name = row.behaviour.name
            if row.behaviour.type == "command" and name in SCRIPTS:
                text = SCRIPTS[name]
                path = self.places.script(row)
                path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
                path.chmod(0o644 if name == "may not be run" else 0o755)
            content = FILES.get(name) if row.behaviour.type == "file" else None
            if content is not None:
                self.places.file(row).write_text(content)

    def _serve(self) -> None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        asyncio.run(play(self._table, contexts(self.places), self._ready))


def _director(host: Host) -> Host:
    ip("-n", host.namespace, "route", "add", "203.0.113.0/25", "via", SERVER)
    ip("-n", host.namespace, "route", "add", "prohibit", FORBIDDEN)
    return host


async def play(table: Iterable[Row], tls: dict[str, ssl.SSLContext], ready: Path) -> None:
    """Serve all rows for ever."""
    router = Router()
    asyncio.get_running_loop().add_reader(router.fileno(), router.turn_back)
    held: list[object] = [router]
    for row in table:
        serving, (address, port) = row.behaviour.serving, row.endpoint
        if isinstance(serving, Script):
            player = ScriptedServer(serving.acts, Endpoint(address, port))
            context = tls[serving.tls] if serving.tls else None
            held.append(await asyncio.start_server(player.play, address, port, ssl=context, backlog=128))
        elif isinstance(serving, Datagrams):
            held.append(_answer(serving, address, port))
        elif isinstance(serving, FullQueue):
            held += _fill(address, port)
    ready.touch()  # noqa: ASYNC240  (once, and nobody is served yet)
    await asyncio.get_running_loop().create_future()


def _answer(serving: Datagrams, address: str, port: int) -> list[socket.socket]:
    """Answer datagrams on a port, perhaps from another address."""
    listening, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    listening.setblocking(False)
    listening.bind((address, port))
    other.bind((OTHER, port))
    speaker = other if serving.elsewhere else listening

    def hear() -> None:
        data, whom = listening.recvfrom(65536)
        for answer in serving.replies(data):
            speaker.sendto(answer, whom)

    asyncio.get_running_loop().add_reader(listening, hear)
    return [listening, other]


def _fill(address: str, port: int) -> list[socket.socket]:
    """Listen and connect to ourselves as often as there is room, and once more."""
    listening = socket.socket()
    listening.bind((address, port))
    listening.listen(0)
    clients = [socket.socket() for _ in range(3)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex((address, port))
    return [listening, *clients]


def contexts(places: Places) -> dict[str, ssl.SSLContext]:
    """Return the contexts of TLS servers by name, and leave the authority's file in its place."""
    stranger = places.folder / "stranger"
    stranger.mkdir(exist_ok=True)
    ours, other = Authority(places.folder), Authority(stranger)
    right = ours.issue("www.example")
    made = {
        "good": _context(right),
        "self-signed": _context(other.issue("www.example")),
        "expired": _context(ours.issue("old.example", -1)),
        "other": _context(ours.issue("other.example")),
        "mutual": _context(right),
        "old": _context(right),
        "1.2": _context(right),
        "1.3": _context(right),
        "picky": _context(right),
    }
    made["mutual"].verify_mode = ssl.CERT_REQUIRED
    made["mutual"].load_verify_locations(places.ca)
    with warnings.catch_warnings(action="ignore"):  # deprecated, which is what this one is about
        made["old"].minimum_version = ssl.TLSVersion.TLSv1
        made["old"].maximum_version = ssl.TLSVersion.TLSv1_1
    made["old"].set_ciphers("ALL:@SECLEVEL=0")
    made["1.2"].maximum_version = ssl.TLSVersion.TLSv1_2
    made["1.3"].minimum_version = ssl.TLSVersion.TLSv1_3
    made["picky"].sni_callback = _want_a_name
    return made


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _want_a_name(_tls: object, name: str | None, _context: ssl.SSLContext) -> int | None:
    return None if name == "www.example" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
