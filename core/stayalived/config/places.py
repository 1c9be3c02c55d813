"""Where each key of a TOML file stands. Built only when there is something to complain about.

The parser gives no positions, so this scans the text once more. The file has been parsed before: what is read here
is known to be TOML, and the scan need not tell good from bad.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from stayalived.config.files import HOST, Source, contains
from stayalived.config.findings import Path

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<text>\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')
  | (?P<mark>[\[\]{},=.])
  | (?P<word>[^\s\[\]{},=.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS = (",", "]", "}")


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a file."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


class Places:
    """Finds the place of a key of the merged configuration in the files that it came from."""

    def __init__(self, sources: Sequence[Source], host_id: str) -> None:
        """Keep the files; each is scanned when it is first asked for."""
        self._sources = sources
        self._host_id = host_id
        self._indexes: dict[str, dict[Path, tuple[int, int]]] = {}

    def find(self, path: Path, file: str = "") -> Spot | None:
        """Return the place of a path, of the nearest table around it when it is in no file, or None.

        What `[host.ID]` says comes first: it is what counts. With `file`, only that file is looked at.
        """
        for length in range(len(path), 0, -1):
            for candidate in ((HOST, self._host_id, *path[:length]), path[:length]):
                for source in self._sources:
                    if file in ("", source.name) and contains(source.data, candidate):
                        line, column = self._index(source).get(candidate, (0, 0))
                        return Spot(source.name, line, column)
        return None

    def _index(self, source: Source) -> dict[Path, tuple[int, int]]:
        if source.name not in self._indexes:
            self._indexes[source.name] = _Scan(source.text).index
        return self._indexes[source.name]


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        kind, found = str(match.lastgroup), match.group()
        if kind != "space":
            tokens.append(_Token(kind, found, line, match.start() - start + 1))
        if "\n" in found:
            line += found.count("\n")
            start = match.start() + found.rindex("\n") + 1
    return [*tokens, _Token("newline", "\n", line, 1)]


class _Scan:
    """One walk over the tokens of a file; `index` is its result."""

    def __init__(self, text: str) -> None:
        self.index: dict[Path, tuple[int, int]] = {}
        self._tokens = _tokens(text)
        self._at = 0
        self._lengths: dict[Path, int] = {}  # of arrays of tables, so far
        table: Path = ()
        while self._at < len(self._tokens):
            if self._token.kind == "newline":
                self._at += 1
            elif self._token.text == "[":
                table = self._header()
            else:
                self._pair(table)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _note(self, path: Path, token: _Token) -> None:
        for length in range(1, len(path) + 1):
            self.index.setdefault(path[:length], (token.line, token.column))

    def _skip_newlines(self) -> None:
        while self._at < len(self._tokens) - 1 and self._token.kind == "newline":
            self._at += 1

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while self._token.kind in ("word", "text") or self._token.text == ".":
            if self._token.text != ".":
                keys.append(_unquoted(self._token))
            self._at += 1
        return keys

    def _header(self) -> Path:
        first = self._token
        self._at += 1
        of_array = self._token.text == "["
        self._at += of_array
        path: Path = ()
        for key in self._keys():
            path = (*path, key)
            if path in self._lengths and not of_array:
                path = (*path, self._lengths[path] - 1)
        if of_array:
            self._lengths[path] = self._lengths.get(path, 0) + 1
            path = (*path, self._lengths[path] - 1)
        self._note(path, first)
        self._at += 1 + of_array
        return path

    def _pair(self, table: Path) -> None:
        first = self._token
        path = (*table, *self._keys())
        self._note(path, first)
        self._at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._token.text == "[" and self._token.kind == "mark":
            self._array(path)
        elif self._token.text == "{":
            self._inline(path)
        else:
            while self._token.kind != "newline" and (self._token.kind == "text" or self._token.text not in _ENDS):
                self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        number = 0
        self._skip_newlines()
        while self._token.text != "]" and self._at < len(self._tokens) - 1:
            self._note((*path, number), self._token)
            self._value((*path, number))
            number += 1
            self._skip_newlines()
            self._at += self._token.text == ","
            self._skip_newlines()
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        self._skip_newlines()
        while self._token.text != "}" and self._at < len(self._tokens) - 1:
            self._pair(path)
            self._skip_newlines()
            self._at += self._token.text == ","
            self._skip_newlines()
        self._at += 1


def _unquoted(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    if token.text.startswith("'"):
        return token.text[1:-1]
    try:
        return str(json.loads(token.text))
    except ValueError:  # an escape that JSON does not know (\e, \UXXXXXXXX): such a key keeps its spelling
        return token.text[1:-1]
