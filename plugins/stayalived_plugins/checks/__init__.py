"""The checks that come with stayalived. They use `stayalived.plugin` only, as anybody's do."""

from collections.abc import Iterable

from stayalived.plugin import Check, hookimpl
from stayalived_plugins.checks.certificate import CertificateCheck
from stayalived_plugins.checks.command import CommandCheck
from stayalived_plugins.checks.dns import DnsCheck
from stayalived_plugins.checks.file import FileCheck
from stayalived_plugins.checks.grpc import GrpcCheck
from stayalived_plugins.checks.http import HttpCheck
from stayalived_plugins.checks.ping import PingCheck
from stayalived_plugins.checks.process import ProcessCheck
from stayalived_plugins.checks.smtp import SmtpCheck
from stayalived_plugins.checks.tcp import TcpCheck
from stayalived_plugins.checks.udp import UdpCheck

CHECKS: tuple[type[Check], ...] = (
    CertificateCheck,
    CommandCheck,
    DnsCheck,
    FileCheck,
    GrpcCheck,
    HttpCheck,
    PingCheck,
    ProcessCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)


@hookimpl
def stayalived_checks() -> Iterable[type[Check]]:
    """Return the bundled check types."""
    return CHECKS
