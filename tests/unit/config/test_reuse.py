"""A reload reads again what changed, and comes to the same configuration as one that reads everything."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from stayalived.config import files, model
from stayalived.config.check import Found, Report, examine, look, open_all
from stayalived.config.model import Configuration

GLOBAL = '[global]\nrouter_id = "lb1"\n[check.answers]\ntype = "tcp"\ndelay_loop = 5\n'
VRRP = '[vrrp_instance.site]\ninterface = "lo"\nvirtual_router_id = 1\nvirtual_ipaddress = ["192.0.2.1/24"]\n'


def service(name: str, number: int, *, weight: int = 1, more: str = "") -> str:
    return (
        f'[virtual_server.{name}]\naddress = "192.0.2.{number}:80"\nprotocol = "tcp"\nscheduler = "rr"\n'
        f'check = "answers"\n{more}\n'
        f'[virtual_server.{name}.real_server.one]\naddress = "192.0.2.{number + 100}"\nweight = {weight}\n'
    )


FILES = {"00.toml": GLOBAL, "10.toml": service("a", 10) + service("b", 11), "20.toml": service("c", 12)}


class Folder:
    """A conf.d, and a count of the files that were parsed in it."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self.parsed: list[str] = []
        parse = files.parse

        def counted(name: str, raw: bytes, problems: list[files.Problem]) -> files.Source | None:
            self.parsed.append(name)
            return parse(name, raw, problems)

        monkeypatch.setattr(files, "parse", counted)

    def write(self, texts: Mapping[str, str]) -> None:
        for old in self._path.iterdir():
            old.unlink()
        for name, text in texts.items():
            (self._path / name).write_text(text)

    def read(self, previous: Configuration | None = None) -> Report:
        self.parsed.clear()
        return examine(open_all([self._path], "lb1", previous), "lb1")

    def found(self) -> Found:
        return look([self._path])

    def reread(self, before: Mapping[str, str], after: Mapping[str, str]) -> Report:
        """Read some files, and then others as a reload does; what comes of it is what a start would make of them."""
        self.write(before)
        previous = model.decode(self.read().configuration)
        self.write(after)
        anew = self.read()
        again = self.read(previous)
        assert again == anew
        return again


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def test_files_of_services_that_did_not_change_are_not_parsed_again(folder: Folder) -> None:
    report = folder.reread(FILES, FILES)

    assert folder.parsed == ["00.toml"]
    assert [one.name for one in model.decode(report.configuration).virtual_servers] == ["a", "b", "c"]


def test_of_many_only_the_file_that_changed_is_parsed(folder: Folder) -> None:
    report = folder.reread(FILES, {**FILES, "10.toml": service("b", 11, weight=7) + service("d", 13)})

    assert folder.parsed == ["00.toml", "10.toml"]
    served = model.decode(report.configuration).virtual_servers
    assert [(one.name, one.real_servers[0].weight) for one in served] == [("b", 7), ("d", 1), ("c", 1)]


def test_a_third_reading_knows_what_the_second_did_not_parse(folder: Folder) -> None:
    folder.write(FILES)
    first = model.decode(folder.read().configuration)
    second = model.decode(folder.read(first).configuration)

    assert (second, folder.read(second).problems) == (first, ())
    assert folder.parsed == ["00.toml"]


def test_a_file_that_is_gone_takes_its_services_along(folder: Folder) -> None:
    report = folder.reread(FILES, {name: text for name, text in FILES.items() if name != "10.toml"})

    assert folder.parsed == ["00.toml"]
    assert [one.name for one in model.decode(report.configuration).virtual_servers] == ["c"]


