"""Somebody's own keys: a TOML file in the user's configuration directory."""

import tomllib
from pathlib import Path

from platformdirs import user_config_path

from matchbox_tui.tui.keys import KeyTable


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
    return tuple(_NAMES.get(key, key) for key in keys)


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
