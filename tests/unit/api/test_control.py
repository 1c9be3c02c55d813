import asyncio
import itertools
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from stayalived.api import control as module
from stayalived.api.commands import LINE_LIMIT, Answer, read_answer, write_answer
from stayalived.api.control import MAX_CLIENTS, MAX_CLIENTS_OF_USER, MAX_REFUSED, ROOT_RESERVE, Control, Entitled
from stayalived.api.door import Peer, peer_of, reachable
from stayalived.api.engine import AnswerClient, Asked

STAYALIVED = 900
ENTITLED = Entitled(starter=0, group=STAYALIVED, own_user=901)


class Echo:
    """Answers each line with itself; holds back what says `wait`."""

    def __init__(self) -> None:
        self.control: Control | None = None
        self.asked: list[Asked] = []
        self.came = asyncio.Event()

    def post(self, asked: Asked) -> None:
        self.asked.append(asked)
        self.came.set()
        if self.control is not None and b"wait" not in asked.line:
            data = write_answer(Answer(accepted=True, text=asked.line.decode(errors="replace").strip()))
            self.control.answer(AnswerClient(client=asked.client, data=data))


@pytest_asyncio.fixture
async def echo(tmp_path: Path) -> AsyncIterator[Echo]:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(tmp_path / "control.sock"))
    answering = Echo()
    entitled = Entitled(starter=os.getuid(), group=None, own_user=-1)
    control = Control(listening, entitled)
    control.connect(answering.post)
    answering.control = control
    async with control:
        yield answering


async def ask(folder: Path, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(folder / "control.sock"), limit=1 << 24)
    writer.write(data)
    answer = await reader.read(-1)
    writer.close()
    return answer


async def test_a_line_is_answered_with_a_line(echo: Echo, tmp_path: Path) -> None:
    answer = read_answer(await ask(tmp_path, b"hello\n"))

    assert answer == Answer(accepted=True, text="hello")
    assert [asked.may_change for asked in echo.asked] == [True]


async def test_a_line_that_comes_in_pieces_is_one_line(echo: Echo, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "control.sock"))
    for piece in (b"he", b"ll", b"o\n"):
        writer.write(piece)
        await writer.drain()

    assert read_answer(await reader.readline()).text == "hello"
    assert len(echo.asked) == 1
    writer.close()


async def test_a_line_without_an_end_is_refused_at_its_limit(echo: Echo, tmp_path: Path) -> None:
    answer = read_answer(await ask(tmp_path, b"x" * (LINE_LIMIT * 3)))

    assert not answer.accepted
    assert f"{LINE_LIMIT} bytes" in answer.text
    assert echo.asked == []


async def test_a_client_that_says_nothing_is_told_so_and_closed(
    echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_LIMIT", 0.01)

    answer = read_answer(await ask(tmp_path, b"no end of line"))

    assert not answer.accepted
    assert "no whole line came within 0.01 s" in answer.text
    assert echo.asked == []


async def test_a_client_that_does_not_read_is_dropped(
    echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_LIMIT", 0.01)
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "control.sock"), limit=1024)
    writer.write(b"wait\n")
    await echo.came.wait()
    assert echo.control is not None

    (task,) = echo.control._clients
    echo.control.answer(AnswerClient(client=echo.asked[0].client, data=b"x" * (1 << 23)))
    await task

    assert len(await reader.read(-1)) < 1 << 23
    writer.close()


async def test_a_thousand_connections_leave_room_for_root(
    echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = itertools.count()
    monkeypatch.setattr(module, "peer_of", lambda _: Peer(uid=1000 + next(users), groups=frozenset({STAYALIVED})))
    monkeypatch.setattr(module, "PART_LIMIT", 0.01)
    assert echo.control is not None
    echo.control._entitled = ENTITLED
    connections = [await asyncio.open_unix_connection(str(tmp_path / "control.sock")) for _ in range(1000)]
    refused = [await reader.readline() for reader, _ in connections[MAX_CLIENTS:]]
    assert all("try again later" in read_answer(line).text for line in refused if line)
    assert sum(bool(line) for line in refused) >= MAX_REFUSED
    assert len(echo.control._admitted) == MAX_CLIENTS - ROOT_RESERVE

    monkeypatch.setattr(module, "peer_of", lambda _: Peer(uid=0, groups=frozenset({0})))

    assert read_answer(await ask(tmp_path, b"root\n")).text == "root"
    for _, writer in connections:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in connections), return_exceptions=True)


