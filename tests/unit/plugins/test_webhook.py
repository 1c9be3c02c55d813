import asyncio
import hmac
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from http_hook import Hook
from plain_configuration import configuration
from stayalived.plugin import Event, Outcome, PluginFailure, Program, Secret
from stayalived.plugin.catalogue import Provided, encode_options
from stayalived_plugins.notifiers import webhook
from stayalived_plugins.notifiers.http_post import NoAnswer, Place, post
from stayalived_plugins.notifiers.webhook import MOST_WAITING, Webhook

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


class House:
    """A room that keeps what is reported."""

    configuration = configuration()
    folder = Path("/nowhere")

    def __init__(self) -> None:
        self.log: list[str] = []

    def share(self, key: Any, make: Callable[[], Any]) -> Any:
        return make()

    def report(self, text: str) -> None:
        self.log.append(text)

    async def run(self, program: Program) -> Outcome:
        raise AssertionError(program)


def hook_action(url: str, **options: Any) -> Webhook:
    given = {"url": url, **options}
    return Webhook(msgspec.convert(given, Webhook.Options, dec_hook=lambda _, value: Secret(value)))


def changed(**changes: Any) -> Event:
    return msgspec.structs.replace(EVENT, **changes)


@asynccontextmanager
async def telling(action: Webhook) -> AsyncIterator[House]:
    house = House()
    action.open(house)
    yield house
    await action.close()


async def tell(action: Webhook, *events: Event) -> None:
    for event in events:
        await action.notify(event, None)  # type: ignore[arg-type]  # it uses no tools


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  (what is waited for comes over a socket)
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(webhook, "FLUSH_PATIENCE", 0.5)


async def test_an_event_is_posted_as_json_and_signed() -> None:
    with Hook() as hook:
        action = hook_action(
            f"http://127.0.0.1:{hook.port}/hooks/1?a=b", secret="hunter2", headers={"Authorization": "Bearer x"}
        )
        async with telling(action) as house:
            await tell(action, EVENT)
            await until(lambda: len(hook.posted) == 1)

    [posted] = hook.posted
    mark = hmac.new(b"hunter2", posted.body, sha256).hexdigest()
    assert house.log == []
    assert posted.path == "/hooks/1?a=b"
    assert posted.headers["Stayalived-Signature"] == f"sha256={mark}"
    assert (posted.headers["Content-Type"], posted.headers["Authorization"]) == ("application/json", "Bearer x")
    assert posted.headers["Stayalived-Event"] == "master"
    assert posted.event() == msgspec.to_builtins(msgspec.structs.asdict(EVENT))


async def test_what_was_not_taken_is_posted_again_as_the_same_delivery_and_in_order() -> None:
    with Hook(statuses=[503, 429, 204]) as hook:
        action = hook_action(f"http://127.0.0.1:{hook.port}/")
        async with telling(action) as house:
            await tell(action, EVENT, changed(sequence=8, kind="backup"))
            await until(lambda: len(hook.posted) == 4)

    deliveries = [posted.headers["Stayalived-Delivery"] for posted in hook.posted]
    assert deliveries[0] == deliveries[1] == deliveries[2] != deliveries[3]
    assert [posted.event()["kind"] for posted in hook.posted] == ["master", "master", "master", "backup"]
    assert house.log == []


async def test_what_is_refused_for_good_is_logged_and_not_repeated() -> None:
    with Hook(statuses=[404]) as hook:
        action = hook_action(f"http://127.0.0.1:{hook.port}/")
        async with telling(action) as house:
            await tell(action, EVENT, changed(sequence=8))
            await until(lambda: len(hook.posted) == 2)

    assert house.log == [f"127.0.0.1:{hook.port}: master of tic was not told: it answered 404"]


async def test_what_fails_too_often_is_left_out_and_logged() -> None:
    with Hook() as hook:
        port = hook.port
    action = hook_action(f"http://127.0.0.1:{port}/", retry=2)
    async with telling(action) as house:
        await tell(action, EVENT)
        await until(lambda: bool(house.log))

    assert house.log[0].startswith(f"127.0.0.1:{port}: master of tic was not told: ")
    assert house.log[0].endswith(" (tries: 3)")


