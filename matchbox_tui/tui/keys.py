"""The one table of keys: what dispatches them, the hints, the help and the palette all read it."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, product

from textual.binding import Binding

LABELS = {
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "backspace": "Bksp",
    "delete": "Del",
    "tab": "Tab",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "comma": ",",
    "slash": "/",
    "full_stop": ".",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "semicolon": ";",
    "apostrophe": "'",
    "home": "Home",
    "end": "End",
    "insert": "Ins",
    "exclamation_mark": "!",
    "number_sign": "#",
}


TRADE, REPLAY = "trade", "replay"
"""The screens: of a venue that runs, and of a run that was recorded."""

_TRADING = ("Order", "Cancel", "Failover")
"""The groups of keys that nothing recorded can answer."""


@dataclass(frozen=True)
class Key:
    """One action. With `each`, the action gets the key that was pressed as its argument.

    `name` is what a keys file calls it. `hint` names it in the line at the bottom: while browsing,
    while a ticket is prepared (`preparing`), or not at all.
    """

    name: str
    action: str
    keys: tuple[str, ...]
    words: str
    group: str
    hint: str = ""
    preparing: str = ""
    each: bool = False

    @property
    def screens(self) -> tuple[str, ...]:
        """Where it does something. Two keys of different screens may be the same one."""
        if self.group == "Replay":
            return (REPLAY,)
        return (TRADE,) if self.group in _TRADING or self.name == "halt" else (TRADE, REPLAY)

    @property
    def shown(self) -> str:
        """The keys as they are printed on a keyboard; of a row of digits the ends."""
        if self.each:
            return f"{self.keys[0]}-{self.keys[-1]}"
        return " ".join(label(key) for key in self.keys)


def label(key: str) -> str:
    """A key as it is printed on a keyboard."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+').upper()}"
    return LABELS.get(key, key.upper() if len(key) > 1 and key[1:].isdigit() else key)


KEYS = (
    Key("up", "move(1)", ("up", "k"), "cursor one price up", "Ladder", "", "price"),
    Key("down", "move(-1)", ("down", "j"), "cursor one price down", "Ladder"),
    Key("page-up", "move_page(1)", ("pageup",), "one page up", "Ladder"),
    Key("page-down", "move_page(-1)", ("pagedown",), "one page down", "Ladder"),
    Key("best-bid", "best('buy')", ("left", "h"), "to the best bid", "Ladder"),
    Key("best-ask", "best('sell')", ("right", "l"), "to the best ask", "Ladder"),
    Key("recentre", "recentre", ("c", "space"), "recentre the ladder", "Ladder", "mid"),
    Key("coarser", "group(1)", ("g",), "more prices in a row", "Ladder"),
    Key("finer", "group(-1)", ("G",), "fewer prices in a row", "Ladder"),
    Key("cumulative", "cumulative", ("w",), "depth up to each price, or its size", "Ladder"),
    Key("arm", "lock", ("a",), "arm trading, or lock it", "Order", "arm"),
    Key("buy", "order('buy')", ("b",), "prepare a buy at the cursor", "Order", "buy", "buy"),
    Key("sell", "order('sell')", ("s",), "prepare a sell at the cursor", "Order", "sell", "sell"),
    Key("join", "join(0)", ("n",), "prepare to join the best price of the side", "Order"),
    Key("improve", "join(1)", ("i",), "prepare to improve it by a tick", "Order"),
    Key("lift", "take('buy')", ("u",), "prepare to lift the best ask", "Order"),
    Key("hit", "take('sell')", ("d",), "prepare to hit the best bid", "Order"),
    Key("digits", "digit", tuple("0123456789"), "type the quantity, or the price after p", "Order",
        "", "qty", each=True),
    Key("erase", "erase", ("backspace",), "take the last digit back", "Order"),
    Key("more", "preset(1)", ("plus", "equals_sign"), "next larger preset quantity", "Order"),
    Key("less", "preset(-1)", ("minus",), "next smaller preset quantity", "Order"),
    Key("price", "price", ("p",), "type a price", "Order", "", "type price"),
    Key("kind", "kind", ("t",), "limit, IOC, market, post-only", "Order", "", "kind"),
    Key("send", "enter", ("enter",), "send what is prepared", "Order", "", "send"),
    Key("drop", "escape", ("escape",), "drop what is prepared", "Order", "", "drop"),
    Key("move", "move_order", ("v",), "move the order at the cursor or the selected one", "Order"),
    Key("flatten", "close", ("f",), "prepare to flatten the position", "Order"),
    Key("reverse", "reverse", ("r",), "prepare to reverse the position", "Order"),
    Key("cancel", "cancel", ("x", "delete"), "cancel at the cursor, or the selected order",
        "Cancel", "cancel"),
    Key("cancel-all", "cancel_all", ("X",), "cancel all of yours in this market", "Cancel"),
    Key("cancel-bids", "cancel_side('buy')", ("left_square_bracket",), "cancel your bids here",
        "Cancel"),
    Key("cancel-asks", "cancel_side('sell')", ("right_square_bracket",), "cancel your asks here",
        "Cancel"),
    Key("kill-leader", "strike('killed')", ("K",), "kill the leader (in play)", "Failover"),
    Key("freeze-leader", "strike('frozen')", ("F",), "freeze the leader, or let it go on",
        "Failover"),
    Key("stop-leader", "strike('stopped')", ("S",), "stop the leader cleanly", "Failover"),
    Key("restart", "restart", ("R",), "start again what has ended", "Failover"),
    Key("kill-server", "strike('server killed')", ("D",), "kill the server and start it again",
        "Failover"),
    Key("pause", "pause", ("space",), "pause, or play on", "Replay", "pause"),
    Key("step", "step", ("s",), "one commit", "Replay", "step"),
    Key("faster", "speed(1)", ("plus", "equals_sign"), "faster", "Replay", "fast"),
    Key("slower", "speed(-1)", ("minus",), "slower", "Replay", "slow"),
    Key("full-speed", "full_speed", ("f",), "as fast as it goes", "Replay"),
    Key("next-trade", "next_trade", ("t",), "to the next trade", "Replay", "trade"),
    Key("next-leader", "next_leader", ("e",), "to the next change of leader", "Replay", "lead"),
    Key("go-to", "go_to", ("p", "slash"), "to a sequence or a time", "Replay", "go to"),
    Key("rewind", "rewind", ("r", "home"), "to the beginning", "Replay"),
    Key("to-end", "to_end", ("end",), "to the end", "Replay"),
    Key("list", "list", ("tab",), "between ladder and open orders", "Look", "list"),
    Key("page", "page", ("o",), "next of positions, log, chart, cluster, analytics", "Look"),
    Key("analytics", "analytics", ("y",), "the market's figures and its traders, or back", "Look"),
    Key("candles", "candles", ("z",), "candles of 1 s, 10 s or 1 m", "Look"),
    Key("markets", "markets", ("m",), "the list of markets", "Look", "markets"),
    Key("next-market", "market(1)", ("full_stop",), "next market", "Look"),
    Key("previous-market", "market(-1)", ("comma",), "previous market", "Look"),
    Key("halt", "halt", ("H",), "prepare to halt this market, or to resume it", "Look"),
    Key("theme", "theme", ("T",), "dark, light or high contrast", "Look"),
    Key("palette", "app.command_palette", ("ctrl+p",), "find an action by its words", "Look"),
    Key("help", "help", ("question_mark", "f1"), "this help", "Look", "help"),
    Key("quit", "app.quit", ("q", "ctrl+c", "ctrl+q"), "quit", "Look", "quit"),
)  # fmt: skip


