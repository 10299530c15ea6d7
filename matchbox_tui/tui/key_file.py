"""Somebody's own keys: a TOML file in the user's configuration directory."""

import tomllib
from pathlib import Path

from platformdirs import user_config_path
from textual.keys import Keys

from matchbox_tui.tui.keys import LABELS, KeyTable


def key_file() -> Path:
    """Where the file is looked for: ~/.config/matchbox/keys.toml on Linux."""
    return user_config_path("matchbox", appauthor=False) / "keys.toml"


def read_keys(path: Path) -> KeyTable:
    """The table with what the file changes; without a file, as it ships.

    A line is `name = "key"` or `name = ["key", "other"]`. Raises `ValueError`, which names the
    file, the entry and what would be right.
    """
    try:
        entries = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return KeyTable()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} can't be read: {error}") from None
    try:
        return KeyTable().changed({name: _keys(name, value) for name, value in entries.items()})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _keys(name: str, value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    keys = [key for key in given if isinstance(key, str) and key]
    if len(keys) < len(given):
        raise ValueError(f'{name}: give a key as "x" or keys as ["x", "ctrl+x"]')
    return tuple(_key(name, key) for key in keys)


def _key(name: str, given: str) -> str:
    """What the terminal calls a key that is given by name, or as help and documents print it.

    Raises `ValueError` for one that no keyboard has.
    """
    if len(given) == 1 and given.isprintable():
        return _NAMES.get(given, given)
    key = _NAMES.get(given, given.lower())
    if key[0] == "^" and len(key) == 2:
        key = f"ctrl+{key[1]}"
    if key.startswith("shift+") and len(key) == len("shift+x"):
        # A terminal tells of the letter only.
        return key[-1].upper()
    *modifiers, last = key.split("+")
    modified = modifiers and _MODIFIERS.issuperset(modifiers) and (len(last) == 1 or last in _KNOWN)
    if key not in _KNOWN and not modified:
        raise ValueError(
            f"{name}: no key is called {given[:40]!r}: use one such as x, X, ctrl+x, f5, enter,"
            " escape or pageup"
        )
    return key


_NAMES = {
    "+": "plus",
    "-": "minus",
    "=": "equals_sign",
    ",": "comma",
    ".": "full_stop",
    "?": "question_mark",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    " ": "space",
    ";": "semicolon",
    "'": "apostrophe",
    "/": "slash",
    "!": "exclamation_mark",
    "#": "number_sign",
}
"""What stands on a key, and what it is called."""

_NAMES |= {words: key for key, words in LABELS.items() if len(words) > 1 or not words.isascii()}

_MODIFIERS = {"ctrl", "alt", "shift"}

_KNOWN = {key.value for key in Keys if not key.value.startswith("<")} | set(_NAMES.values())
