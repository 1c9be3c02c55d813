"""A supervisor with toy children, run as a program: every child writes what happens to it to standard output."""

import functools
import os
import sys
from pathlib import Path

from stayalived.addresses import Family  # noqa: F401  (imported before the first fork, as the warm parent does)
from stayalived.child import bootstrap
from stayalived.child.events import AnswerPrepared, Commit, Finished, Prepare, Stop
from stayalived.child.link import Link
from stayalived.child.privileges import Rights
from stayalived.child.shell import Shell
from stayalived.config import model
from stayalived.messages.control import Parsed
from stayalived.messages.routes import pack
from stayalived.supervisor import pidfile
from stayalived.supervisor.main import Arguments, Supervisor
from stayalived.timing import Instant, seconds
from unit.supervisor.house import needs

GLOBALS = model.Globals(
    router_id="x", host_id="x", child_wait_time=seconds(5), script_user="", start_hold=seconds(0), start_rate=1000,
    dynamic_interfaces=False, realtime=False, flush=False, log="stderr", log_facility="daemon", log_level="info",
)  # fmt: skip
CONFIGURATION = model.Configuration(
    globals=GLOBALS, instances=(), virtual_servers=(), tracked_checks=(), actions=(), distributions=()
)


def say(*words: object) -> None:
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


class ToyEngine:
    deadline = None

    def __init__(self, context: bootstrap.Context) -> None:
        self.context = context

    def handle(self, event: object, now: Instant) -> list[object]:
        match event:
            case Prepare(generation=generation):
                return [AnswerPrepared(generation=generation)]
            case Commit(start=start):
                say("running", self.context.name, os.getpid(), start.value)
            case Stop():
                say("stopped", self.context.name)
                return [Finished()]
        return []

    def wake(self, now: Instant) -> list[object]:
        return []


class Toy:
    RIGHTS = Rights(user="root")

    def run(self, context: bootstrap.Context, opened: object) -> None:
        Shell(ToyEngine(context), context, say).run()


class ToyConfig:
    RIGHTS = Rights(user="root")

    def run(self, context: bootstrap.Context, opened: object) -> None:
        from stayalived.config.main import sealed

        children = (context.config_dir / "children").read_text().split()
        message = Parsed(generation=context.generation, problems=(), needs=needs(children))
        Link(context.link).send(pack(message), sealed(model.encode(CONFIGURATION)))


class Hang:
    RIGHTS = Rights(user="root")

    def run(self, context: bootstrap.Context, opened: object) -> None:
        raise RuntimeError("a toy that breaks")


def find(name: str) -> bootstrap.Role:
    return {"config": ToyConfig, "runner": Hang}.get(name, Toy)()


def main(folder: Path) -> int:
    arguments = Arguments(config_dir=folder, run_dir=folder, host_id="x")
    lock = pidfile.acquire(folder, seconds(0))
    try:
        return Supervisor(arguments, lock, functools.partial(bootstrap.live, find=find)).run(lambda: None)
    finally:
        lock.release()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
