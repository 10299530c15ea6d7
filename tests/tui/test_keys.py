"""The one table of keys."""

import re
from pathlib import Path

from matchbox_tui.tui.help import help_lines
from matchbox_tui.tui.keys import KEYS, bindings, hints
from matchbox_tui.tui.palette import DARK, Ink
from matchbox_tui.tui.screen import TradeScreen


def test_no_key_does_two_things() -> None:
    names = [binding.key for binding in bindings()]
    assert len(names) == len(set(names))


def test_every_action_exists() -> None:
    for key in KEYS:
        name = re.sub(r"\(.*", "", key.action)
        assert name.startswith("app.") or hasattr(TradeScreen, f"action_{name}"), name


def test_the_help_names_every_key_of_the_table() -> None:
    lines = ["".join(s.text for s in line) for line in help_lines(60, Ink(DARK))]
    for key in KEYS:
        assert any(key.shown in line and key.words in line for line in lines), key


def test_hints_come_from_the_table() -> None:
    assert ("b", "buy") in hints(False)
    assert ("Enter", "send") in hints(True)
    assert ("?", "help") in hints(False)
    assert sum(len(key) + len(words) + 3 for key, words in hints(False)) < 80


def test_the_style_sheet_ships_with_the_package() -> None:
    import matchbox_tui.tui

    assert Path(matchbox_tui.tui.__file__).with_name("app.tcss").is_file()
