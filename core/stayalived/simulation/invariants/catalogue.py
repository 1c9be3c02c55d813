"""What must hold, with the clause that says so: one class for each, and the list of all."""

from typing import TYPE_CHECKING

from stayalived.simulation.invariants.adverts import Goodbyes, NoGap, SpeaksFirst
from stayalived.simulation.invariants.base import Invariant
from stayalived.simulation.invariants.belongings import Listening, SysctlsRestored, VirtualMacs
from stayalived.simulation.invariants.faults import FaultWhileCause
from stayalived.simulation.invariants.groups import BeginsInTime, OneState
from stayalived.simulation.invariants.hearing import Counted, Heard
from stayalived.simulation.invariants.holdings import BarrierFirst, HoldingsFollowState
from stayalived.simulation.invariants.patience import NoHaste
from stayalived.simulation.invariants.priorities import EffectivePriority
from stayalived.simulation.invariants.reloads import QuietReload, StaysInKernel
from stayalived.simulation.invariants.restarts import Retelling
from stayalived.simulation.invariants.telling import EventsInOrder, ToldAsItIs
from stayalived.simulation.invariants.twins import NoTwins

if TYPE_CHECKING:
    from stayalived.simulation.cluster import Cluster

SAFETY: tuple[type[Invariant], ...] = (
    OneState,
    Heard,
    Counted,
    SpeaksFirst,
    NoGap,
    Goodbyes,
    NoHaste,
    BarrierFirst,
    HoldingsFollowState,
    FaultWhileCause,
    EffectivePriority,
    NoTwins,
    QuietReload,
    StaysInKernel,
    Retelling,
    BeginsInTime,
    VirtualMacs,
    Listening,
    SysctlsRestored,
    ToldAsItIs,
    EventsInOrder,
)
"""Looked at after every event."""


def all_of(cluster: "Cluster") -> tuple[Invariant, ...]:
    """Return all of them, for one cluster."""
    return tuple(kind(cluster) for kind in SAFETY)
