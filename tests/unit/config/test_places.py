import pytest

from stayalived.config.files import parse
from stayalived.config.findings import Path
from stayalived.config.places import Places

TEXT = '''\
# a comment with [brackets] and = signs
top = 1
"quoted key" = { a = 1, 'b c' = [ { d = 2 } ] }
[table.sub] # comment
  text = """
[not.a.table]
x = 1 \\""" """
  literal = \'\'\'
y = 2\'\'\'
  list = [
    1, # one
    { k = "]" },
  ]
  a.b.c = 1979-05-27T07:32:00Z
[[many]]
n = 1
[[many]]
n = 2
[many.below]
m = 3
'''


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("top",), 2, 1),
        (("quoted key", "b c", 0, "d"), 3, 37),
        (("table",), 4, 1),
        (("table", "sub", "text"), 5, 3),
        (("table", "sub", "literal"), 8, 3),
        (("table", "sub", "list", 1, "k"), 12, 7),
        (("table", "sub", "a", "b", "c"), 14, 3),
        (("many", 0, "n"), 16, 1),
        (("many", 1, "n"), 18, 1),
        (("many", 1, "below", "m"), 20, 1),
    ],
)
def test_a_key_is_found_on_its_line(path: Path, line: int, column: int) -> None:
    source = parse("a.toml", TEXT.encode(), [])
    assert source is not None

    place = Places([source], "tic").find(path)

    assert place is not None
    assert (place.file, place.line, place.column) == ("a.toml", line, column)


def test_a_key_that_is_nowhere_is_shown_at_the_table_around_it() -> None:
    source = parse("a.toml", TEXT.encode(), [])
    assert source is not None
    places = Places([source], "tic")

    around = places.find(("table", "sub", "missing", "deeper"))

    assert around is not None
    assert around.line == 4
    assert places.find(("nothing",)) is None
