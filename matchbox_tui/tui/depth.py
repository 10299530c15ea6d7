"""What rests in each row of a window, and how much there is from the best price to it."""

from matchbox_tui.engine import OrderBook, Side
from matchbox_tui.tui.watch import Watch
from matchbox_tui.tui.window import Window


def row_quantities(book: OrderBook, window: Window, side: Side, watch: Watch) -> list[int]:
    """Contracts of a side in each row. O(rows); the watch must look at this book."""
    step, top = window.step, window.top
    if window.group == 1:
        levels = book.side(side).levels
        prices = (top - row * step for row in range(window.rows))
        return [levels[price].qty if price in levels else 0 for price in prices]
    group, start = window.group, top // window.tick
    if side is Side.SELL:
        start -= group
    between = watch.depth(side).between
    starts = (start - row * group for row in range(window.rows))
    return [between(max(at, 0), max(at + group, 0)) for at in starts]


def accumulated(
    book: OrderBook, window: Window, side: Side, quantities: list[int], watch: Watch
) -> list[int]:
    """Contracts from the best price to each row's, both included. O(rows + digits of a price)."""
    total = _nearer(book, window, side, watch)
    rows = range(window.rows) if side is Side.BUY else reversed(range(window.rows))
    sums = [0] * window.rows
    for row in rows:
        total += quantities[row]
        sums[row] = total
    return sums


def _nearer(book: OrderBook, window: Window, side: Side, watch: Watch) -> int:
    """Contracts at better prices than any row's."""
    bid, ask = book.best_bid, book.best_ask
    if side is Side.BUY:
        if bid is None or window.row(bid) >= 0:
            return 0
        sums = watch.depth(side)
        return sums.between(max(window.top // window.tick + window.group, 0), sums.end)
    if ask is None or window.row(ask, Side.SELL) < window.rows:
        return 0
    return watch.depth(side).between(0, max(window.bottom // window.tick - window.group, 0))
