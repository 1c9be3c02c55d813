from pathlib import Path

import pytest

from stayalived.config.iproute_names import MAX_FILE, SCOPES, TABLES, IprouteNames


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "usr").mkdir()
    return tmp_path / "usr"


def names(own: Path, package: Path) -> IprouteNames:
    return IprouteNames(own=own, packaged=(package.parent / "nope", package))


def test_what_everybody_knows_needs_no_file(own: Path, package: Path) -> None:
    found = names(own, package)

    assert found.numbers(TABLES) == {"local": 255, "main": 254, "default": 253}
    assert found.numbers(SCOPES) == {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


def test_a_file_has_numbers_and_names_in_two_notations_and_remarks(own: Path, package: Path) -> None:
    (own / TABLES).write_text("# reserved\n254\tmain\n 0x64 blue # the blue one\n\n4294967295 last\nred 5\n-1 less\n")

    assert names(own, package).numbers(TABLES) == {
        "local": 255,
        "main": 254,
        "default": 253,
        "blue": 100,
        "last": 4294967295,
    }


def test_the_package_s_file_counts_where_the_machine_has_none_of_its_own(own: Path, package: Path) -> None:
    (package / TABLES).write_text("100 blue\n")
    (package / SCOPES).write_text("7 near\n")
    (own / SCOPES).write_text("8 far\n")

    found = names(own, package)

    assert found.numbers(TABLES)["blue"] == 100
    assert "near" not in found.numbers(SCOPES)
    assert found.numbers(SCOPES)["far"] == 8


def test_parts_of_both_folders_are_read_and_the_machine_s_hides_the_package_s_of_the_same_name(
    own: Path, package: Path
) -> None:
    for folder in (own, package):
        (folder / f"{TABLES}.d").mkdir()
    (package / f"{TABLES}.d" / "a.conf").write_text("1 packaged\n")
    (package / f"{TABLES}.d" / "b.conf").write_text("2 hidden\n")
    (own / f"{TABLES}.d" / "b.conf").write_text("3 own\n")
    (own / f"{TABLES}.d" / "README").write_text("4 unread\n")

    found = names(own, package).numbers(TABLES)

    assert {name: found[name] for name in found if found[name] < 10} == {"packaged": 1, "own": 3}


def test_a_name_is_looked_up_once(own: Path, package: Path) -> None:
    found = names(own, package)
    before = found.numbers(TABLES)

    (own / TABLES).write_text("100 blue\n")

    assert found.numbers(TABLES) is before


def test_bytes_that_are_no_text_and_a_file_without_end_hurt_nobody(own: Path, package: Path) -> None:
    (own / TABLES).write_bytes(b"100 bl\xffue\n101 green\n" + b"#" * MAX_FILE + b"\n102 late\n")

    found = names(own, package).numbers(TABLES)

    assert found["green"] == 101
    assert "late" not in found


def test_the_names_of_this_machine_are_those_that_ip_knows() -> None:
    assert IprouteNames().numbers(TABLES)["main"] == 254
