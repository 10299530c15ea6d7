"""The list of markets as plain rows: last, change, best prices, volume."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.engine import MarketStatus
from matchbox_tui.tui.cells import Segments, clean, left, raised, right, ruled
from matchbox_tui.tui.figures import grouped, short, signed
from matchbox_tui.tui.model import Model
from matchbox_tui.tui.palette import Ink

SYMBOL, LAST, CHANGE, BEST, VOLUME = 12, 9, 8, 9, 8
"""Widths of the columns; what is left shows the question."""


@dataclass(frozen=True)
class MarketHead:
    """The rule above the list, with the columns' names over the ends of the columns."""

    def paint(self, width: int, ink: Ink) -> Segments:
        end = 2 + SYMBOL
        labels = [(0, "markets", ink.title)]
        for name, columns, style in (
            ("last", LAST, ink.muted),
            ("change", CHANGE, ink.muted),
            ("bid", BEST, ink.bid_strong),
            ("ask", BEST, ink.ask_strong),
            ("volume", VOLUME, ink.muted),
        ):
            end += columns
            labels.append((end - len(name) - 1, name, style))
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class MarketRow:
    """One market. `change` is from the first trade that this app has read to the last."""

    symbol: str
    title: str
    last: int | None
    change: int
    bid: int | None
    ask: int | None
    volume: int
    halted: bool
    selected: bool

    def paint(self, width: int, ink: Ink) -> Segments:
        moved = ink.muted if not self.change else ink.side(self.change > 0)
        mark = "" if not self.change else "▲" if self.change > 0 else "▼"
        cells = [
            ("▸ " if self.selected else "  ", ink.own_strong),
            (left(clean(self.symbol), SYMBOL), ink.strong if self.selected else ink.plain),
            (right(_price(self.last), LAST), ink.plain),
            (right(f"{mark}{signed(self.change).lstrip('+-')}", CHANGE), moved),
            (right(_price(self.bid), BEST), ink.bid),
            (right(_price(self.ask), BEST), ink.ask),
            (right(short(self.volume), VOLUME), ink.muted),
            ("  HALTED" if self.halted else "", ink.alarm),
        ]
        segments = [Segment(text, style) for text, style in cells if text]
        room = width - sum(segment.cell_length for segment in segments) - 2
        if room > 0:
            segments.append(Segment(f"  {left(clean(self.title), room)}", ink.muted))
        if self.selected:
            segments = raised(segments, ink)
        return segments


def _price(price: int | None) -> str:
    if price is None:
        return "-"
    text = grouped(price)
    return text if len(text) < BEST else short(price)


def market_rows(model: Model, selected: str, count: int) -> Iterator[MarketRow]:
    """The `count` markets around the selected one. O(rows shown + markets)."""
    markets = model.markets
    at = next((n for n, market in enumerate(markets) if market.symbol == selected), 0)
    start = max(0, min(at - count // 2, len(markets) - count))
    for market in markets[start : start + max(count, 0)]:
        book, day = model.book(market.symbol), model.days.get(market.symbol)
        yield MarketRow(
            market.symbol,
            market.title,
            day.last if day is not None else None,
            day.last - day.first if day is not None else 0,
            book.best_bid if book is not None else None,
            book.best_ask if book is not None else None,
            day.volume if day is not None else 0,
            market.status is MarketStatus.HALTED,
            market.symbol == selected,
        )