async def test_one_user_cannot_lock_out_another(echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "peer_of", lambda _: Peer(uid=1234, groups=frozenset({STAYALIVED})))
    assert echo.control is not None
    echo.control._entitled = ENTITLED
    path = str(tmp_path / "control.sock")
    connections = [await asyncio.open_unix_connection(path) for _ in range(MAX_CLIENTS_OF_USER)]

    refused = read_answer(await ask(tmp_path, b""))
    assert f"{MAX_CLIENTS_OF_USER} connections of your user (uid 1234) are open already" in refused.text

    monkeypatch.setattr(module, "peer_of", lambda _: Peer(uid=1235, groups=frozenset({STAYALIVED})))
    assert read_answer(await ask(tmp_path, b"other\n")).text == "other"
    for _, writer in connections:
        writer.close()


async def test_strangers_are_told_who_may(echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "peer_of", lambda _: Peer(uid=1234, groups=frozenset({1234})))

    answer = read_answer(await ask(tmp_path, b"hello\n"))

    assert not answer.accepted
    assert "group stayalived" in answer.text
    assert echo.asked == []


async def test_an_answer_that_was_given_arrives_though_the_daemon_ends(echo: Echo, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "control.sock"))
    writer.write(b"wait\n")
    await echo.came.wait()
    assert echo.control is not None

    echo.control.answer(AnswerClient(client=echo.asked[0].client, data=b"stopping\n"))
    ending = asyncio.ensure_future(echo.control.__aexit__())

    assert await reader.read(-1) == b"stopping\n"
    writer.close()
    await ending


async def test_a_client_that_leaves_before_its_answer_hurts_nobody(echo: Echo, tmp_path: Path) -> None:
    _, writer = await asyncio.open_unix_connection(str(tmp_path / "control.sock"))
    writer.write(b"wait\n")
    await echo.came.wait()
    writer.close()
    assert echo.control is not None

    echo.control.answer(AnswerClient(client=echo.asked[0].client, data=b"late\n"))
    echo.control.answer(AnswerClient(client=4711, data=b"to nobody\n"))

    assert read_answer(await ask(tmp_path, b"next\n")).text == "next"


def test_who_may_look_and_who_may_change() -> None:
    root = Peer(uid=0, groups=frozenset({0}))
    operator = Peer(uid=1000, groups=frozenset({1000, STAYALIVED}))
    daemon = Peer(uid=901, groups=frozenset({STAYALIVED}))
    stranger = Peer(uid=1001, groups=frozenset({1001}))

    looking = [ENTITLED.may_ask(peer) for peer in (root, operator, daemon, stranger)]
    changing = [ENTITLED.may_change(peer) for peer in (root, operator, daemon, stranger)]

    assert looking == [True, True, True, False]
    assert changing == [True, True, False, False]
    assert [ENTITLED.may_see_secrets(peer) for peer in (root, operator, daemon, stranger)] == [
        True,
        False,
        False,
        False,
    ]


def test_without_the_group_only_root_and_the_starter_may() -> None:
    entitled = Entitled(starter=1000, group=None, own_user=65534)

    assert entitled.may_change(Peer(uid=1000, groups=frozenset()))
    assert not entitled.may_change(Peer(uid=1001, groups=frozenset({STAYALIVED})))


def test_the_peer_is_who_the_kernel_says() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = peer_of(ours)

    assert peer.uid == os.getuid()
    assert os.getgid() in peer.groups
    assert set(os.getgroups()) <= peer.groups


def test_a_socket_with_a_long_path_can_be_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listening, client:
        with reachable(folder / "control.sock") as name:
            listening.bind(name)
        listening.listen()

        with reachable(folder / "control.sock") as name:
            client.connect(name)

        assert (folder / "control.sock").is_socket()


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), reachable(tmp_path / ("x" * 120) / "control.sock"):
        pass
