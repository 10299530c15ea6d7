"""What the analytics say of a market, as plain rows: prices, book, orders and traders."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.store import ActivityStats, PriceStats, QuoteStats, TraderStats
from matchbox_tui.tui.analytics import Figures
from matchbox_tui.tui.cells import Segments, clean, left, right, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import fitted, grouped, short, signed, thousandths
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row

NAME = 7
"""Width of a figure's name."""

VOLUME, MADE, PROFIT = 8, 6, 9
"""Widths of the traders' columns; what is left shows their names."""

NONE = (
    " no analytics beside this venue:",
    " matchbox consume analytics",
    " starts them, and so does",
    " matchbox play --record",
)


@dataclass(frozen=True)
class AnalyticsHead:
    """The rule above the figures, and how far these are."""

    note: str = ""
    loud: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        style = ink.alarm if self.loud else ink.muted
        at = width - len(self.note) - 2
        return ruled(width, ink, [(0, "analytics", ink.title), (at, self.note, style)])


@dataclass(frozen=True)
class FigureRow:
    """Two figures side by side, each a name and a value; `move` is the sign of the first one's."""

    first: tuple[str, str]
    second: tuple[str, str] = ("", "")
    move: int = 0

    def paint(self, width: int, ink: Ink) -> Segments:
        room = max((width - 1) // 2, 0)
        style = ink.side(self.move > 0) if self.move else ink.plain
        segments = [Segment(" ", ink.plain)] if width else []
        for (name, value), one in ((self.first, style), (self.second, ink.plain)):
            segments.append(Segment(left(name, min(NAME, room)), ink.muted))
            segments.append(Segment(left(value, room - NAME), one))
        return segments


@dataclass(frozen=True)
class TraderHead:
    """The rule above the traders, with the columns' names at their ends."""

    traders: int

    def paint(self, width: int, ink: Ink) -> Segments:
        title = f"{short(self.traders)} traders" if width >= 40 else "traders"
        labels = [(0, title, ink.title)]
        end = width - VOLUME - MADE - PROFIT
        for name, columns in (("volume", VOLUME), ("made", MADE), ("profit", PROFIT)):
            end += columns
            labels.append((end - len(name) - 2, name, ink.muted))
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class TraderRow:
    """One trader: contracts, the share of them as maker in percent, and what was realised."""

    name: str
    volume: int
    made: int
    realised: int
    own: bool

    def paint(self, width: int, ink: Ink) -> Segments:
        room = max(width - VOLUME - MADE - PROFIT - 2, 0)
        profit = fitted(signed(self.realised), self.realised, PROFIT - 1)
        style = ink.side(self.realised > 0) if self.realised else ink.muted
        return [
            Segment("◆" if self.own else " ", ink.own_strong),
            Segment(left(clean(self.name), room), ink.own_strong if self.own else ink.plain),
            Segment(right(short(self.volume), VOLUME), ink.plain),
            Segment(right(f"{self.made}%", MADE), ink.muted),
            Segment(right(profit, PROFIT), style),
            Segment(" ", ink.plain),
        ]


def analytics_rows(desk: Desk, height: int) -> list[Row]:
    """What is known; what there is no room for is left out from the end."""
    analytics = desk.model.analytics
    figures = analytics.figures
    if analytics.trouble:
        return _words(f" {clean(analytics.trouble)}", loud=True)[:height]
    if not analytics.looked:
        return _words(" not looked at yet")[:height]
    if figures is None:
        return _words(*NONE)[:height]
    rows: list[Row] = [_head(desk, figures)]
    market = figures.market
    rows += _prices(market.prices)
    rows += _quotes(market.quotes)
    rows.append(_activity(market.activity))
    if figures.venue.since > 1:
        rows.append(Words(f" book, orders since {grouped(figures.venue.since)}"))
    if figures.venue.history_from > 1:
        rows.append(Words(f" trades since {grouped(figures.venue.history_from)}"))
    rows.append(TraderHead(market.leaderboard.traders))
    rows += _traders(market.leaderboard.by_volume, desk.model.trader)
    return rows[:height]


def _words(*lines: str, loud: bool = False) -> list[Row]:
    return [AnalyticsHead(), *(Words(line, loud) for line in lines)]


def _head(desk: Desk, figures: Figures) -> AnalyticsHead:
    model = desk.model
    seq = model.source.seq
    if model.analytics.stands_still(seq, desk.clock()):
        return AnalyticsHead(f"stopped at {grouped(figures.venue.sequence)}", loud=True)
    return AnalyticsHead(f"up to {grouped(figures.venue.sequence)}")


def _prices(prices: PriceStats) -> Sequence[FigureRow]:
    day, change = prices.day, prices.change or 0
    if day is None or prices.last is None:
        return [FigureRow(("last", "-"))]
    mark = "▲" if change > 0 else "▼" if change < 0 else ""
    moved = f"{mark}{short(abs(change))}"
    mean = thousandths(prices.notional * 1000 // prices.volume)
    return [
        FigureRow(("last", f"{_price(prices.last)} {moved}"), ("open", _price(day.open)), change),
        FigureRow(("high", _price(day.high)), ("low", _price(day.low))),
        FigureRow(("today", short(day.volume)), ("all", short(prices.volume))),
        FigureRow(("vwap", mean), ("trades", short(prices.trades))),
    ]


def _quotes(quotes: QuoteStats) -> Sequence[FigureRow]:
    count = quotes.two_sided
    if not count:
        return [FigureRow(("spread", "-"), ("depth", "-"))]
    spread = thousandths(quotes.spread_sum * 1000 // count)
    bids, asks = quotes.bid_qty_sum // count, quotes.ask_qty_sum // count
    return [FigureRow(("spread", spread), ("depth", f"{short(bids)}/{short(asks)}"))]


def _activity(activity: ActivityStats) -> FigureRow:
    ratio = "-"
    if activity.trades:
        ratio = thousandths(activity.messages * 1000 // activity.trades)
    return FigureRow(("orders", short(activity.orders)), ("ratio", ratio))


def _traders(traders: Sequence[TraderStats], own: str) -> Sequence[TraderRow]:
    return [
        TraderRow(
            one.trader,
            one.volume,
            100 * one.maker_qty // one.volume,
            one.realised,
            bool(own) and one.trader == own,
        )
        for one in traders
    ]


def _price(price: int) -> str:
    text = grouped(price)
    return text if len(text) <= 9 else short(price)