EVERYTHING: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "what all services share changed": (FILES, {**FILES, "00.toml": GLOBAL.replace("5", "9")}),
    "a new file holds more than services": (FILES, {**FILES, "30.toml": '[check.other]\ntype = "tcp"\n'}),
    "a new file adds to a service": (
        FILES,
        {**FILES, "30.toml": '[virtual_server.c.real_server.two]\naddress = "192.0.2.99"\n'},
    ),
    "a service stands in two files": (
        {**FILES, "30.toml": "[virtual_server.c]\nquorum = 1\n"},
        {**FILES, "30.toml": "[virtual_server.c]\nquorum = 1\n", "10.toml": service("a", 10)},
    ),
    "hosts differ": (
        {**FILES, "30.toml": "[host.lb1.virtual_server.c]\nquorum = 1\n"},
        {**FILES, "30.toml": "[host.lb1.virtual_server.c]\nquorum = 1\n", "10.toml": service("a", 10)},
    ),
}


@pytest.mark.parametrize("case", EVERYTHING)
def test_everything_is_parsed_where_files_reach_into_each_other(folder: Folder, case: str) -> None:
    before, after = EVERYTHING[case]

    folder.reread(before, after)

    assert {"20.toml"} <= set(folder.parsed)


@pytest.mark.parametrize(
    "more",
    [
        'notify = [{ type = "script", on = ["quorum_up"], command = ["/bin/true"] }]',
        'sorry_server = "localhost:81"',
        "quorum = 9",  # more than there is: a warning, which every report repeats
    ],
)
def test_what_asks_the_world_or_is_warned_of_is_read_each_time(folder: Folder, more: str) -> None:
    texts = {**FILES, "30.toml": service("w", 20, more=more)}

    folder.reread(texts, texts)

    assert folder.parsed == ["00.toml", "30.toml"]


def test_an_error_has_its_line_also_in_a_file_that_did_not_change(folder: Folder) -> None:
    report = folder.reread(FILES, {**FILES, "30.toml": service("again", 10)})  # the address of `a`

    assert not report.good
    assert any(problem.file and problem.line for problem in report.problems)


def same(folder: Folder, texts: Mapping[str, str], host: str = "lb1") -> bool:
    """Tell whether files are found to mean what some read before them meant."""
    origin = model.decode_origin(folder.read().configuration)
    folder.write(texts)
    return folder.found().is_same(host, origin)


def test_the_same_files_are_known_to_mean_the_same_without_a_look_into_them(folder: Folder) -> None:
    folder.write(FILES)

    assert same(folder, FILES)
    assert folder.parsed == list(FILES)


@pytest.mark.parametrize(
    "after",
    [
        {**FILES, "20.toml": service("c", 12, weight=2)},
        {**FILES, "30.toml": service("d", 13)},
        {name: text for name, text in FILES.items() if name != "20.toml"},
        {**{name: text for name, text in FILES.items() if name != "20.toml"}, "30.toml": FILES["20.toml"]},
    ],
)
def test_other_files_or_names_may_mean_something_else(folder: Folder, after: Mapping[str, str]) -> None:
    folder.write(FILES)

    assert not same(folder, after)


def test_the_same_files_on_another_host_may_mean_something_else(folder: Folder) -> None:
    folder.write(FILES)

    assert not same(folder, FILES, host="lb2")


@pytest.mark.parametrize(
    "more",
    [
        VRRP,
        '[global.smtp]\nhost = "localhost"\n',
        service("w", 20, more='sorry_server = "localhost:81"'),
        service("w", 20, more="quorum = 9"),
        service("w", 20, more='notify = [{ type = "script", on = ["quorum_up"], command = ["/bin/true"] }]'),
    ],
    ids=["interfaces", "a key that there is not", "a host name", "a warning", "a program"],
)
def test_what_asks_the_world_may_mean_something_else_each_time(folder: Folder, more: str) -> None:
    texts = {**FILES, "30.toml": more}
    folder.write(texts)
    report = folder.read()

    assert not (report.configuration and same(folder, texts))


def test_another_host_shares_nothing(folder: Folder, tmp_path: Path) -> None:
    folder.write(FILES)
    previous = model.decode(folder.read().configuration)
    folder.parsed.clear()

    examine(open_all([tmp_path], "lb2", previous), "lb2")

    assert folder.parsed == ["00.toml", "10.toml", "20.toml"]
