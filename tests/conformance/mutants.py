"""Directors with one thing wrong about each: bent at the border, where bytes and moments cross, so that it is the
behaviour that is wrong and not a line of code, which may move.
"""

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping
from typing import ClassVar

from conformance.driver import Director, configured
from conformance.packets import V2_OF_VERSION_3
from conformance.steps import Packet
from conformance.sums import adds_up, sealed
from stayalived.config.virtual_routers import VirtualRouter
from stayalived.timing import Instant, seconds


def with_byte(packet: Packet, place: int, value: int) -> Packet:
    """Return the packet with another byte, and with a checksum that is right."""
    data = packet.data
    return sealed(dataclasses.replace(packet, text=(data[:place] + bytes((value,)) + data[place + 1 :]).hex()))


class HearsOtherwise(Director):
    """What it hears is bent before the engine hears it; packets without a whole header are left alone."""

    bend: ClassVar[Callable[["HearsOtherwise", Packet], Packet | None]]

    def pass_heard(self, packet: Packet) -> Packet | None:
        return self.bend(packet) if len(packet.data) >= 8 else packet

    @property
    def router(self) -> VirtualRouter:
        return configured(self.changes)


class TtlUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return dataclasses.replace(packet, ttl=255)


class ChecksumUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return sealed(packet)


class TypeUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 0, packet.data[0] & 0xF0 | 1) if packet.data[0] & 0x0F != 1 else packet


class VersionUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 0, 0x31) if packet.data[0] >> 4 not in (2, 3) else packet


class OtherVersionHeard(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        other = self.router.version == 3 and packet.data[0] >> 4 == 2 and ":" not in packet.source
        return V2_OF_VERSION_3 if other else packet


class LengthUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 3, 1) if len(packet.data) in (12, 28) else packet


