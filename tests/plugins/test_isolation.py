"""A third-party distribution that misbehaves costs its own verdicts: nobody else's, and not in silence."""

import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec
import pytest

from checker_kit import check, configuration
from plugins.checker_process import CheckerProcess, pump, pump_for
from plugins.real_server import RealServer
from stayalived.config.model import Check
from stayalived.messages import control
from stayalived.timing import milliseconds, seconds

Start = Callable[[str], CheckerProcess]
PERIOD = 0.1
SLOT = 0.01
MARGIN = 0.05
LOOKS = 3
OBSERVED = 1.5
"""Seconds during which the checks of the others are looked at."""


@pytest.fixture
def server() -> Iterator[RealServer]:
    server = RealServer()
    yield server
    server.go_away()


def foreign(distribution: str, kind: str, server: RealServer, **options: object) -> Check:
    return check(
        f"foreign/{kind}{options.get('how', '')}",
        target=str(server.endpoint),
        type=kind,
        distribution=distribution,
        options=msgspec.msgpack.encode(options),
        delay_loop=milliseconds(100),
        connect_timeout=milliseconds(100),
    )


def bundled(server: RealServer) -> Check:
    return check(
        target=str(server.endpoint), delay_loop=milliseconds(1000 * PERIOD), connect_timeout=seconds(1), retry=0
    )


def run_beside(checker: Start, *misbehaving: Check) -> tuple[CheckerProcess, CheckerProcess, RealServer]:
    """Run the bundled checker and a distribution's, both with the same configuration, for a while."""
    own = RealServer()
    ours, theirs = checker("checker"), checker(f"checker/{misbehaving[0].distribution}")
    both = configuration(bundled(own), *misbehaving)
    ours.begin(both)
    pump([ours, theirs], lambda: bool(ours.states))
    theirs.begin(both)
    pump_for([ours, theirs], OBSERVED)
    return ours, theirs, own


def expect_undisturbed(ours: CheckerProcess, theirs: CheckerProcess, own: RealServer) -> None:
    """Check that no bundled check came late, and that a server's death and return are told as soon as ever.

    What a plugin does to others it does always; a busy machine does it now and then: the best of a few looks counts.
    """
    assert min(_worst_gap(ours, theirs, own, look) for look in range(LOOKS)) <= PERIOD + SLOT + MARGIN
    assert min(_slowest_news(ours, theirs, own) for _ in range(LOOKS)) <= PERIOD + SLOT + MARGIN
    own.go_away()


def _worst_gap(ours: CheckerProcess, theirs: CheckerProcess, own: RealServer, look: int) -> float:
    """Return the longest time between two probes of the bundled check, of those so far or of a further while."""
    if look:
        own.asked_at.clear()
        pump_for([ours, theirs], OBSERVED / LOOKS)
    gaps = [later - earlier for earlier, later in pairwise(own.asked_at)]
    return max(gaps) if len(gaps) >= 3 else math.inf


def _slowest_news(ours: CheckerProcess, theirs: CheckerProcess, own: RealServer) -> float:
    """Return how long it takes at most to tell that a server has gone and that it has come back."""
    slowest = 0.0
    for action, up in ((own.go_away, False), (own.come_back, True)):
        before = time.monotonic()
        action()
        pump([ours, theirs], lambda up=up: ours.states["web/one#0"].up is up)
        slowest = max(slowest, time.monotonic() - before)
    return slowest


def expect_said(process: CheckerProcess, *texts: str) -> None:
    """Wait until each text stands in a process's log."""
    for text in texts:
        pump([process], lambda text=text: text in process.log)


@pytest.mark.parametrize(
    ("distribution", "kind", "options"), [("greeting", "greeting", {"word": "HELLO"}), ("polite", "polite", {})]
)
def test_one_that_works_gives_verdicts_on_its_servers(
    checker: Start, server: RealServer, distribution: str, kind: str, options: dict[str, str]
) -> None:
    one = foreign(distribution, kind, server, **options)
    process = checker(f"checker/{distribution}")
    process.begin(configuration(one, bundled(server)))
    pump([process], lambda: process.states[one.key].up is True if process.states else False)
    server.go_away()
    pump([process], lambda: process.states[one.key].up is False)
    server.come_back()
    pump([process], lambda: process.states[one.key].up is True)
    assert set(process.states) == {one.key}, "the bundled check runs elsewhere"
    assert process.events == []
    assert process.stop() == 0
    assert "ERROR" not in process.log


