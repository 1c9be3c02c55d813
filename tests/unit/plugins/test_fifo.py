import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from configuration_kit import good
from plain_configuration import configuration
from stayalived.config.model import Configuration
from stayalived.plugin import Event, Outcome, Program
from stayalived_plugins.notifiers import fifo
from stayalived_plugins.notifiers.fifo import Fifo, lines
from stayalived_plugins.notifiers.places import Places

EVENT = Event(
    sequence=7,
    kind="master",
    subject_type="instance",
    subject="tic",
    old="BACKUP",
    new="MASTER",
    reason="no advert",
    priority=200,
    monotonic=1,
)
SERVICES = """
[virtual_server.web]
address = ["192.0.2.1:80", "[2001:db8::1]:80"]
protocol = "tcp"

[virtual_server.web.real_server.a]
address = ["192.0.2.11", "2001:db8::11"]

[virtual_server.marked]
fwmark = 7

[virtual_server.marked.real_server.a]
address = "192.0.2.11:53"
"""


def changed(**changes: Any) -> Event:
    return msgspec.structs.replace(EVENT, **changes)


def places(*texts: str) -> Places:
    found = Places()
    for text in texts:
        found.learn(good(text))
    return found


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, b'INSTANCE "tic" MASTER 200\n'),
        ({"kind": "backup"}, b'INSTANCE "tic" BACKUP 200\n'),
        ({"kind": "fault"}, b'INSTANCE "tic" FAULT 200\n'),
        ({"kind": "stop"}, b'INSTANCE "tic" STOP 200\n'),
        ({"kind": "deleted"}, b'INSTANCE "tic" DELETED 200\n'),
        ({"kind": "lower_priority"}, b'INSTANCE "tic" MASTER_RX_LOWER_PRI 200\n'),
        ({"kind": "priority", "new": "MASTER"}, b'INSTANCE "tic" MASTER_PRIORITY 200\n'),
        ({"kind": "priority", "new": "BACKUP"}, b'INSTANCE "tic" BACKUP_PRIORITY 200\n'),
        ({"subject_type": "group", "subject": "both"}, b'GROUP "both" MASTER 0\n'),
    ],
)
def test_instances_and_groups_have_keepalived_s_line(changes: dict[str, Any], line: bytes) -> None:
    assert lines(changed(**changes), Places()) == [line]


def test_servers_have_a_line_for_each_address_of_the_service() -> None:
    found = places(SERVICES)

    up = changed(subject_type="real_server", subject="web/a", kind="up")
    assert lines(up, found) == [
        b"RS [192.0.2.11]:tcp:80 [192.0.2.1]:tcp:80 UP\n",
        b"RS [2001:db8::11]:tcp:80 [2001:db8::1]:tcp:80 UP\n",
    ]
    down = changed(subject_type="virtual_server", subject="web", kind="quorum_down")
    assert lines(down, found) == [b"VS [192.0.2.1]:tcp:80 DOWN\n", b"VS [2001:db8::1]:tcp:80 DOWN\n"]
    marked = changed(subject_type="real_server", subject="marked/a", kind="down")
    assert lines(marked, found) == [b"RS [192.0.2.11]:none:53 FWM 7 DOWN\n"]


def test_a_server_that_a_reload_removed_is_known_for_its_last_line() -> None:
    gone = changed(subject_type="virtual_server", subject="marked", kind="quorum_down")
    less = SERVICES.partition("[virtual_server.marked]")[0]

    assert lines(gone, places(SERVICES, less)) == [b"VS FWM 7 DOWN\n"]
    assert lines(gone, places(SERVICES, less, less.replace("web", "site"))) == []


@pytest.mark.parametrize(
    "changes", [{"kind": "nonsense"}, {"subject_type": "real_server", "subject": "web/a", "kind": "drain"}]
)
def test_what_keepalived_does_not_have_has_no_line(changes: dict[str, Any]) -> None:
    assert lines(changed(**changes), places(SERVICES)) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fifo": "events"}, "fifo must be a whole path"),
        ({"fifo": "/a", "command": ["read"]}, "command must begin with"),
    ],
)
def test_what_could_never_be_opened_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        msgspec.convert(options, Fifo.Options)


def test_the_reader_gets_the_path_as_its_last_argument() -> None:
    once = Fifo.Options(fifo="/run/events", command=("/bin/read", "-v"))

    assert once.command == ("/bin/read", "-v", "/run/events")
    assert Fifo.Options(fifo="/run/events", command=once.command).command == once.command


