"""The check `ping`: does a host answer an ICMP echo request? keepalived's PING_CHECK (C35)."""

from stayalived.plugin import Check, CheckOptions, Net, Target, Verdict

DATA = bytes(range(112))
"""What must come back as it was sent; with the number that goes before it and the head these are keepalived's 128."""


class PingCheck(Check):
    """Does a host answer an ICMP echo request within `connect_timeout`?"""

    name = "ping"
    needs_port = False

    class Options(CheckOptions, frozen=True, kw_only=True):
        """This check has no options of its own."""

    options: Options

    async def probe(self, target: Target, net: Net) -> Verdict:
        """Send one request, and wait for its answer."""
        await net.ping(target, DATA)
        return Verdict.passed("echo", "reply")
