"""The checker's engine under any order of results, faults, reloads and pauses."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from checker_kit import PASSED, REFUSED, Driver, check
from stayalived.checker.probes import LocalFault, PluginFault, ProbeIdentity
from stayalived.config.model import Check
from stayalived.messages.control import Start
from stayalived.timing import milliseconds, seconds

outcomes = st.sampled_from([PASSED, REFUSED, LocalFault(text="no descriptor"), PluginFault(text="oops")])


@st.composite
def checks(draw: st.DrawFn) -> Check:
    return check(
        draw(st.sampled_from(["web/one", "web/two", "mail/one"])),
        target=draw(st.sampled_from(["192.0.2.1:80", "192.0.2.2:80"])),
        delay_loop=seconds(draw(st.sampled_from([1, 2, 5]))),
        retry=draw(st.integers(0, 2)),
        rise=draw(st.integers(1, 2)),
    )


def numbered(drawn: list[Check]) -> list[Check]:
    """Number the checks of each subject from 0, as the configuration does, those of one server side by side."""
    numbers: dict[str, int] = {}
    result = []
    for one in sorted(drawn, key=lambda one: one.subject):
        number = numbers.setdefault(one.subject, 0)
        numbers[one.subject] += 1
        result.append(check(one.subject, number, str(one.target), timing=one.timing))
    return result


configurations = st.lists(checks(), max_size=6).map(numbered)


class CheckerMachine(RuleBasedStateMachine):
    """Anything may happen at any moment; what must hold is in the invariants."""

    @initialize(wanted=configurations)
    def begin(self, wanted: list[Check]) -> None:
        self.driver = Driver()
        self.wanted = wanted
        self.driver.commit(*wanted, start_rate=0)

    @rule(wanted=configurations)
    def reload(self, wanted: list[Check]) -> None:
        self.wanted = wanted
        self.driver.commit(*wanted, start=Start.RELOAD, start_rate=0)

    @rule(length=st.sampled_from([0.01, 0.9, 1, 3, 20]))
    def wait(self, length: float) -> None:
        before = self.states()
        self.driver.pass_time(seconds(length))
        assert before == self.states(), "a verdict changed without a result"

    @rule(outcome=outcomes, latency=st.sampled_from([0, 1, 900]), choice=st.randoms(use_true_random=False))
    def end_one(self, outcome: object, latency: int, choice: object) -> None:
        if not self.driver.running:
            return
        before = self.states()
        probe = choice.choice(sorted(self.driver.running))  # type: ignore[attr-defined]  # a Random
        asked = {one.key for one in self.wanted if ProbeIdentity.of(one) == self.driver.running[probe].identity}
        self.driver.end(outcome, probe, milliseconds(latency))
        changed = {key for key, up in self.states().items() if before[key] is not up}
        assert changed <= asked, "a verdict changed without a result of its own"
        assert not changed or outcome in (PASSED, REFUSED), "a fault changed a verdict"

    @invariant()
    def one_probe_for_each_question(self) -> None:
        questions = {ProbeIdentity.of(one) for one in self.wanted}
        assert questions == {probe.identity for probe in self.driver.engine.registry.probes.values()}
        assert len(questions) == len(self.driver.engine.registry.probes)

    @invariant()
    def what_runs_or_waits_is_every_probe_once(self) -> None:
        engine = self.driver.engine
        waiting = {number for number in engine.registry.probes if number in engine._due}
        assert waiting.isdisjoint(self.driver.running)
        assert waiting | set(self.driver.running) == set(engine.registry.probes)

    @invariant()
    def what_was_told_is_what_is(self) -> None:
        told = {key: state.up for key, state in self.driver.states.items()}
        assert set(told) <= {one.key for one in self.wanted}
        assert self.states() == {key: told.get(key) for key in self.states()}

    def states(self) -> dict[str, bool | None]:
        return {key: one.up for key, one in self.driver.engine.registry.subscribers.items()}


CheckerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestChecker = CheckerMachine.TestCase


@given(wanted=configurations)
def test_checks_of_the_same_question_are_one_probe(wanted: list[Check]) -> None:
    driver = Driver()
    driver.commit(*wanted, start_rate=0)
    driver.pass_time(milliseconds(10))
    assert len(driver.running) == len({ProbeIdentity.of(one) for one in wanted})
