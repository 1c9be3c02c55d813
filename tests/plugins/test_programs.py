"""A third party's check has a program run: it asks the runner, and the test answers in the runner's place."""

from collections.abc import Callable

import msgspec

from checker_kit import check, configuration
from plugins.checker_process import CheckerProcess, pump
from stayalived.addresses import NOWHERE
from stayalived.config.model import Check
from stayalived.messages.notify import Ran, Run
from stayalived.messages.routes import pack
from stayalived.runner.requests import Permits
from stayalived.timing import milliseconds, seconds

Start = Callable[[str], CheckerProcess]
COMMAND = ("/usr/local/bin/how-much", "-q")


def launching() -> Check:
    one = check(
        "track:stock",
        type="launching",
        distribution="launching",
        options=msgspec.msgpack.encode({"command": COMMAND}),
        delay_loop=milliseconds(100),
        weight=2,
        limit=seconds(9),
    )
    return msgspec.structs.replace(one, target=NOWHERE)


def asked(process: CheckerProcess) -> Run:
    """Wait for the next request that it sends to the runner."""
    seen = process.runs()
    pump([process], lambda: len(process.runs()) > len(seen))
    return process.runs()[len(seen)]


def answer(process: CheckerProcess, run: Run, **how: object) -> None:
    values: dict[str, object] = {"status": 0, "signal": 0, "output": b"", "problem": "", "duration": 1}
    ran = Ran(identifier=run.identifier, **(values | how))  # type: ignore[arg-type]  # the tests' own values
    process.link.send(pack(ran, peer="runner"))


def test_a_strangers_check_asks_for_what_the_configuration_lets_it_and_gets_the_answer(checker: Start) -> None:
    one = launching()
    process = checker("checker/launching")
    process.begin(configuration(one))

    run = asked(process)
    permits = Permits.of(configuration(one))
    assert (run.argv, permits.objection(run, "checker/launching")) == (COMMAND, "")
    assert "no action or check of acme" in permits.objection(run, "checker/acme")
    answer(process, run, output=b"7\n")
    pump([process], lambda: process.states[one.key].up is True)
    assert (process.states[one.key].value, process.states[one.key].weight) == (7, 14)

    answer(process, asked(process), status=-1, problem="/usr/local/bin has mode 0777", void=True)
    pump([process], lambda: "counts as not run: /usr/local/bin has mode 0777" in process.log)
    assert process.states[one.key].up is True

    answer(process, asked(process), status=1)
    pump([process], lambda: process.states[one.key].up is False)
    assert process.stop() == 0
