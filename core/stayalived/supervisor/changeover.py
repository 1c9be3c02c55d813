"""From a wish to a configuration in force: read, prepare, commit, or refuse and change nothing.

```
 wish ─► config child reads ─► Parsed ─► every child Prepared ─► Commit to all
              │ died, silent     │ errors       │ Refused, died, silent
              └──────────────────┴──────────────┴─► Abort to all; the old one stays
```
"""

from collections.abc import Callable

from stayalived.config.problems import Problem
from stayalived.messages import control
from stayalived.messages.control import Needs, Start
from stayalived.messages.routes import API, CONFIG, LOG, pack
from stayalived.supervisor.events import AllowKeys, BlobId, DropBlob, Effect, ReadWishes, Send, TellSystemd, UseNeeds
from stayalived.supervisor.lifecycle import Child, State
from stayalived.supervisor.population import ERROR, INFO, WARNING, Population
from stayalived.supervisor.reload import (
    FOREIGN_LIMIT,
    PARSE_LIMIT,
    Accepted,
    Attempt,
    Change,
    Wish,
    compare,
    objections,
    prepare_limit,
    trouble,
)
from stayalived.timing import Duration, Instant, after, for_people, seconds

DEFAULT_CHILD_WAIT_TIME = seconds(5)
"""P06, while no configuration says otherwise."""


