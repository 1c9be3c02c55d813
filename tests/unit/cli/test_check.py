import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stayalived.cli import check
from stayalived.cli.check import problems_of, verdict
from stayalived.cli.main import main
from stayalived.config.check import Report
from stayalived.config.problems import Problem
from stayalived.ipvs.surroundings import FORWARDING, Surroundings

WRONG = Problem(path="vrrp_instance.tic.priority", found="300", expected="1 to 254", file="a.toml", line=3)
MILD = Problem(path="global", expected="a warning", warning=True)


def report(*problems: Problem, hosts: tuple[str, ...] = ()) -> Report:
    return Report(problems=problems, configuration=b"", hosts=hosts)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *(str(argument) for argument in arguments)])


def test_every_problem_is_shown_and_the_status_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "inspect", lambda paths, host: report(WRONG, MILD))

    result = call("--host", "tic", "some.toml")

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "a.toml:3: vrrp_instance.tic.priority: found 300; 1 to 254",
        "global: warning: a warning",
        "host tic: the configuration is refused: 1 error, 1 warning",
    ]


def test_the_files_and_the_host_of_the_command_line_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[tuple[Path, ...], str]] = []

    def inspect(paths: tuple[Path, ...], host: str) -> Report:
        asked.append((paths, host))
        return report(WRONG)

    monkeypatch.setattr(check, "inspect", inspect)
    call("--host", "tac", tmp_path / "b.toml", tmp_path / "a.toml")
    call("--host", "tac", "--config", tmp_path)

    assert asked == [((tmp_path / "b.toml", tmp_path / "a.toml"), "tac"), ((tmp_path,), "tac")]


def test_all_hosts_are_those_that_the_files_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def inspect(paths: tuple[Path, ...], host: str) -> Report:
        asked.append(host)
        return report(hosts=("tac", "tic"))

    monkeypatch.setattr(check, "inspect", inspect)
    monkeypatch.setattr(check, "own_host_id", lambda: "tic")
    monkeypatch.setattr(check, "verdict", lambda host, report: f"{host}!")

    assert call("--all-hosts").output.splitlines() == ["tac!", "tic!"]
    assert asked == ["tic", "tac"]


@pytest.mark.parametrize(
    "arguments", [["--host", "a", "--all-hosts"], ["--config", ".", "a.toml"], ["--bogus"], ["--host"]]
)
def test_a_contradictory_command_line_is_status_2(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


def test_what_all_hosts_share_is_said_once() -> None:
    reports = {"tic": report(WRONG, MILD, MILD), "tac": report(MILD)}

    assert problems_of(reports) == [f"host tic: {WRONG}", str(MILD)]


def test_a_good_configuration_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        '[vrrp_instance.tic]\ninterface = "eth0"\nvirtual_router_id = 1\nvirtual_ipaddress = ["192.0.2.1/24"]\n'
    )

    result = call("--host", "tic", "--config", tmp_path)

    assert (result.exit_code, result.output) == (
        0,
        "host tic: the configuration is good: 1 instance, 0 virtual servers, 0 real servers, 0 warnings\n",
    )


def test_the_verdict_on_a_refused_configuration_counts_its_errors() -> None:
    assert verdict("tic", report(WRONG, WRONG, MILD)) == ("host tic: the configuration is refused: 2 errors, 1 warning")


def test_neither_it_nor_the_child_that_reads_the_files_imports_netlink() -> None:
    example = Path(__file__).parents[3] / "conf.d"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = "from stayalived.cli.main import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", program, "check", "--config", str(example)]

    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)

    assert "stayalived_plugins.checks.tcp" in done.stderr
    assert "pyroute2" not in done.stderr


def test_what_this_machine_lacks_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        '[virtual_server.web]\naddress = "192.0.2.1:80"\nprotocol = "tcp"\n'
        '[virtual_server.web.real_server.one]\naddress = "192.0.2.11"\n'
    )
    around = Surroundings(dict.fromkeys(FORWARDING.values(), "0"))
    monkeypatch.setattr(check, "look_around", lambda settings: around)
    monkeypatch.setattr(check, "own_host_id", lambda: "tic")

    own, other = call(file).output, call("--host", "tac", file).output

    assert "net/ipv4/ip_forward is 0" in own
    assert own.endswith("1 virtual server, 1 real server, 1 warning\n")
    assert other.endswith("1 virtual server, 1 real server, 0 warnings\n")
