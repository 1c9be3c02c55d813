"""Makes one check in a process of its own, with the rights that the daemon would give it. I/O: forks, asyncio.

The process that calls keeps its rights and is the runner for it: only a program that this very check names is started.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

import msgspec

from stayalived.checker.echo import Pinger, open_echo_sockets
from stayalived.checker.main import RIGHTS, Checks
from stayalived.checker.once import probe_once
from stayalived.checker.probes import Asked, LocalFault, PluginFault, ProbeEnded, ProbeIdentity
from stayalived.checker.programs import Programs as Askers
from stayalived.checker.trace import Note, Trace
from stayalived.child.base import read_clock
from stayalived.child.events import Tell
from stayalived.child.privileges import assume, confine_third_party, raise_descriptor_limit
from stayalived.child.programs import Requests, Withdrawn
from stayalived.config.model import BUNDLED, Check, Configuration
from stayalived.config.needs import needs_of
from stayalived.errors import StayalivedError
from stayalived.messages.notify import Cancel, Ran, Run
from stayalived.messages.routes import CHECKER
from stayalived.plugin.checks import Target, Verdict
from stayalived.plugin.programs import Outcome, Program
from stayalived.runner.desk import RunnerDesk
from stayalived.timing import Duration, after, elapsed, for_people, seconds

SPARE = seconds(5)
"""How long a process may take beyond the limit of its probe: it imports plugins before, and a check may block it."""

_FRAME = 1 << 20


class Finding(msgspec.Struct, kw_only=True):
    """What one probe came to. `up` is None where it says nothing about whom it asks."""

    check: str
    type: str
    distribution: str
    target: str
    up: bool | None
    text: str
    step: str = ""
    seen: str = ""
    expected: str = ""
    weight: int = 0
    value: int | None = None
    server_weight: int | None = None
    latency: Duration
    trace: list[Note] = []


class _Noted(msgspec.Struct, tag=True):
    note: Note


class _Found(msgspec.Struct, tag=True):
    finding: Finding


class _Wanted(msgspec.Struct, tag=True):
    run: Run


class _Unwanted(msgspec.Struct, tag=True):
    cancel: Cancel


_from_child = msgspec.msgpack.Decoder(_Noted | _Found | _Wanted | _Unwanted)
_from_parent = msgspec.msgpack.Decoder(Ran)


def probe(configuration: Configuration, check: Check, notes: Sequence[Note], tell: Callable[[Note], None]) -> Finding:
    """Make a check once.

    Args:
        configuration: that it stands in, among its tracked checks.
        check: one of them.
        notes: what was done for it before.
        tell: told each step as soon as it is done.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        ours.close()
        _be_child(theirs, configuration, check)
    theirs.close()
    try:
        return _serve(ours, configuration, check, [*notes], tell)
    finally:
        ours.close()
        os.kill(child, signal.SIGKILL)  # harmless after its end: nobody else has waited for it
        os.waitpid(child, 0)


def _serve(
    link: socket.socket, configuration: Configuration, check: Check, trace: list[Note], tell: Callable[[Note], None]
) -> Finding:
    """Listen to the child until it has found something, is gone or takes too long; run what it asks for."""
    began = read_clock()
    patience = Duration(ProbeIdentity.of(check).limit + SPARE)
    with RunnerDesk(configuration, sender_of(check), lambda ran: _say(link, ran)) as runner:
        runner.watch(link.fileno(), lambda: heard.append(link.recv(_FRAME)))
        heard: list[bytes] = []
        while True:
            runner.turn(after(began, patience))
            if not heard and elapsed(began, read_clock()) >= patience:
                fault = PluginFault(text=f"kept its process to itself: ended after {for_people(patience)}")
                return ended(check, fault, patience, trace)
            while heard:
                data = heard.pop(0)
                if not data:
                    return ended(check, PluginFault(text="ended the process"), Duration(0), trace)
                match _from_child.decode(data):
                    case _Noted(note):
                        trace.append(note)
                        tell(note)
                    case _Wanted(run):
                        runner.ask(run)
                    case _Unwanted(cancel):
                        runner.ask(cancel)
                    case _Found(finding):
                        finding.trace = trace
                        return finding


def sender_of(check: Check) -> str:
    """Return the child of the daemon that would make this check."""
    return CHECKER if check.distribution == BUNDLED else f"{CHECKER}/{check.distribution}"


