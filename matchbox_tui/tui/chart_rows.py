"""The price chart as plain rows: one candle a column, its volume below, prices at the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby

from rich.segment import Segment
from rich.style import Style

from matchbox_tui.tui.candles import SECOND_NS, Candle, Span
from matchbox_tui.tui.cells import Segments, left, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import clock_time, grouped, short
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row

EIGHTHS = " ▁▂▃▄▅▆▇█"

LABEL_EVERY = 4
"""Rows from one price at the axis to the next."""

_UP, _DOWN, _FLAT, _UP_BAR, _DOWN_BAR, _FLAT_BAR = "udfUDF"
_BARS = {_UP: _UP_BAR, _DOWN: _DOWN_BAR}


@dataclass(frozen=True)
class Scale:
    """Which row a price stands in: `rows` from `high` down, each of `ticks`, or `height` a tick."""

    high: int
    rows: int
    ticks: int = 1
    height: int = 1

    @classmethod
    def of(cls, candles: Sequence[Candle], rows: int, tick: int = 1) -> "Scale":
        """The finest one that shows all candles in so many rows."""
        low = min(candle.low for candle in candles)
        high = max(candle.high for candle in candles)
        steps = (high - low) // tick + 1
        if steps <= rows:
            height = min(rows // steps, 3)
            spare = rows // height - steps
            return cls(high + spare // 2 * tick, rows, tick, height)
        return cls(high, rows, -(-steps // rows) * tick)

    def row(self, price: int) -> int:
        step = (self.high - price) // self.ticks
        return min(step * self.height + self.height // 2, self.rows - 1)

    def price(self, row: int) -> int | None:
        """The highest price of a row, None between prices."""
        step, part = divmod(row, self.height)
        price = self.high - step * self.ticks
        return price if part == self.height // 2 and price > 0 else None


@dataclass(frozen=True)
class ChartHead:
    """The rule above the chart: how long a candle is, and what the newest one says."""

    span: str
    key: str
    words: str = ""

    def paint(self, width: int, ink: Ink) -> Segments:
        title = f"chart {self.span}"
        labels = [(0, title, ink.title)]
        hint = f"{self.key} changes it"
        at = width - len(self.words) - 2
        if self.words and at > len(title) + 2:
            labels.append((at, self.words, ink.muted))
        elif len(title) + len(hint) + 4 <= width:
            labels.append((width - len(hint) - 2, hint, ink.muted))
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class ChartRow:
    """One row of cells, each with the letter of its style, and what the axis says there."""

    cells: str
    tints: str
    label: str = ""
    marked: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        at = 0
        segments = []
        for tint, run in groupby(self.tints):
            length = sum(1 for _ in run)
            segments.append(Segment(self.cells[at : at + length], _style(tint, ink)))
            at += length
        room = width - len(self.cells)
        mark = "◂" if self.marked else " "
        words = left(f"{mark}{self.label}", room)
        segments.append(Segment(words, ink.own_strong if self.marked else ink.muted))
        return segments


def chart_rows(
    desk: Desk, width: int, height: int, zone: tzinfo | None, key: str = "z"
) -> list[Row]:
    """A head, the candles, their volume and the times, as far as there is room. O(cells)."""
    span = desk.candle_span
    candles = desk.model.candles(desk.symbol)
    last = desk.model.last(desk.symbol)
    axis = 2 + max(len(_price(last or 0)), 4)
    older = desk.model.analytics.candles(desk.symbol, span)
    shown = candles.shown(span, width - axis, older)
    if not shown or height < 2:
        head = ChartHead(span.words, key)
        rows: list[Row] = [head] if shown else [head, Words(" no trade yet")]
        return rows[:height]
    newest = shown[-1]
    head = ChartHead(
        span.words,
        key,
        f"o {short(newest.open)} h {short(newest.high)} l {short(newest.low)}"
        f" c {short(newest.close)} v {short(newest.qty)}",
    )
    volume = 0 if height < 6 else 1 if height < 10 else 2 if height < 16 else 3
    times = 1 if height >= 5 else 0
    room = height - 1 - volume - times
    market = desk.market
    scale = Scale.of(shown, room, market.tick if market is not None else 1)
    pad = width - axis - len(shown)
    chart: list[Row] = [head]
    chart += _prices(shown, scale, pad, newest.close)
    chart += _volumes(shown, volume, pad)
    if times:
        chart.append(_times(shown, span, pad, zone))
    return chart


def _price(price: int) -> str:
    text = grouped(price)
    return text if len(text) <= 7 else short(price)


def _prices(shown: Sequence[Candle], scale: Scale, pad: int, last: int) -> list[ChartRow]:
    cells = [[" "] * pad for _ in range(scale.rows)]
    tints = [[" "] * pad for _ in range(scale.rows)]
    for candle in shown:
        top, bottom = scale.row(candle.high), scale.row(candle.low)
        first, then = sorted((scale.row(candle.open), scale.row(candle.close)))
        tint = _direction(candle)
        body = {_UP: "█", _DOWN: "▒", _FLAT: "─"}[tint]
        for row in range(scale.rows):
            glyph = " "
            if first <= row <= then:
                glyph = "┼" if tint == _FLAT and top < bottom else body
            elif top <= row <= bottom:
                glyph = "│"
            cells[row].append(glyph)
            tints[row].append(" " if glyph == " " else tint)
    marked = scale.row(last)
    lines = []
    for row in range(scale.rows):
        price = scale.price(row)
        label = ""
        if row == marked:
            label = _price(last)
        elif price is not None and row % LABEL_EVERY < scale.height and abs(row - marked) > 1:
            label = _price(price)
        lines.append(ChartRow("".join(cells[row]), "".join(tints[row]), label, row == marked))
    return lines


def _volumes(shown: Sequence[Candle], rows: int, pad: int) -> list[ChartRow]:
    peak = max(candle.qty for candle in shown) or 1
    lines = []
    for row in range(rows):
        base = (rows - 1 - row) * 8
        cells, tints = " " * pad, " " * pad
        for candle in shown:
            # Whatever traded is seen, be it ever so little.
            eighths = -(-candle.qty * rows * 8 // peak)
            cells += EIGHTHS[min(max(eighths - base, 0), 8)]
            tints += _BARS.get(_direction(candle), _FLAT_BAR)
        lines.append(ChartRow(cells, tints, f"v {short(peak)}" if row == 0 else ""))
    return lines


def _times(shown: Sequence[Candle], span: Span, pad: int, zone: tzinfo | None) -> ChartRow:
    line = ""
    for column, candle in enumerate(shown):
        if candle.slot % 15 or len(line) > pad + column:
            continue
        time = clock_time(candle.slot * span.value * SECOND_NS, zone)
        text = f"╵{time if span is Span.SECOND else time[:5]} "
        if column + len(text) <= len(shown):
            line = line.ljust(pad + column) + text
    line = line.ljust(pad + len(shown))
    return ChartRow(line, "t" * len(line))


def _direction(candle: Candle) -> str:
    if candle.close == candle.open:
        return _FLAT
    return _UP if candle.close > candle.open else _DOWN


def _style(tint: str, ink: Ink) -> Style:
    return {
        _UP: ink.bid,
        _DOWN: ink.ask,
        _UP_BAR: ink.bid_bar,
        _DOWN_BAR: ink.ask_bar,
        _FLAT: ink.plain,
        _FLAT_BAR: ink.rule,
    }.get(tint, ink.muted)
