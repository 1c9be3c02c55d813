"""Does a virtual server have enough live weight? Pure arithmetic, LV19 and LV20 of keepalived, and the panic."""

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


def panics(before: bool, *, live: int, total: int, threshold: int, hysteresis: int) -> bool:
    """Tell whether so little is live that those which are down had better serve, too.

    Checks that fail everywhere at once are more likely wrong than right, and what is left would break under the load.

    Args:
        before: whether it was so before.
        live: sum of the configured weights of the servers that are UP.
        total: the same of all that are UP or DOWN; drained ones count nowhere.
        threshold: per cent of the total; 0 = never.
        hysteresis: weight that must be live beyond the threshold to end it.

    Returns:
        whether it is a panic now.
    """
    if not threshold or total <= 0:
        return False
    if not before:
        return live * 100 < threshold * total
    return live * 100 < min(threshold * total + hysteresis * 100, total * 100)
