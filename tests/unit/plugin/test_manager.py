import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from installed import CHECK, install
from stayalived.config import check
from stayalived.plugin import manager, trial
from stayalived.plugin.manager import Discovery, Installed
from stayalived.timing import milliseconds

PLAIN = '[global]\nrouter_id = "lb1"\n'
SERVICE = """
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
check = { type = "KNOCK", word = "hi" }
[virtual_server.web.real_server.one]
address = "192.0.2.11"
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder on sys.path; what is imported from it stays in the child that reads a configuration.

    It is open to others: plugins are imported by a process without rights.
    """
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        folder = Path(top) / "site"
        folder.mkdir()
        monkeypatch.syspath_prepend(str(folder))
        yield folder


def problems(site: Path, text: str) -> list[str]:
    path = site.parent / "conf.d"
    path.mkdir(exist_ok=True)
    (path / "a.toml").write_text(text)
    return [str(problem) for problem in check.inspect([path], "tic").problems]


def test_the_bundled_plugins_are_found_without_being_installed() -> None:
    plugins = manager.load({"stayalived"})

    assert plugins.problems == []
    assert plugins.loaded[0].name == "stayalived"
    assert len(plugins.catalogue.schedulers) >= 10


def test_a_third_party_check_works_by_its_installation_alone(site: Path) -> None:
    install(site, "Acme.Checks", CHECK.format(name="knock"))

    assert problems(site, SERVICE) == []


def test_its_options_are_checked_with_the_same_messages(site: Path) -> None:
    install(site, "acme", CHECK.format(name="knock"))

    assert problems(site, SERVICE.replace("word", "wordd")) == [
        "a.toml:5:27: virtual_server.web.check.wordd: unknown key; did you mean word?"
    ]


def test_it_runs_without_rights_even_when_root_asks(site: Path) -> None:
    install(site, "zeta", "import os\nif os.geteuid() == 0: raise RuntimeError('root')")

    assert problems(site, PLAIN) == []


def test_one_that_raises_at_import_costs_only_its_own_types(site: Path) -> None:
    install(site, "acme", CHECK.format(name="knock"))
    install(site, "zeta", "raise RuntimeError('no luck')")

    assert problems(site, SERVICE) == ["warning: plugin zeta 1.0: import of zeta failed: RuntimeError: no luck"]


@pytest.mark.parametrize("code", ["import sys; sys.exit(3)", "import nowhere_to_be_found", "def broken(:"])
def test_however_an_import_fails_it_is_told_with_the_distribution(site: Path, code: str) -> None:
    install(site, "zeta", code)

    (problem,) = problems(site, PLAIN)

    assert problem.startswith("warning: plugin zeta 1.0: import of zeta failed: ")


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("import os; os._exit(7)", "ended the process (exit status 7)"),
        ("import os; os.abort()", "ended the process (signal 6)"),
        ("raise KeyboardInterrupt", "ended the process (exit status 70)"),
    ],
)
def test_one_whose_import_nobody_survives_costs_only_its_own_types(site: Path, code: str, how: str) -> None:
    install(site, "acme", CHECK.format(name="knock"))
    install(site, "zeta", code)

    assert problems(site, SERVICE) == [f"warning: plugin zeta 1.0: import {how}"]


def test_one_that_hangs_at_import_beyond_reach_costs_only_its_own_types(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "IMPORT_LIMIT", milliseconds(50))
    install(site, "acme", CHECK.format(name="knock"))
    install(site, "zeta", "while True: pass")

    assert problems(site, SERVICE) == ["warning: plugin zeta 1.0: import took longer than 50 ms"]


def test_an_unknown_hook_is_an_error_that_names_the_hooks(site: Path) -> None:
    install(site, "zeta", CHECK.format(name="knock") + "\n@hookimpl\ndef stayalived_cheks(): return []\n")

    (problem,) = problems(site, PLAIN)

    assert problem.startswith("plugin zeta 1.0: zeta: unknown hook 'stayalived_cheks'")
    assert "stayalived_checks, stayalived_config_loaded, stayalived_event" in problem


