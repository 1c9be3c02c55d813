"""The check `tcp`: is a TCP connection accepted?"""

from stayalived.plugin import Check, CheckOptions, Connect, Steps, Target, Verdict


class TcpCheck(Check):
    """Is a TCP connection accepted within `connect_timeout`? Nothing is sent; the connection is closed with FIN."""

    name = "tcp"

    class Options(CheckOptions, frozen=True, kw_only=True):
        """This check has no options of its own."""

    def steps(self, target: Target) -> Steps:  # noqa: ARG002  (the framework connects to it)
        """Connect, and be content."""
        yield Connect()
        return Verdict.passed("connect")