def ended(
    check: Check, outcome: Verdict | LocalFault | PluginFault, latency: Duration, trace: Sequence[Note] = ()
) -> Finding:
    """Return what a check has come to."""
    finding = Finding(
        check=check.key,
        type=check.type,
        distribution=check.distribution,
        target=str(check.target),
        up=None,
        text="",
        latency=latency,
        trace=list(trace),
    )
    match outcome:
        case Verdict():
            finding.up, finding.text = outcome.up, str(outcome)
            finding.step, finding.seen, finding.expected = outcome.step, outcome.seen, outcome.expected
            finding.weight, finding.value, finding.server_weight = outcome.weight, outcome.value, outcome.server_weight
        case LocalFault(text=text):
            finding.text = f"it cannot be made on this machine: {text}"
        case PluginFault(text=text):
            finding.text = f"plugin {check.distribution} failed: {text}"
    return finding


def _be_child(link: socket.socket, configuration: Configuration, check: Check) -> NoReturn:
    code = 1
    try:
        sockets = open_echo_sockets() if check.distribution == BUNDLED else ()
        checks = _settle(configuration, check)
        found = asyncio.run(_make(link, checks, check, sockets))
        _say(link, _Found(ended(check, found.outcome, found.latency)))
        code = 0
    except StayalivedError as error:
        _say(link, _Found(ended(check, LocalFault(text=str(error)), Duration(0))))
    except BaseException:  # noqa: BLE001  (a forked child must not return into its parent's program)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _settle(configuration: Configuration, check: Check) -> Checks:
    """Take the rights that a checker has, and import: the bundled checks before, for only root may be able to."""
    raise_descriptor_limit()
    if check.distribution == BUNDLED:
        checks = Checks(check.distribution)
        assume(CHECKER, replace(RIGHTS, capabilities=needs_of(configuration).checker_capabilities))
        return checks
    assume(sender_of(check), RIGHTS)
    confine_third_party()
    return Checks(check.distribution)


async def _make(link: socket.socket, checks: Checks, check: Check, sockets: tuple[socket.socket, ...]) -> ProbeEnded:
    """Make the probe and tell what it does."""
    trace = Trace(read_clock, lambda note: _say(link, _Noted(note)))
    programs = _Programs(link, trace)
    loop = asyncio.get_running_loop()
    loop.add_reader(link.fileno(), lambda: programs.hear(link.recv(_FRAME)))
    pinger = Pinger(sockets)

    async def ping(target: Target, data: bytes) -> None:
        trace.note("echo", f"asks {target.endpoint.address}")
        await pinger.ping(target, data)
        trace.note("echo", "has its reply")

    try:
        identity = ProbeIdentity.of(check)
        return await probe_once(identity, checks.make, run=programs.run, ping=ping, open_session=trace.open)
    finally:
        pinger.close()


def _say(link: socket.socket, message: msgspec.Struct) -> None:
    link.send(msgspec.msgpack.encode(message))


class _Programs:
    """Asks the process that has the rights for programs."""

    def __init__(self, link: socket.socket, trace: Trace) -> None:
        self._link = link
        self._trace = trace
        self._requests = Requests()
        self._askers = Askers(self._post)

    async def run(self, program: Program) -> Outcome:
        """Have a program started; tell what came of it."""
        self._trace.note("run", " ".join(program.argv) + (f" as {program.user}" if program.user else ""))
        outcome = await self._askers.run(program)
        self._trace.note("ran", str(outcome))
        return outcome

    def hear(self, data: bytes) -> None:
        """Take in how a program ended."""
        for answer in self._requests.ended(_from_parent.decode(data)) if data else ():
            self._askers.answer(answer)

    def _post(self, event: Asked | Withdrawn) -> None:
        match event:
            case Asked(call=call, lane=lane, program=program):
                self._tell(self._requests.ask(call, lane, program, read_clock()))
            case Withdrawn(call=call):
                for tell in self._requests.withdraw(call):
                    self._tell(tell)

    def _tell(self, tell: Tell) -> None:
        if isinstance(tell.message, Run):
            _say(self._link, _Wanted(tell.message))
        elif isinstance(tell.message, Cancel):
            _say(self._link, _Unwanted(tell.message))
