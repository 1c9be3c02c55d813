"""Daemons that nobody here wrote, in the foreground and in a folder of their own, for the checks to ask."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dns import exception, message
from dns import query as dns_query

from stayalived.addresses import Endpoint

PATIENCE = 20.0
"""Seconds in which a daemon must answer."""

NAMED = """
options {{
  directory "{folder}"; pid-file "{folder}/pid"; session-keyfile "{folder}/key"; listen-on-v6 {{ none; }};
  listen-on port {port} {{ 127.0.0.1; }}; recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
zone "example.org" {{ type primary; file "{folder}/zone"; }};
"""
ZONE = """$TTL 60
@ SOA ns.example.org. root.example.org. 1 60 60 60 60
@ NS ns
@ MX 10 mx
ns A 192.0.2.53
mx A 192.0.2.25
www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
long TXT {long}
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = no
alias_maps =
local_recipient_maps =
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, check_helo_access inline:{{barred.example=REJECT}}
smtpd_delay_reject = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
smtpd_tls_session_cache_database =
"""
MASTER = """
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{barred} inet n - n - - smtpd -o smtpd_client_restrictions=reject
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
"""
ECHO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
    echo.bind(("127.0.0.1", {port}))
    while True:
        data, sender = echo.recvfrom(65536)
        if data != b"be silent":
            echo.sendto(data, sender)
"""
HEALTH = """
import sys
from concurrent import futures
from pathlib import Path
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server = grpc.server(futures.ThreadPoolExecutor(4))
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
servicer.set("", health_pb2.HealthCheckResponse.SERVING)
servicer.set("site.Good", health_pb2.HealthCheckResponse.SERVING)
servicer.set("site.Bad", health_pb2.HealthCheckResponse.NOT_SERVING)
pem = Path(sys.argv[3]).read_bytes()
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.add_secure_port("127.0.0.1:" + sys.argv[2], grpc.ssl_server_credentials([(pem, pem)]))
server.start()
server.wait_for_termination()
"""


def free_ports(count: int) -> list[Endpoint]:
    """Return ports of the loopback that nobody uses, all at once so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [Endpoint("127.0.0.1", each.getsockname()[1]) for each in sockets]


@contextmanager
def running(command: list[str], answers: Callable[[], bool]) -> Iterator[None]:
    """Hold a daemon that has begun to answer; it ends with the block, with all that it started."""
    program = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(int(PATIENCE / 0.05)):
            if answers():
                break
            try:
                program.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            assert program.stderr is not None
            raise AssertionError(f"{command[0]} has ended: {program.stderr.read().decode()[-2000:]}")
        else:
            raise AssertionError(f"{command[0]} does not answer within {PATIENCE} s")
        yield
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGTERM)
        program.communicate(timeout=PATIENCE)


def accepts(endpoint: Endpoint) -> bool:
    """Return whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((endpoint.address, endpoint.port)) == 0


def echoes(endpoint: Endpoint) -> bool:
    """Return whether somebody answers datagrams there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.05)
        try:
            probe.sendto(b"?", (endpoint.address, endpoint.port))
            return bool(probe.recv(1))
        except TimeoutError:
            return False


def resolves(endpoint: Endpoint) -> bool:
    """Return whether a name server has loaded its zone."""
    query = message.make_query("example.org", "SOA")
    try:
        return bool(dns_query.udp(query, endpoint.address, 0.05, endpoint.port).answer)
    except (OSError, exception.Timeout):
        return False


@contextmanager
def bind9(folder: Path) -> Iterator[Endpoint]:
    """Hold a name server of example.org."""
    [endpoint] = free_ports(1)
    long = " ".join(f'"{"x" * 250}"' for _ in range(8))  # no datagram of 512 bytes has room for it
    (folder / "zone").write_text(ZONE.format(long=long))
    (folder / "named.conf").write_text(NAMED.format(folder=folder, port=endpoint.port))
    # A copy: AppArmor's profile, where it is on, is for the path of the packaged one, and forbids it our folder.
    program = shutil.copy(shutil.which("named") or "/usr/sbin/named", folder / "named")
    with running([str(program), "-f", "-c", str(folder / "named.conf")], lambda: resolves(endpoint)):
        yield endpoint


@contextmanager
def postfix(folder: Path, certificate: Path) -> Iterator[tuple[Endpoint, Endpoint, Endpoint]]:
    """Hold a mail server: plain with STARTTLS, with TLS from the start, and one that turns everybody away."""
    plain, tls, barred = endpoints = free_ports(3)
    ports = {"plain": plain.port, "tls": tls.port, "barred": barred.port}
    (folder / "main.cf").write_text(MAIN.format(folder=folder, certificate=certificate))
    (folder / "master.cf").write_text(MASTER.format(**ports))
    owner = pwd.getpwnam("postfix")
    for name in ("queue", "data"):
        (folder / name).mkdir()
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved"):
        (folder / "queue" / name).mkdir(mode=0o700)
        os.chown(folder / "queue" / name, owner.pw_uid, -1)
    for name in ("pid", "public", "maildrop"):
        (folder / "queue" / name).mkdir(mode=0o755)
    os.chown(folder / "queue" / "public", owner.pw_uid, -1)
    command = ["/usr/lib/postfix/sbin/master", "-c", str(folder), "-d"]
    with running(command, lambda: all(accepts(endpoint) for endpoint in endpoints)):
        yield plain, tls, barred


@contextmanager
def udp_echo() -> Iterator[Endpoint]:
    """Hold a server that sends back what comes, unless that asks it not to."""
    [endpoint] = free_ports(1)
    with running([sys.executable, "-c", ECHO.format(port=endpoint.port)], lambda: echoes(endpoint)):
        yield endpoint


@contextmanager
def grpc_health(certificate: Path) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Hold a gRPC server with the health service, plain and with TLS."""
    plain, tls = free_ports(2)
    command = [sys.executable, "-c", HEALTH, str(plain.port), str(tls.port), str(certificate)]
    with running(command, lambda: accepts(plain) and accepts(tls)):
        yield plain, tls