class Changeover:
    """Brings configurations into force, one attempt at a time.

    Attributes:
        accepted: the configuration in force.
        attempt: the one on its way.
        wish: the one that was asked for meanwhile.
        refused: why the last attempt failed; empty when it did not.
        failed_start: why there will be no first configuration; the daemon has to end.
    """

    def __init__(self, population: Population, emit: Callable[[Effect], None], changed: Callable[[], None]) -> None:
        """Begin without a configuration.

        Args:
            population: the children.
            emit: takes what is to be done.
            changed: is called when a phase began or ended.
        """
        self.accepted: Accepted | None = None
        self.attempt: Attempt | None = None
        self.wish: Wish | None = None
        self.refused: tuple[Problem, ...] = ()
        self.failed_start: tuple[Problem, ...] | None = None
        self._population = population
        self._emit = emit
        self._changed = changed
        self._generation = 0
        self._known_to_log: set[str] = set()

    @property
    def deadline(self) -> Instant | None:
        """When the attempt is out of time."""
        return self.attempt.deadline if self.attempt else None

    @property
    def child_wait_time(self) -> Duration:
        """How long a child may take to stop (P06)."""
        return Duration(self.accepted.needs.child_wait_time) if self.accepted else DEFAULT_CHILD_WAIT_TIME

    def ask(self, now: Instant, *, force: bool = False, request: int | None = None) -> None:
        """Ask for a new look at the files; whatever is asked while one is going on becomes one more look at the end."""
        wish = self.wish or Wish()
        requests = (*wish.requests, request) if request is not None else wish.requests
        self.wish = Wish(force=force or wish.force, requests=requests)
        self._begin(now)

    def parsed(self, message: control.Parsed, blob: BlobId | None, now: Instant) -> bool:
        """The config child is done. Returns whether `blob` was taken over."""
        attempt, child = self.attempt, self._population.children[CONFIG]
        if attempt is None or attempt.needs is not None or message.generation != attempt.generation:
            return False
        self._population.retire(child, now)
        attempt.warnings = [problem for problem in message.problems if problem.warning]
        errors = tuple(problem for problem in message.problems if not problem.warning)
        if errors:
            self._refuse(errors, now)
            return False
        if message.unchanged and self.accepted is not None:
            attempt.needs, attempt.blob = self.accepted.needs, self.accepted.blob
            self._prepare(attempt, attempt.needs, attempt.needs, now)
            return False
        if message.needs is None or blob is None:
            self._refuse(trouble("the process that read it sent no configuration"), now)
            return False
        attempt.needs, attempt.blob = message.needs, blob
        if self.accepted is None:
            self._start_children(attempt, message.needs, now)
            return True
        against = objections(self.accepted.needs, message.needs, force=attempt.force)
        if against:
            self._refuse(against, now)
        else:
            self._prepare(attempt, self.accepted.needs, message.needs, now)
        return True

    def hello(self, child: Child, now: Instant) -> None:
        """A child has started: give it the configuration that it is to prepare."""
        attempt = self.attempt
        if self.accepted is None and attempt is not None and attempt.needs is not None:
            attempt.awaiting.add(child.name)
            self._start_rest(attempt, now)
        if attempt is not None and child.name in attempt.awaiting and attempt.needs and attempt.blob is not None:
            self._population.ask(child, attempt.generation, attempt.blob, prepare_limit(attempt.needs), now)
        elif self.accepted is not None:
            self._converge(child, self.accepted, now)

    def prepared(self, child: Child, message: control.Prepared, now: Instant) -> None:
        """A child can use what it was given; the last one decides."""
        if child.answered or not child.listening or message.generation != child.asked:
            return  # an answer to a question that was withdrawn
        self._population.answered(child, now)
        attempt = self.attempt
        if attempt is None or message.generation != attempt.generation:
            self._population.commit(child, now)
            return
        attempt.warnings += message.warnings
        attempt.awaiting.discard(child.name)
        self._commit_when_complete(now)

    def refused_by(self, child: Child, message: control.Refused, now: Instant) -> None:
        """A child cannot use what it was given."""
        if child.answered or not child.listening or message.generation != child.asked:
            return
        if self.attempt is not None and message.generation == self.attempt.generation:
            self._refuse(message.problems or trouble(f"{child.name} refused it without a reason"), now)
            return
        text = "; ".join(str(problem) for problem in message.problems)
        self._population.kill(child, now, f"refused the configuration in force: {text}")

    def lost(self, child: Child, now: Instant) -> None:
        """A child's process has ended; `Population.exited` was called before."""
        attempt = self.attempt
        if child.name == CONFIG:
            if attempt is not None and attempt.needs is None:
                self._refuse(trouble(f"its reader ended without an answer: {child.failure or child.note}"), now)
            self._begin(now)
        elif attempt is None or attempt.needs is None:
            return
        elif self.accepted is None and child.state is State.STOPPED:
            self._refuse(trouble(child.failure), now)
        elif self.accepted is None:
            self._start_rest(attempt, now)
            if child.respawn_at != now:  # one that is started again at once is waited for
                attempt.awaiting.discard(child.name)
                self._commit_when_complete(now)
        elif child.name in attempt.awaiting and child.state is not State.STOPPED:
            if child.foreign and child.name not in attempt.added:  # it will find the new one in force
                attempt.awaiting.discard(child.name)
                self._commit_when_complete(now)
            else:
                self._refuse(trouble(f"{child.name} died while it read it: {child.note}"), now)

    def wake(self, now: Instant) -> None:
        """Refuse an attempt that is out of time."""
        attempt = self.attempt
        if attempt is None or attempt.deadline is None or now < attempt.deadline or attempt.needs is None:
            return
        silent = ", ".join(sorted(attempt.awaiting))
        self._refuse(trouble(f"no answer within {for_people(prepare_limit(attempt.needs))} from {silent}"), now)

    def abandon(self, now: Instant) -> None:
        """The daemon stops: forget the attempt and every wish, and say so to those who asked."""
        for wanted in (self.attempt, self.wish):
            self._reply(wanted.requests if wanted else (), accepted=False, text="stayalived is stopping")
        if self.attempt is not None:
            self._drop(self.attempt.blob)
        self.attempt = self.wish = None
        config = self._population.children.get(CONFIG)
        if config is not None and config.alive and config.state is not State.STOPPING:
            self._population.retire(config, now)
            self._population.kill(config, now, "not needed any more")

    def _begin(self, now: Instant) -> None:
        """Start the config child if a reload was asked for and none is going on."""
        config = self._population.need(CONFIG, now)
        if self.wish is None or self.attempt is not None or config.state is not State.STOPPED:
            return
        self._generation += 1
        self.attempt = Attempt(generation=self._generation, force=self.wish.force, requests=self.wish.requests)
        self.wish = None
        if self.accepted is not None:
            # sd_notify(3): the time lets systemd tell this reload's READY=1 from one before.
            self._emit(TellSystemd(text=f"RELOADING=1\nMONOTONIC_USEC={now // 1000}"))
        start = Start.RELOAD if self.accepted else Start.FIRST
        accepted = self.accepted.blob if self.accepted else None
        self._population.fork(config, now, start=start, generation=self._generation, accepted=accepted)
        config.limit = after(now, PARSE_LIMIT)
        self._changed()

    def _start_children(self, attempt: Attempt, needs: Needs, now: Instant) -> None:
        """The first configuration is read: start log, so that nothing is lost, and when it is there the others."""
        for name in needs.children:
            self._population.need(name, now)
        self._use(needs)
        if needs.state_dir:
            self._emit(ReadWishes(folder=needs.state_dir))  # before ipvs is there, which then starts with its drains
        attempt.awaiting = set(needs.children)
        self._known_to_log = set(needs.children)
        if LOG in attempt.awaiting:
            self._population.fork(self._population.children[LOG], now, start=Start.FIRST)
        else:
            self._start_rest(attempt, now)
        self._commit_when_complete(now)

    def _start_rest(self, attempt: Attempt, now: Instant) -> None:
        for name in attempt.needs.children if attempt.needs else ():
            child = self._population.children[name]
            if child.state is State.STOPPED:
                self._population.fork(child, now, start=Start.FIRST)

    def _prepare(self, attempt: Attempt, old: Needs, new: Needs, now: Instant) -> None:
        """Ask every child that goes on, and start those that come."""
        change, limit = compare(old, new), prepare_limit(new)
        attempt.deadline = after(now, limit)
        attempt.added = set(change.added)
        for name in sorted(change.added):
            child = self._population.need(name, now)
            attempt.awaiting.add(name)
            if child.alive:  # the last reload stopped it, and it has not ended yet
                child.restart_when_stopped = True
            else:
                self._population.fork(child, now, start=Start.FIRST)
        for name in sorted(set(new.children) - change.added - change.replaced):
            child = self._population.children[name]
            if child.state is State.RUNNING and attempt.blob is not None:
                attempt.awaiting.add(name)
                self._population.ask(child, attempt.generation, attempt.blob, limit, now)
                # Out of time it is the reload that fails, not the child; unless it is a third party's.
                child.limit = after(now, FOREIGN_LIMIT) if child.foreign else None
        self._commit_when_complete(now)

    def _commit_when_complete(self, now: Instant) -> None:
        attempt = self.attempt
        if attempt is None or attempt.needs is None or attempt.blob is None or attempt.awaiting:
            return
        previous, self.attempt = self.accepted, None
        self.accepted = Accepted(generation=attempt.generation, needs=attempt.needs, blob=attempt.blob, at=now)
        self.refused = ()
        self._use(attempt.needs)
        if previous is not None:
            self._drop(previous.blob)
        change = compare(previous.needs, attempt.needs) if previous else compare(attempt.needs, attempt.needs)
        for child in tuple(self._population.children.values()):
            self._bring_into_force(child, change, self.accepted, now)
        self._finish(attempt, now, ())

    def _bring_into_force(self, child: Child, change: Change, accepted: Accepted, now: Instant) -> None:
        """Make one child follow a configuration that has just been accepted."""
        new_names = change.added - self._known_to_log
        if child.name == CONFIG:
            return
        if child.name in change.removed:
            self._dismiss(child, now)
        elif child.name in change.replaced or (child.name == LOG and new_names):
            self._known_to_log |= new_names if child.name == LOG else set()
            self._replace(child, now)
        elif child.asked == accepted.generation and child.listening and child.answered:
            self._population.commit(child, now)
        else:
            self._converge(child, accepted, now)

    def _converge(self, child: Child, accepted: Accepted, now: Instant) -> None:
        """Ask a child that has not been asked yet for the configuration in force; it commits when it has answered."""
        starting = child.state is State.STARTING and child.said_hello
        if (child.listening or starting) and child.asked != accepted.generation:
            self._population.ask(child, accepted.generation, accepted.blob, prepare_limit(accepted.needs), now)

    def _replace(self, child: Child, now: Instant) -> None:
        """Stop a child in order and start it again: other plugins, or log pairs that it was not born with."""
        if child.alive:
            child.restart_when_stopped = True
            self._population.stop(child, now, leave=True, limit=self.child_wait_time)

    def _dismiss(self, child: Child, now: Instant) -> None:
        """Stop a child for good."""
        child.restart_when_stopped = False
        self._population.stop(child, now, leave=False, limit=self.child_wait_time)
        if not child.alive:
            self._population.remove(child)

    def _use(self, needs: Needs) -> None:
        self._emit(UseNeeds(needs=needs))
        self._emit(AllowKeys(keys=needs.objects))
        self._population.switchboard.memory.allow_keys(needs.objects)
        self._population.shortest_master_down = Duration(needs.shortest_master_down)

    def _drop(self, blob: BlobId | None) -> None:
        """Forget a configuration, unless it is the one in force."""
        if blob is not None and (self.accepted is None or blob != self.accepted.blob):
            self._emit(DropBlob(blob=blob))

    def _refuse(self, problems: tuple[Problem, ...], now: Instant) -> None:
        """Give the attempt up: nothing changes anywhere."""
        attempt, self.attempt = self.attempt, None
        if attempt is None:
            return
        self.refused = problems
        self._drop(attempt.blob)
        for child in tuple(self._population.children.values()):
            if child.name in attempt.added:
                self._dismiss(child, now)
            elif child.state is State.RUNNING and child.asked == attempt.generation:
                self._emit(Send(name=child.name, frame=pack(control.Abort(generation=attempt.generation))))
                child.answered, child.heard_at = True, now
                child.asked = self.accepted.generation if self.accepted else 0
        if self.accepted is None:
            self.failed_start = (*attempt.warnings, *problems)  # a warning may say what an error comes of
        self._finish(attempt, now, problems)

    def _finish(self, attempt: Attempt, now: Instant, problems: tuple[Problem, ...]) -> None:
        """Say how the attempt ended to the log, to systemd, to notify and to those who asked."""
        population, number = self._population, attempt.generation
        if self.failed_start is not None:
            return  # whoever started the daemon is shown the problems
        for problem in attempt.warnings:
            population.report(WARNING, str(problem))
        for problem in problems:
            population.report(ERROR, f"configuration refused: {problem}")
        text = f"configuration {number} refused, nothing changed" if problems else f"configuration {number} in force"
        population.report(ERROR if problems else INFO, text)
        if self.accepted is not None:
            # Also after a refusal: the daemon serves, and systemd waits for the end of RELOADING.
            self._emit(TellSystemd(text=f"READY=1\nSTATUS={text}"))
            kind = "reload_refused" if problems else "reloaded"
            population.notice(kind, "daemon", "stayalived", now, reason=text)
        self._changed()
        self._reply(attempt.requests, accepted=not problems, text=text, problems=(*problems, *attempt.warnings))
        self._begin(now)

    def _reply(
        self, requests: tuple[int, ...], *, accepted: bool, text: str, problems: tuple[Problem, ...] = ()
    ) -> None:
        api = self._population.children.get(API)
        generation = self.accepted.generation if self.accepted else 0
        for identifier in requests:
            reply = control.Reply(
                identifier=identifier, accepted=accepted, text=text, problems=problems, generation=generation
            )
            if api is not None and api.listening:
                self._emit(Send(name=API, frame=pack(reply)))
