"""All that vrrp asks of the kernel's network; `kernel.api.NetworkKernel`."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby

from stayalived.addresses import Family
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule, VirtualMac
from stayalived.errors import KernelProblem
from stayalived.kernel import routes, rules
from stayalived.kernel.api import Barrier, Change, Interface
from stayalived.kernel.barriers import PRIORITY, TABLE, Barriers
from stayalived.kernel.netlink import Netlink
from stayalived.kernel.requests import carry_out
from stayalived.kernel.tenancy import Tenancy
from stayalived.kernel.virtual_macs import VirtualMacs


class Network:
    """Addresses, routes, rules, macvlans and drops of one network namespace.

    Args:
        netlink: the connection, which stays the caller's.
        table: name of the table of nf_tables for barriers.
        priority: of its chain.
    """

    def __init__(self, netlink: Netlink, *, table: str = TABLE, priority: int = PRIORITY) -> None:
        """Open nothing: what is needed for barriers is opened at the first of them."""
        self._netlink = netlink
        self._connection = netlink.connection
        self._tenancy = Tenancy()
        self._virtual_macs = VirtualMacs(self._connection, self._tenancy)
        self._barriers = Barriers(table, priority)

    def close(self) -> None:
        """Close what was opened here; all that was put into the kernel stays."""
        self._barriers.close()

    def apply(self, changes: Sequence[Change]) -> list[KernelProblem | None]:
        """Carry out changes in this order, in batches; see `kernel.api.NetworkKernel`."""
        unturned = self._virtual_macs.turn(self._tenancy.turns(changes))
        results: list[KernelProblem | None] = []
        for barriers, group in groupby(changes, key=lambda change: isinstance(change.item, Barrier)):
            run = list(group)
            results += self._barriers.change(run) if barriers else carry_out(self._connection, run)
        self._tenancy.settle(changes, results)
        for place, change in enumerate(changes) if unturned else ():
            if isinstance(change.item, PlacedAddress):
                results[place] = results[place] or unturned.get(change.index)
        return results

    def interfaces(self) -> dict[str, Interface]:
        """Return all interfaces by name, read from the kernel.

        Raises:
            KernelProblem: the kernel does not answer, or they change faster than they can be read.
        """
        return self._netlink.interfaces()

    def make_virtual_mac(self, virtual_mac: VirtualMac) -> None:
        """Make the macvlan, or take over one that is there already; see `kernel.api.NetworkKernel`.

        Raises:
            KernelProblem: it cannot be made.
        """
        self._virtual_macs.make(virtual_mac)

    def remove_virtual_mac(self, name: str) -> None:
        """Remove the macvlan; harmless when it is gone.

        Raises:
            KernelProblem: the kernel refuses.
        """
        for problem in self.remove_virtual_macs((name,)).values():
            raise problem

    def remove_virtual_macs(self, names: Iterable[str]) -> dict[str, KernelProblem]:
        """Remove many macvlans in one step, which takes the kernel hardly longer than a single one.

        Returns:
            what was refused, by name.
        """
        return self._virtual_macs.remove(names)

    def routes(self) -> list[Route]:
        """Return our routes of both families as the kernel has them; `routes.identity` compares.

        Raises:
            KernelProblem: the kernel does not answer, or they change faster than they can be read.
        """
        names = {link.index: link.name for link, _ in self._netlink.found().values()}
        found: list[Route] = []
        for family in Family:
            listed = self._connection.dump(partial(routes.dump_routes, family))
            read = (routes.read_route(message, names) for message in listed)
            found += [route for route in read if route is not None]
        return found

    def rules(self) -> list[Rule]:
        """Return our rules of both families as the kernel has them.

        Raises:
            KernelProblem: the kernel does not answer, or they change faster than they can be read.
        """
        found: list[Rule] = []
        for family in Family:
            listed = self._connection.dump(partial(rules.dump_rules, family))
            found += [rule for rule in map(rules.read_rule, listed) if rule is not None]
        return found

    def clear_barriers(self) -> None:
        """Remove the table of barriers: what a first start does with what it finds.

        Raises:
            KernelProblem: the kernel refuses.
        """
        self._barriers.clear()