def test_keepalived_s_keys_mean_three_fifos() -> None:
    common = {
        "notify_fifo": "/run/all",
        "notify_fifo_script": "/bin/read -v",
        "vrrp_notify_fifo": "/run/vrrp",
        "vrrp_notify_fifo_script": {"command": ["/bin/read"], "user": "nobody"},
        "lvs_notify_fifo": "/run/lvs",
        "lvs_notify_fifo_script": ["/bin/read"],
    }

    assert dict(Fifo.implied(common)) == {
        "notify_fifo": {"fifo": "/run/all", "about": "all", "command": ["/bin/read", "-v"]},
        "vrrp_notify_fifo": {"fifo": "/run/vrrp", "about": "vrrp", "command": ["/bin/read"], "user": "nobody"},
        "lvs_notify_fifo": {"fifo": "/run/lvs", "about": "lvs", "command": ["/bin/read"]},
    }
    assert dict(Fifo.implied({"notify_fifo_script": "/bin/read"})) == {}


class House:
    """A room whose programs end at once."""

    configuration: Configuration = configuration()

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self.log: list[str] = []
        self.shared: dict[Any, Any] = {}

    def share(self, key: Any, make: Callable[[], Any]) -> Any:
        return self.shared.setdefault(key, None) or self.shared.update({key: make()}) or self.shared[key]

    def report(self, text: str) -> None:
        self.log.append(text)

    async def run(self, program: Program) -> Outcome:
        self.programs.append(program)
        return Outcome(status=3, signal=0, output=b"", problem="")


async def test_a_fifo_is_told_what_it_is_about_and_two_actions_share_it(tmp_path: Path) -> None:
    path = tmp_path / "events"
    house = House()
    actions = [Fifo(Fifo.Options(fifo=str(path), about="vrrp")) for _ in range(2)]
    for action in actions:
        action.open(house)  # type: ignore[arg-type]  # as much of a room as a FIFO needs
    reader = path.open("rb", buffering=0)

    await actions[0].notify(EVENT, None)  # type: ignore[arg-type]  # it uses no tools
    await actions[1].notify(changed(subject_type="virtual_server", subject="web", kind="quorum_up"), None)  # type: ignore[arg-type]  # the same
    assert reader.read(100) == b'INSTANCE "tic" MASTER 200\n'
    await actions[0].close()
    await actions[1].notify(changed(kind="stop"), None)  # type: ignore[arg-type]  # the same
    assert reader.read(100) == b'INSTANCE "tic" STOP 200\n'
    await actions[1].close()

    assert reader.read(100) == b""
    reader.close()
    assert house.log == []


async def test_a_reader_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fifo, "FIRST_PAUSE", 0.001)
    house = House()
    path = str(tmp_path / "events")
    action = Fifo(Fifo.Options(fifo=path, command=("/bin/read",), user="nobody"))

    action.open(house)  # type: ignore[arg-type]  # as much of a room as a FIFO needs
    async with asyncio.timeout(2):
        while len(house.programs) < 3:  # noqa: ASYNC110  (what is waited for is the action's own timer)
            await asyncio.sleep(0)
    await action.close()

    assert {(program.argv, program.user) for program in house.programs} == {(("/bin/read", path), "nobody")}
    assert house.log[0] == f"/bin/read, which reads {path}: exit status 3; it is started again"


def implied_by(**keys: Any) -> dict[str, Any]:
    [(_, table)] = Fifo.implied({"notify_fifo": "/run/events", **keys})
    return dict(table)


def test_priorities_are_told_where_that_is_asked_for() -> None:
    assert "on" not in implied_by()
    assert set(implied_by(vrrp_notify_priority_changes=True)["on"]) == {*Fifo.usual, "priority"}


@pytest.mark.parametrize(("wanted", "line"), [(True, b'INSTANCE "tic" MASTER 200\n'), (False, None)])
async def test_states_are_told_again_where_that_is_asked_for(tmp_path: Path, wanted: bool, line: bytes | None) -> None:
    assert implied_by(fifo_write_vrrp_states_on_reload=wanted).get("states_on_reload", False) is wanted
    path = tmp_path / "events"
    told = Fifo(Fifo.Options(fifo=str(path), about="vrrp", states_on_reload=wanted))
    told.open(House())  # type: ignore[arg-type]  # as much of a room as a FIFO needs
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    told.restate(EVENT)

    if line is None:
        with pytest.raises(BlockingIOError):
            os.read(reader, 100)
    else:
        assert os.read(reader, 100) == line
    await told.close()
    os.close(reader)
