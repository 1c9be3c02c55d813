"""What the virtual routers of this process want in the kernel, together: addresses, routes, rules, barriers.

One item is there once, however many want it, and belongs to whoever wants it now. So an address that moves from one
instance to another in a reload is no event on the wire (K#1854): it is asked for and given up within one event, and the
difference, which is what the kernel is asked for, is empty.
"""

from collections.abc import Container, Iterable

from stayalived.addresses import Family, VirtualAddress
from stayalived.config.virtual_routers import PlacedAddress, Route, Rule
from stayalived.kernel.api import Change, Item, Verb
from stayalived.timing import Instant, after, earliest, elapsed, seconds
from stayalived.vrrp.desk import ERROR, Tray
from stayalived.vrrp.entries import (
    Entry,
    Key,
    Losses,
    Owner,
    is_shown_soon,
    key_of,
    place_of,
    rank_of,
    subnet_of,
)
from stayalived.vrrp.links import Link

AFTERMATH = seconds(2)
"""For how long after an address was removed the kernel may tell that secondary ones of its subnet went with it."""

ON_ITS_WAY = seconds(0.5)
"""How long after its confirmation an IPv6 address may be missing because the kernel has not shown it yet."""

RETRY = seconds(1)
"""How long after a refusal the kernel is asked again."""


