"""A machine around the VRRP engine for tests: addresses in a set, packets in a list, a clock that the test moves."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from stayalived.addresses import Endpoint, Family, VirtualAddress
from stayalived.child.events import AnswerPrepared, Commit, Finished, Forget, Prepare, Received, Report, Stop, Tell
from stayalived.config.model import Configuration, Forwarding, Globals, VirtualServer
from stayalived.config.virtual_routers import PlacedAddress, SyncGroup, Tracker, VirtualMac, VirtualRouter, VrrpInstance
from stayalived.kernel.api import Change, Interface, Verb
from stayalived.messages.control import Start
from stayalived.messages.notify import Event
from stayalived.messages.services import TrackState
from stayalived.messages.vrrp import InstanceState, RouterCounters
from stayalived.timing import NO_TIME, Duration, Instant, seconds
from stayalived.vrrp import datagrams, packet
from stayalived.vrrp.desk import Effect
from stayalived.vrrp.effects import (
    ApplyChanges,
    Listen,
    MakeVirtualMac,
    RemoveVirtualMacs,
    SendAdvert,
    SendAdverts,
    SendGratuitousArp,
    SendNeighbourAdvert,
    SetSysctl,
)
from stayalived.vrrp.engine import VrrpEngine
from stayalived.vrrp.events import (
    ChangesApplied,
    DatagramReceived,
    InterfaceChanged,
    InterfaceGone,
    Listening,
    MessagesReceived,
    PacketsReceived,
    SendTimesRead,
    SysctlSet,
    VrrpEvent,
)

FORWARD = Forwarding(method="DR", tunnel="", port=0, checksum="")
SERVER = VirtualServer(
    name="service42",
    protocols=("tcp",),
    addresses=(Endpoint("192.0.2.100", 42),),
    fwmarks=(),
    fwmark_families=(),
    scheduler="rr",
    scheduler_flags=(),
    policy="rr",
    policy_distribution="stayalived",
    policy_options=b"",
    computes_weights=False,
    persistence_timeout=NO_TIME,
    persistence_granularity=32,
    one_packet=False,
    alpha=True,
    quorum=1,
    hysteresis=0,
    sorry_servers=(),
    sorry_forward=FORWARD,
    real_servers=(),
)
GROUPS = {Family.IPV4: "224.0.0.18", Family.IPV6: "ff02::12"}
VIP = "192.0.2.100/24"
VIP6 = "2001:db8::100/64"


def router(text: str = VIP, *, instance: str = "tic", **changes: object) -> VirtualRouter:
    """A virtual router with keepalived's defaults; `text` is one or several addresses."""
    addresses = tuple(VirtualAddress.parse(word) for word in text.split())
    family = addresses[0].family
    values: dict[str, object] = {
        "key": f"{instance}/{family.value}",
        "instance": instance,
        "family": family,
        "version": 3,
        "virtual_router_id": 1,
        "interface": "eth0",
        "priority": 100,
        "advert_int": seconds(1),
        "preempt": True,
        "preempt_delay": NO_TIME,
        "source": "",
        "group": GROUPS[family],
        "addresses": tuple(PlacedAddress(address=address, interface="eth0") for address in addresses),
        "garp_master_delay": seconds(5),
        "garp_master_repeat": 5,
        "garp_master_refresh": NO_TIME,
        "garp_master_refresh_repeat": 1,
        "garp_lower_prio_delay": seconds(5),
        "garp_lower_prio_repeat": 5,
        "down_timer_adverts": 3,
    }
    return VirtualRouter(**(values | changes))


def instance(*routers: VirtualRouter, split: bool = False, track: Sequence[Tracker] = ()) -> VrrpInstance:
    first = routers[0]
    return VrrpInstance(
        name=first.instance,
        interface=first.interface,
        priority=first.priority,
        split=split,
        routers=routers,
        trackers=tuple(track),
    )


def sync_group(*instances: VrrpInstance, name: str = "site", track: Sequence[Tracker] = ()) -> SyncGroup:
    return SyncGroup(name=name, instances=tuple(each.name for each in instances), trackers=tuple(track))


