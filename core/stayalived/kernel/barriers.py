"""Drops for virtual addresses that their MASTER does not answer to (`accept = false`), by nf_tables."""

import errno
import ipaddress
from collections.abc import Mapping, Sequence
from itertools import groupby

from stayalived.addresses import family_of
from stayalived.errors import KernelProblem
from stayalived.kernel import nftables
from stayalived.kernel.api import Barrier, Change, Verb
from stayalived.kernel.connection import NETLINK_NETFILTER, Connection
from stayalived.kernel.refusals import explain

TABLE = "stayalived"
PRIORITY = -1
"""Before the filters of the site, whose priority is 0."""

BATCH = 100
"""Barriers in one transaction."""

_NO_NF_TABLES = "accept = false needs nf_tables with its family inet: modprobe nf_tables, or CONFIG_NF_TABLES_INET"
_REMEDIES: Mapping[int, str] = {
    errno.EPERM: "vrrp needs CAP_NET_ADMIN",
    errno.EPROTONOSUPPORT: _NO_NF_TABLES,
    errno.EAFNOSUPPORT: _NO_NF_TABLES,
    # What nf_tables says, too, when a chain of this name has another hook or priority.
    errno.EOPNOTSUPP: f"{_NO_NF_TABLES}; or there is a table of this name that is not ours: nft list ruleset",
}
_ABSENT = frozenset({errno.ENOENT, errno.EPROTONOSUPPORT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT})
"""No table, no family inet, no nf_tables, no netfilter: so there is nothing to be removed."""

Wanted = Sequence[tuple[Verb, str]]
Refusal = tuple[int, str]
"""An error number and the kernel's own words."""


class Barriers:
    """A table of our own. It outlives the process: a replacement adopts it, a first start clears it.

    Args:
        table: its name.
        priority: of its chain.
    """

    def __init__(self, table: str = TABLE, priority: int = PRIORITY) -> None:
        """Know nothing of the table; it is made, and the socket opened, at first need."""
        self._table, self._priority = table, priority
        self._connection: Connection | None = None
        self._made = False
        self._present: dict[str, None] = {}

    def close(self) -> None:
        """Close the socket; the table stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def change(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        """Put up barriers and take them down; see `kernel.api.NetworkKernel.apply`.

        Args:
            changes: of barriers alone.
        """
        results: list[KernelProblem | None] = []
        for start in range(0, len(changes), BATCH):
            results += self._change_batch(changes[start : start + BATCH])
        return results

    def clear(self) -> None:
        """Remove the table with all barriers; harmless when it is not there.

        Raises:
            KernelProblem: the kernel refuses; one that has no nf_tables has no table either.
        """
        try:
            refused = self._ask(nftables.delete_table(self._table, self._open().number))
        except KernelProblem as unasked:
            refused = unasked.errno, ""
        self._made = False
        self._present.clear()
        if refused is not None and refused[0] not in _ABSENT:
            raise explain(f"nft delete table inet {self._table}", *refused, _REMEDIES)

    def _change_batch(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        wanted = [(change.verb, change.item.address) for change in changes if isinstance(change.item, Barrier)]
        adding = any(verb is Verb.ADD for verb, _ in wanted)
        try:
            refused = self._try(wanted, adding=adding)
        except KernelProblem as unasked:
            refused = unasked.errno, ""
        if refused is not None and not adding and refused[0] in _ABSENT:
            refused = None
        if refused is None:
            self._note(wanted)
            return [None] * len(changes)
        return [explain(self._words(verb, address), *refused, _REMEDIES) for verb, address in wanted]

    def _try(self, wanted: Wanted, *, adding: bool) -> Refusal | None:
        """Carry out one batch. The table may be gone, or never have been there."""
        refused = self._ask(self._pack(wanted, make=adding and not self._made))
        if refused is not None and refused[0] == errno.ENOENT and adding and self._made:
            refused = self._ask(self._pack(wanted, make=True))  # somebody flushed the ruleset
        self._made = refused is None and (adding or self._made)
        return refused

    def _pack(self, wanted: Wanted, *, make: bool) -> list[bytes]:
        number = self._open().number
        messages: list[bytes] = []
        if make:  # with what we had in a table that is gone
            messages += nftables.make_table(self._table, self._priority, number)
            wanted = [*((Verb.ADD, address) for address in self._present), *wanted]
        for (verb, family), group in groupby(wanted, key=lambda one: (one[0], family_of(one[1]))):
            pack = nftables.add_elements if verb is Verb.ADD else nftables.remove_elements
            # Each once: a second removal of the same element would be refused, and all others with it.
            packed = [
                ipaddress.ip_address(address).packed for address in dict.fromkeys(address for _, address in group)
            ]
            messages += pack(self._table, family, packed, number)
        return messages

    def _ask(self, messages: list[bytes]) -> Refusal | None:
        """Carry out messages as one transaction; return its first refusal, which is the cause of the others."""
        connection = self._open()
        _, answers = connection.ask(nftables.batch(messages, connection.number))
        return next(((answer.errno, answer.text) for answer in answers.values() if answer.errno), None)

    def _open(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = Connection(NETLINK_NETFILTER)
            except OSError as error:
                raise KernelProblem("open a socket to netfilter", error.errno or errno.EIO) from error
        return self._connection

    def _note(self, wanted: Wanted) -> None:
        for verb, address in wanted:
            if verb is Verb.ADD:
                self._present[address] = None
            else:
                self._present.pop(address, None)

    def _words(self, verb: Verb, address: str) -> str:
        return f"nft {verb} element inet {self._table} {nftables.SETS[family_of(address)]} {{ {address} }}"
