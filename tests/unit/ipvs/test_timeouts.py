"""Timeouts of connections: ours while the daemon runs, those of before afterwards."""

import errno

import pytest

from stayalived.child.events import Prepare, Tell
from stayalived.config.model import Timeouts
from stayalived.ipvs.events import FindMissing, ReadTimeouts, SetTimeouts
from stayalived.messages.control import Start
from stayalived.messages.services import FoundTimeouts
from stayalived.timing import after, seconds
from unit.ipvs.build import Director, configuration, two_servers

BEFORE = Timeouts(tcp=900, tcpfin=120, udp=300)
OURS = Timeouts(tcp=77, udp=55)
MIXED = Timeouts(tcp=77, tcpfin=120, udp=55)


@pytest.fixture
def keeping(director: Director) -> Director:
    director.start(configuration(lvs_timeouts=OURS))
    return director


def test_those_that_are_named_are_set_and_the_others_stay(keeping: Director) -> None:
    assert MIXED == keeping.kernel.kept


def test_what_was_found_is_told_before_anything_is_set(keeping: Director) -> None:
    kinds = [type(effect) for effect in keeping.effects if not isinstance(effect, FindMissing)]

    told = kinds.index(Tell)
    assert [FoundTimeouts(tcp=900, tcpfin=120, udp=300)] == keeping.told(FoundTimeouts)
    assert kinds.index(ReadTimeouts) < told < kinds.index(SetTimeouts)


def test_without_a_wish_nobody_asks(director: Director) -> None:
    director.start(two_servers())
    director.stop()

    assert [] == [one for one in director.effects if isinstance(one, ReadTimeouts | SetTimeouts)]


def test_a_stop_gives_back_what_was_found(keeping: Director) -> None:
    keeping.stop()

    assert BEFORE == keeping.kernel.kept
    assert keeping.finished


def test_a_stop_that_leaves_the_table_leaves_them(keeping: Director) -> None:
    keeping.stop(leave=True)

    assert MIXED == keeping.kernel.kept


def test_a_reload_sets_others_and_gives_back_what_it_does_not_name(keeping: Director) -> None:
    keeping.reload(configuration(lvs_timeouts=Timeouts(tcpfin=33)))
    assert Timeouts(tcp=900, tcpfin=33, udp=300) == keeping.kernel.kept

    keeping.reload(configuration())

    assert BEFORE == keeping.kernel.kept


def test_a_reload_that_wants_the_same_asks_for_nothing(keeping: Director) -> None:
    keeping.forget_effects()

    keeping.reload(configuration(lvs_timeouts=OURS, router_id="lb2"))

    assert [] == [one for one in keeping.effects if isinstance(one, ReadTimeouts | SetTimeouts)]


def test_a_replacement_knows_what_was_there_before_its_predecessor(keeping: Director) -> None:
    second = Director(keeping.kernel, now=after(keeping.now, seconds(1)))
    second.retell("", "services.timeouts", keeping.told(FoundTimeouts)[0])

    second.start(configuration(lvs_timeouts=OURS), Start.RESPAWNED)
    assert MIXED == second.kernel.kept
    assert [] == second.told(FoundTimeouts)
    second.stop()

    assert BEFORE == second.kernel.kept


def test_a_refusal_is_reported_and_tried_again_when_the_table_was_read(director: Director) -> None:
    director.kernel.refusals.append(errno.EINVAL)

    director.start(configuration(lvs_timeouts=OURS))
    assert BEFORE == director.kernel.kept
    assert ["ipvsadm --set 77 120 55: Invalid argument"] == director.reports()
    director.reload(configuration(*two_servers().virtual_servers, lvs_timeouts=OURS))

    assert MIXED == director.kernel.kept


def test_an_answer_after_the_stop_changes_nothing_any_more(director: Director) -> None:
    director.slow = True
    director.handle(Prepare(generation=1, configuration=configuration(lvs_timeouts=OURS)))
    director.start(configuration(lvs_timeouts=OURS))

    director.stop()
    director.answer()

    assert BEFORE == director.kernel.kept
