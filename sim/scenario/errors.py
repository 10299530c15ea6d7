"""What is wrong with a scenario: where it stands, and what would be right."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, time

import msgspec

Path = tuple[str | int, ...]
"""The way to a value in a file: keys, and positions in lists from 0."""

SHOWN = 60
"""Longest piece of a file that is repeated in an error."""

MOST_TOLD = 50
"""Most problems of one file that are told."""

LISTED = 40
"""Most words that an error gives to choose from."""


class Problem(msgspec.Struct, frozen=True):
    """`line` counts from 1, None where it is not known; `key` is as a reader would write it."""

    line: int | None
    key: str
    words: str


class ScenarioError(Exception):
    """A scenario that can't be run. `str()` has a line for each problem, in the file's order."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = sorted(problems, key=lambda one: one.line or 0)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        return [
            ": ".join(
                part
                for part in (
                    self.source if one.line is None else f"{self.source}:{one.line}",
                    one.key,
                    one.words,
                )
                if part
            )
            for one in self.problems
        ]


class Enough(Exception):
    """So much is wrong that nobody reads on."""


class Findings:
    """Collects the problems of one file, so that all of them can be told at once."""

    def __init__(self, places: Mapping[Path, int]) -> None:
        """`places` are the lines of what stands in the file."""
        self._places = places
        self.problems: list[Problem] = []

    def add(self, path: Path, words: str) -> None:
        """Notes what is wrong with the value at this path, or with one that is missing there.

        Raises `Enough` with the last one of `MOST_TOLD`.
        """
        known = path
        while known and known not in self._places:
            known = known[:-1]
        self.problems.append(Problem(self._places.get(known), path_text(path), words))
        if len(self.problems) == MOST_TOLD:
            raise Enough


def path_text(path: Path) -> str:
    """As a person counts: the first table of a list is number 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            short = part if len(part) <= SHOWN else f"{part[: SHOWN - 3]}..."
            text += f".{short}" if text else short
    return text if text.isprintable() else repr(text)


def shown(value: object) -> str:
    """A value of the file as an error repeats it."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        # As TOML has it.
        return value.isoformat()
    try:
        text = repr(value)
    except ValueError:
        # Python does not write out numbers of thousands of digits.
        return "such a number"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was most likely meant, or all of them to choose from."""
    words = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), words, 1, 0.6)
    if near:
        return f"did you mean {words[near[0]]!r}?"
    listed = list(words.values())
    more = ", ..." if len(listed) > LISTED else ""
    return f"use one of {', '.join(listed[:LISTED])}{more}" if listed else "there are none"
