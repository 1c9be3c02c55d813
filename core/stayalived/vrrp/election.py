"""One virtual router of one family: RFC 9568 6.4 with keepalived's additions. The table is in `states`.

Its instance (`group`) decides when it moves, because the halves of two families move together; everything else about
one half is here: what an advert means, when the next one leaves, which timer runs.
"""

from stayalived.config.virtual_routers import VirtualRouter
from stayalived.messages.vrrp import RouterRow
from stayalived.timing import Duration, Instant, after, elapsed
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import INFO, WARNING, Desk
from stayalived.vrrp.events import DatagramReceived
from stayalived.vrrp.holding import Holding
from stayalived.vrrp.links import Link
from stayalived.vrrp.packet import PRIORITY_LEAVING, PRIORITY_OWNER, Advert, BadAdvert, decode, packed
from stayalived.vrrp.states import SAYING_GOODBYE, TRANSITIONS, State, Trigger
from stayalived.vrrp.timers import master_down_interval, skew
from stayalived.vrrp.voice import Voice

ANSWERS_PER_INTERVAL = 10
"""How often in one advert interval a MASTER answers inferior adverts: a flood is not answered with a flood."""


class Election:
    """One virtual router.

    Attributes:
        router: its configuration.
        slot: its place in the page of send times.
        link: the interface that it lives on.
        state: where it stands; assigned by `_enter` alone.
        wants_master: its master-down timer has fired, it waits for the other half of its instance.
        deadline: the master-down timer of a BACKUP, the advert timer of a MASTER.
        master: address of the master last heard; empty when that is us or nobody.
        master_interval: advert interval in force.
        tie_won_at: when an advert of equal priority from a lower address was last heard.
        changed: the row has changed since somebody last looked.
        counters: what it has counted.
        holding: its addresses in the kernel.
        voice: what it says.
    """

    def __init__(self, router: VirtualRouter, slot: int, link: Link, desk: Desk) -> None:
        """Start in INIT."""
        self.router = router
        self.slot = slot
        self.link = link
        self.state = State.INIT
        self.wants_master = False
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self.master = ""
        self.master_interval = router.advert_int
        self.tie_won_at: Instant | None = None
        self.changed = False
        self.counters = Counters(key=router.key)
        self.holding = Holding(router.key, router.advertised, link, desk.tray)
        self._desk = desk
        self.voice = Voice(router, slot, link, desk, self.counters)
        self._asserted_until: Instant | None = None
        self._answered: Instant | None = None
        self._preempt_at: Instant | None = None
        self._challenger: tuple[str, Duration, Instant] | None = None
        self._known: tuple[str, str, int, bytes] | None = None
        self._known_advert: Advert | None = None
        self._has_complained = False

    @property
    def master_down_interval(self) -> Duration:
        """How long silence may last before the master is taken for dead."""
        router = self.router
        return master_down_interval(router.version, router.priority, self.master_interval, router.down_timer_adverts)

    @property
    def is_owner(self) -> bool:
        """Whether the addresses are the router's own."""
        return self.router.priority == PRIORITY_OWNER

    # ── what moves it ────────────────────────────────────────────────────────────────────────────────────────────────

    def move(self, trigger: Trigger, now: Instant) -> None:
        """Go where the table says, with all that belongs to leaving one state and entering the other."""
        old, new = self.state, TRANSITIONS[self.state, trigger]
        if old is State.MASTER and new is not State.MASTER:
            self._leave_master(trigger)
        self._enter(new)
        if new is State.BACKUP:
            self._become_backup(now)
        elif new is State.MASTER and old is not State.MASTER:
            self._become_master(trigger, now)

    def _enter(self, state: State) -> None:
        """Assign the state. Nothing runs and nothing is wanted in the new one yet."""
        self.state = state
        self.deadline = None
        self.wants_master = False
        self.changed = True
        self._preempt_at = None
        self._asserted_until = None
        if self._has_complained:  # whoever moves is worth the same lines again
            self._has_complained = False
            self._desk.tray.report(INFO, "", once=f"{self.router.key} ")

    def _become_backup(self, now: Instant) -> None:
        self.master, self.master_interval, heard = self._challenger or ("", self.router.advert_int, now)
        self._challenger = None
        self.deadline = after(heard, self.master_down_interval)

    def _become_master(self, trigger: Trigger, now: Instant) -> None:
        """Speak first, then take the addresses, then tell the neighbours (keepalived's V51)."""
        self.master = ""
        self.master_interval = self.router.advert_int
        self.voice.speak()
        self.deadline = after(now, self.router.advert_int)
        if trigger is Trigger.ADOPTED:  # nobody noticed that we were away, so nobody is told
            self.holding.adopt()
            self.voice.announce_only((), now)
            return
        self.counters.became_master += 1
        self.holding.take()
        self.voice.announce(now)

    def _leave_master(self, trigger: Trigger) -> None:
        self.voice.fall_silent()
        if trigger in SAYING_GOODBYE and not self.fault:
            self.voice.say_goodbye()
        self.counters.released_master += 1
        self._desk.counters.note(self.counters)
        self.holding.release()

    # ── what it hears ────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, datagram: DatagramReceived, now: Instant) -> Trigger | None:
        """Take in a datagram that is addressed to this virtual router's number.

        Returns:
            what the instance has to decide about, or None when the matter is settled.
        """
        advert = self._read(datagram)
        if advert is None:
            return None
        if advert.priority == PRIORITY_LEAVING:
            self.counters.priority_zero_received += 1
        heard = min(datagram.at, now)
        if self.state is State.BACKUP:
            self._hear_as_backup(advert, datagram.source, heard)
        elif self.state is State.MASTER:
            return self._hear_as_master(advert, datagram.source, heard)
        return None

    def _read(self, datagram: DatagramReceived) -> Advert | None:
        """Return the advert in a datagram; count and drop what is none. A master repeats itself: decode it once."""
        counters = self.counters
        self._desk.counters.note(counters)
        counters.adverts_received += 1
        if datagram.source == self.voice.source:  # our own, looped back by somebody
            counters.fail("own")
            return None
        if datagram.destination != self.router.group:
            counters.fail("destination")
            return None
        known = (datagram.source, datagram.destination, datagram.ttl, datagram.data)
        if known == self._known:
            return self._known_advert
        try:
            advert = self._decode(datagram)
        except BadAdvert as error:
            counters.fail(error.kind)
            self._complain(error.kind, f"dropped an advert of {datagram.source}: {error}")
            return None
        self._known, self._known_advert = known, advert
        self._compare_addresses(advert, datagram.source)
        return advert

    def _decode(self, datagram: DatagramReceived) -> Advert:
        router = self.router
        return decode(
            datagram.data,
            family=datagram.family,
            source=datagram.source,
            destination=datagram.destination,
            ttl=datagram.ttl,
            version=router.version,
            interval=router.advert_int if router.version == 2 else None,
        )

    def _compare_addresses(self, advert: Advert, source: str) -> None:
        """Count a list of addresses unlike ours. keepalived (since 2.3.3) and RFC 9568 7.1 still act on the advert."""
        if sorted(advert.addresses) != sorted(address.packed for address in self.router.advertised):
            self.counters.fail("addresses")
            self._complain("addresses", f"{source} advertises other addresses than are configured here")

    def _complain(self, kind: str, text: str) -> None:
        key = self.router.key
        self._has_complained = True
        self._desk.tray.report(WARNING, f"({key}) {text}", once=f"{key} {kind}", interface=self.link.name)

    def _hear_as_backup(self, advert: Advert, source: str, heard: Instant) -> None:
        """RFC 9568 6.4.2, with the holds that keep a better router from preempting."""
        router = self.router
        if advert.priority == PRIORITY_LEAVING:
            self.deadline = after(heard, skew(router.version, router.priority, self.master_interval))
            return
        if advert.priority >= router.priority:
            self._preempt_at = None
        elif router.preempt and not self._is_held_back(heard):
            return  # dropped, and the timer runs on: that is how preemption comes about
        if source != self.master or advert.interval != self.master_interval:
            self.master, self.master_interval = source, advert.interval
            self.changed = True
        self.wants_master = False
        self.deadline = after(heard, self.master_down_interval)

    def _is_held_back(self, heard: Instant) -> bool:
        """Tell whether a lower master is still to be left in peace: start hold, or preempt_delay (V26)."""
        if self._preempt_at is None:
            self._preempt_at = after(heard, self.router.preempt_delay)
        hold = self._desk.no_preemption_before
        return heard < self._preempt_at or (hold is not None and heard < hold)

    def _hear_as_master(self, advert: Advert, source: str, heard: Instant) -> Trigger | None:
        """RFC 9568 6.4.3."""
        if advert.priority == PRIORITY_LEAVING:
            self._answer(heard)
            return None
        if advert.priority < self.router.priority:
            return Trigger.LOWER
        tie = advert.priority == self.router.priority
        # 6.4.3: primary addresses are compared as unsigned integers in network byte order.
        if tie and packed(source) < packed(self.voice.source):
            self.tie_won_at = heard
            return Trigger.LOWER
        self._challenger = (source, advert.interval, heard)
        return Trigger.TIE if tie else Trigger.HIGHER

    def assert_mastership(self, now: Instant) -> bool:
        """Answer an inferior advert: an advert as soon as what has come in is read, and announcements (VG06).

        Returns:
            whether this is the first one for a while; what belongs to it is done once until `garp_lower_prio_delay`
            has passed.
        """
        self._challenger = None
        self._answer(now)
        if self._asserted_until is not None and now < self._asserted_until:
            return False
        self._asserted_until = after(now, self.router.garp_lower_prio_delay)
        self.voice.contradict(now)
        return True

    def _answer(self, now: Instant) -> None:
        """Let the next advert leave at once; not more often than `ANSWERS_PER_INTERVAL`."""
        gap = Duration(self.router.advert_int // ANSWERS_PER_INTERVAL)
        if self._answered is None or elapsed(self._answered, now) >= gap:
            self._answered = now
            self.deadline = now

    # ── what its timers do ───────────────────────────────────────────────────────────────────────────────────────────

    def expire(self, now: Instant) -> Trigger | None:
        """Do what the expired timer is for.

        Returns:
            SILENCE when a BACKUP's master-down timer has fired. It is armed again already: a half that is alone in
            wanting to be MASTER waits for the other one (keepalived's SY02).
        """
        if self.deadline is None or now < self.deadline:
            return None
        if self.state is State.BACKUP:
            self.wants_master = True
            self.deadline = after(now, self.master_down_interval)
            return Trigger.SILENCE
        self._advertise(now)
        return None

    def _advertise(self, now: Instant) -> None:
        """Send the advert that is due, and set the time of the next one, without drift."""
        interval = self.router.advert_int
        due = self.deadline or now
        # After so long a standstill a peer may have been MASTER meanwhile: the neighbours have to be told again.
        stalled = self._is_too_long(elapsed(due, now))
        self.voice.speak()
        following = after(due, interval)
        self.deadline = following if following > now else after(now, interval)
        if stalled:
            self.voice.announce(now)

    def lose_packets(self, lost: int, now: Instant) -> Trigger | None:
        """Adverts were lost, unread. Only after a standstill does that matter, because then silence proves nothing."""
        self.counters.fail("overflow", lost)
        self._desk.counters.note(self.counters)
        if self.deadline is None or now < self.deadline:
            return None
        if self.state is State.MASTER:
            return Trigger.OVERFLOW if self._is_too_long(elapsed(self.deadline, now)) else None
        self.deadline = after(now, self.master_down_interval)
        return None

    def wake_up(self, slept: Duration, now: Instant) -> bool:
        """The machine has slept, which the monotonic clock does not count. Return whether a MASTER has to yield."""
        if self.state is State.BACKUP:
            self.deadline = after(now, self.master_down_interval)
        return self.state is State.MASTER and self._is_too_long(slept)

    def _is_too_long(self, standstill: Duration) -> bool:
        """Tell whether a peer may have become MASTER while this one, already due, stood still."""
        return standstill >= (self.router.down_timer_adverts - 1) * self.router.advert_int

    # ── what others want of it ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def fault(self) -> str:
        """Why it cannot work on its interface, or empty."""
        return self.link.fault(self.router)

    def refresh(self) -> None:
        """The interface is another one than it was: another index, another source address."""
        self.voice.refresh(self.router)
        self._known = None

    def announce(self, now: Instant) -> None:
        """The interface has another hardware address: the neighbours have to know."""
        if self.state is State.MASTER:
            self.voice.announce(now)

    def reconfigure(self, router: VirtualRouter, now: Instant) -> None:
        """Go on with another configuration of the same virtual router; touch only what differs."""
        old, old_interval = self.router, self.master_down_interval
        self.router = router
        if self.master_interval == old.advert_int:
            self.master_interval = router.advert_int
        self.refresh()
        new_addresses = self.holding.change(router.advertised)
        self.changed = True
        if self.state is State.MASTER:
            if router.addresses != old.addresses:
                self.voice.announce_only(new_addresses, now)
            self.deadline = min(self.deadline or now, after(now, router.advert_int))
        elif self.state is State.BACKUP and self.deadline is not None:
            # keepalived's T04: a running timer is shifted by as much as the interval has changed.
            shifted = Instant(self.deadline + self.master_down_interval - old_interval)
            self.deadline = now if self.is_owner else max(shifted, now)

    def row(self) -> RouterRow:
        """Return the row that is told of it, and note that it is told."""
        self.changed = self.holding.changed = False
        router = self.router
        return RouterRow(
            key=router.key,
            family=router.family,
            state=self.state,
            slot=self.slot,
            virtual_router_id=router.virtual_router_id,
            interface=router.interface,
            addresses=tuple(map(str, router.advertised)),
            advert_int=router.advert_int,
            master_interval=self.master_interval,
            master=self.master,
            held=self.holding.held,
        )
