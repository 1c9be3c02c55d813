"""Modules that the kernel has, and schedulers of a kernel whose IPVS knows no IPv6."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from stayalived.ipvs.model import Need
from stayalived.kernel import ipvs, modules
from stayalived.kernel.ipvs import LinuxIpvs

DEPENDENCIES = """\
kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko.xz
kernel/net/netfilter/ipvs/ip_vs.ko.xz:
kernel/drivers/some-thing.ko:
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel with modules: `ip_vs_sh` is loaded, `ip_vs_rr` is installed, `ip_vs_lc` is built in."""
    (tmp_path / "loaded" / "ip_vs_sh").mkdir(parents=True)
    folder = tmp_path / "installed" / os.uname().release
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text(DEPENDENCIES)
    (folder / "modules.builtin").write_text("kernel/net/netfilter/ipvs/ip_vs_lc.ko\n")
    monkeypatch.setattr(modules, "LOADED", tmp_path / "loaded")
    monkeypatch.setattr(modules, "INSTALLED", tmp_path / "installed")
    return folder


@pytest.mark.parametrize(
    ("module", "lacking"),
    [
        ("ip_vs_sh", False),
        ("ip_vs_rr", False),
        ("ip_vs_lc", False),
        ("some_thing", False),
        ("ip_vs_r", True),
        ("ip_vs_twos", True),
    ],
)
@pytest.mark.usefixtures("installed")
def test_a_module_is_there_loaded_built_in_or_installed(module: str, lacking: bool) -> None:
    assert lacking is modules.lacks(module)


def test_where_nothing_can_be_read_nothing_is_missing(installed: Path) -> None:
    for name in modules.LISTS:
        (installed / name).unlink()

    assert not modules.lacks("ip_vs_twos")


class Answering:
    """In the place of the kernel: refuses everything for one reason."""

    number = errno.EAFNOSUPPORT

    def __init__(self, *_: object) -> None:
        """Connect to nothing."""

    def carry_out(self, requests: Sequence[object]) -> list[int]:
        return [self.number] * len(list(requests))


@pytest.mark.usefixtures("installed")
def test_without_ipv6_in_ipvs_schedulers_are_looked_for_among_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipvs, "GenericSocket", Answering)

    found = LinuxIpvs().missing([Need("rr"), Need("twos"), Need("rr", "sip"), Need("lc")])

    assert [None, "ip_vs_twos", "ip_vs_pe_sip", None] == [
        problem and str(problem).rpartition("`modprobe ")[2].partition("`")[0] for problem in found
    ]


def test_with_ipv6_the_kernel_itself_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipvs, "GenericSocket", Answering)
    monkeypatch.setattr(Answering, "number", errno.ENOENT)

    assert [True] == [problem is not None for problem in LinuxIpvs().missing([Need("rr")])]
