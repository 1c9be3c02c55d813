"""Announcements leave in chunks, in order, in their time, and stop when they are cancelled."""

from stayalived.timing import Instant, after, milliseconds, seconds
from stayalived.vrrp.announcer import CHUNK, PAUSE, Announcer, Series
from stayalived.vrrp.effects import SendGratuitousArp

NOW = Instant(1_000)


def packets(count: int) -> tuple[SendGratuitousArp, ...]:
    return tuple(
        SendGratuitousArp(interface="eth0", index=2, mac=bytes(6), address=f"10.0.{number // 256}.{number % 256}")
        for number in range(count)
    )


def test_nothing_is_due_at_first() -> None:
    announcer = Announcer()

    assert announcer.deadline is None
    assert announcer.take(NOW) == []


def test_a_block_goes_round_all_addresses_before_it_repeats_one() -> None:
    announcer = Announcer()
    announcer.announce("tic/4", Series(packets=packets(2), repeat=2), NOW)

    assert announcer.deadline == NOW
    assert announcer.take(NOW) == [*packets(2), *packets(2)]
    assert announcer.deadline is None


def test_no_more_than_a_chunk_leaves_at_once_and_then_comes_a_pause() -> None:
    announcer = Announcer()
    announcer.announce("tic/4", Series(packets=packets(CHUNK), repeat=2), NOW)
    announcer.announce("tac/4", Series(packets=packets(1), repeat=1), NOW)

    assert len(announcer.take(NOW)) == CHUNK
    assert announcer.take(NOW) == []
    assert announcer.deadline == after(NOW, PAUSE)
    assert len(announcer.take(after(NOW, PAUSE))) == CHUNK
    assert len(announcer.take(after(NOW, milliseconds(2)))) == 1


def test_cancelling_drops_what_is_queued_and_what_was_put_off_of_this_router_only() -> None:
    announcer = Announcer()
    series = Series(packets=packets(1), repeat=1, delay=seconds(5), refresh=seconds(9))
    announcer.announce("tic/4", series, NOW)
    announcer.announce("tac/4", Series(packets=packets(3), repeat=1), NOW)

    announcer.cancel("tic/4")

    assert announcer.take(NOW) == list(packets(3))
    assert announcer.deadline is None


def test_refreshing_goes_on_for_ever() -> None:
    announcer = Announcer()
    announcer.announce("tic/4", Series(packets=packets(1), repeat=0, refresh=seconds(10), refresh_repeat=3), NOW)
    moments = []

    for _ in range(3):
        assert announcer.deadline is not None
        moments.append(announcer.deadline - NOW)
        assert len(announcer.take(announcer.deadline)) == 3

    assert moments == [seconds(10), seconds(20), seconds(30)]
