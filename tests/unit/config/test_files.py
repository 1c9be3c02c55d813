from pathlib import Path

from configuration_kit import good, read
from stayalived.config import contents, files

GLOBAL = "[global]\n"
INSTANCE = '[vrrp_instance.tic]\ninterface = "eth0"\nvirtual_router_id = 1\nvirtual_ipaddress = ["192.0.2.1/24"]\n'


def test_files_of_a_directory_come_in_the_order_of_their_names_without_those_of_editors(tmp_path: Path) -> None:
    for name in ("20-b.toml", "10-a.toml", ".hidden.toml", "#30-c.toml", "30-c.toml~", "notes.txt", ".#x.toml"):
        (tmp_path / name).write_text("# nothing yet")

    sources, problems = files.read([tmp_path])

    assert [source.name for source in sources] == ["10-a.toml", "20-b.toml"]
    assert problems == []


def test_a_file_may_be_named_alone(tmp_path: Path) -> None:
    (tmp_path / "any.conf").write_text("[global]")

    sources, problems = files.read([tmp_path / "any.conf"])

    assert ([source.data for source in sources], problems) == ([{"global": {}}], [])


def test_an_empty_directory_is_worth_a_warning(tmp_path: Path) -> None:
    _, problems = files.read([tmp_path])

    assert [str(problem) for problem in problems] == [f"{tmp_path}: warning: no *.toml file in this directory"]


def test_an_empty_file_is_worth_a_warning_and_one_of_comments_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(" \n")
    (tmp_path / "b.toml").write_text("# [global]\n")

    _, problems = files.read([tmp_path])

    assert [str(problem) for problem in problems] == [
        "a.toml: warning: is empty; if it is still being written, try again"
    ]


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[global]")
    more = iter(["\nlog = ", '"syslog"'])

    def load(path: Path) -> bytes:
        raw = path.read_bytes()
        with path.open("a") as editor:
            editor.write(next(more, ""))
        return raw

    assert contents.steady(file, load) == b'[global]\nlog = "syslog"'


def test_a_file_that_another_one_replaces_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("a = 1")
    (tmp_path / "new").write_text("a = 2")

    def load(path: Path) -> bytes:
        raw = path.read_bytes()
        if (tmp_path / "new").exists():
            (tmp_path / "new").replace(path)
        return raw

    assert contents.steady(tmp_path / "a.toml", load) == b"a = 2"


def test_a_file_that_never_holds_still_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("")

    def load(path: Path) -> bytes:
        raw = path.read_bytes()
        with path.open("a") as editor:
            editor.write("#")
        return raw

    assert contents.steady(file, load) is None


def test_what_cannot_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'[global]\nlog = "\xff"')
    (tmp_path / "b.toml").mkdir()
    (tmp_path / "c.toml").write_text("[global]")

    sources, problems = files.read([tmp_path, tmp_path / "missing"])

    assert [source.name for source in sources] == ["c.toml"]
    assert [str(problem) for problem in problems] == [
        "a.toml:2: is not UTF-8; save it as UTF-8",
        "b.toml: is no regular file",
        f"{tmp_path}/missing: cannot be read: No such file or directory",
    ]


def test_endless_nesting_is_refused() -> None:
    _, problems = read("a = " + "[" * 100_000)

    assert len(problems) == 1


def test_files_add_to_each_other_by_name() -> None:
    found = good(GLOBAL + 'log = "syslog"', GLOBAL + 'log_level = "debug"\n' + INSTANCE)

    assert (found.globals.log, found.globals.log_level) == ("syslog", "debug")
    assert [instance.name for instance in found.instances] == ["tic"]


def test_the_same_key_in_two_files_shows_both_places() -> None:
    _, problems = read(GLOBAL + 'log = "syslog"', INSTANCE + "priority = 3\n" + GLOBAL + 'log = "syslog"')

    assert problems == ["b.toml:7:1: global.log: set twice, first in a.toml:2; keep one of them"]


def test_what_a_host_says_lies_over_the_rest() -> None:
    text = INSTANCE + "[host.tic.vrrp_instance.tic]\npriority = 200\n[host.tac.vrrp_instance.tic]\npriority = 50\n"

    text += "[host.toe]"
    priorities = [good(text, host=host).instances[0].priority for host in ("tic", "tac", "toe")]

    assert priorities == [200, 50, 100]


def test_lists_of_a_host_replace_and_tables_merge() -> None:
    text = INSTANCE + '[host.tic.vrrp_instance.tic]\nvirtual_ipaddress = ["192.0.2.7"]'

    (instance,) = good(text).instances

    assert [str(address) for address in instance.routers[0].advertised] == ["192.0.2.7/32"]
    assert instance.interface == "eth0"


def test_a_mistake_of_a_host_is_shown_where_it_stands_and_only_on_that_host() -> None:
    text = INSTANCE + "[host.tic.vrrp_instance.tic]\npriority = 300\n[host.tac]"

    assert read(text)[1] == ["a.toml:6:1: vrrp_instance.tic.priority: found 300; must be a whole number from 1 to 255"]
    assert read(text, host="tac")[1] == []


OTHER = """\
[check.answers]
type = "knock"
[virtual_server.web]
address = "192.0.2.1:80"
protocol = "tcp"
[virtual_server.web.real_server.one]
address = "one"
[host.tic]
[host.tac]
globl.a = 1
global.logg = "x"
check.answers.wordd = "x"
vrrp_instance.tic.prioritty = 3
virtual_server.web.real_server.one.wait = 3
vrrp_instance.tic.notify = { type = "shout", volumme = 3 }
vrrp_instance.other = { interface = "eth0", virtual_router_id = 500 }
"""


def test_a_key_that_does_not_exist_is_told_on_every_host() -> None:
    _, problems = read(INSTANCE + OTHER.replace('"one"', '"192.0.2.9"'))

    assert [problem.partition(":")[2] for problem in problems] == [
        "14:1: host.tac.globl: unknown key; did you mean global?",
        "15:1: host.tac.global.logg: unknown key; did you mean log?",
        "16:1: host.tac.check.answers.wordd: unknown key; did you mean word?",
        "17:1: host.tac.vrrp_instance.tic.prioritty: unknown key; did you mean priority?",
        "18:1: host.tac.virtual_server.web.real_server.one.wait: unknown key; did you mean weight?",
        "19:46: host.tac.vrrp_instance.tic.notify.volumme: unknown key; did you mean volume?",
    ]


def test_a_host_without_a_table_among_hosts_that_have_one_is_worth_a_warning() -> None:
    text = INSTANCE + "[host.tic.vrrp_instance.tic]\npriority = 200\n[host.tac]\n"

    assert [read(text, host=host)[1] for host in ("tic", "tac")] == [[], []]
    assert read(text, host="tcc")[1] == [
        (
            "a.toml:5:1: host: warning: found host tcc; tables for tac, tic and none for this host; "
            "if nothing differs here, write [host.tcc]"
        )
    ]


def test_the_hosts_of_files_are_known_by_name() -> None:
    sources = [files.parse("a.toml", b"[host.tic]\n[host.tac]", []), files.parse("b.toml", b"[host.tic]", [])]

    assert files.hosts([source for source in sources if source]) == ["tac", "tic"]
