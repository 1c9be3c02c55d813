"""`stayalived install` as root on a copy of this machine's /etc and /var/lib, in a mount namespace of its own."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
UNIT = "/etc/systemd/system/stayalived.service"
FOLDERS = ("/etc", "/var/lib/stayalived")
PROGRAM = f"""\
import sys
sys.path[:0] = {[str(TOP / "core"), str(TOP / "plugins")]!r}
from stayalived.cli.main import main
main(prog_name="stayalived")
"""
SNAPSHOT = """
import hashlib, json, os
seen = {}
for top in ("/etc", "/var/lib/stayalived"):
    for folder, folders, files in os.walk(top):
        for name in [".", *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            regular = os.path.isfile(path) and not os.path.islink(path)
            content = hashlib.sha256(open(path, "rb").read()).hexdigest() if regular else ""
            seen[path] = [status.st_mode, status.st_uid, status.st_gid, content]
print(json.dumps(seen))
"""
STAGE = """
set -eu
mount --make-rprivate /
for folder in /etc /var/lib; do
    mkdir -p "$1$folder"
    cp -a "$folder/." "$1$folder/" 2>/dev/null || [ "$folder" = /var/lib ]
done
rm -rf "$1/var/lib/stayalived" "$1/etc/stayalived" "$1/etc/systemd/system/stayalived.service"
mount --bind "$1/etc" /etc
mount -t tmpfs tmpfs /var/lib
userdel stayalived 2>/dev/null || true
shift
exec "$@"
"""


class Machine:
    """A copy of this machine's /etc that everything in one mount namespace sees as its own."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "stayalived"
        self._program.write_text(f"#!{sys.executable}\n{PROGRAM}")
        self._program.chmod(0o755)
        stage = ["sh", "-c", STAGE, "stage", str(folder / "copy"), "sleep", "infinity"]
        ready = [*stage[:-2], "sh", "-c", "echo ready; exec sleep infinity"]
        self.program = [sys.executable, "-c", PROGRAM]
        self._keeper = subprocess.Popen(["unshare", "--mount", "--net", *ready], stdout=subprocess.PIPE, text=True)
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == "ready\n"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._entry(), *command], capture_output=True, text=True, check=False, env=os.environ)

    def entering(self, *arguments: str) -> list[str]:
        """Return the command that calls stayalived on this machine."""
        return [*self._entry(), str(self._program), *arguments]

    def stayalived(self, *arguments: str) -> str:
        done = subprocess.run(self.entering(*arguments), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _entry(self) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", f"--net=/proc/{self._keeper.pid}/ns/net"]

    def snapshot(self) -> dict[str, list[object]]:
        return dict(json.loads(self.run(sys.executable, "-c", SNAPSHOT).stdout))

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.wait()
        assert self._keeper.stdout is not None
        self._keeper.stdout.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    copy = Machine(tmp_path)
    yield copy
    copy.close()


@pytest.mark.parametrize("groups", ["yes", "no"])
def test_after_the_removal_the_tree_is_as_before_the_installation(machine: Machine, groups: str) -> None:
    machine.run("sed", "-i", f"s/^USERGROUPS_ENAB.*/USERGROUPS_ENAB {groups}/", "/etc/login.defs")
    before = machine.snapshot()

    machine.stayalived("install")
    assert before != machine.snapshot()
    machine.stayalived("install", "--uninstall")

    assert before == machine.snapshot()


def test_everything_is_in_place_and_said(machine: Machine) -> None:
    said = machine.stayalived("install")

    assert f"put {UNIT}" in said
    assert "made user and group stayalived" in said
    account = machine.run("getent", "passwd", "stayalived").stdout.strip()
    assert account.endswith(":/nonexistent:/usr/sbin/nologin")
    owner = machine.run("stat", "-c", "%U:%G %a", "/var/lib/stayalived").stdout
    assert owner == "stayalived:stayalived 750\n"
    files = machine.run("sh", "-c", "ls /etc/stayalived/conf.d/").stdout.split()
    assert files == sorted(path.name for path in (TOP / "conf.d").glob("*.toml"))
    assert files


def test_a_second_run_changes_nothing_and_says_so(machine: Machine) -> None:
    machine.stayalived("install")
    before = machine.snapshot()

    said = machine.stayalived("install")

    assert said == "nothing to do: everything is in place\n"
    assert before == machine.snapshot()


def test_a_changed_file_is_kept_with_the_difference_shown(machine: Machine) -> None:
    machine.stayalived("install")
    machine.run("sed", "-i", "s/^WatchdogSec=.*/WatchdogSec=99/", UNIT)

    said = machine.stayalived("install")
    removed = machine.stayalived("install", "--uninstall")

    assert "-WatchdogSec=99" in said
    assert f"kept {UNIT}: it was changed" in removed
    assert "WatchdogSec=99" in machine.run("cat", UNIT).stdout


def test_the_installed_configuration_is_good_on_every_host_that_it_names(machine: Machine) -> None:
    machine.stayalived("install")

    said = machine.stayalived("check", "--all-hosts")

    assert "refused" not in said
    assert "is good" in said


def test_the_installed_unit_has_nothing_that_systemd_complains_about(machine: Machine) -> None:
    machine.stayalived("install")

    done = machine.run("systemd-analyze", "verify", UNIT)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def exposure(machine: Machine) -> float:
    shown = machine.run("systemd-analyze", "security", "--offline=yes", "--no-pager", UNIT).stdout
    (level,) = re.findall(r"Overall exposure level for stayalived.service: ([0-9.]+)", shown)
    return float(level)


def test_the_unit_is_as_locked_as_promised(machine: Machine) -> None:
    machine.stayalived("install")
    normal = exposure(machine)

    machine.run("mkdir", f"{UNIT}.d")
    machine.run("cp", str(TOP / "packaging" / "systemd" / "strict.conf"), f"{UNIT}.d/")
    # --offline=yes reads drop-ins below a root only
    shown = machine.run("systemd-analyze", "security", "--offline=yes", "--root=/", "stayalived.service").stdout
    (strict,) = re.findall(r"Overall exposure level for stayalived.service: ([0-9.]+)", shown)

    assert normal <= 4.0
    assert float(strict) <= 3.0


def test_a_package_can_be_built_below_a_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    program = [sys.executable, "-c", PROGRAM, "install", "--root", str(root)]

    said = subprocess.check_output(program, text=True)

    assert f"put {root}{UNIT}" in said
    assert "ExecStart=/usr/bin/stayalived run" in (root / UNIT[1:]).read_text()
    subprocess.check_output([*program, "--uninstall"])
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("groups", ["", "USERGROUPS_ENAB yes\n", "USERGROUPS_ENAB no\n"])
@pytest.mark.parametrize("member", ["", "root"])
def test_user_and_group_of_a_system_below_a_root_go_together(tmp_path: Path, groups: str, member: str) -> None:
    accounts = {"login.defs": groups, "passwd": "root:x:0:0::/root:/bin/sh\n", "group": "root:x:0:\n"}
    (tmp_path / "etc").mkdir()
    for name, content in accounts.items():
        (tmp_path / "etc" / name).write_text(content)
    program = [sys.executable, "-c", PROGRAM, "install", "--root", str(tmp_path)]

    subprocess.check_output(program)
    group = tmp_path / "etc/group"
    assert "\nstayalived:" in group.read_text()
    group.write_text(group.read_text().rstrip() + f"{member}\n")
    subprocess.check_output([*program, "--uninstall"])

    assert accounts == {path.name: path.read_text() for path in (tmp_path / "etc").iterdir()}


def test_a_wheel_carries_unit_examples_and_both_packages(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "core", "plugins", "conf.d", "packaging"):
        subprocess.run(["cp", "-a", str(TOP / name), str(source)], check=True)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir", str(tmp_path)]

    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    examples = {f"stayalived/cli/files/conf.d/{path.name}" for path in (TOP / "conf.d").glob("*.toml")}
    assert examples
    assert examples | {"stayalived/cli/files/systemd/stayalived.service", "stayalived_plugins/py.typed"} <= names
