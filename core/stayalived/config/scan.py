"""Where each key of a TOML text stands. Built only when there is something to complain about.

The parser gives no positions, so this scans the text once more. The text has been parsed before: what is read here is
known to be TOML, or to be so up to its end, and the scan need not tell good from bad.
"""

import json
import re
from dataclasses import dataclass

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
class _Token:
    kind: str
    text: str
    line: int
    column: int


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


class Scan:
    """One walk over the tokens of a text.

    Attributes:
        index: line and column of each path, from 1; where it is set first.
        repeated: the last path, or the nearest table around it, that had been set before; empty when none had.
        again: line and column of what set it again.
    """

    def __init__(self, text: str) -> None:
        """Walk over a text, or over one that ends within a key, a header or a value."""
        self.index: dict[Path, tuple[int, int]] = {}
        self.repeated: Path = ()
        self.again = (0, 0)
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
        return self._tokens[min(self._at, len(self._tokens) - 1)]

    def _note(self, path: Path, token: _Token) -> None:
        for length in range(1, len(path) + 1):
            self.index.setdefault(path[:length], (token.line, token.column))

    def _compare(self, path: Path, token: _Token) -> bool:
        """Look whether a path, or a table around it, was set before; return whether it was the path itself."""
        around = (path[:length] for length in range(len(path), 0, -1))
        self.repeated = next((known for known in around if known in self.index), ())
        self.again = (token.line, token.column)
        return self.repeated == path

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
        self._compare(path, first)
        self._note(path, first)
        self._at += 1 + of_array
        return path

    def _pair(self, table: Path) -> None:
        first = self._token
        path = (*table, *self._keys())
        is_repeated = self._compare(path, first)
        self._note(path, first)
        self._at += 1  # the equals sign
        self._value(path)
        if is_repeated:  # whatever stands inside of the value
            self.repeated, self.again = path, (first.line, first.column)

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
