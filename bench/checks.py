"""Probes a second on one core: the checker's engine and prober against a server of its own process.

    PYTHONPATH=core:plugins python bench/checks.py [--probes 2000] [--seconds 3]

The server answers on the loopback from one other core; what is measured is the processor time of the prober alone.
"""

import argparse
import asyncio
import multiprocessing
import os
import select
import socket
import time
from random import Random

from stayalived.addresses import Endpoint
from stayalived.checker.engine import CheckerEngine
from stayalived.checker.probe import Prober
from stayalived.checker.probes import AbandonProbe, ProbeEnded, StartProbe
from stayalived.checker.watchdog import Watchdog
from stayalived.child.base import read_clock
from stayalived.child.events import Commit, Prepare
from stayalived.config.model import BUNDLED, Check, Configuration, Globals, Source, Timing
from stayalived.messages.control import Start
from stayalived.plugin import manager
from stayalived.timing import Duration, seconds

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwell\n"
ADDRESSES = 64


def serve(listening: socket.socket, core: int) -> None:
    """Answer whatever comes, on one core, until killed."""
    os.sched_setaffinity(0, {core})
    epoll = select.epoll()
    epoll.register(listening.fileno(), select.EPOLLIN)
    clients: dict[int, socket.SocketType] = {}
    while True:
        for number, _ in epoll.poll():
            if number == listening.fileno():
                for _ in range(256):
                    try:
                        descriptor, _ = listening._accept()  # noqa: SLF001  (half the cost)
                    except BlockingIOError:
                        break
                    clients[descriptor] = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
                    epoll.register(descriptor, select.EPOLLIN)
                continue
            client = clients[number]
            try:
                heard = client.recv(4096)
                if heard:
                    client.send(ANSWER)
                    continue
            except ConnectionError:  # reset by the prober: as good as the end of the stream
                heard = b""
            del clients[number]
            client.close()


def configuration(kind: str, port: int, probes: int, period: Duration) -> Configuration:
    """Return checks of one type, each a probe of its own, over many addresses of the loopback."""
    timing = Timing(
        delay_loop=period, connect_timeout=seconds(5), retry=1, delay_before_retry=seconds(1), warmup=period,
        rise=1, fall=1, alpha=True, weight=0, reverse=False,
    )  # fmt: skip
    source = Source(bindto="", bind_port=0, bind_if="", fwmark=0)
    checks = tuple(
        Check(
            subject=f"bench/{number}", number=0, name=kind, type=kind, distribution=BUNDLED, options=b"\x80",
            target=Endpoint(f"127.0.1.{number % ADDRESSES + 1}", port), virtual_host=f"host{number}",
            source=source, timing=timing,
        )
        for number in range(probes)
    )  # fmt: skip
    general = Globals(
        router_id="bench", host_id="bench", child_wait_time=seconds(5), script_user="nobody", start_hold=seconds(0),
        start_rate=20000, dynamic_interfaces=False, realtime=False, flush=False, log="stderr", log_facility="daemon",
        log_level="info",
    )  # fmt: skip
    return Configuration(
        globals=general, instances=(), virtual_servers=(), tracked_checks=checks, actions=(), distributions=()
    )


class Bench:
    """The engine and the prober joined as `AsyncShell` joins them, without a supervisor."""

    def __init__(self) -> None:
        catalogue = manager.load({BUNDLED}).catalogue
        self.engine = CheckerEngine("checker", Random(1))
        self.watchdog = Watchdog("bench", read_clock)
        self.prober = Prober(
            lambda identity: catalogue.checks[identity.type].make(identity.options),
            self.ended,
            read_clock,
            self.watchdog,
        )
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None
        self.results = self.failures = 0

    def perform(self, effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            if isinstance(effect, StartProbe):
                self.prober.start(effect)
            elif isinstance(effect, AbandonProbe):
                self.prober.abandon(effect.probe)

    def ended(self, event: ProbeEnded) -> None:
        self.results += 1
        self.failures += not getattr(event.outcome, "up", False)
        self.perform(self.engine.handle(event, read_clock()))
        self.settle()

    def settle(self) -> None:
        if self.timer is None and self.engine.deadline is not None:
            self.timer = self.loop.call_at(self.engine.deadline / 1e9, self.wake)

    def wake(self) -> None:
        self.timer = None
        self.perform(self.engine.wake(read_clock()))
        self.settle()

    def begin(self, config: Configuration) -> None:
        now = read_clock()
        self.engine.handle(Prepare(generation=1, configuration=config), now)
        self.perform(self.engine.handle(Commit(generation=1, start=Start.FIRST), now))
        self.settle()


async def measure(kind: str, port: int, probes: int, rate: int, length: float) -> None:
    """Probe at a rate for a while and print what it cost."""
    bench = Bench()
    bench.begin(configuration(kind, port, probes, Duration(seconds(1) * probes // rate)))
    await asyncio.sleep(max(2.0, 2 * probes / rate))
    results, cpu, start = bench.results, time.process_time(), time.monotonic()
    await asyncio.sleep(length)
    took, cpu, results = time.monotonic() - start, time.process_time() - cpu, bench.results - results
    per_probe = cpu / results * 1e6 if results else 0.0
    print(
        f"{kind:5} asked {rate:6}/s  got {results / took:8.0f}/s  {cpu / took:5.1%} of a core  "
        f"{per_probe:5.1f} us a probe = {1e6 / per_probe:6.0f}/s a core  {bench.failures} failed"
    )
    bench.prober.close()
    bench.watchdog.close()


def main() -> None:
    """Run the series."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rates", default="4000,10000,20000")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    listening = socket.create_server(("0.0.0.0", 0), backlog=4096)
    listening.setblocking(False)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listening, cores[-1]), daemon=True)
    server.start()
    os.sched_setaffinity(0, {cores[0]})
    for kind in ("tcp", "http"):
        for rate in map(int, options.rates.split(",")):
            asyncio.run(measure(kind, listening.getsockname()[1], options.probes, rate, options.seconds))
    server.terminate()


if __name__ == "__main__":
    main()
