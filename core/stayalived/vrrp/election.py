"""One virtual router of one family: RFC 9568 6.4 with keepalived's additions. The table is in `states`.

Its group (`group`) decides when it moves, because the members of a group move together; everything else about one
virtual router is here: what an advert means, when the next one leaves, which timer runs.
"""

from stayalived.addresses import packed
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.messages.vrrp import RouterRow
from stayalived.timing import Duration, Instant, after, earliest, elapsed
from stayalived.vrrp.counters import Counters
from stayalived.vrrp.desk import INFO, Desk
from stayalived.vrrp.events import DatagramReceived
from stayalived.vrrp.hearing import Hearing
from stayalived.vrrp.holding import Holding
from stayalived.vrrp.ledger import Ledger
from stayalived.vrrp.packet import PRIORITY_LEAVING, PRIORITY_OWNER, Advert
from stayalived.vrrp.rebuff import Rebuff
from stayalived.vrrp.rhythm import Beat
from stayalived.vrrp.routine import Routine
from stayalived.vrrp.sites import Site
from stayalived.vrrp.states import SAYING_GOODBYE, TRANSITIONS, State, Trigger
from stayalived.vrrp.timers import master_down_interval, skew
from stayalived.vrrp.voice import Voice


class Election:
    """One virtual router.

    Attributes:
        router: its configuration.
        slot: its place in the page of send times.
        site: the interfaces that it lives on.
        priority: effective priority.
        state: where it stands; assigned by `_enter` alone.
        wants_master: its master-down timer has fired, it waits for the others of its group.
        deadline: the master-down timer of a BACKUP; the advert timer of a MASTER that has no beat, or an advert out of
            turn of one that has.
        beat: the moments at which it sends as MASTER; None when it keeps its own time.
        patience: the master-down interval.
        master: address of the master last heard; empty when that is us or nobody.
        master_interval: advert interval in force.
        tie_won_at: when an advert of equal priority from a lower address was last heard.
        changed: the row has changed since somebody last looked.
        counters: what it has counted.
        hearing: reads what comes in.
        holding: what it has in the kernel.
        routine: the packets that change nothing but its timer.
        voice: what it says.
    """

    def __init__(self, router: VirtualRouter, slot: int, site: Site, ledger: Ledger, desk: Desk) -> None:
        """Start in INIT."""
        self.router = router
        self.slot = slot
        self.site = site
        self.priority = router.priority
        self.state = State.INIT
        self.wants_master = False
        self.deadline: Instant | None = None
        self.filed: Instant | None = None
        self.beat: Beat | None = None
        self.master = ""
        self.master_interval = router.advert_int
        self.patience = Duration(0)
        self.tie_won_at: Instant | None = None
        self.changed = False
        self.counters = Counters(key=router.key)
        self.hearing = Hearing(router, desk, self.counters)
        self.holding = Holding(router, ledger, desk.tray)
        self.routine = Routine()
        self.voice = Voice(router, slot, site, desk, self.counters)
        self._desk = desk
        self._rebuff = Rebuff()
        self._preempt_at: Instant | None = None
        self._challenger: tuple[str, Duration, Instant] | None = None
        self._measure()

    @property
    def is_owner(self) -> bool:
        """Whether the addresses are the router's own."""
        return self.router.priority == PRIORITY_OWNER

    @property
    def next_advert(self) -> Instant | None:
        """When a MASTER speaks next."""
        return earliest((self.deadline, self.beat.deadline if self.beat else None))

    def _measure(self) -> None:
        """Work out how long silence may last before the master is taken for dead."""
        router = self.router
        self.patience = master_down_interval(
            router.version, self.priority, self.master_interval, router.down_timer_adverts
        )
        self.routine.forget()

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
        self._rebuff.begin()
        self.routine.forget()
        self.hearing.fall_silent()  # whoever moves is worth the same lines again

    def _become_backup(self, now: Instant) -> None:
        self.master, self.master_interval, heard = self._challenger or ("", self.router.advert_int, now)
        self._challenger = None
        self._measure()
        self.deadline = after(heard, self.patience)

    def _become_master(self, trigger: Trigger, now: Instant) -> None:
        """Speak first, then take the addresses, then tell the neighbours (keepalived's V51)."""
        self.master = ""
        self.master_interval = self.router.advert_int
        self._measure()
        self.voice.speak()
        self._begin_to_speak(now)
        if trigger is Trigger.ADOPTED:  # nobody noticed that we were away, so nobody is told
            self.holding.adopt()
            self.voice.announce_only((), now)
            return
        self.counters.became_master += 1
        self.holding.take()
        self.voice.announce(now)

    def _begin_to_speak(self, now: Instant) -> None:
        if self.beat is not None:
            self.beat.join(self, now)
        else:
            self.deadline = after(now, self.router.advert_int)

    def _leave_master(self, trigger: Trigger) -> None:
        if self.beat is not None:
            self.beat.leave(self)
        self.voice.fall_silent()
        if trigger in SAYING_GOODBYE and not self.fault:
            self.voice.say_goodbye()
        elif trigger is Trigger.HIGHER and self.router.higher_prio_send_advert:
            self.voice.speak()
        self.counters.released_master += 1
        self._desk.counters.note(self.counters)
        self.holding.release()

    # ── what it hears ────────────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, datagram: DatagramReceived, now: Instant) -> Trigger | None:
        """Take in a datagram that is addressed to this virtual router's number.

        Returns:
            what the instance has to decide about, or None when the matter is settled.
        """
        advert = self.hearing.read(datagram, own=self.voice.source, master=self.master)
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

    def _hear_as_backup(self, advert: Advert, source: str, heard: Instant) -> None:
        """RFC 9568 6.4.2, with the holds that keep a better router from preempting."""
        router = self.router
        if advert.priority == PRIORITY_LEAVING:
            self.deadline = after(heard, skew(router.version, self.priority, self.master_interval))
            return
        is_inferior = advert.priority < self.priority
        if not is_inferior:
            self._preempt_at = None
        elif router.preempt and not self._is_held_back(heard):
            return  # dropped, and the timer runs on: that is how preemption comes about
        if source != self.master or advert.interval != self.master_interval:
            self._follow(source, advert.interval)
        self.wants_master = False
        self.deadline = after(heard, self.patience)
        self.routine.is_open = self.hearing.is_plain and not (is_inferior and router.preempt)
        if self.routine.is_open:
            self.voice.get_ready()

    def _follow(self, master: str, interval: Duration) -> None:
        """Another master is heard, or another interval: version 3 goes by the master's (RFC 9568 6.4.2)."""
        if interval not in {self.master_interval, self.router.advert_int}:
            seconds = f"{interval / 1_000_000_000:g} s"
            self.hearing.complain("interval", f"{master} advertises every {seconds}; that is adopted", INFO)
        self.master, self.master_interval = master, interval
        self.changed = True
        self._measure()

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
        if advert.priority < self.priority:
            self._note_inferior(source, f"lower priority ({advert.priority})")
            return Trigger.LOWER
        tie = advert.priority == self.priority
        # 6.4.3: primary addresses are compared as unsigned integers in network byte order.
        if tie and packed(source) < packed(self.voice.source):
            self.tie_won_at = heard
            self._note_inferior(source, "equal priority from a lower address")
            return Trigger.LOWER
        self._challenger = (source, advert.interval, heard)
        return Trigger.TIE if tie else Trigger.HIGHER

    def _note_inferior(self, source: str, what: str) -> None:
        """RFC 9568 7.1, 8.3.2: that somebody else takes himself for the master is worth a line."""
        self.hearing.complain("inferior", f"{source} advertises with {what}", INFO)

    def assert_mastership(self, now: Instant) -> bool:
        """Answer an inferior advert: an advert as soon as what has come in is read, and announcements (VG06).

        Returns:
            whether this is the first one for a while, as of `contradict`.
        """
        self._challenger = None
        if not self.router.lower_prio_no_advert:
            self._answer(now)
        return self.contradict(now)

    def contradict(self, now: Instant) -> bool:
        """Announce all addresses, unless that was just done; return whether it is done."""
        is_due = self._rebuff.may_announce(self.router, now)
        if is_due:
            self.voice.contradict(now)
        return is_due

    def _answer(self, now: Instant) -> None:
        """Let the next advert leave at once."""
        if self._rebuff.may_answer(self.router, now):
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
            self.deadline = after(now, self.patience)
            self.routine.forget()  # the next advert does more than to move the timer
            return Trigger.SILENCE
        due, interval = self.deadline, self.router.advert_int
        if self.beat is not None:
            self.deadline = None  # an advert out of turn
        else:
            following = after(due, interval)  # without drift
            self.deadline = following if following > now else after(now, interval)
        self.advertise(due, now)
        return None

    def advertise(self, due: Instant, now: Instant) -> None:
        """Send the advert that was due at a moment."""
        self.voice.speak()
        # After so long a standstill a peer may have been MASTER meanwhile: the neighbours have to be told again.
        if self._is_too_long(elapsed(due, now)):
            self.voice.announce(now)

    def lose_packets(self, lost: int, now: Instant) -> Trigger | None:
        """Adverts were lost, unread. Only after a standstill does that matter, because then silence proves nothing."""
        self.counters.fail("overflow", lost)
        self._desk.counters.note(self.counters)
        if self.state is State.MASTER:
            due = self.next_advert
            return Trigger.OVERFLOW if due is not None and self._is_too_long(elapsed(due, now)) else None
        if self.deadline is not None and now >= self.deadline:
            self.deadline = after(now, self.patience)
        return None

    def wake_up(self, slept: Duration, now: Instant) -> bool:
        """The machine has slept, which the monotonic clock does not count. Return whether a MASTER has to yield."""
        if self.state is State.BACKUP:
            self.deadline = after(now, self.patience)
        return self.state is State.MASTER and self._is_too_long(slept)

    def _is_too_long(self, standstill: Duration) -> bool:
        """Tell whether a peer may have become MASTER while this one, already due, stood still."""
        return standstill >= (self.router.down_timer_adverts - 1) * self.router.advert_int

    # ── what others want of it ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def fault(self) -> str:
        """Why it cannot work on its interface, or empty."""
        return self.site.fault(self.router)

    def refresh(self) -> None:
        """The interface is another one than it was: another index, another source address."""
        self.voice.refresh(self.router)
        self.hearing.refresh(self.router)
        self.routine.forget()

    def announce(self, now: Instant) -> None:
        """The interface has another hardware address: the neighbours have to know."""
        if self.state is State.MASTER:
            self.voice.announce(now)

    def set_beat(self, beat: Beat | None, now: Instant) -> None:
        """Send at other moments from now on; the next advert leaves no later than it would have."""
        if beat is self.beat:
            return
        due, old = self.next_advert, self.beat
        self.beat = beat
        if self.state is State.MASTER:
            if old is not None:
                old.leave(self)
            self.deadline = due
            if beat is not None:
                beat.join(self, now)

    def reprioritise(self, priority: int, now: Instant) -> None:
        """Go on with another effective priority: the next advert says it, a running timer is shifted (T04)."""
        if priority == self.priority:
            return
        old = self.patience
        self.priority = priority
        self.voice.priority = priority
        self.voice.refresh(self.router)
        self._measure()
        self.changed = True
        self._shift(old, now)

    def reconfigure(self, router: VirtualRouter, now: Instant) -> None:
        """Go on with another configuration of the same virtual router; touch only what differs."""
        before, old = self.router, self.patience
        self.router = router
        if self.master_interval == before.advert_int:
            self.master_interval = router.advert_int
        self.refresh()
        self._measure()
        new_addresses = self.holding.change(router)
        self.changed = True
        if self.state is State.MASTER:
            if router.held != before.held:
                self.voice.announce_only(new_addresses, now)
            if self.deadline is not None:
                self.deadline = min(self.deadline, after(now, router.advert_int))
        self._shift(old, now)

    def _shift(self, patience: Duration, now: Instant) -> None:
        """Move a BACKUP's running timer by as much as its interval has changed (keepalived's T04)."""
        if self.state is State.BACKUP and self.deadline is not None:
            shifted = Instant(self.deadline + self.patience - patience)
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
            excluded=tuple(str(placed.address) for placed in router.excluded),
            virtual_mac=router.virtual_mac.name if router.virtual_mac else "",
        )
