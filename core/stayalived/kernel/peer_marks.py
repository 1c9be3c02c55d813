"""Marks for packets that another director has balanced already, by nf_tables. I/O.

    table inet stayalived_peers {
        set ipv4 { type ipv4_addr; }        # the virtual addresses
        set ipv6 { type ipv6_addr; }
        chain input {
            type filter hook input priority -1; policy accept;
            meta iiftype ether ether saddr 52:54:00:12:34:56 ip daddr @ipv4 meta mark set 0x00007374
            …
        }
    }

IPVS comes later in the same hook (NF_IP_PRI_NAT_SRC), so it sees the mark, and the routing of the site does not. A
packet in a tunnel is marked as it arrives, and keeps the mark when it comes out (net/core/skbuff.c, skb_scrub_packet).
"""

import errno
from collections.abc import Iterable, Mapping, Sequence

from stayalived.addresses import Family
from stayalived.errors import KernelProblem
from stayalived.ipvs.events import TUNNELS, Marks
from stayalived.kernel import nftables
from stayalived.kernel.connection import NETLINK_NETFILTER, Connection
from stayalived.kernel.refusals import explain

ELEMENTS = 1000
"""Addresses in one message, which holds 64 KiB."""

_OTHERWISE = "without nf_tables mark the packets yourself, and write global.peer_mark without peer_directors"
_NO_NF_TABLES = f"peer_directors needs nf_tables with its family inet: modprobe nf_tables; {_OTHERWISE}"
_REMEDIES: Mapping[int, str] = {
    errno.EPERM: "ipvs needs CAP_NET_ADMIN",
    errno.EPROTONOSUPPORT: _NO_NF_TABLES,
    errno.EAFNOSUPPORT: _NO_NF_TABLES,
    errno.EOPNOTSUPP: _NO_NF_TABLES,
}
_ABSENT = frozenset({errno.ENOENT, *(set(_REMEDIES) - {errno.EPERM})})


class PeerMarks:
    """A table of our own, made as a whole: it outlives the process, and is the same after it was made again."""

    def make(self, table: str, wanted: Marks | None) -> None:
        """Make the table as wanted, or remove it; harmless when it is not there.

        Raises:
            KernelProblem: the kernel refuses.
        """
        try:
            connection = Connection(NETLINK_NETFILTER)
        except OSError as error:
            raise KernelProblem("open a socket to netfilter", error.errno or errno.EIO) from error
        try:
            messages = pack(table, wanted, connection.number)
            _, answers = connection.ask(nftables.batch(messages, connection.number))
        finally:
            connection.close()
        refused = next((answer for answer in answers.values() if answer.errno), None)
        if refused is None or (wanted is None and refused.errno in _ABSENT):
            return
        raise explain(f"nft add table inet {table}", refused.errno, refused.text, _REMEDIES)


def pack(table: str, wanted: Marks | None, number: nftables.Number) -> list[bytes]:
    """Return the messages that make the table anew, in one transaction; without marks those that remove it."""
    messages = nftables.delete_table(table, number)
    if wanted is None:
        return messages
    messages += nftables.make_chain(table, wanted.priority, number)
    for family in Family:
        addresses = [one for one in wanted.addresses if len(one) * 8 == family.bits]
        for start in range(0, len(addresses), ELEMENTS):
            messages += nftables.add_elements(table, family, addresses[start : start + ELEMENTS], number)
    return [*messages, *(nftables.add_rule(table, rule, number) for rule in _rules(wanted))]


def _rules(wanted: Marks) -> Iterable[Sequence[bytes]]:
    marked = nftables.set_mark(wanted.mark)
    for mac in wanted.macs:
        source = nftables.from_mac(mac)
        for family in Family:
            yield (*source, *nftables.to_one_of(family), *marked)
        for fwmark in wanted.fwmarks:
            yield (*source, *nftables.with_mark(fwmark), *marked)
        for protocol in TUNNELS if wanted.tunnelled else ():
            yield (*source, *nftables.of_protocol(protocol), *marked)