def configuration(
    *instances: VrrpInstance,
    start_hold: Duration = NO_TIME,
    servers: tuple[VirtualServer, ...] = (),
    dynamic_interfaces: bool = False,
    groups: Sequence[SyncGroup] = (),
    startup_delay: Duration = NO_TIME,
    after_boot: Duration = NO_TIME,
) -> Configuration:
    values = Globals(
        router_id="tic",
        host_id="tic",
        child_wait_time=seconds(5),
        script_user="",
        start_hold=start_hold,
        start_rate=1000,
        dynamic_interfaces=dynamic_interfaces,
        realtime=False,
        flush=False,
        log="stderr",
        log_facility="daemon",
        log_level="info",
        vrrp_startup_delay=startup_delay,
        vrrp_delay_after_boot=after_boot,
    )
    return Configuration(
        globals=values,
        instances=instances,
        virtual_servers=servers,
        tracked_checks=(),
        actions=(),
        distributions=(),
        sync_groups=tuple(groups),
    )


def interface(number: int = 1, *, name: str = "eth0", up: bool = True, index: int = 2) -> Interface:
    return Interface(
        name=name,
        index=index,
        up=up,
        mac=bytes((2, 0, 0, 0, 0, number)),
        mtu=1500,
        arp=True,
        addresses=(
            VirtualAddress.parse(f"192.0.2.{number}/24"),
            VirtualAddress.parse(f"fe80::{number:x}/64"),
            VirtualAddress.parse(f"2001:db8::{number:x}/64"),
        ),
    )


