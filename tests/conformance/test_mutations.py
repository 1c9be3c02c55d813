"""The test of the cases: whatever is changed about a case makes it fail, and whoever does something wrong is found."""

import dataclasses
from collections.abc import Iterator

import pytest

from conformance.catalogue import CASES
from conformance.driver import Director, check
from conformance.mutants import MUTANTS
from conformance.steps import Case, Hear, HearAtOnce, Packet, Pass, Said, Sent, Step

STATES = {"BACKUP": "MASTER", "MASTER": "BACKUP", "FAULT": "BACKUP", "INIT": "BACKUP"}
NANOSECOND = 1e-9


def flipped(packet: Packet) -> Packet:
    """The packet with one bit of its priority changed."""
    data = packet.data
    return dataclasses.replace(packet, text=(data[:2] + bytes((data[2] ^ 1,)) + data[3:]).hex())


def other_sends(sends: tuple[Sent, ...]) -> Iterator[tuple[Sent, ...]]:
    for place, sent in enumerate(sends):
        for changed in (
            (),
            (dataclasses.replace(sent, at=sent.at + NANOSECOND),),
            (dataclasses.replace(sent, packet=flipped(sent.packet)),),
        ):
            yield sends[:place] + changed + sends[place + 1 :]


def other_announcements(announces: tuple[Said, ...]) -> Iterator[tuple[Said, ...]]:
    for place, said in enumerate(announces):
        for changed in ((), (dataclasses.replace(said, times=said.times - 1),)):
            yield announces[:place] + changed + announces[place + 1 :]


def other_expectations(step: Step) -> Iterator[Step]:
    """Return the step with one thing changed about what must be seen of it."""
    if step.state is not None:
        yield dataclasses.replace(step, state=STATES[step.state])
    for sends in other_sends(step.sends):
        yield dataclasses.replace(step, sends=sends)
    for announces in other_announcements(step.announces):
        yield dataclasses.replace(step, announces=announces)
    for key in ("adds", "removes"):
        if getattr(step, key):
            yield dataclasses.replace(step, **{key: getattr(step, key)[1:]})
    if step.logs:
        yield dataclasses.replace(step, logs=("words that nobody would ever write",))


def without_a_stimulus(step: Step) -> Iterator[tuple[Step, ...]]:
    """Return the step without something that happens in it."""
    if isinstance(step, Hear):
        yield (Pass(0),)
    elif isinstance(step, HearAtOnce):
        for place in range(len(step.packets)):
            yield (dataclasses.replace(step, packets=step.packets[:place] + step.packets[place + 1 :]),)


def mutations(case: Case) -> Iterator[tuple[str, Case]]:
    """Return all cases that differ from one in one thing, and must not pass."""
    for place, step in enumerate(case.story):
        before, after = case.story[:place], case.story[place + 1 :]
        for changed in other_expectations(step):
            yield f"step {place + 1}: {changed}", dataclasses.replace(case, story=(*before, changed, *after))
        for steps in without_a_stimulus(step):
            yield f"step {place + 1}: {steps}", dataclasses.replace(case, story=(*before, *steps, *after))
    for name, count in case.counted.items():
        yield f"{name}: one more", dataclasses.replace(case, counted={**case.counted, name: count + 1})


def passes(case: Case, director: type[Director] = Director) -> bool:
    try:
        check(case, director)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("name", CASES)
def test_a_case_fails_when_anything_about_it_is_changed(name: str) -> None:
    changed = dict(mutations(CASES[name]))

    assert [what for what, case in changed.items() if passes(case)] == []
    assert changed


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_whoever_does_something_wrong_is_found(mutant: type[Director]) -> None:
    assert any(not passes(case, mutant) for case in CASES.values())


def test_there_are_as_many_mutants_as_were_written() -> None:
    assert len(MUTANTS) >= 70
