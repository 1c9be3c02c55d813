"""Letters on their way: a relay that follows a script, on the loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from stayalived.plugin import Instant
from stayalived_plugins.notifiers import post_office
from stayalived_plugins.notifiers.outgoing import WINDOW, Letter
from stayalived_plugins.notifiers.post_office import PostOffice, letter_name
from stayalived_plugins.notifiers.relays import Relays
from stayalived_plugins.notifiers.smtp import deliver
from stayalived_plugins.notifiers.spool import Spool
from stayalived_plugins.notifiers.wording import Sender, compose

SENDER = Sender(router_id="lb1", host="lb1", boot="b", sender="lb1@example.org", recipients=("noc@example.org",))


class Relay:
    """Takes mails; `answers` says what it says to a recipient or to the end of a mail, in their turn, else 250."""

    def __init__(self, *, offers: tuple[str, ...] = ()) -> None:
        self.offers = offers
        self.answers: dict[str, list[str]] = {}
        self.mails: list[tuple[str, bytes]] = []
        self.said: list[str] = []
        self.port = 0
        self.hangs_up_after: int | None = None

    def _answer(self, key: str) -> str:
        answers = self.answers.get(key, [])
        return answers.pop(0) if answers else "250 ok"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 relay")
        recipient = ""
        while line := (await reader.readline()).decode().strip():
            self.said.append(line)
            verb = line.split()[0].upper()
            if verb == "EHLO":
                for offer in ("relay", *self.offers):
                    say(f"250-{offer}")
                say("250 8BITMIME")
            elif verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                say(self._answer(recipient))
            elif verb == "DATA":
                if self.hangs_up_after == len(self.mails):
                    break
                say("354 go on")
                data = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append((recipient, data))
                say(self._answer("end"))
            elif verb == "AUTH":
                say(self._answer("auth") if self.answers.get("auth") else "235 welcome")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.mails]


@asynccontextmanager
async def serving(relay: Relay) -> AsyncIterator[Relay]:
    server = await asyncio.start_server(relay, "127.0.0.1", relay.port)
    relay.port = server.sockets[0].getsockname()[1]
    async with server:
        yield relay


def relays(*ports: int, **changes: Any) -> Relays:
    hosts = tuple(("127.0.0.1", port) for port in ports)
    return Relays(**{"hosts": hosts, "timeout": 2, "helo_name": "lb1", "tls": "none", **changes})


def letter(number: int, route: str, recipient: str = "noc@example.org") -> Letter:
    identity = f"<{number}@lb1>"
    return Letter(
        name=letter_name(identity, recipient),
        recipient=recipient,
        route=route,
        sender="lb1@example.org",
        headline=f"event {number}",
        identity=identity,
        message=compose(f"event {number}", "text", SENDER, identity, datetime.fromtimestamp(0, tz=UTC)),
        written=4 * 10**18 + number,  # never too old
    )


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110  (what is waited for comes over a socket)
            await asyncio.sleep(0.005)


class Office:
    """A post office with its log."""

    def __init__(self, folder: Path) -> None:
        self.log: list[str] = []
        self.spool = Spool(folder)
        self.office = PostOffice(self.spool, self.log.append)

    def kept(self) -> int:
        return len(self.spool.read()[0])


@pytest.fixture
def house(tmp_path: Path) -> Office:
    return Office(tmp_path / "mail")


async def test_a_letter_goes_to_its_recipient_and_leaves_the_spool(house: Office) -> None:
    async with serving(Relay()) as relay:
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(1, route.name), letter(1, route.name, "two@example.org")])
        await until(lambda: len(relay.mails) == 2 and house.kept() == 0)
        await house.office.leave()

    assert relay.recipients() == ["noc@example.org", "two@example.org"]
    assert relay.said[0] == "EHLO lb1"
    assert house.log == []


async def test_a_mail_that_two_actions_say_is_sent_once(house: Office) -> None:
    async with serving(Relay()) as relay:
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(1, route.name)])
        await house.office.post([letter(1, route.name), letter(2, route.name)])
        await until(lambda: len(relay.mails) == 2 and house.kept() == 0)
        await house.office.leave()

    assert [message_from_bytes(data)["Subject"] for _, data in relay.mails] == ["event 1", "event 2"]


async def test_what_nobody_takes_stays_in_the_spool_for_the_next_office(house: Office, tmp_path: Path) -> None:
    async with serving(Relay()) as relay:
        port = relay.port
    gone = relays(port)
    house.office.join(gone, SENDER)
    await house.office.post([letter(1, gone.name)])
    await until(lambda: bool(house.log))
    await house.office.leave()
    assert house.kept() == 1
    assert house.log[0].endswith("; 1 mails wait and are tried again")

    async with serving(Relay()) as other:
        # a relay of another name: what was left for one that is no longer named goes there
        after = Office(tmp_path / "mail")
        after.office.join(relays(other.port), SENDER)
        await until(lambda: other.recipients() == ["noc@example.org"] and after.kept() == 0)
        await after.office.leave()


async def test_six_in_half_a_minute_are_five_mails_and_a_digest(house: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [Instant(10**12)]
    monkeypatch.setattr(post_office, "_now", lambda: now[0])
    async with serving(Relay()) as relay:
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(number, route.name) for number in range(8)])
        await until(lambda: len(relay.mails) == 5)
        assert house.kept() == 3
        now[0] = Instant(now[0] + WINDOW)
        house.office._news.set()
        await until(lambda: len(relay.mails) == 6 and house.kept() == 0)
        await house.office.leave()

    digest = message_from_bytes(relay.mails[-1][1], policy=default)
    assert digest["Subject"] == "[lb1] 3 events, the last: event 7"
    assert [line.split()[-1] for line in digest.get_content().splitlines()[2:5]] == ["<5@lb1>", "<6@lb1>", "<7@lb1>"]
    assert str(digest["Message-ID"]).startswith("<digest.3.")


async def test_a_recipient_that_is_refused_for_good_is_reported_and_left_out(house: Office) -> None:
    async with serving(Relay()) as relay:
        relay.answers["gone@example.org"] = ["550 no such user"]
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(1, route.name, "gone@example.org"), letter(1, route.name)])
        await until(lambda: len(relay.mails) == 1 and house.kept() == 0)
        await house.office.leave()

    assert relay.recipients() == ["noc@example.org"]
    assert house.log == [f"127.0.0.1:{relay.port} to gone@example.org: 550 no such user; left out: event 1"]


async def test_a_recipient_that_is_put_off_is_tried_again(house: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [Instant(10**12)]
    monkeypatch.setattr(post_office, "_now", lambda: now[0])
    async with serving(Relay()) as relay:
        relay.answers["noc@example.org"] = ["451 greylisted"]
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(1, route.name)])
        await until(lambda: bool(house.log))
        now[0] = Instant(now[0] + WINDOW)
        house.office._news.set()
        await until(lambda: house.kept() == 0)
        await house.office.leave()

    assert relay.recipients() == ["noc@example.org"]
    assert "451 greylisted" in house.log[0]


async def test_a_spool_that_cannot_be_written_is_reported_once_and_the_mail_is_sent(tmp_path: Path) -> None:
    house = Office(tmp_path / "none" / "mail")
    async with serving(Relay()) as relay:
        route = relays(relay.port)
        house.office.join(route, SENDER)
        await house.office.post([letter(1, route.name)])
        await house.office.post([letter(2, route.name)])
        await until(lambda: len(relay.mails) == 2)
        await house.office.leave()

    [line] = house.log
    assert line.startswith(f"{tmp_path}/none/mail: No such file or directory; mails are kept in memory only")


async def test_the_next_relay_takes_what_the_first_one_did_not() -> None:
    async with serving(Relay()) as first, serving(Relay()) as second:
        first.hangs_up_after = 1
        route = relays(first.port, second.port)
        letters = [letter(number, route.name) for number in range(3)]
        delivery = await deliver(route, letters)

    assert (len(first.mails), len(second.mails)) == (1, 2)
    assert delivery.reached
    assert {fate.value for fate in delivery.fates.values()} == {"taken"}


async def test_the_user_says_who_it_is() -> None:
    async with serving(Relay(offers=("AUTH PLAIN",))) as relay:
        route = relays(relay.port, username="lb1", password="hunter2")
        await deliver(route, [letter(1, route.name)])
        relay.answers["auth"] = ["535 who are you"]
        refused = await deliver(route, [letter(2, route.name)])

    assert "AUTH PLAIN AGxiMQBodW50ZXIy" in relay.said
    assert len(relay.mails) == 1
    assert not refused.reached
    assert "535" in refused.problem
    assert "hunter2" not in refused.problem


async def test_a_relay_without_encryption_gets_nothing_where_it_is_asked_for() -> None:
    async with serving(Relay()) as relay:
        route = relays(relay.port, tls="starttls")
        delivery = await deliver(route, [letter(1, route.name)])

    assert relay.mails == []
    assert "STARTTLS" in delivery.problem
