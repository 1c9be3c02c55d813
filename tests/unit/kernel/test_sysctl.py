"""Settings of the kernel, in a folder that stands for /proc/sys; the labs write real ones."""

import errno
from pathlib import Path

import pytest

from stayalived.errors import KernelProblem
from stayalived.kernel import sysctl


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sysctl, "ROOT", tmp_path)
    folder = tmp_path / "net" / "ipv4" / "conf" / "vrrp.51"
    folder.mkdir(parents=True)
    (folder / "arp_ignore").write_text("0\n")
    return folder


NAMES = ("net/ipv4/conf/vrrp.51/arp_ignore", "net.ipv4.conf.vrrp/51.arp_ignore")


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_read_by_either_way_of_writing_its_name(settings: Path, name: str) -> None:
    assert sysctl.read(name) == "0"


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_is_written_and_the_value_before_returned(settings: Path, name: str) -> None:
    assert ("0", "1", "1") == (sysctl.write(name, 1), sysctl.write(name, 1), sysctl.read(name))


def test_what_has_the_value_already_is_not_written(settings: Path) -> None:
    (settings / "arp_ignore").chmod(0o444)
    before = (settings / "arp_ignore").stat().st_mtime_ns

    assert "0" == sysctl.write(NAMES[0], 0)
    assert before == (settings / "arp_ignore").stat().st_mtime_ns


def test_the_name_of_an_interface_may_have_dots() -> None:
    assert "net/ipv4/conf/vrrp.51/arp_ignore" == sysctl.of_interface("ipv4", "vrrp.51", "arp_ignore")


@pytest.mark.parametrize(
    "name", ["kernel.hostname", "net/../kernel/hostname", "net//x", "net/.", "/net/x", "net.ipv4./.x", "", "net.."]
)
def test_names_that_lead_elsewhere_are_refused(settings: Path, name: str) -> None:
    with pytest.raises(KernelProblem, match="begins with net and has no empty part"):
        sysctl.read(name)


def test_a_setting_that_is_not_there_is_named(settings: Path) -> None:
    with pytest.raises(KernelProblem) as caught:
        sysctl.write("net/ipv4/conf/eth7/arp_ignore", 1)

    assert errno.ENOENT == caught.value.errno
    assert str(caught.value).startswith(
        "sysctl net/ipv4/conf/eth7/arp_ignore: No such file or directory; the kernel has"
    )


def test_where_proc_sys_is_hidden_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysctl, "ROOT", tmp_path / "hidden")

    with pytest.raises(KernelProblem, match="ProcSubset=pid"):
        sysctl.read(NAMES[0])


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EROFS, "ProtectKernelTunables= in a drop-in of the unit, or a container"),
        (errno.EACCES, "needs CAP_NET_ADMIN over its network namespace; or something makes /proc/sys read-only"),
        (errno.EPERM, "needs CAP_NET_ADMIN"),
        (errno.EINVAL, "does not take this value"),
    ],
)
def test_a_refusal_says_what_to_do(settings: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, "refused")

    monkeypatch.setattr(sysctl.os, "open", refuse)

    with pytest.raises(KernelProblem) as caught:
        sysctl.write(NAMES[0], 1)

    assert number == caught.value.errno
    assert remedy in str(caught.value)
    assert "sysctl -w net/ipv4/conf/vrrp.51/arp_ignore=1" == caught.value.action
