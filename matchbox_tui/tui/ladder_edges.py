"""The rules above and below the ladder: column names, the spread, and what lies out of sight."""

from dataclasses import dataclass

from matchbox_tui.engine import BookSide, OrderBook
from matchbox_tui.tui.cells import Segments, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped, plural
from matchbox_tui.tui.ladder_rows import MARKS, Columns
from matchbox_tui.tui.model import Link
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.window import Window


@dataclass(frozen=True)
class LadderHead:
    """The rule above the ladder, with the columns' names where the columns are."""

    columns: Columns

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = self.columns
        middle = columns.pad + columns.side
        after = middle + columns.price + MARKS
        named = columns.own >= 5
        labels = [
            (columns.pad, "mine" if named else "", ink.muted),
            (middle - 5, "bids", ink.bid_strong),
            (middle + (columns.price - 1) // 2, "price", ink.muted),
            (after - 1, "asks", ink.ask_strong),
            (after + columns.side - 6, "mine" if named else "", ink.muted),
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
        at = (span - len(self.middle)) // 2 - 1
        last = span - len(self.above) - 3
        if at < len(self.below) + 4 or (self.above and at + len(self.middle) + 2 > last):
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
    middle = f"spread {grouped(ask - bid)}" if bid is not None and ask is not None else ""
    if gaze.held:
        middle = "held, c recentres"
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
    if best is not None and (window.row(best) < 0 if above else window.row(best) >= window.rows):
        return f"{arrow} {name} {grouped(best)}"
    levels = sum(_beyond(side, window, above) for side in (book.bids, book.asks))
    return f"{arrow} {plural(levels, 'level')}" if levels else ""


def _beyond(side: BookSide, window: Window, above: bool) -> int:
    """Levels outside the window. O(log levels)."""
    levels = side.levels
    inside_or_above: int = levels.bisect_left(window.bottom)
    inside_or_below: int = levels.bisect_right(window.top)
    return len(levels) - inside_or_below if above else inside_or_above