class PaddingRefused(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if len(packet.data) == 26 else packet


class IntervalOfZeroAccepted(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        zero = packet.data[0] >> 4 == 3 and not (packet.data[4] & 0x0F or packet.data[5])
        return with_byte(packet, 5, 100) if zero else packet


class ReservedBitsCount(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if packet.data[0] >> 4 == 3 and packet.data[4] & 0xF0 else packet


class IntervalNotLearned(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        if packet.data[0] >> 4 != 3 or not packet.data[4:6].strip(b"\0"):
            return packet
        return with_byte(with_byte(packet, 4, 0), 5, 100)


class IntervalMismatchAccepted(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 5, 1) if self.router.version == 2 else packet


class AuthenticationUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 4, 0) if self.router.version == 2 else packet


class AuthenticationDataChecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if packet.data[0] >> 4 == 2 and any(packet.data[12:]) else packet


class BareChecksumRefused(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        bare = packet.data[0] >> 4 == 3 and ":" not in packet.source and adds_up(packet.data)
        return None if bare else packet


class PseudoHeaderNeverNeeded(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return sealed(packet) if adds_up(packet.data) and ":" in packet.source else packet


class PseudoHeaderOfVersion2Accepted(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return sealed(packet) if self.router.version == 2 and packet.data[6:8] == b"\xb1\xcb" else packet


class AnyRouterIsOurs(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return with_byte(packet, 1, 51) if packet.data[1] != 51 else packet


class AnyInterfaceIsOurs(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        return dataclasses.replace(packet, interface="eth0")


class AnyDestinationIsOurs(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        to_us = packet.destination == "192.0.2.1"
        return sealed(dataclasses.replace(packet, destination="224.0.0.18")) if to_us else packet


class OwnAdvertsCount(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        own = packet.source == "192.0.2.1"
        return sealed(dataclasses.replace(packet, source="192.0.2.2")) if own else packet


class OtherAddressesDropped(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        ours = [address.packed for address in self.router.advertised]
        heard = packet.data[8 : 8 + len(ours[0]) * packet.data[3]]
        return packet if sorted(heard) == sorted(b"".join(ours)) else None


class PriorityZeroIgnored(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return packet if packet.data[2] else None


class OwnersAdvertsIgnored(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if packet.data[2] == 255 else packet


class EqualIgnored(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if packet.data[2] == self.router.priority else packet


class EqualIsHigher(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        mine = self.router.priority
        return with_byte(packet, 2, mine + 1) if packet.data[2] == mine < 255 else packet


class EqualsComparedAsText(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        mine = self.router.priority
        if self.state != "MASTER" or packet.data[2] != mine or mine == 255:
            return packet
        own = f"fe80::{self.case.number}" if ":" in packet.source else f"192.0.2.{self.case.number}"
        assert ipaddress.ip_address(own) != ipaddress.ip_address(packet.source)
        return with_byte(packet, 2, mine + 1 if packet.source > own else mine - 1)


class NeverYields(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if self.state == "MASTER" and packet.data[2] > self.router.priority else packet


class LowerCounts(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        lower = self.state == "BACKUP" and 0 < packet.data[2] < self.router.priority
        return with_byte(packet, 2, self.router.priority) if lower else packet


class LowerUnanswered(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if self.state == "MASTER" and 0 < packet.data[2] < self.router.priority else packet


class ConfiguredOtherwise(Director):
    """The engine works with another configuration than the case says."""

    changed: ClassVar[Mapping[str, object]] = {}

    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        return configured({**changes, **self.changed})


class OneAdvertLess(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"down_timer_adverts": 2}


class OneAdvertMore(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"down_timer_adverts": 4}


class PreemptionRefused(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"preempt": False}


class PreemptionForced(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"preempt": True}


class PreemptDelayIgnored(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"preempt_delay": 0}


class NoSecondBlock(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"garp_master_delay": 0}


class NoRefresh(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"garp_master_refresh": 0}


class LowerNotContradicted(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"garp_lower_prio_repeat": 0}


class StrangersHeard(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"check_unicast_src": False}


class BoundsOfTtlIgnored(Director):
    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        peers = tuple(peer[0] if isinstance(peer, tuple) else peer for peer in changes.get("peers", ()))
        return configured({**changes, "peers": peers})


class LastPeerForgotten(Director):
    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        return configured({**changes, "peers": changes.get("peers", ())[:1]})


class TtlOfUnicastIgnored(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"unicast_ttl": 255}


class AcceptsAlways(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"accept": True}


class SpeaksFromTheInterface(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"transmit_on_base": True}


class SpeaksFromTheVirtualMac(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"transmit_on_base": False}


class PasswordUnchecked(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet:
        password = self.router.authentication
        if not password or packet.data[4] != 1:
            return packet
        return sealed(dataclasses.replace(packet, text=(packet.data[:12] + password).hex()))


class PasswordForgotten(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"authentication": b""}


class ExcludedForgotten(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"excluded": ()}


class ExcludedAdvertised(Director):
    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        more = str(changes.get("excluded", ""))
        addresses = configured(changes).advertised
        return configured({**changes, "excluded": (), "addresses": " ".join([*map(str, addresses), *more.split()])})


class SumsAsVersion3(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"checksum_as_v2": False}


class AnswersAlways(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"lower_prio_no_advert": False}


class YieldsWithoutAWord(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"higher_prio_send_advert": False}


class OwnerHears(ConfiguredOtherwise):
    changed: ClassVar[Mapping[str, object]] = {"owner_ignore_adverts": False}


class TrailersRefused(HearsOtherwise):
    def bend(self, packet: Packet) -> Packet | None:
        return None if len(packet.data) == 40 else packet


class StartsAtOnce(Director):
    def pass_delay(self, _delay: float) -> float:
        return 0


class SkewOfThePriorityAbove(Director):
    """Waits as long as a router of one priority more, and says its own all the same."""

    def pass_router(self, changes: Mapping[str, object]) -> VirtualRouter:
        router = configured(changes)
        return configured({**changes, "priority": min(router.priority + 1, 254)})

    def pass_sent(self, packet: Packet) -> Packet:
        return with_byte(packet, 2, configured(self.changes).priority) if packet.data[2] else packet


class WakesLate(Director):
    """Looks at its timers each ten milliseconds."""

    def pass_deadline(self, deadline: Instant) -> Instant:
        ten = seconds(0.01)
        return Instant(-(-deadline // ten) * ten)


class SaysNoGoodbye(Director):
    def pass_sent(self, packet: Packet) -> Packet | None:
        return packet if packet.data[2] else None


class SpeaksHalfAsOften(Director):
    def pass_sent(self, packet: Packet) -> Packet | None:
        self.spoken = getattr(self, "spoken", 0) + 1
        return packet if self.spoken % 2 else None


class SendsBareChecksum(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        return sealed(packet, bare=True)


class SendsFromElsewhere(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        return dataclasses.replace(packet, source="2001:db8::1" if ":" in packet.source else "192.0.2.77")


class SendsToAnotherGroup(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        return dataclasses.replace(packet, destination="ff02::1" if ":" in packet.source else "224.0.0.1")


class SendsReservedBits(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        return with_byte(packet, 4, packet.data[4] | 0x10) if packet.data[0] >> 4 == 3 else packet


class SendsAnotherInterval(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        return with_byte(packet, 5, packet.data[5] ^ 1)


class SendsAddressesBackwards(Director):
    def pass_sent(self, packet: Packet) -> Packet:
        width = 16 if ":" in packet.source else 4
        count = packet.data[3]
        addresses = [packet.data[8 + n * width : 8 + (n + 1) * width] for n in reversed(range(count))]
        data = packet.data[:8] + b"".join(addresses) + packet.data[8 + count * width :]
        return dataclasses.replace(packet, text=data.hex())


class AnnouncesNothing(Director):
    def pass_announced(self, frame: bytes) -> bytes | None:
        return None


class AnnouncesSolicited(Director):
    """The neighbour advertisement has the Solicited flag set in place of Override."""

    def pass_announced(self, frame: bytes) -> bytes:
        return frame[:58] + b"\xc0" + frame[59:] if len(frame) > 58 else frame


class AnnouncesAnotherHardwareAddress(Director):
    def pass_announced(self, frame: bytes) -> bytes:
        return frame[:6] + b"\x02\0\0\0\0\x63" + frame[12:]


class IgnoresStop(Director):
    def pass_stop(self) -> bool:
        return False


class IgnoresItsLink(Director):
    def pass_link(self, *, up: bool) -> bool:
        return True


class KeepsAddresses(Director):
    """What it has once taken it never gives up."""

    def _addresses(self) -> set[str]:
        self.kept = getattr(self, "kept", set()) | super()._addresses()
        return set(self.kept)


class HoldsAddressesAlways(Director):
    def _addresses(self) -> set[str]:
        return super()._addresses() | {str(address) for address in configured(self.changes).advertised}


BASES = (HearsOtherwise, ConfiguredOtherwise)


def concrete(base: type[Director]) -> list[type[Director]]:
    """Return all mutants below a class."""
    below = [mutant for child in base.__subclasses__() for mutant in (child, *concrete(child))]
    return [mutant for mutant in below if mutant.__module__ == __name__ and mutant not in BASES]


MUTANTS: tuple[type[Director], ...] = tuple(concrete(Director))
