import os
import signal
from pathlib import Path

import pytest

from stayalived.config import check
from stayalived.config.check import Report
from stayalived.config.model import Configuration
from stayalived.timing import milliseconds, seconds

CONF_D = Path(__file__).parents[3] / "conf.d"


def test_a_child_brings_its_report() -> None:
    wanted = Report(problems=(), configuration=b"x" * 1_000_000, hosts=("tic",))

    assert check.in_child(lambda: wanted, seconds(10)) == wanted


def test_a_child_that_ends_early_is_a_problem_with_a_remedy() -> None:
    report = check.in_child(lambda: os._exit(3), seconds(10))

    assert [str(problem) for problem in report.problems] == [
        "reading the configuration ended early (exit status 3), most likely in a plugin; see `disable_plugins`"
    ]


def test_a_child_that_is_killed_is_a_problem() -> None:
    report = check.in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), seconds(10))  # type: ignore[arg-type, return-value]  # never returns

    assert "signal 9" in str(report.problems[0])
    assert not report.good


def test_a_child_that_hangs_is_killed() -> None:
    report = check.in_child(signal.pause, milliseconds(20))  # type: ignore[arg-type]  # never returns

    assert "took longer than 0.02 s" in str(report.problems[0])


@pytest.mark.parametrize(("host", "priority"), [("tic", 200), ("tac", 100)])
def test_the_examples_are_good_for_both_machines(host: str, priority: int) -> None:
    configuration, problems = check.run([CONF_D], host)

    assert problems == []
    assert isinstance(configuration, Configuration)
    (instance,) = configuration.instances
    (service,) = configuration.virtual_servers
    assert (instance.priority, [router.version for router in instance.routers]) == (priority, [3, 3])
    assert (service.scheduler, [str(endpoint) for endpoint in service.addresses]) == (
        "rr",
        ["193.50.27.132:42", "[2001:660:4503::132]:42"],
    )
    assert [str(check.target) for server in service.real_servers for check in server.checks] == [
        "193.50.27.130:42",
        "[2001:660:4503::130]:42",
        "193.50.27.131:42",
        "[2001:660:4503::131]:42",
    ]


def test_the_examples_that_are_commented_out_are_good_as_well(tmp_path: Path) -> None:
    text = (CONF_D / "30-notify.toml").read_text().replace("# [", "[").replace("# notify", "notify")
    (tmp_path / "30-notify.toml").write_text(text)
    files = [*sorted(CONF_D.glob("[0-2]*.toml")), tmp_path / "30-notify.toml"]

    configuration, problems = check.run(files, "tic")

    assert [problem for problem in problems if not problem.path.endswith(".command")] == []  # it is not installed here
    assert configuration is not None
    assert [action.subject for action in configuration.actions] == [
        "global",
        "instance service42",
        "virtual_server service42",
        "real_server service42/tic",
    ]


def test_a_bad_file_leaves_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[global")
    (tmp_path / "b.toml").write_text("[global]")

    configuration, problems = check.run([tmp_path], "tic")

    assert configuration is None
    assert [(problem.file, problem.line) for problem in problems] == [("a.toml", 1)]
