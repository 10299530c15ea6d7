"""The rules above and below the ladder: column names, the spread, and what lies out of sight."""

from dataclasses import dataclass

from matchbox_tui.engine import OrderBook, Side
from matchbox_tui.tui.cells import Segments, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped, half, plural, short
from matchbox_tui.tui.ladder_rows import MARKS, Columns
from matchbox_tui.tui.model import Link
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.window import Window

_PLAIN = ("bids", "price", "asks")


@dataclass(frozen=True)
class LadderHead:
    """The rule above the ladder, with the columns' names where the columns are.

    `step` is what a row spans where it is more than one price.
    """

    columns: Columns
    step: int = 0
    cumulative: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = self.columns
        middle = columns.pad + columns.side
        named = columns.own >= 5
        bids, price, asks = ("Σ bids", "price", "asks Σ") if self.cumulative else _PLAIN
        if self.step:
            price = f"by {short(self.step)}"
        labels = [
            (columns.pad, "mine" if named else "", ink.muted),
            (middle - len(bids) - 1, bids, ink.bid_strong),
            (middle + (columns.price + MARKS - len(price)) // 2 - 1, price, ink.muted),
            (columns.asks - 1, asks, ink.ask_strong),
            (columns.asks + columns.side - 6, "mine" if named else "", ink.muted),
            (width - 8, "volume" if columns.volume else "", ink.muted),
        ]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class LadderFoot:
    """The rule below, `span` wide: the spread, and what lies beyond the window."""

    span: int
    below: str = ""
    above: str = ""
    middle: str = ""
    stale: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        span = min(self.span, width)
        last = span - len(self.above) - 3
        at = max((span - len(self.middle)) // 2 - 1, len(self.below) + 4)
        if at + len(self.middle) + 2 > (last if self.above else span):
            # What can't be seen matters more than the spread, which may stand further right.
            at = span + 1
        style = ink.alarm if self.stale else ink.muted
        labels = [
            (1, self.below, ink.muted),
            (last, self.above, ink.muted),
            (at, self.middle, style),
        ]
        labels.sort(key=lambda label: label[0])
        return ruled(width, ink, labels)


def ladder_foot(desk: Desk) -> LadderFoot:
    """What stands below the ladder. O(log levels)."""
    book, gaze = desk.book, desk.gaze
    if book is None or gaze is None:
        return LadderFoot(0)
    window = gaze.window
    bid, ask = book.best_bid, book.best_ask
    middle = ""
    if bid is not None and ask is not None:
        middle = f"spread {grouped(ask - bid)} · mid {half(bid + ask)}"
    if gaze.held:
        middle = f"held, {desk.key('recentre')} recentres"
    return LadderFoot(
        desk.span,
        _hidden(book, window, bid, "bid", above=False),
        _hidden(book, window, ask, "ask", above=True),
        middle if desk.model.link is Link.LIVE else "stale",
        desk.model.link is not Link.LIVE,
    )


def _hidden(book: OrderBook, window: Window, best: int | None, name: str, *, above: bool) -> str:
    """What lies beyond one edge: the best price if it does, else the number of levels."""
    arrow = "▲" if above else "▼"
    side = Side.SELL if name == "ask" else Side.BUY
    if best is not None:
        row = window.row(best, side)
        if row < 0 if above else row >= window.rows:
            return f"{arrow} {name} {grouped(best)}"
    levels = sum(_beyond(book, side, window, above) for side in Side)
    return f"{arrow} {plural(levels, 'level')}" if levels else ""


def _beyond(book: OrderBook, side: Side, window: Window, above: bool) -> int:
    """Levels outside the window. O(log levels)."""
    levels = book.side(side)
    # A row has the bids from its price on, and the asks up to it.
    beside = window.step - window.tick
    if above:
        inside = levels.below(window.top + (beside if side is Side.BUY else 0) + 1)
        return len(levels.levels) - inside
    return levels.below(window.bottom - (beside if side is Side.SELL else 0))
