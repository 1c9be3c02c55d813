import gc

import msgspec
import pytest

from stayalived.child import events
from stayalived.child.conversation import Conversation
from stayalived.config import model
from stayalived.config.problems import Problem
from stayalived.config.virtual_routers import VrrpInstance
from stayalived.errors import Bug
from stayalived.messages import control
from stayalived.messages.codec import BadFrame, Frame
from stayalived.messages.control import Message, Start
from stayalived.messages.routes import forget, pack
from stayalived.messages.services import FirstRound
from stayalived.timing import seconds

GLOBALS = model.Globals(
    router_id="x", host_id="x", child_wait_time=seconds(5), script_user="", start_hold=seconds(0), start_rate=1000,
    dynamic_interfaces=False, realtime=False, flush=False, log="stderr", log_facility="daemon", log_level="info",
)  # fmt: skip
EMPTY = model.Configuration(
    globals=GLOBALS, instances=(), virtual_servers=(), tracked_checks=(), actions=(), distributions=()
)
WARNING = Problem(path="a", expected="b", warning=True)
ERROR = Problem(path="a", expected="b")


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def test_a_configuration_is_prepared(talk: Conversation) -> None:
    event = talk.frames_in(pack(control.Prepare(generation=3)), model.encode(EMPTY))
    assert events.Prepare(generation=3, configuration=EMPTY) == event


def test_a_prepare_without_a_configuration_is_no_frame(talk: Conversation) -> None:
    with pytest.raises(BadFrame, match="no configuration"):
        talk.frames_in(pack(control.Prepare(generation=3)))


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", b"\x93\x01\x02\x03"])
def test_a_configuration_that_is_none_is_a_bug(talk: Conversation, data: bytes) -> None:
    with pytest.raises(Bug):
        talk.frames_in(pack(control.Prepare(generation=3)), data)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (control.Commit(generation=1, start=Start.RELEASE), events.Commit(generation=1, start=Start.RELEASE)),
        (control.Abort(generation=1), events.Abort(generation=1)),
        (control.Stop(leave=True), events.Stop(leave=True)),
    ],
)
def test_control_becomes_events(talk: Conversation, message: Message, event: events.ChildEvent) -> None:
    assert event == talk.frames_in(pack(message))


def test_another_childs_state_is_received_with_its_sender(talk: Conversation) -> None:
    message = FirstRound(open=True)
    expected = events.Received(topic="services.round", key="", sender="ipvs", message=message)
    assert expected == talk.frames_in(pack(message, peer="ipvs"))


def test_a_key_that_is_gone_is_received_as_nothing(talk: Conversation) -> None:
    event = talk.frames_in(Frame("services.round", "k", b"", "ipvs"))
    assert events.Received(topic="services.round", key="k", sender="ipvs", message=None) == event


@pytest.mark.parametrize(
    "frame",
    [
        Frame("control.stop"),
        Frame("control.commit", "", b"\xc1"),
        Frame("nothing", "", b"x"),
        Frame("event", "", b"\x01"),
    ],
)
def test_bodies_that_are_none_raise_the_one_error(talk: Conversation, frame: Frame) -> None:
    with pytest.raises(BadFrame):
        talk.frames_in(frame)


def test_warnings_are_an_acceptance_and_errors_a_refusal(talk: Conversation) -> None:
    accepted = talk.frame_for(events.AnswerPrepared(generation=1, problems=(WARNING,)))
    refused = talk.frame_for(events.AnswerPrepared(generation=1, problems=(WARNING, ERROR)))
    assert pack(control.Prepared(generation=1, warnings=(WARNING,))) == accepted
    assert pack(control.Refused(generation=1, problems=(WARNING, ERROR))) == refused


def test_what_is_told_becomes_a_frame(talk: Conversation) -> None:
    effect = events.Tell(message=FirstRound(open=True), key="k", to="vrrp", sequence=4)
    assert pack(FirstRound(open=True), key="k", peer="vrrp", sequence=4) == talk.frame_for(effect)


def test_what_is_forgotten_becomes_an_empty_frame(talk: Conversation) -> None:
    assert forget(FirstRound, "k") == talk.frame_for(events.Forget(message=FirstRound, key="k"))


def test_the_end_is_said_and_a_report_stays_here(talk: Conversation) -> None:
    assert pack(control.Stopped()) == talk.frame_for(events.Finished())
    assert talk.frame_for(events.Report(level=20, text="x")) is None


def test_who_needs_no_more_is_given_globals_alone() -> None:
    instance = VrrpInstance(name="site", interface="eth0", priority=100, split=False, routers=())
    whole = msgspec.structs.replace(EMPTY, instances=(instance,))
    frame = pack(control.Prepare(generation=1))

    brief = Conversation(model.decode_globals).frames_in(frame, model.encode(whole))

    assert events.Prepare(generation=1, configuration=EMPTY) == brief
    assert events.Prepare(generation=1, configuration=whole) == Conversation().frames_in(frame, model.encode(whole))


def test_garbage_is_looked_for_again_after_a_configuration(talk: Conversation) -> None:
    with pytest.raises(Bug):
        talk.frames_in(pack(control.Prepare(generation=3)), b"none")

    assert gc.isenabled()
