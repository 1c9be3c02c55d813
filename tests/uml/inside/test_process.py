"""The ipvs process as the supervisor sees it: a pipe, a configuration in a memfd, one capability, the real kernel."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from namespaces.waiting import wait_until
from stayalived.child import privileges
from stayalived.child.bootstrap import Context
from stayalived.child.link import Link, make_pair
from stayalived.config.model import Configuration, encode
from stayalived.ipvs import main
from stayalived.messages.codec import Frame
from stayalived.messages.control import Commit, Message, Prepare, Prepared, Start, Stop
from stayalived.messages.routes import pack, unpack
from stayalived.messages.services import ServiceState
from unit.ipvs.build import check_state, configuration, server, service

LIMIT = 20.0
WEB = service(server("one", "192.0.2.10"), server("two", "192.0.2.11"))


class Child:
    """The process, forked, without rights but the one that it asks for."""

    def __init__(self) -> None:
        ours, theirs = make_pair()
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            _live(theirs)
        theirs.close()
        self.link = Link(ours)
        self.heard: list[Frame] = []

    def tell(self, message: Message, key: str = "", configured: Configuration | None = None) -> None:
        if configured is None:
            self.link.send(pack(message, key=key, peer="checker"))
            return
        descriptor = os.memfd_create("configuration")
        os.write(descriptor, encode(configured))
        self.link.send(pack(message), descriptor)

    def wait_for(self, kind: type[Message], condition: Callable[[Message], bool] = lambda _: True) -> Message:
        def found() -> Message | None:
            self.heard += [frame for frame, _ in self.link.receive()]
            messages = (unpack(frame) for frame in self.heard)
            return next((one for one in messages if isinstance(one, kind) and condition(one)), None)

        message = wait_until(found, within=LIMIT, what=f"{kind.__name__} of ipvs", descriptor=self.link.fileno())
        assert message is not None
        return message

    def start(self, start: Start) -> None:
        self.tell(Prepare(generation=1), configured=configuration(WEB))
        self.wait_for(Prepared)
        self.tell(Commit(generation=1, start=start))

    def end(self) -> int:
        """Close the pipe, as a supervisor that died, and return the exit status."""
        self.link.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        self.link.close()


def _live(end) -> None:  # noqa: ANN001
    status = 70
    try:
        folder = Path("/run")
        context = Context(name="ipvs", start=Start.FIRST, link=end, run_dir=folder, config_dir=folder, host_id="lb1")
        opened = main.open_as_root(context)
        privileges.assume("ipvs", main.RIGHTS)
        main.run(context, opened)
        status = 0
    finally:
        os._exit(status)


def table() -> list[str]:
    done = subprocess.run(["ipvsadm", "-Sn"], check=True, capture_output=True, text=True)
    return sorted(line.strip() for line in done.stdout.splitlines())


@pytest.fixture
def child() -> Iterator[Child]:
    subprocess.run(["ipvsadm", "-C"], check=True)
    process = Child()
    process.start(Start.FIRST)
    process.tell(check_state("web/one", up=True), key="web/one#0")
    process.wait_for(ServiceState, lambda state: state.servers[0].weight == 1)
    yield process
    subprocess.run(["ipvsadm", "-C"], check=True)


SERVING = ["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 192.0.2.10:80 -m -w 1"]


def test_verdicts_reach_the_kernel_and_the_end_of_the_pipe_clears_it(child: Child) -> None:
    assert SERVING == table()

    assert 0 == child.end()

    assert [] == table()


def test_a_stop_that_leaves_the_table_leaves_it(child: Child) -> None:
    child.tell(Stop(leave=True))

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
    child.link.close()

    assert SERVING == table()


def test_a_killed_process_leaves_the_table_and_its_replacement_finds_it(child: Child) -> None:
    told = [frame for frame in child.heard if frame.topic == "services.state"]
    child.kill()
    assert SERVING == table()

    second = Child()
    second.link.send(told[-1])
    second.tell(check_state("web/one", up=True), key="web/one#0")
    second.start(Start.RESPAWNED)
    second.tell(check_state("web/two", up=True), key="web/two#0")
    second.wait_for(ServiceState, lambda state: state.servers[1].weight == 1)

    assert [*SERVING, "-a -t 192.0.2.1:80 -r 192.0.2.11:80 -m -w 1"] == table()
    assert 0 == second.end()
