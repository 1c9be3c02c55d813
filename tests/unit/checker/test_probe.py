import asyncio
import gc
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from stayalived.addresses import Endpoint
from stayalived.checker.probe import STILL_RUNNING, Prober
from stayalived.checker.probes import LocalFault, PluginFault, ProbeEnded, ProbeIdentity, StartProbe
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.config.model import Source
from stayalived.plugin import (
    Check,
    CheckOptions,
    Connect,
    LocalFailure,
    Net,
    PluginFailure,
    Receive,
    Send,
    Steps,
    Target,
    Verdict,
)
from stayalived.plugin.testing import Flood, Hear, Reset, Say, Silence, run_check, run_probe, serve, target_for
from stayalived.timing import Duration, milliseconds

SHORT = milliseconds(50)


class Body(Check):
    """A check whose body of steps is a function of the test."""

    name = "body"

    def __init__(self, body: Callable[[], Steps]) -> None:
        super().__init__(CheckOptions())
        self._body = body

    def steps(self, target: Target) -> Steps:
        return self._body()


class Coroutine(Check):
    """A check whose coroutine is a function of the test."""

    name = "coroutine"

    def __init__(self, body: Callable[[Target, Net], Any]) -> None:
        super().__init__(CheckOptions())
        self._body = body

    async def probe(self, target: Target, net: Net) -> Verdict:
        verdict: Verdict = await self._body(target, net)
        return verdict


def talk() -> Steps:
    yield Connect()
    yield Send(b"HELLO\n")
    heard = yield Receive()
    return Verdict.passed("talk", heard.decode())


async def talk_in_a_task(target: Target, net: Net) -> Verdict:
    async with net.connect(target) as connection:
        await connection.send(b"HELLO\n")
        return Verdict.passed("talk", (await connection.receive()).decode())


BOTH = pytest.mark.parametrize("check", [Body(talk), Coroutine(talk_in_a_task)], ids=["steps", "coroutine"])


@BOTH
async def test_a_conversation_ends_in_its_verdict(check: Check) -> None:
    async with serve(Hear(b"HELLO\n"), Say(b"WELL")) as server:
        verdict = await run_check(check, target_for(server.endpoint))
    assert verdict == Verdict.passed("talk", "WELL")


@BOTH
async def test_a_network_failure_is_the_verdict(check: Check) -> None:
    async with serve(Hear(b"HELLO\n"), Reset()) as server:
        assert await run_check(check, target_for(server.endpoint)) == Verdict.failed("receive", "reset")
    assert await run_check(check, target_for(server.endpoint)) == Verdict.failed("connect", "refused")


@BOTH
async def test_each_step_has_its_time(check: Check) -> None:
    async with serve(Silence()) as server:
        verdict = await run_check(check, target_for(server.endpoint, connect_timeout=SHORT))
    assert verdict == Verdict.failed("receive", "no answer within 50 ms")


async def test_the_whole_has_its_limit_however_many_steps_there_are() -> None:
    def patient() -> Steps:
        yield Connect()
        while (yield Receive()):
            pass
        return Verdict.passed()

    async with serve(Flood(b"x" * 65536)) as server:
        verdict = await run_check(Body(patient), target_for(server.endpoint, connect_timeout=SHORT))
    assert verdict == Verdict.failed("receive", "no answer within 150 ms")


async def test_a_server_that_floods_does_not_keep_the_loop_to_itself() -> None:
    def greedy() -> Steps:
        yield Connect()
        while (yield Receive(1)):
            pass
        return Verdict.passed()

    async with serve(Flood(b"x" * 65536)) as flooding, serve(Hear(b"HELLO\n"), Say(b"WELL")) as server:
        floods = asyncio.create_task(run_check(Body(greedy), target_for(flooding.endpoint, connect_timeout=SHORT)))
        assert await run_check(Body(talk), target_for(server.endpoint)) == Verdict.passed("talk", "WELL")
        assert not floods.done()
        assert await floods == Verdict.failed("receive", "no answer within 150 ms")


async def test_a_coroutine_that_waits_for_ever_is_cancelled_at_the_limit() -> None:
    cancelled = asyncio.Event()

    async def forever(_: Target, __: Net) -> Verdict:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Verdict.passed()

    verdict = await run_check(
        Coroutine(forever), target_for(Endpoint("127.0.0.1", 1), connect_timeout=milliseconds(20))
    )
    assert verdict == Verdict.failed("probe", "no verdict within 60 ms")
    assert cancelled.is_set()


async def test_long_data_is_sent_whole() -> None:
    data = bytes(range(256)) * 16384  # 4 MiB: more than a socket takes at once

    def pour() -> Steps:
        yield Connect()
        yield Send(data)
        return Verdict.passed("send", (yield Receive()).decode())

    async with serve(Swallow(len(data)), Say(b"WELL")) as server:
        verdict = await run_check(Body(pour), target_for(server.endpoint))
    assert verdict == Verdict.passed("send", "WELL")


