import msgspec
import pytest

from stayalived.api.document import (
    SCHEMA,
    Check,
    Child,
    Daemon,
    Document,
    Group,
    Instance,
    Router,
    Server,
    Service,
    Strays,
)
from stayalived.cli.status import show_daemon, tables_of
from stayalived.cli.tables import Table, printable, show


def router(key: str, state: str, master: str) -> Router:
    return Router(
        key=key,
        family=4,
        state=state,
        virtual_router_id=1,
        interface="eth0",
        addresses=["192.0.2.1/24"],
        advert_interval=1.0,
        master_interval=1.0,
        master=master,
        excluded=["192.0.2.9/32"],
        virtual_mac="",
        held=state == "MASTER",
        adverts_sent=1,
        adverts_received=0,
        became_master=1,
        released_master=0,
        priority_zero_sent=0,
        priority_zero_received=0,
        trailers_received=0,
        errors={},
    )


def checked(subject: str, name: str, *, up: bool | None, reason: str = "", stale: bool = False) -> Check:
    return Check(
        subject=subject,
        number=0,
        check=name,
        up=up,
        seconds=1.0,
        reason=reason,
        weight=0,
        latency=0.1,
        stale=stale,
    )


def document(*, reason: str = "", stale: bool = False) -> Document:
    check = Check(
        subject="web/a",
        number=0,
        check="http",
        up=False,
        seconds=5.0,
        reason=reason,
        weight=0,
        latency=0.1,
        stale=stale,
    )
    server = Server(
        name="web/a",
        addresses=["192.0.2.10:80"],
        state="DOWN",
        reason=reason,
        weight=-1,
        configured_weight=2,
        active=1200,
        inactive=7,
        connections_per_second=3,
        bytes_in_per_second=999,
        bytes_out_per_second=4_500_000,
        checks=[check],
    )
    service = Service(
        name="web",
        protocol="tcp",
        addresses=["192.0.2.1:80"],
        scheduler="rr",
        forward="DR",
        quorum="down",
        sorry=True,
        problem="",
        servers=[server],
    )
    instance = Instance(
        name="tic",
        state="MASTER",
        seconds=200.0,
        reason="silence",
        priority=200,
        configured_priority=250,
        group="site",
        faults=[],
        routers=[router("tic/4", "MASTER", "")],
    )
    daemon = Daemon(
        version="0.1.0",
        pid=7,
        phase="running",
        generation=2,
        accepted_at=0.0,
        refused=["a.toml:3: bad"],
        run_dir="/run/x",
        config_dir="/c",
    )
    child = Child(name="vrrp", pid=8, state="RUNNING", seconds=90061.0, restarts=0, user="stayalived", note="")
    tracked = Check(
        subject="track:answers",
        number=0,
        check="answers",
        up=None,
        seconds=1,
        reason="",
        weight=0,
        latency=0,
        stale=False,
    )
    return Document(
        schema=SCHEMA,
        daemon=daemon,
        children=[child],
        instances=[instance],
        strays=[Strays(interface="eth0", errors={"unknown_vrid_9": 4, "length": 1})],
        groups=[Group(name="site", state="MASTER", seconds=200.0, reason="silence", instances=["tic", "tac"])],
        services=[service],
        tracked=[tracked],
        first_round=True,
    )


def rows(status: Document) -> dict[str, list[tuple[str, ...]]]:
    return {table.heading: list(table.rows) for table in tables_of(status)}


def test_each_kind_of_object_has_a_table() -> None:
    shown = rows(document(reason="status: 503, expected 200-299"))

    assert list(shown) == [
        "instances",
        "sync groups",
        "VRRP for nobody here",
        "services",
        "servers",
        "tracked",
        "notify",
        "processes",
    ]
    assert shown["VRRP for nobody here"] == [("eth0", "length 1, unknown_vrid_9 4")]
    addresses = "192.0.2.1/24 192.0.2.9/32"
    assert shown["instances"] == [("tic/4", "MASTER", "3m20s", "200 (250)", "1", "eth0", "-", addresses, "silence")]
    assert shown["sync groups"] == [("site", "MASTER", "3m20s", "tic tac", "silence")]
    traffic = ("1.2k", "7", "3", "999", "4.5M")
    assert shown["services"] == [("web", "tcp 192.0.2.1:80", "rr", "DR", "down", "0/1", *traffic, "in use", "")]
    reason = "status: 503, expected 200-299"
    assert shown["servers"] == [("web/a", "DOWN", "- (2)", *traffic, "192.0.2.10:80", reason)]
    assert shown["tracked"] == [("track:answers", "answers", "UNKNOWN", "1.0s", "")]
    assert shown["processes"] == [("vrrp", "8", "RUNNING", "1d01h", "0", "stayalived", "")]


def test_checks_that_sleep_are_shown() -> None:
    status = document()
    asleep = msgspec.structs.replace(status.services[0], suspended=True)

    (row,) = rows(msgspec.structs.replace(status, services=[asleep]))["services"]

    assert row[4] == "down, checks asleep"


def test_a_stale_tracked_check_is_marked() -> None:
    status = document()
    stale = msgspec.structs.replace(status.tracked[0], reason="connect", stale=True)

    (row,) = rows(msgspec.structs.replace(status, tracked=[stale]))["tracked"]

    assert row[-1] == "connect (stale)"


def test_a_stale_verdict_is_marked() -> None:
    (server,) = rows(document(reason="connect", stale=True))["servers"]

    assert server[-1] == "connect (stale)"


def test_tables_have_as_many_cells_as_columns() -> None:
    for table in tables_of(document()):
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_daemon_says_its_phase_the_open_round_and_the_last_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    show_daemon(document())

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stayalived 0.1.0, running, pid 7, generation 2 of ")
    assert lines[1].startswith("the first round of checks is still open")
    assert lines[2] == "refused: a.toml:3: bad"


def test_columns_are_aligned_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(Table(heading="things", columns=("NAME", "N"), rows=[("a", "1"), ("longer", "22")]))

    assert capsys.readouterr().out == "things:\n  NAME    N\n  a       1\n  longer  22\n"


def test_a_table_without_rows_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    show(Table(heading="things", columns=("NAME",), rows=[]))

    assert capsys.readouterr().out == ""


def test_what_a_server_answered_cannot_drive_the_terminal() -> None:
    assert printable("\x1b[2J\x07ok\n") == "\ufffd[2J\ufffdok\ufffd"
