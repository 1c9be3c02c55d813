from stayalived.child.repeats import COUNT_WINDOW, NAMED, Repeats
from stayalived.timing import Instant, after, seconds

START = Instant(1_000)
MINUTE = after(START, COUNT_WINDOW)


def told(repeats: Repeats, kind: str, times: int = 1) -> list[bool]:
    return [repeats.admit(kind, START) for _ in range(times)]


def test_the_first_line_of_a_class_is_written_and_no_other() -> None:
    repeats = Repeats()

    assert [True, False, False] == told(repeats, "tic/4 ttl", 3)
    assert [True] == told(repeats, "tic/4 checksum")


def test_what_was_held_back_is_counted_after_a_minute_in_one_line() -> None:
    repeats = Repeats()
    told(repeats, "tic/4 ttl", 3)
    told(repeats, "tic/4 checksum", 2)

    assert MINUTE == repeats.deadline
    assert "" == repeats.count(Instant(MINUTE - 1))
    assert "3 lines like earlier ones were held back (tic/4 ttl: 2, tic/4 checksum: 1)" == repeats.count(MINUTE)
    assert "" == repeats.count(after(MINUTE, COUNT_WINDOW))


def test_nothing_is_due_while_nothing_is_held_back() -> None:
    repeats = Repeats()
    told(repeats, "tic/4 ttl")

    assert repeats.deadline is None
    assert "" == repeats.count(after(MINUTE, seconds(1_000)))


def test_a_class_that_is_forgotten_is_written_again_and_its_count_is_kept() -> None:
    repeats = Repeats()
    told(repeats, "tic/4 ttl", 3)
    told(repeats, "tac/4 ttl", 2)

    repeats.forget("tic/4 ")

    assert [True, False] == told(repeats, "tic/4 ttl", 2)
    assert [False] == told(repeats, "tac/4 ttl")
    assert "5 lines like earlier ones were held back (tic/4 ttl: 3, tac/4 ttl: 2)" == repeats.count(MINUTE)


def test_what_is_forgotten_for_good_is_counted_too() -> None:
    repeats = Repeats()
    told(repeats, "tic/4 ttl", 3)
    repeats.forget("tic/4 ")

    assert "2 lines like earlier ones were held back (tic/4 ttl: 2)" == repeats.count(MINUTE)


def test_a_count_of_many_classes_names_the_greatest() -> None:
    repeats = Repeats()
    for number in range(NAMED + 5):
        told(repeats, f"router{number:02} ttl", number + 2)

    line = repeats.count(MINUTE)

    assert line.startswith("120 lines like earlier ones were held back (router14 ttl: 15, router13 ttl: 14, ")
    assert line.endswith("router05 ttl: 6, and 5 classes more)")
