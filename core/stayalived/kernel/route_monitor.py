"""Tells when somebody deletes one of our routes or rules. I/O.

A socket of its own: on a router with a full table a million routes come and go, and links and addresses must not be
lost among them. A filter in the kernel lets through what may be ours, and nothing that we did ourselves.
"""

import socket
from collections import deque
from collections.abc import Callable

from stayalived.kernel import routes, rules
from stayalived.kernel.filters import EVERYTHING, IF_EQUAL, LOAD_BYTE, LOAD_HALF, LOAD_WORD, RETURN, Instruction
from stayalived.kernel.losses import Loss, RouteDeleted, RuleDeleted, Unknown
from stayalived.kernel.netlink_messages import HEADER, messages
from stayalived.kernel.routes import Names
from stayalived.kernel.rtnetlink import KEEPALIVED_PROTOCOL
from stayalived.kernel.subscription import Subscription

RECEIVE_BUFFER = 256 * 1024
"""Bytes for deletions that wait; about 300 of them. After an overflow everything is read again."""

_GROUPS = (routes.GROUP_IPV4_ROUTE, routes.GROUP_IPV6_ROUTE, rules.GROUP_IPV4_RULE, rules.GROUP_IPV6_RULE)
_KIND_PLACE, _SENDER_PLACE = 4, 12  # in the header


class RouteMonitor:
    """Hears deletions of our routes and rules.

    It does not hear of all: the kernel drops IPv4 routes without a word when their interface goes down, or their
    preferred source address goes (net/ipv4/fib_semantics.c, fib_sync_down_dev), and a route that is replaced is told as
    a new one.

    Args:
        port: of the connection whose own deletions are not told.
        names: gives the names of interfaces by index when a route is told.
        buffer: bytes of the receive buffer; a test makes it small.
    """

    def __init__(self, port: int, names: Callable[[], Names], buffer: int = RECEIVE_BUFFER) -> None:
        """Open the socket in the network namespace of the calling thread.

        Raises:
            OSError: no descriptor is free.
        """
        self._names = names
        self._losses: deque[Loss] = deque()
        self._subscription = Subscription(_GROUPS, buffer=buffer, program=deletions_of_ours(port))

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._subscription.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._subscription.close()

    @property
    def overflows(self) -> int:
        """How often deletions were lost."""
        return self._subscription.overflows

    def next_loss(self) -> Loss | None:
        """Return the oldest loss that was not told yet, or None when there is none. Does not block."""
        if not self._losses:
            self._subscription.drain(self._take, self._lose_track)
        return self._losses.popleft() if self._losses else None

    def _lose_track(self) -> None:
        self._losses.append(Unknown())

    def _take(self, data: bytes) -> None:
        for message in messages(data):
            if message.kind == routes.DELETE_ROUTE:
                route = routes.read_route(message, self._names())
                if route is not None:
                    self._losses.append(RouteDeleted(route=route))
            elif message.kind == rules.DELETE_RULE:
                rule = rules.read_rule(message)
                if rule is not None:
                    self._losses.append(RuleDeleted(rule=rule))


def deletions_of_ours(port: int) -> tuple[Instruction, ...]:
    """Return the filter: routes of our protocol and all rules, deleted by another socket than that of this port id.

    The filter sees a message from its header on, and loads numbers in network byte order.
    """
    protocol_place = HEADER.size + routes.PROTOCOL_PLACE
    return (
        (LOAD_WORD, 0, 0, _SENDER_PLACE),
        (IF_EQUAL, 6, 0, socket.htonl(port)),
        (LOAD_HALF, 0, 0, _KIND_PLACE),
        (IF_EQUAL, 3, 0, socket.htons(rules.DELETE_RULE)),
        (IF_EQUAL, 0, 3, socket.htons(routes.DELETE_ROUTE)),
        (LOAD_BYTE, 0, 0, protocol_place),
        (IF_EQUAL, 0, 1, KEEPALIVED_PROTOCOL),
        (RETURN, 0, 0, EVERYTHING),
        (RETURN, 0, 0, 0),
    )
