"""Does a virtual server have enough live weight? Pure arithmetic, LV19 and LV20 of keepalived."""

from enum import StrEnum


class Quorum(StrEnum):
    """Where a virtual server stands. UNDECIDED until its servers have been looked at: no sorry server, no event."""

    UNDECIDED = "undecided"
    UP = "up"
    DOWN = "down"


def decide(before: Quorum, *, live: int, total: int, quorum: int, hysteresis: int) -> Quorum:
    """Return where a virtual server stands now.

    Args:
        before: where it stood; the first decision has no hysteresis, for there is nothing yet to damp.
        live: sum of the weights of the servers that are UP.
        total: sum of the weights of all its servers: no threshold lies above it, or quorum could never be had.
        quorum: weight that is needed.
        hysteresis: how much more it takes to gain quorum, and how much less to lose it.

    Returns:
        UP or DOWN.
    """
    if live <= 0:
        return Quorum.DOWN
    if before is Quorum.UP:
        return Quorum.DOWN if live < min(quorum - hysteresis, total) else Quorum.UP
    margin = hysteresis if before is Quorum.DOWN else 0
    return Quorum.UP if live >= min(quorum + margin, total) else Quorum.DOWN
