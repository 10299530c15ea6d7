"""On which line of a TOML file a value stands, which the standard library's parser doesn't tell."""

import contextlib
import re
import tomllib

from sim.scenario.errors import Path

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}#\n]*")


def find_places(text: str) -> dict[Path, int]:
    """The lines, from 1, of all keys, tables and list elements of a text that parses as TOML.

    Whatever can't be followed is left out. O(characters).
    """
    finder = _Finder(text)
    with contextlib.suppress(_Lost, RecursionError):
        finder.run()
    return finder.places


class _Lost(Exception):
    """The text goes on in a way that this does not follow."""


class _Finder:
    def __init__(self, text: str) -> None:
        self.places: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._lists: dict[Path, int] = {}
        """How many tables a list of `[[tables]]` has so far."""

    def run(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._taken("[["):
                table = self._list_header()
            elif self._taken("["):
                table = self._resolved(self._keys())
                self._note(table)
                self._take("]")
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _list_header(self) -> Path:
        line, keys = self._line, self._keys()
        self._take("]]")
        path = (*self._resolved(keys[:-1]), keys[-1])
        number = self._lists.get(path, 0)
        self._lists[path] = number + 1
        self.places.setdefault(path, line)
        self.places[(*path, number)] = line
        return (*path, number)

    def _resolved(self, keys: list[str]) -> Path:
        """A header names the last table of each list on its way."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._lists:
                path = (*path, self._lists[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path)
        self._take("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(_INLINE_BLANK)
        self._note(path)
        if self._text[self._at : self._at + 1] in ("'", '"'):
            self._match(_STRING)
        elif self._taken("["):
            self._list(path)
        elif self._taken("{"):
            self._inline_table(path)
        else:
            self._match(_OTHER)

    def _list(self, path: Path) -> None:
        number = 0
        self._skip(_BLANK)
        while not self._taken("]"):
            self._value((*path, number))
            number += 1
            self._skip(_BLANK)
            if not self._taken(","):
                self._take("]")
                return
            self._skip(_BLANK)

    def _inline_table(self, path: Path) -> None:
        self._skip(_BLANK)
        while not self._taken("}"):
            self._pair(path)
            self._skip(_BLANK)
            if not self._taken(","):
                self._take("}")
                return
            self._skip(_BLANK)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._taken("."):
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip(_INLINE_BLANK)
        if self._text[self._at : self._at + 1] in ("'", '"'):
            # Its parser knows the escapes.
            key = next(iter(tomllib.loads(f"{self._match(_STRING)} = 0")))
        else:
            key = self._match(_BARE_KEY)
        self._skip(_INLINE_BLANK)
        return key

    def _note(self, path: Path) -> None:
        self.places.setdefault(path, self._line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._match(pattern)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Lost
        self._line += found[0].count("\n")
        self._at = found.end()
        return found[0]

    def _taken(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _take(self, mark: str) -> None:
        if not self._taken(mark):
            raise _Lost
