"""Rights are given up in a process of its own and looked at from /proc."""

import os
import pwd
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from stayalived.child import privileges
from stayalived.child.privileges import CAPABILITIES, MissingRights, Rights

NOBODY = pwd.getpwnam("nobody")


def in_child(action: Callable[[], object]) -> str:
    """What the action returned or raised, as text, in a process that has done it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = str(action())
        except (MissingRights, OSError) as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return text


def status(*fields: str) -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: " ".join(line.split()[1:]) for line in lines if line.split(":")[0] in fields}


def mask(*names: str) -> str:
    return f"{sum(1 << CAPABILITIES[name] for name in names):016x}"


def test_the_numbers_are_those_of_the_kernel() -> None:
    expected = {"CHOWN": 0, "SETUID": 7, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14}
    assert expected | {"SYS_NICE": 23, "SYS_RESOURCE": 24} == {
        name: CAPABILITIES[name] for name in (*expected, "SYS_NICE", "SYS_RESOURCE")
    }


def test_a_user_that_is_not_there_becomes_nobody_with_a_notice() -> None:
    account, notices = privileges.find_user("no-such-user-here")
    assert account == NOBODY
    assert "no-such-user-here does not exist: running as nobody" in notices[0]


def test_a_role_keeps_what_it_asked_for_and_nothing_else() -> None:
    def give_up() -> object:
        privileges.assume("vrrp", Rights(user="stayalived", capabilities=("NET_ADMIN", "NET_RAW")))
        return status("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb", "NoNewPrivs")

    kept = mask("NET_ADMIN", "NET_RAW")
    expected = {"CapInh": mask(), "CapPrm": kept, "CapEff": kept, "CapBnd": kept, "CapAmb": mask(), "NoNewPrivs": "1"}
    assert in_child(give_up) == str(expected)


def test_user_and_groups_are_given_up_for_good() -> None:
    def give_up() -> object:
        privileges.assume("api", Rights(user="no-such-user-here"))
        try:
            os.setuid(0)
        except PermissionError:
            return status("Uid", "Gid", "Groups")
        return "root again"

    uid, gid = NOBODY.pw_uid, NOBODY.pw_gid
    expected = {"Uid": f"{uid} {uid} {uid} {uid}", "Gid": f"{gid} {gid} {gid} {gid}", "Groups": ""}
    assert in_child(give_up) == str(expected)


def test_the_runner_stays_root_with_few_capabilities_and_may_run_others() -> None:
    def give_up() -> object:
        rights = Rights(user="root", capabilities=("SETUID", "SETGID", "KILL"), no_new_privs=False)
        identity = privileges.assume("runner", rights)
        return identity.user, status("CapEff", "NoNewPrivs")

    expected = ("root", {"CapEff": mask("SETUID", "SETGID", "KILL"), "NoNewPrivs": "0"})
    assert in_child(give_up) == str(expected)


def test_without_root_a_required_right_is_named_with_its_remedy() -> None:
    def lack() -> object:
        os.setresuid(NOBODY.pw_uid, NOBODY.pw_uid, NOBODY.pw_uid)
        return privileges.assume("vrrp", Rights(user="stayalived", capabilities=("NET_RAW",)))

    text = in_child(lack)
    assert text.startswith("MissingRights: vrrp: lacks CAP_NET_RAW; start as root, or")
    assert "AmbientCapabilities=CAP_NET_RAW" in text


def test_without_root_a_role_without_rights_runs_as_the_present_user() -> None:
    def lack() -> object:
        os.setresuid(NOBODY.pw_uid, NOBODY.pw_uid, NOBODY.pw_uid)
        return privileges.assume("checker", Rights(user="stayalived"))

    assert in_child(lack) == "Identity(user='nobody', notices=())"


def test_without_root_what_is_only_useful_is_a_notice() -> None:
    def lack() -> object:
        os.setresuid(NOBODY.pw_uid, NOBODY.pw_uid, NOBODY.pw_uid)
        rights = Rights(user="root", capabilities=("SETUID", "KILL"), no_new_privs=False)
        return privileges.assume("runner", rights).notices

    text = in_child(lack)
    assert "runner: lacks CAP_SETUID CAP_KILL" in text
    assert "runs as nobody, not as root: so do the programs that it starts" in text


def test_a_capability_that_root_was_not_given_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "permitted_capabilities", lambda: 0)
    with pytest.raises(MissingRights, match="CAP_NET_ADMIN"):
        privileges.assume("ipvs", Rights(user="stayalived", capabilities=("NET_ADMIN",)))


def test_strangers_are_confined() -> None:
    def confine() -> object:
        privileges.confine_third_party()
        lines = Path("/proc/self/limits").read_text().splitlines()
        return [line.split()[3:5] for line in lines if line.startswith(("Max open files", "Max address space"))]

    assert in_child(confine) == str([["256", "256"], [str(512 * 1024 * 1024)] * 2])


def test_the_limit_of_descriptors_is_raised_as_far_as_it_goes() -> None:
    import resource

    def raise_it() -> object:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        raised = privileges.raise_descriptor_limit()
        return (
            raised >= min(hard, privileges.DESCRIPTORS_WANTED)
            and resource.getrlimit(resource.RLIMIT_NOFILE)[0] == raised
        )

    assert in_child(raise_it) == "True"


def test_the_death_of_the_parent_is_a_signal() -> None:
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        ready, told = os.pipe()
        if os.fork() == 0:
            privileges.die_with_parent(signal.SIGUSR2)
            os.write(told, b"x")
            found = signal.sigtimedwait({signal.SIGUSR2}, 5)
            os.write(writer, b"told" if found else b"not told")
            os._exit(0)
        os.read(ready, 1)
        os._exit(0)
    os.waitpid(middle, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "told"