def test_a_hook_with_an_unknown_argument_is_an_error(site: Path) -> None:
    install(site, "zeta", "from stayalived.plugin import hookimpl\n@hookimpl\ndef stayalived_event(evnt): pass\n")

    (problem,) = problems(site, PLAIN)

    assert problem.startswith("plugin zeta 1.0: zeta: ")
    assert "evnt" in problem


def test_a_duplicate_name_is_an_error_that_names_both(site: Path) -> None:
    install(site, "zeta", CHECK.format(name="knock"))
    install(site, "acme", CHECK.format(name="Knock"))

    assert problems(site, PLAIN) == [
        "the check type knock comes from acme and from zeta; remove one, or name it in [global] disable_plugins"
    ]


def test_a_disabled_distribution_is_not_even_imported(site: Path) -> None:
    install(site, "acme", CHECK.format(name="knock"))
    install(site, "Ze.ta", "import os; os._exit(7)")

    assert problems(site, '[global]\ndisable_plugins = ["ZE_TA"]' + SERVICE) == []


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [
        ("5", "its hook returned no list"),
        ("[5]", "5 is no subclass of Check"),
        ("[type('X', (Knock,), {'name': ''})]", "X has no usable name: ''"),
        ("[type('X', (Knock,), {'Options': dict})]", "X.Options is no subclass of CheckOptions"),
    ],
)
def test_a_nonsensical_answer_of_a_hook_is_told(site: Path, answer: str, flaw: str) -> None:
    install(site, "zeta", CHECK.format(name="knock").replace("[Knock]", answer))

    (problem,) = problems(site, PLAIN)

    assert problem.startswith(f"warning: plugin zeta 1.0: check type: {flaw}")


def test_broken_metadata_hides_nobody_else(site: Path) -> None:
    install(site, "acme", CHECK.format(name="knock"))
    install(site, "zeta", "")
    (site / "zeta-1.0.dist-info" / "METADATA").unlink()

    (problem,) = problems(site, SERVICE)

    assert problem.startswith("warning: the metadata of ")
    assert "zeta-1.0.dist-info" in problem


def test_only_the_distributions_that_are_wanted_are_imported(site: Path) -> None:
    marker = site / "imported"
    install(site, "zeta", f"open({str(marker)!r}, 'w')")

    plugins = manager.load({"stayalived"})

    assert [installed.name for installed in plugins.loaded] == ["stayalived"]
    assert not marker.exists()


def test_distributions_come_bundled_first_and_then_by_name(site: Path) -> None:
    for name in ("zeta", "acme"):
        install(site, name, "")

    assert [installed.name for installed in manager.discover().installed] == ["stayalived", "acme", "zeta"]


def test_a_folder_in_the_way_is_named_with_mode_and_remedy(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "site").mkdir(parents=True)
    install(closed / "site", "zeta", "")
    closed.chmod(0o700)
    tmp_path.chmod(0o755)
    code = (
        "import json, os, sys\n"
        "from stayalived.plugin import manager\n"
        f"if os.geteuid() == 0: os.setresuid(65534, 65534, 65534)\n"
        f"else: os.chmod({str(closed)!r}, 0)\n"
        f"sys.path.insert(0, {str(closed / 'site')!r})\n"
        "sys.path_importer_cache.clear()\n"
        "found = manager.Installed('zeta', '1.0', (manager.EntryPoint('plugin', 'zeta', 'stayalived'),))\n"
        "print(json.dumps([str(p) for p in manager.load(discovery=manager.Discovery((found,))).problems]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)

    (problem,) = json.loads(result.stdout)
    assert problem.startswith("warning: plugin zeta 1.0: import of zeta failed: ModuleNotFoundError")
    assert "has mode 0" in problem
    assert "chmod o+rx" in problem


def test_what_was_discovered_before_is_loaded_without_looking_again() -> None:
    nothing = Discovery((Installed("ghost", "1.0", (EntryPoint("plugin", "no_such_module_at_all", "stayalived"),)),))

    plugins = manager.load(discovery=nothing)

    assert [problem.warning for problem in plugins.problems] == [True]
    assert plugins.loaded == ()
