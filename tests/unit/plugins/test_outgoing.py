from stayalived.plugin import Duration, Instant, seconds
from stayalived_plugins.notifiers.outgoing import (
    LONGEST_DELAY,
    MOST_AGE,
    MOST_LETTERS,
    MOST_REMEMBERED,
    SINGLY,
    WINDOW,
    Fate,
    Letter,
    Outgoing,
    delay,
)

START = Instant(1_000_000_000_000)


def at(moment: float) -> Instant:
    return Instant(START + seconds(moment))


def letter(
    number: int, recipient: str = "noc@example.org", route: str = "relay", parts: tuple[str, ...] = ()
) -> Letter:
    return Letter(
        name=f"{number}-{recipient}",
        recipient=recipient,
        route=route,
        sender="lb1@example.org",
        headline=f"event {number}",
        identity=f"<{number}@lb1>",
        message=b"text",
        written=number,
        parts=parts,
    )


def filled(*letters: Letter, moment: float = 0) -> Outgoing:
    outgoing = Outgoing()
    for one in letters:
        assert outgoing.add(one, at(moment)) == []
    return outgoing


def taken(outgoing: Outgoing, moment: float) -> list[str]:
    """What goes out now, all of it taken by its relay."""
    names = []
    for route, letters in outgoing.take(at(moment)):
        names += [one.headline for one in letters]
        outgoing.settle(route, [(one, Fate.TAKEN) for one in letters], at(moment), reached=True)
    return names


def test_five_mails_in_half_a_minute_go_singly_and_the_others_in_a_digest() -> None:
    outgoing = filled(*(letter(number) for number in range(8)))

    assert taken(outgoing, 0) == [f"event {number}" for number in range(SINGLY)]
    assert outgoing.digests(at(29.9)) == []
    assert outgoing.deadline == at(30)
    [parts] = outgoing.digests(at(30))
    assert [part.headline for part in parts] == ["event 5", "event 6", "event 7"]

    digest = letter(99, parts=tuple(part.name for part in parts))
    outgoing.digested(parts, digest, at(30))
    assert taken(outgoing, 30) == ["event 99"]
    assert len(outgoing) == 0
    assert outgoing.deadline is None


def test_while_it_goes_on_only_digests_go_and_after_a_quiet_time_mails_go_singly_again() -> None:
    outgoing = filled(*(letter(number) for number in range(7)))
    taken(outgoing, 0)
    [parts] = outgoing.digests(at(30))
    outgoing.digested(parts, letter(99), at(30))
    taken(outgoing, 30)

    outgoing.add(letter(7), at(40))
    assert taken(outgoing, 40) == []
    [[alone]] = outgoing.digests(at(60))
    outgoing.digested([alone], alone, at(60))
    assert taken(outgoing, 60) == ["event 7"]

    outgoing.add(letter(8), at(91))
    assert taken(outgoing, 91) == ["event 8"]


def test_one_recipient_s_digest_is_no_other_s() -> None:
    outgoing = filled(*(letter(number) for number in range(7)), letter(0, "two@example.org"))

    assert "event 0" in taken(outgoing, 0)
    [parts] = outgoing.digests(at(30))
    assert {part.recipient for part in parts} == {"noc@example.org"}


def test_a_relay_that_cannot_be_reached_is_tried_again_later_and_later() -> None:
    outgoing = filled(letter(1))
    moments, now = [], 0.0
    for _ in range(8):
        [(route, letters)] = outgoing.take(at(now))
        outgoing.settle(route, [(one, Fate.LATER) for one in letters], at(now), reached=False)
        assert outgoing.take(at(now)) == []
        assert outgoing.deadline is not None
        later = (outgoing.deadline - START) / 1e9
        moments.append(later - now)
        now = later

    assert moments == [2, 4, 8, 16, 32, 60, 60, 60]
    assert taken(outgoing, now) == ["event 1"]


def test_a_letter_that_is_put_off_does_not_hold_up_the_others() -> None:
    outgoing = filled(letter(1), letter(2, "two@example.org"))
    [(route, letters)] = outgoing.take(at(0))
    outgoing.settle(route, [(letters[0], Fate.LATER), (letters[1], Fate.TAKEN)], at(0), reached=True)
    outgoing.add(letter(3), at(1))

    assert taken(outgoing, 1) == ["event 3"]
    assert taken(outgoing, 2) == ["event 1"]


def test_a_letter_that_is_refused_for_good_waits_no_more() -> None:
    outgoing = filled(letter(1))
    [(route, letters)] = outgoing.take(at(0))
    outgoing.settle(route, [(letters[0], Fate.REFUSED)], at(0), reached=True)

    assert (len(outgoing), outgoing.deadline) == (0, None)


def test_nothing_is_offered_twice_at_the_same_time() -> None:
    outgoing = filled(letter(1))
    assert len(outgoing.take(at(0))) == 1
    outgoing.add(letter(2), at(0))

    assert outgoing.take(at(0)) == []
    assert outgoing.deadline is None


def test_the_oldest_is_left_out_for_a_newer_one() -> None:
    outgoing = filled(*(letter(number) for number in range(MOST_LETTERS)))

    gone = outgoing.add(letter(MOST_LETTERS), at(1))

    assert [one.headline for one in gone] == ["event 0"]
    assert (len(outgoing), outgoing.dropped) == (MOST_LETTERS, 1)


def test_a_letter_of_five_days_is_given_up() -> None:
    outgoing = Outgoing()

    gone = outgoing.add(letter(1), at(0), MOST_AGE)

    assert [one.headline for one in gone] == ["event 1"]
    assert taken(outgoing, 0) == []


def test_what_was_mailed_is_remembered_within_a_bound() -> None:
    outgoing = filled(letter(1))
    taken(outgoing, 0)
    assert outgoing.knows(letter(1).name)

    for number in range(MOST_REMEMBERED):
        outgoing.remember(f"other {number}")
    assert not outgoing.knows(letter(1).name)


def test_at_the_end_nothing_waits_for_its_time() -> None:
    outgoing = filled(*(letter(number) for number in range(7)))
    [(route, letters)] = outgoing.take(at(0))
    outgoing.settle(route, [(one, Fate.LATER) for one in letters], at(0), reached=False)

    outgoing.hurry()

    assert len(outgoing.digests(at(0))) == 1
    assert len(taken(outgoing, 0)) == SINGLY


def test_the_delay_has_a_bound() -> None:
    assert (delay(1), delay(1000)) == (Duration(2_000_000_000), LONGEST_DELAY)
    assert seconds(30) == WINDOW