def test_one_that_raises(checker: Start, server: RealServer) -> None:
    ways = [foreign("raising", "raising", server, how=how) for how in ("raise", "exit", "interrupt", "nonsense")]
    ours, theirs, own = run_beside(checker, *ways, foreign("raising", "raising-steps", server))
    expect_undisturbed(ours, theirs, own)
    assert {None} == {state.up for state in theirs.states.values()}, "what a plugin raises is no verdict"
    expect_said(
        theirs,
        "Plugin raising: check raising failed: ValueError: this plugin is broken",
        "Plugin raising: check raising failed: raised SystemExit",
        "Plugin raising: check raising failed: raised KeyboardInterrupt",
        "Plugin raising: check raising failed: answered 'up'; a check answers a Verdict",
        "Plugin raising: check raising-steps failed: SystemExit: 3",
    )
    assert {"raising"} == {event.subject for event in theirs.events}
    assert theirs.stop() == 0


def test_one_that_hangs(checker: Start, server: RealServer) -> None:
    hanging, stubborn = foreign("hanging", "hanging", server), foreign("hanging", "stubborn", server)
    ours, theirs, own = run_beside(checker, hanging, stubborn)
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, "Plugin hanging: check stubborn failed: its last run has not ended")
    assert {hanging.key: False, stubborn.key: None} == {key: state.up for key, state in theirs.states.items()}
    assert theirs.states[hanging.key].reason == "probe: no verdict within 300 ms"
    assert theirs.stop() == 0


@pytest.mark.parametrize(("kind", "place"), [("blocking", "block"), ("busy", "steps")])
def test_one_that_blocks_its_loop_is_named_with_its_stack_while_it_does(
    checker: Start, server: RealServer, kind: str, place: str
) -> None:
    ours, theirs, own = run_beside(checker, foreign("blocking", kind, server))
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, f"checker/blocking: check {kind} at {server.endpoint} keeps the loop for more than 100 ms")
    expect_said(theirs, "blocking.py")
    expect_said(theirs, f"in {'probe' if kind == 'blocking' else place}")
    assert time.monotonic() - theirs.alive_at > 1.0, "it is silent: the supervisor's to replace"


def test_one_that_leaks_sockets(checker: Start, server: RealServer) -> None:
    victim = foreign("leaking", "socket-leak", server)
    ours, theirs, own = run_beside(checker, victim)
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, "Checks of leaking cannot be made on this machine: OSError: [Errno 24] Too many open files")
    assert theirs.states[victim.key].up is True, "the verdict of before stays"


def test_one_that_leaks_memory(checker: Start, server: RealServer) -> None:
    victim = foreign("leaking", "memory-leak", server)
    ours, theirs, own = run_beside(checker, victim)
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, "Plugin leaking: check memory-leak failed: MemoryError")
    assert theirs.states[victim.key].up is True, "the verdict of before stays"


def test_one_that_leaves_tasks_behind(checker: Start, server: RealServer) -> None:
    victim = foreign("leaking", "task-leak", server)
    ours, theirs, own = run_beside(checker, victim)
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, "Plugin leaking: check task-leak failed: 10000 tasks run already")
    assert theirs.states[victim.key].up is True, "the verdict of before stays"
    assert theirs.stop() == 0


def test_one_that_cannot_be_imported(checker: Start, server: RealServer) -> None:
    ours, theirs, own = run_beside(checker, foreign("unimportable", "anything", server))
    expect_undisturbed(ours, theirs, own)
    expect_said(theirs, "import of unimportable failed: ModuleNotFoundError")
    expect_said(theirs, "Plugin unimportable: check anything failed: unimportable brings no check type anything here")
    (state,) = theirs.states.values()
    assert (state.up, state.reason.startswith("not checked yet: unimportable brings no check type")) == (None, True)
    assert theirs.stop() == 0


def test_the_death_of_the_supervisor_ends_a_checker(checker: Start, server: RealServer) -> None:
    process = checker("checker")
    process.begin(configuration(bundled(server)))
    pump([process], lambda: bool(process.states))
    process.link.close()
    assert process._process.wait(5) == 0


def test_a_respawned_checker_says_nothing_until_something_changes(checker: Start, server: RealServer) -> None:
    one = bundled(server)
    first = checker("checker")
    first.begin(configuration(one))
    pump([first], lambda: bool(first.states))
    first.kill()
    from stayalived.messages.routes import pack

    second = checker("checker")
    second.link.send(pack(first.states[one.key], key=one.key, peer="checker"))
    second.begin(configuration(one), control.Start.RESPAWNED)
    asked = len(server.asked_at)
    pump([second], lambda: len(server.asked_at) > asked + 3)
    assert second.states == {}
    server.go_away()
    pump([second], lambda: bool(second.states))
    assert second.states[one.key].up is False
    server.come_back()
