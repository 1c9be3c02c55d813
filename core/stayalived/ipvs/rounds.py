"""How long the first round of checks may keep a quorum undecided. Pure."""

from stayalived.config.model import Configuration
from stayalived.timing import Duration, Instant, after, seconds

QUORUM_HOLD = seconds(10)
"""How long quorum may stay undecided where `start_hold` is off: as long as that may be at most."""


def round_limit(configuration: Configuration) -> Duration:
    """Return how long the first round may take: `start_hold`, and the time it takes to start all first checks."""
    checks = sum(len(server.checks) for service in configuration.virtual_servers for server in service.real_servers)
    hold = configuration.globals.start_hold or QUORUM_HOLD
    return Duration(hold + seconds(checks / configuration.globals.start_rate))


def hold_from(now: Instant, configuration: Configuration) -> Instant:
    """Return until when quorum may stay undecided."""
    return after(now, round_limit(configuration))