@dataclass
class Machine:
    """One director. `do` hands in an event, `pass_time` moves the clock from deadline to deadline."""

    number: int = 1
    now: Instant = field(default=Instant(1_000_000_000_000))
    answers: bool = True  # the kernel does what it is told and says so
    makes_virtual_macs: bool = True
    refusal: str = ""  # why it refuses everything
    engine: VrrpEngine = field(default_factory=VrrpEngine)
    links: dict[str, Interface] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    slots: dict[int, Instant] = field(default_factory=dict)
    retained: dict[tuple[type, str], object] = field(default_factory=dict)
    items: dict[object, None] = field(default_factory=dict)  # routes, rules and barriers in the kernel
    sysctls: dict[str, str] = field(default_factory=dict)
    generation: int = 0
    _answered: list[VrrpEvent] = field(default_factory=list)
    _is_answering: bool = False

    def start(self, *instances: VrrpInstance, how: Start = Start.FIRST, **options: object) -> list[Effect]:
        for link in list(self.links.values()):
            self.do(InterfaceChanged(interface=link))
        for (_, key), message in list(self.retained.items()):
            self.do(Received(topic="", key=key, sender="vrrp", message=message))
        self.do(SendTimesRead(times=dict(self.slots)))
        return self.configure(*instances, how=how, **options)

    def configure(self, *instances: VrrpInstance, how: Start = Start.RELOAD, **options: object) -> list[Effect]:
        self.generation += 1
        self.do(Prepare(generation=self.generation, configuration=configuration(*instances, **options)))
        assert self.last(AnswerPrepared).problems == ()
        return self.do(Commit(generation=self.generation, start=how))

    def die(self) -> None:
        """The process is gone; kernel, page of send times and the supervisor's memory stay."""
        self.engine = VrrpEngine()
        self.generation = 0

    def do(self, event: object) -> list[Effect]:
        """Hand in one event; return its effects and those of what the kernel answers."""
        return self._carry_out(self.engine.handle(event, self.now))

    def wake(self) -> list[Effect]:
        return self._carry_out(self.engine.wake(self.now))

    def pass_time(self, duration: Duration) -> list[Effect]:
        """Let the clock run, waking the engine at each of its deadlines."""
        end = Instant(self.now + duration)
        effects: list[Effect] = []
        while self.engine.deadline is not None and self.engine.deadline <= end:
            self.now = max(self.now, self.engine.deadline)
            effects += self.wake()
        self.now = end
        return effects

    def hear(self, sender: int = 2, *, like: VirtualRouter | None = None, **changes: object) -> list[Effect]:
        """Hear an advert of another machine."""
        return self.do(self.datagram(sender, like=like, **changes))

    def hear_packet(self, sender: int = 2, *, like: VirtualRouter | None = None, **changes: object) -> list[Effect]:
        """Hear an advert as the shell tells it of one that has just come in: as bytes."""
        told = self.datagram(sender, like=like, **changes)
        ends = {"source": told.source, "destination": told.destination, "ttl": told.ttl, "data": told.data}
        if told.family is Family.IPV4:
            return self.do(PacketsReceived(interface=told.interface, packets=[datagrams.ipv4_packet(**ends)]))
        return self.do(MessagesReceived(interface=told.interface, messages=[datagrams.ipv6_message(**ends)]))

    def datagram(
        self, sender: int = 2, *, like: VirtualRouter | None = None, at: Instant | None = None, **changes: object
    ) -> DatagramReceived:
        like = like or router()
        v6 = like.family is Family.IPV6
        source = f"fe80::{sender:x}" if v6 else f"192.0.2.{sender}"
        values: dict[str, object] = {
            "version": like.version,
            "virtual_router_id": like.virtual_router_id,
            "priority": like.priority,
            "interval": like.advert_int,
            "addresses": tuple(address.packed for address in like.advertised),
        }
        advert = packet.Advert(**(values | changes))
        data = packet.encode(advert, family=like.family, source=source, destination=like.group)
        return DatagramReceived(
            interface=like.interface,
            family=like.family,
            source=source,
            destination=like.group,
            ttl=255,
            data=data,
            at=self.now if at is None else at,
        )

    def change_link(self, **changes: object) -> list[Effect]:
        name = str(changes.get("name", "eth0"))
        self.links[name] = dataclasses.replace(self.links[name], **changes)
        return self.do(InterfaceChanged(interface=self.links[name]))

    def lose_link(self, name: str = "eth0") -> list[Effect]:
        del self.links[name]
        return self.do(InterfaceGone(name=name))

    def delete_address(self, text: str = VIP) -> list[Effect]:
        present = self.links["eth0"].addresses
        return self.change_link(addresses=tuple(a for a in present if a != VirtualAddress.parse(text)))

    def check(self, key: str, *, up: bool | None, value: int | None = None, reason: str = "") -> list[Effect]:
        """Be told by the checker where a tracked check stands."""
        state = TrackState(
            subject="track:answers", number=0, check="answers", up=up, weight=0, reason=reason, latency=0,
            since=self.now, stale=False, value=value,
        )  # fmt: skip
        return self.do(Received(topic="vrrp.track", key=key, sender="checker", message=state))

    def stop(self) -> list[Effect]:
        return self.do(Stop())

    # what can be asked afterwards

    @property
    def timer(self) -> Instant | None:
        """When the engine wants to be woken, once it has told its counters."""
        self.wake()
        return self.engine.deadline

    def last(self, kind: type) -> object:
        return [effect for effect in self.effects if isinstance(effect, kind)][-1]

    @property
    def state(self) -> str:
        """State that was told last of the only instance."""
        return self.told().state

    def told(self, name: str = "tic") -> InstanceState:
        message = self.retained[InstanceState, name]
        assert isinstance(message, InstanceState)
        return message

    def counters(self, key: str = "tic/4") -> RouterCounters:
        self.pass_time(seconds(1.1))
        message = self.retained[RouterCounters, key]
        assert isinstance(message, RouterCounters)
        return message

    def holds(self, text: str = VIP, name: str = "eth0") -> bool:
        return VirtualAddress.parse(text) in self.links[name].addresses

    def _carry_out(self, effects: Sequence[Effect]) -> list[Effect]:
        """Perform effects, then hand in what the kernel answers, in order, as the shell does."""
        done: list[Effect] = []
        for effect in effects:
            done.append(effect)
            self.effects.append(effect)
            answers = self._perform(effect)
            self._answered += answers if self.answers else ()
        if not self._is_answering:
            self._is_answering = True
            while self._answered:
                done += self.do(self._answered.pop(0))
            self._is_answering = False
        return done

    def _perform(self, effect: Effect) -> list[VrrpEvent]:
        match effect:
            case SendAdverts():
                self._note_adverts(effect)
            case Tell() if effect.key:
                self.retained[type(effect.message), effect.key] = effect.message
            case Forget():
                self.retained.pop((effect.message, effect.key), None)
            case Listen():
                return [Listening(interface=effect.interface, family=effect.family, address=effect.address)]
            case ApplyChanges():
                return self._apply(effect)
            case RemoveVirtualMacs():
                return [InterfaceGone(name=name) for name in effect.names if self.links.pop(name, None)]
            case MakeVirtualMac():
                return self._make_virtual_mac(effect.virtual_mac)
            case SetSysctl():
                before, self.sysctls[effect.name] = self.sysctls.get(effect.name, "0"), effect.value
                return [SysctlSet(name=effect.name, before=before)]
        return []

    def _note_adverts(self, effect: SendAdverts) -> None:
        for advert in effect.adverts:
            self.slots[advert.slot] = self.now
            if advert.leaving:
                del self.slots[advert.slot]

    def _apply(self, effect: ApplyChanges) -> list[VrrpEvent]:
        """Be the kernel: addresses go to the interfaces, everything else into `items`."""
        if self.refusal:
            refused = dict.fromkeys(range(len(effect.changes)), self.refusal)
            return [ChangesApplied(changes=effect.changes, refused=refused)]
        answers: list[VrrpEvent] = [ChangesApplied(changes=effect.changes, refused={})]
        touched = dict.fromkeys(
            change.item.interface for change in effect.changes if isinstance(change.item, PlacedAddress)
        )
        for change in effect.changes:
            if isinstance(change.item, PlacedAddress):
                self._change_address(change)
            elif change.verb is Verb.ADD:
                self.items[change.item] = None
            else:
                self.items.pop(change.item, None)
        return answers + [InterfaceChanged(interface=self.links[name]) for name in touched if name in self.links]

    def _change_address(self, change: Change) -> None:
        link = self.links.get(change.item.interface)
        if link is not None and self.answers:
            others = tuple(address for address in link.addresses if address != change.item.address)
            new = others + ((change.item.address,) if change.verb is Verb.ADD else ())
            self.links[link.name] = dataclasses.replace(link, addresses=new)

    def _make_virtual_mac(self, mac: VirtualMac) -> list[VrrpEvent]:
        """Be the kernel: the macvlan appears first, and then it comes up."""
        if not self.makes_virtual_macs:
            return []
        parent = self.links[mac.parent]
        index = max(link.index for link in self.links.values()) + 1
        made = dataclasses.replace(
            parent, name=mac.name, index=index, mac=mac.mac, parent=parent.index, kind="macvlan", addresses=()
        )
        self.links[mac.name] = made
        return [InterfaceChanged(interface=dataclasses.replace(made, up=False)), InterfaceChanged(interface=made)]

    def __post_init__(self) -> None:
        self.links = self.links or {"eth0": interface(self.number)}


