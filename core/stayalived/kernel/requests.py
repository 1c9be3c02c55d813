"""Changes of addresses, routes and rules as requests to rtnetlink, in batches, and what its refusals mean."""

import errno
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from stayalived.config.virtual_routers import PlacedAddress, Route, Rule
from stayalived.errors import Bug, KernelProblem
from stayalived.kernel import links, routes, rtnetlink, rules
from stayalived.kernel.api import Change, Verb
from stayalived.kernel.connection import Connection
from stayalived.kernel.netlink_messages import Answer, Message
from stayalived.kernel.refusals import refusal

BATCH = 100
"""Changes in one send: about 1 ms, so an advert that is due does not wait longer."""

_UNASKED = 0
_NONE: frozenset[str] = frozenset()


def carry_out(connection: Connection, changes: Sequence[Change]) -> list[KernelProblem | None]:
    """Carry out changes of addresses, routes and rules; see `kernel.api.NetworkKernel.apply`.

    Args:
        connection: to rtnetlink.
        changes: in this order; none of a `Barrier`.

    Returns:
        one entry for each change: None, or why it was refused.
    """
    results: list[KernelProblem | None] = []
    for start in range(0, len(changes), BATCH):
        results += _carry_out_batch(connection, changes[start : start + BATCH])
    return results


def find_link(connection: Connection, name: str) -> Message | None:
    """Return the message that describes the interface of a name, or None when there is none.

    Raises:
        KernelProblem: the kernel cannot be asked.
    """
    listed, _ = connection.ask([links.get_link(name, connection.number())])
    return next((message for message in listed if message.kind == rtnetlink.NEW_LINK), None)


def _carry_out_batch(connection: Connection, changes: Sequence[Change]) -> list[KernelProblem | None]:
    try:
        indexes = _indexes(connection, changes)
        numbers = [connection.number() if indexes.keys() >= _named(change) else _UNASKED for change in changes]
        numbered = zip(numbers, changes, strict=True)
        requests = [_encode(change, indexes, number) for number, change in numbered if number != _UNASKED]
        _, answers = connection.ask(requests)
    except KernelProblem as problem:
        return [refusal(change, problem.errno) for change in changes]
    answers[_UNASKED] = Answer(sequence=_UNASKED, errno=errno.ENODEV, text="")
    return [
        refusal(change, answers[number].errno, answers[number].text) if number in answers else None
        for number, change in zip(numbers, changes, strict=True)
    ]


def _encode(change: Change, indexes: routes.Indexes, number: int) -> bytes:
    item, adding = change.item, change.verb is Verb.ADD
    if isinstance(item, PlacedAddress):
        return (rtnetlink.add_address if adding else rtnetlink.delete_address)(item, change.index, number)
    if isinstance(item, Route):
        return (routes.add_route if adding else routes.delete_route)(item, indexes, number)
    if isinstance(item, Rule):
        return (rules.add_rule if adding else rules.delete_rule)(item, number)
    raise Bug(f"{item} is none of rtnetlink's")


def _named(change: Change) -> AbstractSet[str]:
    """Return the interfaces that a route names; rules name theirs without asking whether they exist."""
    if not isinstance(change.item, Route):
        return _NONE
    return {change.item.interface, *(hop.interface for hop in change.item.next_hops)} - {""}


def _indexes(connection: Connection, changes: Iterable[Change]) -> dict[str, int]:
    """Return the indexes of the interfaces that routes name, as far as these exist."""
    indexes: dict[str, int] = {}
    for change in changes:
        for name in _named(change) - indexes.keys():
            if change.index and isinstance(change.item, Route) and name == change.item.interface:
                indexes[name] = change.index
            elif (found := find_link(connection, name)) is not None:
                indexes[name] = links.read_link(found).index
    return indexes
