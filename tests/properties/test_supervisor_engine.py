"""Whatever happens in whatever order: one process of a name, the newest of each key, everybody running in the end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stayalived.messages import control
from stayalived.messages.codec import Frame
from stayalived.messages.control import Start
from stayalived.messages.routes import unpack
from stayalived.supervisor import events as ev
from unit.supervisor.house import ALL, House, needs

Step = tuple[object, ...]
CHILDREN = (*ALL, "checker/acme")
SENDERS = {"services.check": ("checker", "checker/acme"), "vrrp.instance": ("vrrp",), "services.state": ("ipvs",)}

deaths = st.tuples(st.just("die"), st.sampled_from(CHILDREN))
waits = st.tuples(st.just("wait"), st.sampled_from([0.001, 0.4, 1.5, 4.0]))
reloads = st.tuples(st.just("reload"), st.sampled_from([CHILDREN, ALL, ("log", "api", "ipvs", "checker")]))
refusals = st.tuples(st.just("refused reload"), st.sampled_from(CHILDREN))
states = st.tuples(
    st.just("state"),
    st.sampled_from([(topic, sender) for topic, senders in SENDERS.items() for sender in senders]),
    st.sampled_from("abc"),
    st.binary(max_size=2),
)
hostile = st.tuples(
    st.just("hostile"),
    st.sampled_from(CHILDREN),
    st.sampled_from(["control.hello", "control.prepared", "control.refused", "control.parsed", "command.request", "x"]),
    st.binary(max_size=6),
)
ends = st.tuples(st.just("end of file"), st.sampled_from(CHILDREN))
steps = st.lists(st.one_of(deaths, waits, reloads, refusals, states, hostile, ends), max_size=25)


def play(house: House, step: Step) -> None:
    match step:
        case ("die", name) if name in house.kids:
            house.die(name)
        case ("wait", length):
            house.advance(length)
        case ("reload", children):
            house.reload(needs(children))
        case ("refused reload", name):
            house.refusing = {name}
            house.reload(needs(CHILDREN, objects=99))
            house.refusing = set()
        case ("state", (topic, sender), key, body) if sender in house.kids:
            house.give(ev.FrameReceived(name=sender, frame=Frame(topic, key, body)))
        case ("hostile", name, topic, body) if name in house.kids:
            house.give(ev.FrameReceived(name=name, frame=Frame(topic, "", body)))
        case ("end of file", name) if name in house.kids:
            house.give(ev.EndOfFile(name=name))


def run(sequence: list[Step]) -> House:
    house = House(needs(CHILDREN)).start()
    for step in sequence:
        play(house, step)
    return house


@settings(deadline=None, max_examples=40)
@given(steps)
def test_after_a_calm_everybody_that_is_needed_runs(sequence: list[Step]) -> None:
    house = run(sequence)
    house.advance(70, step=2)
    assert house.all_running()
    assert set(house.states()) == set(house.kids)
    assert 1 == len(house.blobs)


@settings(deadline=None, max_examples=40)
@given(steps)
def test_a_restarted_child_knows_what_one_knows_that_never_died(sequence: list[Step]) -> None:
    house = run(sequence)
    house.advance(70, step=2)
    before = {place: body for place, body in house.told("api").items() if not place[0].startswith("control.")}
    house.die("api").advance(61, step=2)
    after = house.told("api")
    for topic in SENDERS:
        newest = {key: body for (told, key), body in before.items() if told == topic and body}
        assert newest == {key: body for (told, key), body in after.items() if told == topic and body}


@settings(deadline=None, max_examples=20)
@given(steps)
def test_equal_events_have_equal_effects(sequence: list[Step]) -> None:
    assert run(sequence).effects == run(sequence).effects


@settings(deadline=None, max_examples=20)
@given(steps, st.sampled_from(ALL))
def test_a_refused_reload_changes_nothing(sequence: list[Step], name: str) -> None:
    house = run(sequence)
    house.reload(needs(CHILDREN))
    house.advance(70, step=2)
    pids = {name: (kid.pid, list(kid.commits)) for name, kid in house.kids.items()}
    play(house, ("refused reload", name))
    house.advance(1)
    assert pids == {name: (kid.pid, list(kid.commits)) for name, kid in house.kids.items()}


@settings(deadline=None, max_examples=20)
@given(steps, st.booleans())
def test_a_stop_ends_every_process_and_leaves_no_address(sequence: list[Step], leave: bool) -> None:
    house = run(sequence)
    house.give(ev.SignalReceived(order=ev.Order.STOP))
    house.advance(8)
    assert (0, {}) == (house.exit_code, house.kids)
    held = False
    for effect in house.effects:
        if isinstance(effect, ev.Send) and effect.name == "vrrp" and effect.frame.topic == "control.commit":
            held = unpack(effect.frame).start is not Start.RELEASE
        elif isinstance(effect, ev.Send) and effect.name == "vrrp" and effect.frame.topic == "control.stop":
            held = False
    assert not held


@settings(deadline=None, max_examples=20)
@given(steps)
def test_commits_follow_preparations(sequence: list[Step]) -> None:
    house = run(sequence)
    house.advance(70, step=2)
    for name, kid in house.kids.items():
        prepared = {message.generation for message in house.sent(name, control.Prepare)}
        assert {commit.generation for commit in kid.commits} <= prepared
