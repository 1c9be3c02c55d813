"""Whatever verdicts, drifts, refusals and restarts come: in the end the table is that of configuration and health."""

import errno

from hypothesis import given, settings
from hypothesis import strategies as st

from stayalived.addresses import Endpoint
from stayalived.ipvs.engine import IpvsEngine
from stayalived.ipvs.health import Health, State
from stayalived.ipvs.model import Operation
from stayalived.ipvs.plan import plan
from stayalived.ipvs.projection import Standing, project
from stayalived.ipvs.quorum import Quorum
from stayalived.messages.control import Start
from stayalived.timing import seconds
from unit.ipvs.build import Director, configuration, server, service

NAMES = ("one", "two", "three")
SERVERS = tuple(server(name, f"192.0.2.{10 + number}", weight=1 + number) for number, name in enumerate(NAMES))
WEB = service(*SERVERS, quorum=3, hysteresis=1, sorry_servers=(Endpoint("192.0.2.99", 80),))

verdicts = st.tuples(st.just("verdict"), st.sampled_from(NAMES), st.booleans())
weights = st.tuples(st.just("weight"), st.sampled_from(NAMES), st.integers(-3, 3))
others = st.tuples(st.sampled_from(["drift", "refusal", "respawn", "wait"]), st.just(""), st.just(0))
stories = st.lists(verdicts | weights | others, max_size=25)


def tell(director: Director, up: dict[str, bool], delta: dict[str, int]) -> None:
    for name, state in up.items():
        director.hear(f"web/{name}", state, weight=delta.get(name, 0))


@settings(max_examples=150, deadline=None)
@given(stories)
def test_the_table_follows_health(story: list[tuple[str, str, int]]) -> None:
    director = Director()
    director.start(configuration(WEB))
    up: dict[str, bool] = {}
    delta: dict[str, int] = {}

    for kind, name, value in story:
        if kind == "verdict":
            up[name] = bool(value)
        elif kind == "weight":
            delta[name] = value
        elif kind == "drift":
            director.kernel.table.clear()
        elif kind == "refusal":
            director.kernel.refusals.extend([errno.ENOMEM, 0, errno.ENOMEM])
        elif kind == "respawn":
            states = director.told_states()
            director.engine = IpvsEngine()
            for key, state in states.items():
                director.retell(key, "services.state", state)
            tell(director, up, delta)
            director.start(configuration(WEB), Start.RESPAWNED)
        else:
            director.advance(seconds(1))
        tell(director, up, delta)
    director.kernel.refusals.clear()
    director.advance(seconds(120))

    health = {
        one.name: Health(state=State.UP if up[one.name] else State.DOWN, delta=delta.get(one.name, 0))
        if one.name in up
        else Health(state=State.UNKNOWN)
        for one in SERVERS
    }
    expected = project(WEB, Standing(servers=health, quorum=Quorum(director.state().quorum)))
    assert expected == director.kernel.table
    assert director.state().problem == ""


def test_a_thousand_services_settle_in_chunks_that_leave_the_loop_free() -> None:
    services = [
        service(
            server("one", "192.0.2.10", vs=f"s{number}"),
            name=f"s{number}",
            addresses=(f"198.51.100.1:{number + 1}",),
        )
        for number in range(1000)
    ]
    director = Director()
    director.start(configuration(*services))

    for one in services:
        director.hear(f"{one.name}/one", up=True)

    done: list[Operation] = [operation for operations in director.asked() for operation in operations]
    assert 2000 == len(done)
    assert max(len(operations) for operations in director.asked()) <= 512
    assert [] == plan(director.kernel.table, director.kernel.table, ())
