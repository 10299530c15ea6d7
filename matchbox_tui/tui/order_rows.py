"""Open orders, positions and the log as plain rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice

from rich.segment import Segment

from matchbox_tui.engine import Side
from matchbox_tui.tui.cells import Segments, clean, left, right, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import clock_time, grouped, halves, short, signed, thousandths
from matchbox_tui.tui.model import Model
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import Ink

WIDE = 48
"""From this width on an order's row shows its market after its price."""

_BEFORE_PRICE = 19
_MARKET = 11


@dataclass(frozen=True)
class PanelHead:
    """A rule with a panel's name, and what can be said of it at the right."""

    name: str
    note: str = ""
    active: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        labels = [
            (0, f"▸ {self.name}" if self.active else self.name, ink.title),
            (width - len(self.note) - 2, self.note, ink.own if self.active else ink.muted),
        ]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class Words:
    """A line of plain text."""

    words: str
    loud: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        return [Segment(left(self.words, width), ink.alarm if self.loud else ink.muted)]


@dataclass(frozen=True)
class OrderRow:
    """An open order of ours, or one that was sent and is not known yet (`order_id` 0)."""

    order_id: int
    market: str
    side: Side
    leaves: int
    qty: int
    price: int
    unsure: bool = False
    standing: str = ""
    selected: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        is_buy = self.side is Side.BUY
        size = _fit(f"{self.leaves:,}", self.leaves, 8)
        if self.leaves != self.qty:
            size = _fit(f"{self.leaves:,}/{self.qty:,}", self.leaves, 8)
        tail = self.standing or f"#{self.order_id}"
        price = grouped(self.price) if self.price else "market"
        # A price that loses its last digits at the edge would read as another one.
        taken = _BEFORE_PRICE + len(tail) + 2 + (_MARKET if width >= WIDE else 0)
        price = _fit(price, self.price, max(width - taken, 7))
        segments = [
            Segment("▸" if self.selected else " ", ink.own_strong),
            Segment(f"{'▲ buy ' if is_buy else '▼ sell'} ", ink.side(is_buy)),
            Segment(right(size, 8), ink.plain),
            Segment(" @ ", ink.muted),
            Segment(price.ljust(7) if len(price) < 7 else f"{price} ", ink.plain),
        ]
        if width >= WIDE:
            segments.append(Segment(left(clean(self.market), _MARKET - 1) + " ", ink.muted))
        room = max(width - sum(segment.cell_length for segment in segments) - 1, 0)
        if self.unsure:
            tail = f"? {tail}" if len(tail) + 2 <= room else "?"
        segments.append(Segment(right(tail, room), ink.own if self.unsure else ink.muted))
        if self.selected:
            segments.append(Segment(" ", ink.plain))
            segments = [Segment(s.text, (s.style or ink.plain) + ink.raised) for s in segments]
        return segments


@dataclass(frozen=True)
class PositionRow:
    """What we hold in one market. `profit` is in half ticks, None where there is no price yet."""

    market: str
    qty: int
    average: int
    profit: int | None

    def paint(self, width: int, ink: Ink) -> Segments:
        name, held, average, profit = _position_columns(width)
        gain = "no price"
        if self.profit is not None:
            gain = _fit(halves(self.profit), self.profit // 2, profit - 1)
        qty = _fit(signed(self.qty), self.qty, held - 1)
        price = _fit(thousandths(self.average), self.average // 1000, average - 1)
        style = ink.muted if not self.profit else ink.side(self.profit > 0)
        side = ink.muted if not self.qty else ink.side(self.qty > 0)
        return [
            Segment(" " + left(clean(self.market), name), ink.plain),
            Segment(right(qty, held), side),
            Segment(right(price if self.qty else "-", average), ink.plain),
            Segment(right(gain, profit), style),
        ]


@dataclass(frozen=True)
class PositionHead:
    """The rule above the positions, with the columns' names."""

    def paint(self, width: int, ink: Ink) -> Segments:
        name, held, average, profit = _position_columns(width)
        ends = name + held + 1
        labels = [
            (0, "positions", ink.title),
            (ends - 5, "held", ink.muted),
            (ends + average - 8, "average", ink.muted),
            (ends + average + profit - 4, "p&l", ink.muted),
        ]
        return ruled(width, ink, labels)


def _fit(text: str, value: int, width: int) -> str:
    """The text, or where it is too long the value in few characters with its sign."""
    if len(text) <= width:
        return text
    return f"{text[0] if text[0] in '+-' else ''}{short(abs(value))}"


def _position_columns(width: int) -> tuple[int, int, int, int]:
    """The widths of market, quantity, average price and profit."""
    held, average, profit = (9, 12, 11) if width >= WIDE else (7, 9, 9)
    return max(width - held - average - profit - 2, 4), held, average, profit


@dataclass(frozen=True)
class LogRow:
    time: str
    tone: Tone
    words: str

    def paint(self, width: int, ink: Ink) -> Segments:
        styles = {Tone.ALARM: ink.alarm, Tone.FILL: ink.own, Tone.TWIN: ink.muted}
        style = styles.get(self.tone, ink.plain)
        mark = {Tone.ALARM: "!", Tone.FILL: "◆", Tone.TWIN: "$"}.get(self.tone, "·")
        return [
            Segment(f" {self.time}", ink.muted),
            Segment(f" {mark} ", style),
            Segment(left(clean(self.words), max(width - 12, 0)), style),
        ]


def order_rows(desk: Desk, count: int) -> list[OrderRow | Words]:
    """The open orders around the selected one, those not known yet first."""
    model = desk.model
    if not model.trader:
        return [Words(" only watching: no trader's name")]
    rows: list[OrderRow | Words] = [
        OrderRow(
            0,
            intent.market,
            intent.order.side,
            intent.order.qty,
            intent.order.qty,
            intent.resting_price,
            True,
            intent.standing.value,
        )
        for intent in model.intents
        if intent.order is not None
    ]
    orders = desk.orders
    selected = desk.selected
    at = next((i for i, order in enumerate(orders) if order.id == selected), 0)
    room = max(count - len(rows), 1)
    start = max(0, min(at - room // 2, len(orders) - room))
    rows += [
        OrderRow(
            order.id,
            order.market,
            order.side,
            order.leaves_qty,
            order.qty,
            order.price,
            bool(asked := _asked(model, order.id)),
            asked,
            order.id == selected,
        )
        for order in orders[start : start + room]
    ]
    return rows or [Words(" no open orders")]


def _asked(model: Model, order_id: int) -> str:
    """What was asked of an open order and is not known yet, or nothing."""
    if model.intents.ending(order_id):
        return "cancel"
    return "replace" if model.intents.moving(order_id) else ""


def position_rows(desk: Desk) -> list[PositionRow | Words]:
    """What we hold or have held, market by market."""
    model = desk.model
    rows: list[PositionRow | Words] = []
    for market in model.markets:
        position = model.exchange.position(model.trader, market.symbol) if model.trader else None
        if position is None or not (position.qty or position.cash):
            continue
        mark = model.mark(market.symbol)
        profit = 2 * position.cash + position.qty * (mark or 0)
        known = mark is not None or not position.qty
        rows.append(
            PositionRow(
                market.symbol,
                position.qty,
                model.holding(market.symbol).average,
                profit if known else None,
            )
        )
    return rows or [Words(" nothing held yet")]


def log_rows(desk: Desk, count: int, zone: tzinfo | None) -> Iterator[LogRow]:
    """The newest notices first."""
    for notice in islice(reversed(desk.model.notices), max(count, 0)):
        yield LogRow(clock_time(notice.time, zone), notice.tone, notice.words)
