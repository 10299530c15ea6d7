"""The one table of keys: what dispatches them, the hints and the help all read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """One action. With `each`, the action gets the key that was pressed as its argument.

    `hint` names it in the line at the bottom: while browsing, while a ticket is prepared, or
    not at all.
    """

    action: str
    keys: tuple[str, ...]
    words: str
    group: str
    shown: str
    hint: str = ""
    preparing: str = ""
    each: bool = False


KEYS = (
    Key("move(1)", ("up", "k"), "cursor one price up", "Ladder", "↑ k", "", "price"),
    Key("move(-1)", ("down", "j"), "cursor one price down", "Ladder", "↓ j"),
    Key("move_page(1)", ("pageup",), "one page up", "Ladder", "PgUp"),
    Key("move_page(-1)", ("pagedown",), "one page down", "Ladder", "PgDn"),
    Key("best('buy')", ("left", "h"), "to the best bid", "Ladder", "← h"),
    Key("best('sell')", ("right", "l"), "to the best ask", "Ladder", "→ l"),
    Key("recentre", ("c", "space"), "recentre the ladder", "Ladder", "c Space", "mid"),
    Key("lock", ("a",), "arm trading, or lock it", "Order", "a", "arm"),
    Key("order('buy')", ("b",), "prepare a buy at the cursor", "Order", "b", "buy", "buy"),
    Key("order('sell')", ("s",), "prepare a sell at the cursor", "Order", "s", "sell", "sell"),
    Key("join(0)", ("n",), "prepare to join the best price of the side", "Order", "n"),
    Key("join(1)", ("i",), "prepare to improve it by a tick", "Order", "i"),
    Key("take('buy')", ("u",), "prepare to lift the best ask", "Order", "u"),
    Key("take('sell')", ("d",), "prepare to hit the best bid", "Order", "d"),
    Key(
        "digit",
        tuple("0123456789"),
        "type the quantity, or the price after p",
        "Order",
        "0-9",
        "",
        "qty",
        each=True,
    ),
    Key("erase", ("backspace",), "take the last digit back", "Order", "Bksp"),
    Key("preset(1)", ("plus", "equals_sign"), "next larger preset quantity", "Order", "+ ="),
    Key("preset(-1)", ("minus",), "next smaller preset quantity", "Order", "-"),
    Key("price", ("p",), "type a price", "Order", "p", "", "type price"),
    Key("kind", ("t",), "limit, IOC, market, post-only", "Order", "t", "", "kind"),
    Key("enter", ("enter",), "send what is prepared", "Order", "Enter", "", "send"),
    Key("escape", ("escape",), "drop what is prepared", "Order", "Esc", "", "drop"),
    Key("move_order", ("v",), "move the order at the cursor, or the selected one", "Order", "v"),
    Key("close", ("f",), "prepare to flatten the position", "Order", "f"),
    Key("reverse", ("r",), "prepare to reverse the position", "Order", "r"),
    Key("cancel", ("x", "delete"), "cancel at the cursor, or the selected order", "Cancel",
        "x Del", "cancel"),
    Key("cancel_all", ("X",), "cancel all of yours in this market", "Cancel", "X"),
    Key("cancel_side('buy')", ("left_square_bracket",), "cancel your bids here", "Cancel", "["),
    Key("cancel_side('sell')", ("right_square_bracket",), "cancel your asks here", "Cancel", "]"),
    Key("list", ("tab",), "between ladder and open orders", "Look", "Tab", "list"),
    Key("page", ("o",), "orders, positions or log (small screens)", "Look", "o"),
    Key("market(1)", ("m", "full_stop"), "next market", "Look", "m .", "market"),
    Key("market(-1)", ("M", "comma"), "previous market", "Look", "M ,"),
    Key("help", ("question_mark", "f1"), "this help", "Look", "? F1", "help"),
    Key("app.quit", ("q", "ctrl+c", "ctrl+q"), "quit", "Look", "q ^C ^Q", "quit"),
)  # fmt: skip


def bindings() -> Iterator[Binding]:
    """The table as Textual dispatches it."""
    for key in KEYS:
        for name in key.keys:
            action = f"{key.action}({name!r})" if key.each else key.action
            yield Binding(name, action, key.words, show=False, priority=name.startswith("ctrl+"))


def hints(preparing: bool) -> list[tuple[str, str]]:
    """(key, what it does) for the line at the bottom."""
    pairs = []
    for key in KEYS:
        label = key.preparing if preparing else key.hint
        if label:
            pairs.append((key.shown if key.action == "digit" else key.shown.split()[0], label))
    return pairs