async def test_a_server_that_says_nothing_costs_a_try() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    action = hook_action(f"http://127.0.0.1:{port}/", retry=0, timeout=0.05)
    async with server, telling(action) as house:
        await tell(action, EVENT)
        await until(lambda: bool(house.log))

    assert house.log == [f"127.0.0.1:{port}: master of tic was not told: no answer within 0.05 s (tries: 1)"]


async def test_what_is_too_much_is_left_out_oldest_first_and_counted() -> None:
    action = hook_action("http://127.0.0.1:1/")
    house = House()
    action._room = house

    await tell(action, *(changed(sequence=number) for number in range(MOST_WAITING + 3)))

    assert action.lost == 3
    assert action._waiting[0].sequence == 3
    assert house.log == [f"127.0.0.1:1: {MOST_WAITING} events wait; the oldest are left out"]


async def test_what_waits_at_the_end_is_lost_and_told() -> None:
    with Hook() as hook:
        port = hook.port
    action = hook_action(f"http://127.0.0.1:{port}/", retry=1000)
    async with telling(action) as house:
        await tell(action, EVENT, EVENT)

    assert house.log == [f"127.0.0.1:{port}: the process ends; events that were not told: 2"]


def certificate(folder: Path) -> tuple[Path, Path]:
    chain, key = folder / "cert.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hook"]
    subprocess.run(
        [*words, "-addext", "subjectAltName=IP:127.0.0.1", "-out", chain, "-keyout", key],
        check=True,
        capture_output=True,
    )
    return chain, key


async def test_tls_is_verified(tmp_path: Path) -> None:
    chain = await asyncio.to_thread(certificate, tmp_path)
    with Hook(chain=chain) as hook:
        good = hook_action(f"https://127.0.0.1:{hook.port}/", ca=str(chain[0]))
        async with telling(good) as house:
            await tell(good, EVENT)
            await until(lambda: len(hook.posted) == 1)
        assert house.log == []

        unknown = hook_action(f"https://127.0.0.1:{hook.port}/", retry=0)
        async with telling(unknown) as house:
            await tell(unknown, EVENT)
            await until(lambda: bool(house.log))
        assert "certificate verify failed" in house.log[0]
    assert len(hook.posted) == 1


async def test_what_is_no_http_is_no_answer() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.org\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        place = Place.of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(NoAnswer, match="no HTTP"):
            await post(place, [], b"{}", None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", ("example.org", 443, "/", "example.org", True)),
        ("http://example.org:8080/a?b=c", ("example.org", 8080, "/a?b=c", "example.org:8080", False)),
        ("http://[2001:db8::1]/", ("2001:db8::1", 80, "/", "[2001:db8::1]", False)),
    ],
)
def test_a_url_leads_to_a_place(url: str, expected: tuple[Any, ...]) -> None:
    place = Place.of(url)

    assert (place.host, place.port, place.path, place.name, place.is_encrypted) == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": "ftp://example.org/"}, "must be such as"),
        ({"url": "http:///path"}, "must be such as"),
        ({"url": "http://user:word@example.org/"}, "must be such as"),
        ({"url": "http://example.org/a b"}, "without spaces"),
        ({"url": "http://example.org:99999/"}, "Port out of range"),
        ({"headers": {"Host": "x"}}, "headers cannot have 'Host'"),
        ({"headers": {"a b": "x"}}, "headers cannot have 'a b'"),
        ({"headers": {"a": "x\r\nb: y"}}, "headers.a must be printable"),
        ({"timeout": 0}, "timeout must be"),
        ({"retry": -1}, "retry must be"),
    ],
)
def test_what_could_never_be_posted_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        hook_action(**{"url": "http://example.org/", **options})


def test_authorities_that_are_not_there_are_refused() -> None:
    options = Webhook.Options(url="https://example.org/", ca="/nowhere/ca.pem")

    with pytest.raises(PluginFailure, match="No such file"):
        Provided("webhook", Webhook, "stayalived", "1").make(encode_options(options))