def _without(key: Key, taken: Container[tuple[str, str]]) -> Key:
    """The key without the ones that are taken on a screen of its."""
    left = [name for name in key.keys if not any((one, name) in taken for one in key.screens)]
    return replace(key, keys=tuple(left))


class KeyTable:
    """Which key does what: the table as it ships, or as somebody's keys file changes it."""

    def __init__(self, keys: tuple[Key, ...] = KEYS) -> None:
        self.keys = keys

    def changed(self, wanted: Mapping[str, tuple[str, ...]]) -> "KeyTable":
        """With other keys for some names; a key that is taken leaves what it did by default.

        Raises `ValueError` for an unknown name, for digits, and where two names want one key.
        """
        known = {key.name: key for key in self.keys if not key.each}
        for name in wanted:
            if name not in known:
                raise ValueError(f"no action is called {name}: use one of {', '.join(known)}")
        taken: dict[tuple[str, str], str] = {}
        for name, keys in wanted.items():
            for place in product(known[name].screens, keys):
                if taken.setdefault(place, name) != name:
                    raise ValueError(f"{label(place[1])} can't be both {taken[place]} and {name}")
        digits = chain.from_iterable(key.keys for key in self.keys if key.each)
        for digit in digits:
            if (TRADE, digit) in taken:
                raise ValueError(
                    f"{taken[TRADE, digit]}: {digit} types a quantity; use another key"
                )
        return KeyTable(
            tuple(
                replace(key, keys=wanted[key.name]) if key.name in wanted else _without(key, taken)
                for key in self.keys
            )
        )

    def on(self, screen: str) -> "KeyTable":
        """The part of the table that does something on a screen.

        There its own keys go before those that do the same on every screen.
        """
        found = [key for key in self.keys if screen in key.screens]
        # Whoever replays looks for these first.
        found.sort(key=lambda key: key.screens != (REPLAY,))
        own = {(screen, name) for key in found if key.screens == (screen,) for name in key.keys}
        return KeyTable(
            tuple(key if key.screens == (screen,) else _without(key, own) for key in found)
        )

    def idle(self, screen: str) -> list[str]:
        """The keys that would do something on another screen, and nothing on this one."""
        here = {name for key in self.on(screen).keys for name in key.keys}
        elsewhere = {name for key in self.keys if screen not in key.screens for name in key.keys}
        return sorted(elsewhere - here)

    def bindings(self) -> Iterator[Binding]:
        """The table as Textual dispatches it."""
        for key in self.keys:
            for name in key.keys:
                action = f"{key.action}({name!r})" if key.each else key.action
                priority = name.startswith("ctrl+")
                yield Binding(name, action, key.words, show=False, priority=priority)

    def hints(self, preparing: bool) -> list[tuple[str, str]]:
        """(key, what it does) for the line at the bottom."""
        pairs = []
        for key in self.keys:
            words = key.preparing if preparing else key.hint
            if words and key.keys:
                pairs.append((key.shown if key.each else label(key.keys[0]), words))
        return pairs
