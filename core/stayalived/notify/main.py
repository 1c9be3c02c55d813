"""The notify child (I/O): `notify` runs the bundled actions, `notify/DIST` those of a third-party distribution."""

import asyncio
import logging
import os
from collections import deque
from pathlib import Path

from stayalived.child.asyncshell import AsyncShell
from stayalived.child.bootstrap import Context
from stayalived.child.calls import Calls
from stayalived.child.privileges import SERVICE_USER, Rights, find_user
from stayalived.child.programs import Answer
from stayalived.config.model import BUNDLED, Action
from stayalived.config.problems import Problem
from stayalived.errors import PluginFailure
from stayalived.messages.notify import Event
from stayalived.notify import belongings
from stayalived.notify.engine import NotifyEngine
from stayalived.notify.events import (
    Abandon,
    Asked,
    Holding,
    Invoke,
    Invoked,
    Load,
    Loaded,
    NotifyEffect,
    NotifyEvent,
    Observe,
    Observed,
    ObserverFailed,
    Releasing,
    Restate,
    Use,
)
from stayalived.notify.rooms import KEPT, Rooms
from stayalived.plugin import manager
from stayalived.plugin.notifiers import Level, Notifier, Tools
from stayalived.plugin.programs import Outcome, Program
from stayalived.timing import for_people, in_seconds

_log = logging.getLogger("stayalived.notify")
RIGHTS = Rights(user=SERVICE_USER)
GENERATIONS_KEPT = 3  # of made actions: one in force, the one before for its last events, one prepared


def open_as_root(context: Context) -> None:
    """Make what actions write into and could not make themselves: a folder in `state_dir`, and FIFOs."""
    if context.needs is None or os.geteuid() != 0:
        return
    account, _ = find_user(SERVICE_USER)
    if context.needs.state_dir:
        for problem in belongings.make_folder(Path(context.needs.state_dir) / KEPT, account):
            _log.warning("%s", problem)
    for path in context.needs.fifos:
        for problem in belongings.make_fifo(Path(path), account):
            _log.warning("%s", problem)


def run(context: Context, opened: object) -> None:  # noqa: ARG001  (every role is called so)
    """Tell events until told to stop."""
    distribution = context.distribution or BUNDLED
    plugins = manager.load(wanted={distribution})
    asyncio.run(_serve(context, NotifyEngine(distribution), plugins))


async def _serve(context: Context, engine: NotifyEngine, plugins: manager.Plugins) -> None:
    def perform(effect: NotifyEffect) -> None:
        teller.perform(effect)

    shell: AsyncShell[NotifyEvent, NotifyEffect] = AsyncShell(engine, context, perform)
    teller = Teller(shell, plugins)
    try:
        await shell.run()
    finally:
        teller.cancel_all()
        await teller.close()