class Ledger:
    """All items that anybody wants, and what becomes of them."""

    def __init__(self, links: dict[str, Link], tray: Tray) -> None:
        """Start with nothing wanted.

        Args:
            links: interfaces by name; others add to them.
            tray: gets the changes.
        """
        self._links = links
        self._tray = tray
        self._entries: dict[Key, Entry] = {}
        self._by_place: dict[str, dict[Key, Entry]] = {}
        self._dirty: list[Entry] = []
        self._refused: dict[Key, Change] = {}
        self._removed: dict[tuple[str, str], Instant] = {}
        self._unseen: dict[str, list[Entry]] = {}
        self._retry_at: Instant | None = None
        self._look_at: Instant | None = None
        self.filed: Instant | None = None

    @property
    def deadline(self) -> Instant | None:
        """When the kernel is asked again for what it refused, or what it did not show is looked for."""
        return earliest((self._retry_at, self._look_at))

    # ── what is wanted ───────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, owner: Owner, items: Iterable[Item]) -> None:
        """Want these; nothing happens before `settle`."""
        for item in items:
            entry = self._entry(item)
            if entry.item is not item and entry.item != item:
                self._replace(entry, item)
            entry.owners[owner] = None
            if entry.present:
                owner.note(item, present=True)
            else:
                self._mark(entry)

    def drop(self, owner: Owner, items: Iterable[Item]) -> None:
        """Want these no longer; nothing happens before `settle`."""
        for item in items:
            entry = self._entries.get(key_of(item))
            if entry is not None and owner in entry.owners:
                del entry.owners[owner]
                self._mark(entry)

    def adopt(self, owner: Owner, items: Iterable[Item]) -> None:
        """Want these, which a process before this one has put there; what is missing, or may be, is asked for.

        Whoever gives up at once what it adopts gives up all that may be there.
        """
        for item in items:
            entry = self._entry(item)
            entry.owners[owner] = None
            if isinstance(item, PlacedAddress) and self._may_be_left(item):
                entry.asked = entry.present = entry.seen = True
                owner.note(item, present=True)
            else:
                entry.is_doubtful = self._may_be_left(item)
                self._mark(entry)

    def sweep(self, items: Iterable[Item]) -> None:
        """Take leftovers of a crash away before a packet leaves: what is there, or may be, and nobody wants."""
        for item in items:
            entry = self._entries.get(key_of(item))
            if (entry is None or not (entry.asked or entry.owners)) and self._may_be_left(item):
                self._tray.sweep(Change(verb=Verb.REMOVE, item=item, index=self._index(item)))

    def has(self, item: Item) -> bool:
        """Tell whether the kernel has an item, or was asked for it: to announce it again would be idle."""
        entry = self._entries.get(key_of(item))
        return entry is not None and entry.asked

    def settle(self, now: Instant) -> None:
        """Ask the kernel for the difference between what is wanted and what it was asked for before."""
        if not self._dirty:
            return
        removals, additions = [], []
        for entry in self._dirty:
            entry.is_dirty = False
            wanted = bool(entry.owners)
            if wanted == entry.asked and (wanted or not entry.is_doubtful):
                continue
            if wanted and self._is_reachable(entry.item):
                entry.asked, entry.seen, entry.is_doubtful = True, False, False
                additions.append(entry.item)
            elif not wanted:
                self._forget(entry)
                removals.append(entry.item)
                self._note_removal(entry.item, now)
        self._dirty.clear()
        removals.sort(key=rank_of, reverse=True)
        additions.sort(key=rank_of)
        self._tray.change(self._changes(Verb.REMOVE, removals))
        self._tray.change(self._changes(Verb.ADD, additions))

    # ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────

    def confirm(self, change: Change, now: Instant) -> dict[str, None]:
        """The kernel has done this; returns the keys of those who have something more now."""
        entry = self._entries.get(key_of(change.item))
        if entry is None or not entry.asked or change.verb is Verb.REMOVE or entry.present:
            return {}
        entry.present, entry.confirmed = True, now
        if not entry.seen and isinstance(entry.item, PlacedAddress) and is_shown_soon(entry.item):
            self._unseen.setdefault(entry.item.interface, []).append(entry)
        for owner in entry.owners:
            owner.note(entry.item, present=True)
        return dict.fromkeys(owner.key for owner in entry.owners)

    def refuse(self, change: Change, problem: str, now: Instant) -> None:
        """The kernel has refused this: ask it again later, unless it no longer matters by then."""
        key = key_of(change.item)
        entry = self._entries.get(key)
        if (change.verb is Verb.ADD) != (entry is not None and bool(entry.owners)):
            return
        whose = ", ".join(owner.key for owner in entry.owners) if entry else "leftover"
        once = f"{whose} {change.verb}"
        self._tray.report(ERROR, f"({whose}) {problem}; trying again", once=once, interface=place_of(change.item))
        self._refused[key] = change
        if self._retry_at is None:
            self._retry_at = after(now, RETRY)

    def retry(self, now: Instant) -> None:
        """Ask the kernel again for what it refused, when it is time."""
        if self._retry_at is None or now < self._retry_at:
            return
        self._retry_at = None
        refused, self._refused = self._refused, {}
        for key, change in refused.items():
            entry = self._entries.get(key)
            if entry is not None and entry.owners:
                if not entry.present:
                    entry.asked = False
                    self._mark(entry)
            elif change.verb is Verb.REMOVE:
                self._tray.change([Change(verb=Verb.REMOVE, item=change.item, index=self._index(change.item))])

    def see(self, name: str, address: VirtualAddress) -> None:
        """An address has appeared on an interface."""
        entry = self._entries.get((PlacedAddress, (name, address)))
        if entry is not None and entry.asked:
            entry.seen = True

    def vanished(self, name: str, there: Container[VirtualAddress], now: Instant) -> list[VirtualAddress]:
        """Return the addresses that the kernel has confirmed and the interface, described after that, does not have.

        Somebody deletes them as soon as he sees them, which is before we do (K#836): to `miss` they are as any others.
        The kernel confirms an IPv6 address before it shows it (addrconf.c: inet6_addr_add, addrconf_dad_start): one
        that is new and not there may be on its way.
        """
        gone, coming = [], []
        for entry in self._unseen.pop(name, ()):
            if not (entry.asked and entry.present and not entry.seen and isinstance(entry.item, PlacedAddress)):
                continue
            address = entry.item.address
            if address in there:
                entry.seen = True
            elif address.family is Family.IPV6 and elapsed(entry.confirmed, now) < ON_ITS_WAY:
                coming.append(entry)
            else:
                entry.seen = True
                gone.append(address)
        if coming:
            self._unseen[name] = coming
            self._look_at = earliest((self._look_at, after(min(entry.confirmed for entry in coming), ON_ITS_WAY)))
        return gone

    def awaited(self, now: Instant) -> list[str]:
        """Return the interfaces to call `vanished` for, because what was on its way there ought to have come."""
        if self._look_at is None or now < self._look_at:
            return []
        self._look_at = None
        return list(self._unseen)

    def miss(self, name: str, address: VirtualAddress, now: Instant) -> Losses:
        """An address has disappeared from an interface.

        Returns:
            those whose address somebody has deleted: they decide whether it is repaired. None when it was removed by
            ourselves, or went along with another one of its subnet that was.
        """
        entry = self._entries.get((PlacedAddress, (name, address)))
        if entry is None or not entry.asked or not entry.seen:
            return ()
        owners = self._lose(entry)
        if self._links[name].is_down:
            return ()  # `regain_link` puts it back
        if self._went_along(name, address, now):
            self._mark(entry)
            return ()
        return owners

    def lose(self, item: Item) -> Losses:
        """Somebody has deleted a route or a rule; returns whose it was."""
        entry = self._entries.get(key_of(item))
        return self._lose(entry) if entry is not None and entry.asked else ()

    def ask_again(self, item: Item) -> None:
        """Ask the kernel for an item that somebody has deleted."""
        entry = self._entries.get(key_of(item))
        if entry is not None and not entry.asked:
            self._mark(entry)

    def lose_link(self, name: str) -> None:
        """An interface is gone, and with it what was on it."""
        for entry in self._by_place.get(name, {}).values():
            self._lose(entry)

    def regain_link(self, name: str) -> None:
        """An interface is back, or up again: put there what belongs there. The kernel has dropped routes silently."""
        for entry in self._by_place.get(name, {}).values():
            if not isinstance(entry.item, PlacedAddress) or not entry.present:
                self._lose(entry)
                self._mark(entry)

    def doubt(self) -> None:
        """Nobody knows which routes and rules there are: ask for all that are wanted; what is there does no harm."""
        for entry in self._entries.values():
            if entry.asked and isinstance(entry.item, Route | Rule):
                entry.asked = False
                self._mark(entry)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(self, item: Item) -> Entry:
        key = key_of(item)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(item)
            self._by_place.setdefault(place_of(item), {})[key] = entry
        return entry

    def _mark(self, entry: Entry) -> None:
        if not entry.is_dirty:
            entry.is_dirty = True
            self._dirty.append(entry)

    def _replace(self, entry: Entry, item: Item) -> None:
        """The same item with other attributes: the kernel knows no change of them, so it is taken away and put back."""
        if entry.asked:
            self._tray.change(self._changes(Verb.REMOVE, [entry.item]))
            self._lose(entry)
        self._by_place[place_of(entry.item)].pop(key_of(item), None)
        self._by_place.setdefault(place_of(item), {})[key_of(item)] = entry
        entry.item = item

    def _forget(self, entry: Entry) -> None:
        entry.asked = entry.present = entry.seen = False
        key = key_of(entry.item)
        del self._entries[key]
        del self._by_place[place_of(entry.item)][key]

    def _lose(self, entry: Entry) -> Losses:
        entry.asked = entry.seen = False
        if entry.present:
            entry.present = False
            for owner in entry.owners:
                owner.note(entry.item, present=False)
        return [(owner, entry.item) for owner in entry.owners]

    def _may_be_left(self, item: Item) -> bool:
        """Tell whether an item may be there: of addresses the interfaces tell, of the others nobody does."""
        if not isinstance(item, PlacedAddress):
            return True
        link = self._links.get(item.interface)
        return link is not None and item.address in link.addresses

    def _is_reachable(self, item: Item) -> bool:
        """Tell whether the interface that an item is on exists; without one it is asked for when it appears."""
        place = place_of(item)
        link = self._links.get(place) if place else None
        return not place or (link is not None and link.interface is not None)

    def _index(self, item: Item) -> int:
        link = self._links.get(place_of(item))
        return link.interface.index if link is not None and link.interface is not None else 0

    def _changes(self, verb: Verb, items: list[Item]) -> list[Change]:
        return [Change(verb=verb, item=item, index=self._index(item)) for item in items]

    def _note_removal(self, item: Item, now: Instant) -> None:
        if isinstance(item, PlacedAddress) and item.address.family is Family.IPV4 and item.address.prefix < 32:
            self._removed[item.interface, subnet_of(item.address)] = now

    def _went_along(self, name: str, address: VirtualAddress, now: Instant) -> bool:
        """Tell whether the kernel has removed an address because we removed the first one of its subnet."""
        if not self._removed or address.family is Family.IPV6:
            return False
        removed = self._removed.get((name, subnet_of(address)))
        return removed is not None and elapsed(removed, now) < AFTERMATH
