from plain_configuration import action
from plain_event import plain_event
from stayalived.child.events import Forget, Tell
from stayalived.config.model import Action
from stayalived.messages.services import Override
from stayalived.notify.levels import Levels
from stayalived.plugin.notifiers import Level
from stayalived.timing import Instant, after, seconds

NOW = Instant(1_000_000)
WALL = 1_700_000_000_000_000_000
OWN = action("real_server web/tic", kind="weight", on=("down",))
SECOND = action("real_server web/tic", kind="weight", on=("drain",))
EVERYWHERE = action("global", kind="weight", on=("down",))
DOWN = plain_event(
    kind="down",
    subject_type="real_server",
    subject="web/tic",
    old="UP",
    new="DOWN",
    reason="refused",
    priority=0,
    wall=WALL,
)
LEVEL = Level(server="web/tac", mode="set", value=10)
KEY = "web/tac real_server web/tic weight#0"


def levels(*actions: Action) -> Levels:
    made = Levels()
    made.use(actions or (OWN, SECOND, EVERYWHERE))
    return made


def test_a_level_names_its_server_its_action_and_its_cause() -> None:
    override = Override(
        server="web/tac", source="real_server web/tic weight#0", mode="set", value=10, reason="down of web/tic"
    )
    assert levels().hold(OWN, DOWN, LEVEL, NOW) == [Tell(message=override, key=KEY)]


def test_the_actions_of_a_subject_have_numbers_and_a_global_one_the_subject() -> None:
    made = levels()
    keys = [tell.key for one in (SECOND, EVERYWHERE) for tell in made.hold(one, DOWN, LEVEL, NOW)]
    assert keys == ["web/tac real_server web/tic weight#1", "web/tac global weight#0 for web/tic"]


def test_a_release_withdraws_what_is_held_once() -> None:
    made = levels()
    made.hold(OWN, DOWN, LEVEL, NOW)
    assert made.release(OWN, DOWN, "web/tac") == [Forget(message=Override, key=KEY)]
    assert made.release(OWN, DOWN, "web/tac") == []


def test_one_with_a_time_ends_by_itself() -> None:
    made = levels()
    [tell] = made.hold(OWN, DOWN, Level(server="web/tac", mode="add", value=-5, lasts=seconds(30)), NOW)
    assert tell.message.until == WALL + seconds(30)
    assert made.deadline == after(NOW, seconds(30))
    assert made.expire(NOW) == []
    assert made.expire(after(NOW, seconds(30))) == [Forget(message=Override, key=KEY)]
    assert made.deadline is None


def test_a_reload_without_the_action_withdraws_its_levels_and_keeps_the_others() -> None:
    made = levels()
    made.hold(OWN, DOWN, LEVEL, NOW)
    made.hold(EVERYWHERE, DOWN, LEVEL, NOW)
    assert made.use((EVERYWHERE,)) == [Forget(message=Override, key=KEY)]


def test_what_the_process_before_held_is_withdrawn_like_its_own() -> None:
    [tell] = levels().hold(OWN, DOWN, LEVEL, NOW)
    successor = Levels()
    successor.remember(tell.key, tell.message)
    assert successor.use((OWN,)) == []
    assert successor.release(OWN, DOWN, "web/tac") == [Forget(message=Override, key=KEY)]
    orphaned = Levels()
    orphaned.remember(tell.key, tell.message)
    assert orphaned.use(()) == [Forget(message=Override, key=KEY)]