class Swallow:
    """Wait until so many bytes have come."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def perform(self, client: Any) -> None:
        left = self.size
        while left > 0 and (more := await client.reader.read(65536)):
            left -= len(more)


async def test_a_second_connect_closes_the_first_connection() -> None:
    def twice() -> Steps:
        for word in (b"one", b"two"):
            yield Connect()
            yield Send(word)
        return Verdict.passed("twice", (yield Receive()).decode())

    async with serve(Hear(b"o"), Say(b"WELL")) as server:
        verdict = await run_check(Body(twice), target_for(server.endpoint))
        assert verdict == Verdict.passed("twice", "WELL")
        assert [b"one", b"two"] == server.heard


# -------------------------------------------------------------------------------------------- faults of the plugin


def raising() -> Steps:
    yield Connect()
    raise ValueError("oops")


def sending_first() -> Steps:
    yield Send(b"x")
    return Verdict.passed()


def yielding_nonsense() -> Steps:
    yield "connect"  # type: ignore[misc]  # nonsense is the point
    return Verdict.passed()


def answering_nonsense() -> Steps:
    yield Connect()
    return True  # type: ignore[return-value]  # nonsense is the point


def answering_a_number_that_is_none() -> Steps:
    yield from ()
    return Verdict(up=True, value="5")  # type: ignore[arg-type]  # nonsense is the point


def answering_too_big_a_number() -> Steps:
    yield from ()
    return Verdict(up=True, server_weight=2**31)


def cancelling() -> Steps:
    yield Connect()
    raise asyncio.CancelledError


def untidy() -> Steps:
    try:
        yield Connect()
        yield Receive()
    finally:
        raise RuntimeError("at the end")
    return Verdict.passed()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (raising, "ValueError: oops"),
        (sending_first, "yielded Send before Connect"),
        (yielding_nonsense, "yielded 'connect'; a body yields Connect, Send"),
        (answering_nonsense, "answered True; a check answers a Verdict"),
        (answering_a_number_that_is_none, "answered value '5'; a whole number of 32 bits is allowed"),
        (answering_too_big_a_number, "answered server_weight 2147483648; a whole number of 32 bits"),
        (cancelling, "CancelledError"),
        (untidy, "RuntimeError: at the end"),
    ],
)
async def test_what_a_body_of_steps_does_wrong_is_the_plugins_fault(body: Callable[[], Steps], text: str) -> None:
    async with serve(Silence()) as server:
        with pytest.raises(PluginFailure, match=text):
            await run_check(Body(body), target_for(server.endpoint, connect_timeout=SHORT))


async def test_what_this_machine_cannot_do_is_nobodys_verdict_in_either_body() -> None:
    def in_steps() -> Steps:
        yield Connect()
        raise LocalFailure("no such thing here; install it")

    class Asking(Check):
        name = "asking"

        async def probe(self, target: Target, net: Net) -> Verdict:
            raise LocalFailure("no such thing here; install it")

    async with serve(Silence()) as server:
        for check in (Body(in_steps), Asking(CheckOptions())):
            with pytest.raises(OSError, match="no such thing here; install it"):
                await run_check(check, target_for(server.endpoint))


async def test_a_check_without_a_body_is_the_plugins_fault() -> None:
    class Bodiless(Check):
        name = "bodiless"

    with pytest.raises(PluginFailure, match="has neither steps"):
        await run_check(Bodiless(CheckOptions()), target_for(Endpoint("127.0.0.1", 1)))


async def test_a_coroutine_that_cancels_itself_is_the_plugins_fault() -> None:
    async def cancelled(_: Target, __: Net) -> Verdict:
        raise asyncio.CancelledError

    with pytest.raises(PluginFailure, match="cancelled itself"):
        await run_check(Coroutine(cancelled), target_for(Endpoint("127.0.0.1", 1)))


async def test_connections_that_a_coroutine_leaves_open_are_closed() -> None:
    kept: list[Any] = []

    async def careless(target: Target, net: Net) -> Verdict:
        context = net.connect(target)
        kept.append((context, await context.__aenter__()))
        return Verdict.passed()

    async with serve(Silence()) as server:
        assert (await run_check(Coroutine(careless), target_for(server.endpoint))).up
        await until(lambda: server.finished)
    assert kept
    await kept[0][0].__aexit__(None, None, None)


# ------------------------------------------------------------------------------------------------- faults of ours


@pytest.mark.parametrize("run", [run_check, run_probe])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bindto": "192.0.2.77"}, "bind 192.0.2.77:0: Cannot assign requested address; no local port or address"),
        ({"bind_if": "nowhere0"}, "bind_if nowhere0: No such device"),
    ],
)
async def test_a_source_that_this_machine_does_not_have_is_no_verdict(
    run: Any, changes: dict[str, Any], text: str
) -> None:
    async with serve(Silence()) as server:
        with pytest.raises(Exception, match=text):
            await run(Body(talk), replace(target_for(server.endpoint), **changes))
        assert server.heard == []


async def test_running_out_of_descriptors_is_no_verdict() -> None:
    gc.collect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serve(Silence()) as server, prober(Body(talk)) as (one, ended):
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free_descriptor(), hard))
        try:
            one.start(start(1, server.endpoint))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [event.outcome for event in ended] == [
        LocalFault(text="socket: Too many open files; raise the limit of open files (LimitNOFILE)")
    ]


async def test_the_source_address_and_port_of_the_target_are_used() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.5", 0))
        port = free.getsockname()[1]
    seen: list[Any] = []

    class Note:
        async def perform(self, client: Any) -> None:
            seen.append(client.writer.get_extra_info("peername"))

    async with serve(Note(), Say(b"WELL")) as server:
        target = replace(target_for(server.endpoint), bindto="127.0.0.5", bind_port=port, bind_if="lo")
        assert (await run_check(Body(talk), target)).up
    assert seen == [("127.0.0.5", port)]


def lowest_free_descriptor() -> int:
    with socket.socket() as probe:
        return probe.fileno()


# ------------------------------------------------------------------------------------------------------ the prober


@asynccontextmanager
async def prober(check: Check) -> AsyncIterator[tuple[Prober, list[ProbeEnded]]]:
    ended: list[ProbeEnded] = []
    watchdog = Watchdog("test", read_clock)
    one = Prober(lambda _: check, ended.append, read_clock, watchdog)
    try:
        yield one, ended
    finally:
        one.close()
        watchdog.close()


def start(number: int, endpoint: Endpoint, timeout: Duration = SHORT) -> StartProbe:
    source = Source(bindto="", bind_port=0, bind_if="", fwmark=0)
    identity = ProbeIdentity(
        type="body",
        distribution="test",
        options=b"",
        target=endpoint,
        virtual_host="",
        source=source,
        connect_timeout=timeout,
    )
    return StartProbe(probe=number, identity=identity)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(2):
        while not condition():  # noqa: ASYNC110  (what is waited for happens in sockets)
            await asyncio.sleep(0.001)


@BOTH
async def test_an_abandoned_probe_tells_nothing_and_leaves_no_connection(check: Check) -> None:
    async with serve(Silence()) as server, prober(check) as (one, ended):
        one.start(start(1, server.endpoint))
        await until(lambda: server.heard and server.heard[0] == b"HELLO\n")
        one.abandon(1)
        await until(lambda: server.finished)
        assert ended == []
        one.abandon(1)


@BOTH
async def test_a_short_limit_is_kept_beside_a_run_with_a_longer_one_that_began_before(check: Check) -> None:
    async with serve(Silence()) as server, prober(check) as (one, ended):
        one.start(start(1, server.endpoint, milliseconds(3000)))
        one.start(start(2, server.endpoint, milliseconds(30)))
        await until(lambda: ended)
    assert [2] == [event.probe for event in ended]
    assert Verdict.failed("receive", "no answer within 30 ms") == ended[0].outcome


@BOTH
async def test_many_probes_run_side_by_side(check: Check) -> None:
    async with serve(Hear(b"HELLO\n"), Say(b"WELL")) as server, prober(check) as (one, ended):
        for number in range(50):
            one.start(start(number, server.endpoint, milliseconds(1000)))
        await until(lambda: len(ended) == 50)
    assert set(range(50)) == {event.probe for event in ended}
    assert {Verdict.passed("talk", "WELL")} == {event.outcome for event in ended}
    assert min(event.latency for event in ended) > 0


async def test_a_coroutine_that_ignores_its_end_is_counted_and_not_started_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stayalived.checker.probe.GRACE", milliseconds(20))
    release = asyncio.Event()

    async def stubborn(_: Target, __: Net) -> Verdict:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Verdict.passed()

    async with prober(Coroutine(stubborn)) as (one, ended):
        one.start(start(1, Endpoint("127.0.0.1", 1), milliseconds(10)))
        await until(lambda: ended)
        one.start(start(1, Endpoint("127.0.0.1", 1), milliseconds(10)))
        assert [PluginFault(text=STILL_RUNNING)] * 2 == [event.outcome for event in ended]
        release.set()
        await until(lambda: len(asyncio.all_tasks()) == 1)
        one.start(start(1, Endpoint("127.0.0.1", 1), milliseconds(10)))
        await until(lambda: len(ended) == 3)
        assert ended[2].outcome == Verdict.passed()


async def test_a_check_that_cannot_be_made_is_a_fault_each_time() -> None:
    def refuse(_: ProbeIdentity) -> Check:
        raise PluginFailure("there is no such type")

    ended: list[ProbeEnded] = []
    watchdog = Watchdog("test", read_clock)
    one = Prober(refuse, ended.append, read_clock, watchdog)
    one.start(start(1, Endpoint("127.0.0.1", 1)))
    one.start(start(1, Endpoint("127.0.0.1", 1)))
    one.close()
    watchdog.close()
    assert [PluginFault(text="there is no such type")] * 2 == [event.outcome for event in ended]
