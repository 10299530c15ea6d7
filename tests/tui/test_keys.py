"""The one table of keys."""

import re
import runpy
from pathlib import Path

import pytest

from matchbox_tui.engine import Side
from matchbox_tui.tui.help import help_lines
from matchbox_tui.tui.key_file import read_keys
from matchbox_tui.tui.keys import KEYS, REPLAY, TRADE, KeyTable
from matchbox_tui.tui.palette import DARK, Ink
from matchbox_tui.tui.replay import ReplayScreen
from matchbox_tui.tui.screen import TradeScreen
from tests.tui.cockpit import app_on, press, until_shown
from tests.tui.venue import LocalVenue


@pytest.mark.parametrize("screen", [TRADE, REPLAY])
def test_no_key_does_two_things(screen: str) -> None:
    names = [binding.key for binding in KeyTable().on(screen).bindings()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("screen", "kind"), [(TRADE, TradeScreen), (REPLAY, ReplayScreen)])
def test_every_action_exists(screen: str, kind: type[TradeScreen]) -> None:
    for key in KeyTable().on(screen).keys:
        name = re.sub(r"\(.*", "", key.action)
        assert name.startswith("app.") or hasattr(kind, f"action_{name}"), name


def test_the_help_names_every_key_of_the_table() -> None:
    lines = ["".join(s.text for s in line) for line in help_lines(KeyTable(), 60, Ink(DARK))]
    for key in KEYS:
        assert any(key.shown in line and key.words in line for line in lines), key


def test_hints_come_from_the_table() -> None:
    assert ("b", "buy") in KeyTable().on(TRADE).hints(False)
    assert ("Enter", "send") in KeyTable().on(TRADE).hints(True)
    assert ("Space", "pause") in KeyTable().on(REPLAY).hints(False)
    # The last two have their place at the right; as many of the others are shown as fit.
    for screen in (TRADE, REPLAY):
        hints = KeyTable().on(screen).hints(False)
        assert ("?", "help") in hints
        shown = [*hints[:7], *hints[-2:]]
        assert sum(len(key) + len(words) + 3 for key, words in shown) < 80


def test_the_page_about_the_keys_is_made_from_the_table() -> None:
    docs = Path(__file__).parents[2] / "docs"
    made = runpy.run_path(str(docs / "make_keys.py"))["page"]()
    assert (docs / "keys.md").read_text() == made, "run python docs/make_keys.py"


def test_the_style_sheet_ships_with_the_package() -> None:
    import matchbox_tui.tui

    assert Path(matchbox_tui.tui.__file__).with_name("app.tcss").is_file()


def test_a_keys_file_changes_what_a_key_does(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('buy = ["B", "+"]\nquit = "ctrl+x"\n')
    table = read_keys(file).on(TRADE)
    actions = {binding.key: binding.action for binding in table.bindings()}
    assert actions["B"] == actions["plus"] == "order('buy')"
    assert actions["ctrl+x"] == "app.quit"
    assert "b" not in actions
    assert "q" not in actions
    assert actions["equals_sign"] == "preset(1)", "the rest of an action's keys stay"
    assert ("B", "buy") in table.hints(False)
    assert ("^X", "quit") in table.hints(False)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("PgUp", "pageup"),
        ("Esc", "escape"),
        ("^X", "ctrl+x"),
        ("ctrl+X", "ctrl+x"),
        ("shift+b", "B"),
        ("F5", "f5"),
        ("↑", "up"),
        ("@", "@"),
        ("é", "é"),
        ("alt+b", "alt+b"),
        ("ctrl+left", "ctrl+left"),
    ],
)
def test_a_key_may_be_named_as_it_is_printed(tmp_path: Path, given: str, key: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f'buy = "{given}"\n')
    (buy,) = [entry for entry in read_keys(file).keys if entry.name == "buy"]
    assert buy.keys == (key,)


def test_without_a_keys_file_the_table_is_as_it_ships(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "keys.toml").keys == KEYS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("buy = 3", 'buy: give a key as "x"'),
        ('buy = [""]', 'buy: give a key as "x"'),
        ('jump = "j"', "no action is called jump: use one of up, down"),
        ('digits = "x"', "no action is called digits"),
        ('buy = "z"\nsell = "z"', "z can't be both buy and sell"),
        ('buy = "7"', "buy: 7 types a quantity"),
        ("buy = [", "can't be read"),
        ('buy = "hello"', "buy: no key is called 'hello': use one such as x"),
        ('buy = "b,x"', "buy: no key is called 'b,x'"),
        ('buy = "ctrl+b,ctrl+x"', "buy: no key is called 'ctrl+b,ctrl+x'"),
        ('buy = "ctrl+"', "buy: no key is called 'ctrl+'"),
        ('buy = "<any>"', "buy: no key is called '<any>'"),
        ('buy = "Esc"\nsell = "escape"', "Esc can't be both buy and sell"),
    ],
)
def test_a_wrong_keys_file_says_where_and_what(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"keys\.toml") as raised:
        read_keys(file)
    assert words in str(raised.value)


def test_a_key_may_trade_on_one_screen_and_play_on_the_other() -> None:
    table = KeyTable().changed({"buy": ("x",), "pause": ("x",)})
    for screen, action in ((TRADE, "order('buy')"), (REPLAY, "pause")):
        actions = {binding.key: binding.action for binding in table.on(screen).bindings()}
        assert actions["x"] == action


def test_a_key_for_both_screens_is_taken_from_those_of_either() -> None:
    table = KeyTable().changed({"markets": ("s",)})
    for screen in (TRADE, REPLAY):
        actions = {binding.key: binding.action for binding in table.on(screen).bindings()}
        assert actions["s"] == "markets"
    with pytest.raises(ValueError, match="s can't be both markets and step"):
        KeyTable().changed({"markets": ("s",), "step": ("s",)})


def test_a_digit_may_play_where_it_types_no_quantity() -> None:
    table = KeyTable().changed({"rewind": ("0",)}).on(REPLAY)
    assert {binding.key: binding.action for binding in table.bindings()}["0"] == "rewind"


def test_keys_that_trade_are_idle_on_a_recorded_run() -> None:
    idle = KeyTable().idle(REPLAY)
    assert {"b", "a", "x", "X", "enter", "K", "H", "5"} <= set(idle)
    assert not {"s", "space", "m", "question_mark"} & set(idle)


async def test_a_changed_key_trades() -> None:
    venue = LocalVenue()
    app = app_on(venue, keys=KeyTable().changed({"arm": ("z",), "buy": ("B",)}))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "B buy")
        await press(pilot, "z B enter")
        await until_shown(pilot, "buy 10 @ 50 rests")


async def test_what_is_said_names_the_keys_that_were_chosen() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 10, 48)
    chosen = {"arm": ("A",), "buy": ("B",), "sell": (), "send": ("ctrl+s",), "recentre": ("M",)}
    app = app_on(venue, keys=KeyTable().changed(chosen))
    async with app.run_test(size=(120, 30)) as pilot:
        await until_shown(pilot, "A arms trading, arrows choose a price, B buys, 'sell' sells, ^S")
        await press(pilot, "B")
        await until_shown(pilot, "trading is locked: A arms it")
        await press(pilot, "A")
        await until_shown(pilot, "armed: B buys, 'sell' sells, ^S sends")
        app.desk.scroll(30)
        await until_shown(pilot, "held, M recentres")