class Teller:
    """Carries out the notify engine's effects: makes actions, runs them as tasks, answers their calls for programs."""

    def __init__(self, shell: AsyncShell[NotifyEvent, NotifyEffect], plugins: manager.Plugins) -> None:
        """Begin with no action made."""
        self._shell = shell
        self._plugins = plugins
        self._made: deque[dict[Action, Notifier]] = deque(maxlen=GENERATIONS_KEPT)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._calls = Calls(shell.post)
        self._rooms = Rooms(self.run_program)

    def perform(self, effect: NotifyEffect) -> None:
        """Carry out one effect."""
        match effect:
            case Load(generation=generation, actions=actions):
                self._shell.post(Loaded(generation=generation, problems=self._load(actions)))
            case Use(actions=actions, configuration=configuration):
                made = {action: notifier for action in actions if (notifier := self._find(action)) is not None}
                self._rooms.use(made, configuration)
            case Invoke(token=token):
                self._tasks[token] = asyncio.get_running_loop().create_task(self._tell(effect))
            case Abandon(token=token):
                if (task := self._tasks.pop(token, None)) is not None:
                    task.cancel()
            case Observe(event=event):
                self._observe(event)
            case Restate(events=events):
                self._rooms.restate(events)
            case Answer():
                self._calls.answer(effect)

    def cancel_all(self) -> None:
        """Leave no task behind."""
        for task in self._tasks.values():
            task.cancel()

    def hold(self, token: int, level: Level) -> None:
        """Have the engine hold another weight for an invocation."""
        self._shell.post(Holding(token=token, level=level))

    def release(self, token: int, server: str) -> None:
        """Have the engine take back what it holds."""
        self._shell.post(Releasing(token=token, server=server))

    async def close(self) -> None:
        """End what actions keep running."""
        await self._rooms.close()

    async def run_program(self, token: int, program: Program) -> Outcome:
        """Have the runner start a program for an invocation and wait for its end."""
        ran = await self._calls.make(lambda call: self._shell.post(Asked(call=call, token=token, program=program)))
        return Outcome(status=ran.status, signal=ran.signal, output=ran.output, problem=ran.problem)

    def _observe(self, event: Event) -> None:
        """Show an event to each observer, and say what came of it."""
        observers = self._plugins.events
        for answer in observers.call(event=event):
            if answer.failure is not None:
                self._shell.post(ObserverFailed(text=str(answer.failure)))
        for name, count in observers.counts.items():
            counts = Observed(distribution=name, calls=count.calls, failures=count.failures, longest=count.longest)
            self._shell.post(counts)

    def _load(self, actions: tuple[Action, ...]) -> tuple[Problem, ...]:
        """Make the objects of these actions; return a warning for each that cannot be made."""
        made: dict[Action, Notifier] = {}
        problems = []
        for action in actions:
            try:
                made[action] = self._find(action) or self._make(action)
            except PluginFailure as failure:
                text = f"notify action {action.type} of {action.subject} will not be told anything: {failure}"
                problems.append(Problem(path="", expected=text, warning=True))
        self._made.append(made)
        return tuple(problems)

    def _find(self, action: Action) -> Notifier | None:
        return next((made[action] for made in reversed(self._made) if action in made), None)

    def _make(self, action: Action) -> Notifier:
        provided = self._plugins.catalogue.notifiers.get(action.type)
        if provided is None:
            reasons = "; ".join(str(problem) for problem in self._plugins.problems)
            raise PluginFailure(f"{action.distribution} brings no action {action.type!r} here: {reasons}")
        return provided.make(action.options)

    async def _tell(self, invoke: Invoke) -> None:
        """Run one action for one event, within its limit; whatever it does, the engine hears how it ended."""
        notifier = self._find(invoke.action)
        failure = "it could not be loaded"
        if notifier is not None:
            failure = await self._within_limit(notifier, invoke)
        if self._tasks.pop(invoke.token, None) is not None:
            self._shell.post(Invoked(token=invoke.token, failure=failure))

    async def _within_limit(self, notifier: Notifier, invoke: Invoke) -> str:
        """Return why the action failed, or an empty text. One that ignores its cancellation is left to itself."""
        limit = notifier.limit
        task = asyncio.get_running_loop().create_task(_attempt(notifier, invoke, _Tools(self, invoke.token)))
        try:
            done, _ = await asyncio.wait({task}, timeout=in_seconds(limit))
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
        task.cancel()
        return f"took longer than {for_people(limit)}"


async def _attempt(notifier: Notifier, invoke: Invoke, tools: Tools) -> str:
    """Call a plugin; return what it raised as text."""
    try:
        if invoke.ending:
            await notifier.end(invoke.event, tools)
        else:
            await notifier.notify(invoke.event, tools)
    except PluginFailure as failure:
        return str(failure)
    except Exception as error:  # noqa: BLE001  (a stranger's code may raise anything)
        return f"{type(error).__name__}: {error}"
    return ""


class _Tools(Tools):
    """What one invocation may use."""

    def __init__(self, teller: Teller, token: int) -> None:
        self._teller = teller
        self._token = token

    async def run(self, program: Program) -> Outcome:
        """Have the runner start a program; return when it has ended."""
        return await self._teller.run_program(self._token, program)

    def hold(self, level: Level) -> None:
        """Give a real server another weight."""
        self._teller.hold(self._token, level)

    def release(self, server: str) -> None:
        """Take it back."""
        self._teller.release(self._token, server)
