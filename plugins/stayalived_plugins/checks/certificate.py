"""The check `certificate`: for how many days is a server's certificate still good? I/O: reads the clock of the wall."""

import time
from collections.abc import Mapping
from typing import ClassVar

from stayalived.plugin import Check, Connect, PeerCertificate, Steps, Target, Verdict
from stayalived_plugins.checks.tls import TlsOptions

DAY = 86400
MOST_DAYS = 10000


class CertificateCheck(Check):
    """For how many days is a server's certificate still good?

    With fewer than `days` the server is down; with fewer than `warning` it stays up, says so, and has its weight
    changed by `warning_weight`. One whose certificate cannot be trusted is down at once, unless `verify` is off.
    """

    name = "certificate"
    defaults: ClassVar[Mapping[str, float]] = {"delay_loop": 3600}

    class Options(TlsOptions, frozen=True, kw_only=True):
        """Options of the check `certificate`.

        Attributes:
            days: how many it must still be good for.
            warning: from how many on it is warned about.
            warning_weight: what is added to the server's weight from then on.
        """

        days: int = 1
        warning: int = 21
        warning_weight: int = 0

        def __post_init__(self) -> None:
            """Refuse what contradicts itself."""
            super().__post_init__()
            if not 0 <= self.days <= self.warning <= MOST_DAYS:
                raise ValueError(f"days must be from 0 to `warning`, and warning at most {MOST_DAYS}")
            if not -65535 <= self.warning_weight <= 65535:
                raise ValueError("warning_weight must be from -65535 to 65535")

    options: Options

    def steps(self, target: Target) -> Steps:
        """Shake hands, and look at what the server showed."""
        yield Connect()
        yield self.options.start_tls(target.virtual_host)
        certificate = yield PeerCertificate()
        try:
            begin, end = _validity(certificate)
        except ValueError as error:
            return Verdict.failed("certificate", str(error), "a certificate of X.509")
        return self.judge(begin, end, time.time())

    def judge(self, begin: float, end: float, now: float) -> Verdict:
        """Return what a certificate's time is worth, all three in seconds since 1970."""
        options = self.options
        if now < begin:
            return Verdict.failed("expiry", f"not good before {_day(begin)}", "one that is good now")
        left = int((end - now) // DAY)
        seen = f"{_days(left)} left, until {_day(end)}" if left >= 0 else f"ended on {_day(end)}"
        if left < options.days or end <= now:
            return Verdict.failed("expiry", seen, f"at least {_days(options.days)}")
        if left < options.warning:
            return Verdict.passed("expiry", f"{seen} (warning below {options.warning})", weight=options.warning_weight)
        return Verdict.passed("expiry", seen)


def _validity(certificate: bytes) -> tuple[float, float]:
    """Return from when until when a certificate is good.

    Raises:
        ValueError: it cannot be read.
    """
    from cryptography import x509  # noqa: PLC0415  (64 ms and 16 MiB, for those who want it)

    read = x509.load_der_x509_certificate(certificate)
    return read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
