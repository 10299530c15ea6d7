"""The ladder as plain rows, and how a row is drawn. Looks only at the prices that are shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from matchbox_tui.engine import BookSide, OrderBook, Side
from matchbox_tui.tui.cells import Segments, left, right
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped, short
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.ticket import Kind

MARKS = 6
"""The cells around a price: the cursor before it, the last trade after it."""

MOVES = {1: "▲", -1: "▼", 0: "◆"}


@dataclass(frozen=True)
class Columns:
    """The widths of a ladder's columns; the same ones on both sides of the price."""

    own: int
    bar: int
    qty: int
    price: int
    slack: int

    @classmethod
    def of(cls, width: int, highest: int, peak: int = 0) -> "Columns":
        price = max(len(grouped(highest)), 3)
        side = max((width - price - MARKS) // 2, 0)
        qty = min(4 if peak < 1000 else 6, side)
        own = 8 if side >= 26 else 5 if side >= 11 else 1 if side >= 8 else 0
        bar = max(side - qty - own - (1 if side >= 14 else 0), 0)
        if bar < 3:
            bar = 0
        used = 2 * (own + bar + qty) + price + MARKS
        return cls(own, bar, qty, price, max(width - used, 0))

    @property
    def side(self) -> int:
        return self.own + self.bar + self.qty

    @property
    def pad(self) -> int:
        """Blank cells before the bids; as many, or one more, follow the asks."""
        return self.slack // 2


@dataclass(frozen=True)
class Half:
    """One side of a row: what rests, what of it is ours, what is ours but not known yet."""

    qty: int = 0
    bar: int = 0
    mine: int = 0
    asked: int = 0
    draft: int = 0


@dataclass(frozen=True)
class LadderRow:
    """One price, None where the row is blank. `last` is the move of the last trade here."""

    columns: Columns
    price: int | None
    bid: Half = Half()
    ask: Half = Half()
    best: bool = False
    last: int | None = None
    cursor: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = self.columns
        pad = columns.pad
        if self.price is None:
            return [Segment(" " * width, ink.plain)]
        segments = [Segment(" " * pad, ink.plain)] if pad else []
        segments += _half(self.bid, columns, ink, True)
        segments += self._middle(columns, ink)
        segments += _half(self.ask, columns, ink, False)
        if self.cursor:
            segments += [Segment(" " * (columns.slack - pad), ink.plain)]
            return [Segment(s.text, (s.style or ink.plain) + ink.raised) for s in segments]
        return segments

    def _middle(self, columns: Columns, ink: Ink) -> Segments:
        tint = (
            ink.side(bool(self.bid.qty), self.best) if self.bid.qty or self.ask.qty else ink.muted
        )
        if self.last is not None:
            tint = ink.strong
        mark = MOVES[self.last] if self.last is not None else " "
        moved = ink.own_strong if not self.last else ink.side(self.last > 0, True)
        assert self.price is not None
        return [
            Segment(" ▸ " if self.cursor else "   ", ink.own_strong),
            Segment(right(grouped(self.price), columns.price), tint),
            Segment(f" {mark} ", moved),
        ]


def _half(half: Half, columns: Columns, ink: Ink, is_bid: bool) -> Segments:
    qty = short(half.qty) if half.qty else ""
    tint = ink.side(is_bid)
    bar = _bar(half.bar, columns.bar, is_bid)
    own, style = _own(half, columns.own, ink)
    dim = ink.bid_bar if is_bid else ink.ask_bar
    if is_bid:
        cells = [(left(own, columns.own), style), (bar, dim), (right(qty, columns.qty), tint)]
    else:
        cells = [(left(qty, columns.qty), tint), (bar, dim), (right(own, columns.own), style)]
    return [Segment(text, style) for text, style in cells if text]


def _own(half: Half, width: int, ink: Ink) -> tuple[str, Style]:
    if not width or not (half.mine or half.asked or half.draft):
        return "", ink.plain
    if half.draft:
        text, style = f"+{short(half.draft)}", ink.own_strong
    elif half.asked:
        text, style = f"?{short(half.asked)}", ink.own
    else:
        text, style = f"◆{short(half.mine)}", ink.own_strong
    return (text if len(text) <= width else text[0]), style


def _bar(halves: int, width: int, is_bid: bool) -> str:
    if not width:
        return ""
    body = "█" * (halves // 2)
    if is_bid:
        return ("▐" * (halves % 2) + body + " ").rjust(width)
    return (" " + body + "▌" * (halves % 2)).ljust(width)


def ladder_rows(desk: Desk, width: int) -> Iterator[LadderRow]:
    """The rows of the desk's window. O(rows shown + own orders)."""
    book, gaze = desk.book, desk.gaze
    if book is None or gaze is None:
        return
    window = gaze.window
    prices = [window.price(row) for row in range(window.rows)]
    bids = _quantities(book.bids, prices)
    asks = _quantities(book.asks, prices)
    peak = _round_up(max(*bids.values(), *asks.values(), 1))
    columns = Columns.of(width, min(window.top, window.high), peak)
    mine, asked = _own_quantities(desk, book)
    draft = _draft(desk)
    last = desk.model.prints.get(book.market.symbol)
    best_bid, best_ask = book.best_bid, book.best_ask
    halves = 2 * max(columns.bar - 2, 1)
    for price in prices:
        if price is None:
            yield LadderRow(columns, None)
            continue
        sides = [
            Half(
                qty,
                -(-qty * halves // peak),
                mine.get((side, price), 0),
                asked.get((side, price), 0),
                draft.get((side, price), 0),
            )
            for side, qty in ((Side.BUY, bids.get(price, 0)), (Side.SELL, asks.get(price, 0)))
        ]
        yield LadderRow(
            columns,
            price,
            sides[0],
            sides[1],
            price in (best_bid, best_ask),
            last.move if last is not None and last.price == price else None,
            price == gaze.cursor and not (desk.on_orders and not desk.ticket.prepared),
        )


def _quantities(side: BookSide, prices: list[int | None]) -> dict[int, int]:
    levels = side.levels
    return {
        price: levels[price].qty for price in prices if price is not None and price in levels
    } or {0: 0}


def _own_quantities(
    desk: Desk, book: OrderBook
) -> tuple[dict[tuple[Side, int], int], dict[tuple[Side, int], int]]:
    """(resting, not known yet) of this trader by side and price."""
    mine: dict[tuple[Side, int], int] = {}
    asked: dict[tuple[Side, int], int] = {}
    if not desk.model.trader:
        return mine, asked
    intents = desk.model.intents
    for order in book.by_trader.get(desk.model.trader, {}).values():
        key = (order.side, order.price)
        mine[key] = mine.get(key, 0) + order.leaves_qty
        if len(intents) and intents.ending(order.id):
            asked[key] = asked.get(key, 0) + order.leaves_qty
    for side, price, qty in intents.resting(book.market.symbol):
        asked[side, price] = asked.get((side, price), 0) + qty
    return mine, asked


def _draft(desk: Desk) -> dict[tuple[Side, int], int]:
    ticket = desk.ticket
    if ticket.side is None or ticket.kind is Kind.MARKET:
        return {}
    return {(ticket.side, desk.price): ticket.qty}


def _round_up(value: int) -> int:
    """The next of 1, 2, 5, 10, 20, ...: so that bars keep their scale while sizes move."""
    power: int = 10 ** (len(str(value)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
