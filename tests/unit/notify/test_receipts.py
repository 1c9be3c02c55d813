import msgspec

from plain_event import plain_event
from stayalived.child.events import Tell
from stayalived.messages.notify import Event, Told
from stayalived.notify.receipts import AT_ONCE, GIVEN_EVERY, Receipts
from stayalived.timing import Instant, after

NOW = Instant(1_000_000)
EVENT = plain_event(sequence=0, old="")


def numbered(number: int) -> Event:
    return msgspec.structs.replace(EVENT, sequence=number)


def test_receipts_wait_for_each_other_and_are_given_once() -> None:
    receipts = Receipts()
    receipts.take("vrrp", numbered(1), 0, NOW)
    receipts.take("ipvs", numbered(2), 0, after(NOW, GIVEN_EVERY))
    assert receipts.give(NOW) == []
    assert receipts.deadline == after(NOW, GIVEN_EVERY)
    given = receipts.give(receipts.deadline)
    assert given == [Tell(message=Told(events=(("vrrp", (1,)), ("ipvs", (2,)))))]
    assert receipts.deadline is None
    assert receipts.give(after(NOW, GIVEN_EVERY), at_once=True) == []


def test_two_senders_that_use_one_number_both_have_their_receipt_in_the_end() -> None:
    receipts = Receipts()
    for sender in ("vrrp", "ipvs"):
        receipts.take(sender, numbered(7), 1, NOW)
    receipts.settle(numbered(7), NOW)
    assert receipts.give(NOW, at_once=True) == []
    receipts.settle(numbered(7), NOW)
    assert receipts.give(NOW, at_once=True) == [Tell(message=Told(events=(("vrrp", (7,)), ("ipvs", (7,)))))]


def test_what_is_settled_twice_is_owed_to_nobody() -> None:
    receipts = Receipts()
    receipts.settle(numbered(1), NOW)
    assert receipts.deadline is None


def test_many_receipts_are_several_messages() -> None:
    receipts = Receipts()
    for number in range(AT_ONCE + 1):
        receipts.take("vrrp", numbered(number), 0, NOW)
    sizes = [len(tell.message.events[0][1]) for tell in receipts.give(NOW, at_once=True)]
    assert sizes == [AT_ONCE, 1]