def kinds(effects: Sequence[Effect]) -> list[str]:
    """What is changed or said outside, in order, repetitions folded: names of effects, and verbs of changes."""
    names = [name for effect in effects if not isinstance(effect, Tell | Report | Forget) for name in _names(effect)]
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


def _names(effect: Effect) -> list[str]:
    if isinstance(effect, ApplyChanges):
        return [f"{change.verb.name.title()}" for change in effect.changes]
    return [type(effect).__name__]


def changed(effects: Sequence[Effect], verb: Verb) -> list[str]:
    """Addresses that the kernel was asked to add, or to remove, in order."""
    return [
        str(change.item.address)
        for effect in effects
        if isinstance(effect, ApplyChanges)
        for change in effect.changes
        if change.verb is verb and isinstance(change.item, PlacedAddress)
    ]


def added(effects: Sequence[Effect]) -> list[str]:
    return changed(effects, Verb.ADD)


def removed(effects: Sequence[Effect]) -> list[str]:
    return changed(effects, Verb.REMOVE)


def adverts(effects: Sequence[Effect]) -> list[SendAdvert]:
    return [advert for effect in effects if isinstance(effect, SendAdverts) for advert in effect.adverts]


def priorities(effects: Sequence[Effect]) -> list[int]:
    return [effect.data[2] for effect in adverts(effects)]


def announcements(effects: Sequence[Effect]) -> list[str]:
    return [effect.address for effect in effects if isinstance(effect, SendGratuitousArp | SendNeighbourAdvert)]


def events(effects: Sequence[Effect]) -> list[str]:
    return [effect.message.kind for effect in effects if isinstance(effect, Tell) and isinstance(effect.message, Event)]


def lines(effects: Sequence[Effect]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, Report) and effect.text]


def finished(effects: Sequence[Effect]) -> bool:
    return isinstance(effects[-1], Finished)
