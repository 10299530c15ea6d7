"""Positions as plain rows: what is held, what it cost, what it made and what it would make."""

from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.tui.cells import Segments, clean, left, right, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import fitted, signed, thousandths, ticks
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink


@dataclass(frozen=True)
class PositionColumns:
    """The widths of market, quantity, average price, and of each of the two profits."""

    name: int
    held: int
    average: int
    profit: int

    @classmethod
    def of(cls, width: int) -> "PositionColumns":
        held, average, profit = (9, 11, 12) if width >= 54 else (6, 6, 7)
        return cls(max(width - held - average - 2 * profit - 3, 4), held, average, profit)


@dataclass(frozen=True)
class PositionRow:
    """What we hold or held in one market.

    `average` and both profits are in thousandths of a tick; `unrealised` is None where there is
    no price to value the position at.
    """

    market: str
    qty: int
    average: int
    realised: int
    unrealised: int | None

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = PositionColumns.of(width)
        qty = fitted(signed(self.qty), self.qty, columns.held - 1)
        price = fitted(thousandths(self.average), self.average // 1000, columns.average - 1)
        side = ink.muted if not self.qty else ink.side(self.qty > 0)
        return [
            Segment(" " + left(clean(self.market), columns.name), ink.plain),
            Segment(right(qty, columns.held), side),
            Segment(right(price if self.qty else "-", columns.average), ink.plain),
            _profit(self.realised, columns.profit, ink),
            _profit(self.unrealised, columns.profit, ink),
        ]


@dataclass(frozen=True)
class PositionHead:
    """The rule above the positions, with the columns' names."""

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = PositionColumns.of(width)
        names = ("held", "avg", "real", "open")
        if columns.profit >= 12:
            names = ("held", "average", "realised", "unrealised")
        widths = (columns.held, columns.average, columns.profit, columns.profit)
        labels = [(0, "positions", ink.title)]
        end = columns.name
        for name, room in zip(names, widths, strict=True):
            end += room
            labels.append((end - len(name), name, ink.muted))
        return ruled(width, ink, labels)


def position_rows(desk: Desk) -> list[PositionRow | Words]:
    """What we hold or have held, market by market."""
    model = desk.model
    rows: list[PositionRow | Words] = []
    for market in model.markets:
        position = model.exchange.position(model.trader, market.symbol) if model.trader else None
        if position is None or not (position.qty or position.cash):
            continue
        mark = model.mark(market.symbol)
        held = model.holding(market.symbol)
        open_profit = None
        if mark is not None or not held.qty:
            open_profit = held.unrealised(mark or 0)
        rows.append(PositionRow(market.symbol, held.qty, held.average, held.realised, open_profit))
    return rows or [Words(" nothing held yet")]


def _profit(value: int | None, width: int, ink: Ink) -> Segment:
    if value is None:
        return Segment(right("no price" if width > 8 else "?", width), ink.muted)
    text = fitted(ticks(value), abs(value) // 1000, width - 1)
    return Segment(right(text, width), ink.muted if not value else ink.side(value > 0))
