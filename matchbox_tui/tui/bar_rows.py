"""The single lines: the market at the top, and ticket, status and hints at the bottom."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from matchbox_tui.engine import Side
from matchbox_tui.tui.cells import Segments, clean, left, spread
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped
from matchbox_tui.tui.ladder_rows import MOVES
from matchbox_tui.tui.model import Link, Model
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.ticket import Kind, preview, preview_move

_LINKS = {
    Link.CONNECTING: "◌ connecting",
    Link.LIVE: "● live",
    Link.STALE: "◐ stale",
    Link.RECONNECTING: "○ reconnecting",
}


@dataclass(frozen=True)
class Header:
    """The market: its symbol, its question, and the best prices."""

    symbol: str
    title: str
    bid: str
    ask: str
    last: str
    place: str
    halted: bool

    def paint(self, width: int, ink: Ink) -> Segments:
        raised = ink.raised
        quote = [
            Segment("bid " if width >= 40 else "", ink.muted + raised),
            Segment(self.bid, ink.bid_strong + raised),
            Segment("  ask " if width >= 40 else "  ", ink.muted + raised),
            Segment(self.ask + " ", ink.ask_strong + raised),
        ]
        if self.last and width >= 60:
            quote.append(Segment(" last ", ink.muted + raised))
            quote.append(Segment(self.last + " ", ink.strong + raised))
        if not self.symbol:
            quote = []
        if self.halted:
            quote.insert(0, Segment("HALTED  ", ink.alarm + raised))
        name = [Segment(f" {self.symbol or 'matchbox'}", ink.own_strong + raised)]
        if self.place:
            name.append(Segment(f" {self.place}", ink.muted + raised))
        used = sum(s.cell_length for s in (*name, *quote)) + 4
        title = left(self.title, max(width - used, 0)).rstrip() if width - used > 8 else ""
        name.append(Segment(f"  {title}" if title else "", ink.plain + raised))
        return spread(width, name, quote, raised)


@dataclass(frozen=True)
class TicketLine:
    """What is prepared, and what would come of it."""

    side: Side | None
    qty: int
    price: int
    kind: Kind
    typed: str | None
    outlook: str
    may_trade: bool
    locked: bool = False
    flag: str = ""
    halting: str = ""
    locked_since: str = ""

    def paint(self, width: int, ink: Ink) -> Segments:
        if not self.may_trade:
            return [Segment(" watching only", ink.muted)]
        qty = Segment(f"{grouped(self.qty)}", ink.strong)
        if self.side is None and not self.halting:
            lock = Segment(" locked ", ink.muted)
            if not self.locked:
                lock = Segment(" ARMED ", Style(reverse=True) + ink.own_strong)
            return [
                lock,
                Segment(" ", ink.plain),
                qty,
                *(self._price(ink) if self.kind is not Kind.MARKET else ()),
                Segment(f" {self.kind.value}", ink.muted),
                *([Segment(f"  {self.locked_since}", ink.alarm)] if self.locked_since else ()),
            ]
        if self.halting:
            block = Style(reverse=True) + ink.alarm
            return [Segment(f" {self.halting} ", block), Segment(f"  {self.outlook}", ink.muted)]
        is_buy = self.side is Side.BUY
        block = Style(reverse=True) + ink.side(is_buy, True)
        segments = [
            Segment(f" {'▲ BUY' if is_buy else '▼ SELL'} ", block),
            Segment(" ", ink.plain),
            qty,
        ]
        if self.kind is Kind.MARKET:
            segments.append(Segment(" at market", ink.strong))
        else:
            segments += self._price(ink)
            segments.append(Segment(f" {self.flag or self.kind.value}", ink.own))
        segments.append(Segment(f"  {self.outlook}", ink.muted))
        return segments

    def _price(self, ink: Ink) -> Segments:
        if self.typed is not None:
            return [Segment(" @ ", ink.muted), Segment(f"{self.typed}▏", ink.own_strong)]
        return [
            Segment(" @ ", ink.muted),
            Segment(grouped(self.price) if self.price else "-", ink.strong),
        ]


@dataclass(frozen=True)
class StatusLine:
    """The venue: who leads, how far behind we are, what waits, and whether this is fresh."""

    link: Link
    trouble: str
    leader: str | None
    epoch: int
    lag: int
    queue: int
    seq: int
    trader: str
    seen: bool
    traders_ended: bool = False
    news: Row | None = None
    """What there is no other line for."""

    def paint(self, width: int, ink: Ink) -> Segments:
        raised = ink.raised
        live = self.link is Link.LIVE
        state = Segment(f" {_LINKS[self.link]} ", (ink.bid_strong if live else ink.alarm) + raised)
        if self.trouble and not live:
            words = left(f" {clean(self.trouble)}", max(width - state.cell_length, 0))
            return [state, Segment(words, ink.plain + raised)]
        if self.news is not None:
            told = self.news.paint(max(width - state.cell_length, 0), ink)
            return [state, *(Segment(s.text, (s.style or ink.plain) + raised) for s in told)]
        leader = clean(self.leader) if self.leader else "none" if self.seen else "-"
        parts = [
            ("leader", leader, self.seen and self.leader is None),
            ("epoch", str(self.epoch), False),
            ("lag", grouped(self.lag), False),
            ("queue", grouped(self.queue), False),
        ]
        segments = [state]
        if self.traders_ended:
            segments.append(Segment(" no traders ", ink.alarm + raised))
        for name, value, alarming in parts:
            segments.append(Segment(f" {name} ", ink.muted + raised))
            segments.append(Segment(value + " ", (ink.alarm if alarming else ink.plain) + raised))
        tail = [
            Segment(f"seq {grouped(self.seq)} ", ink.muted + raised),
            Segment(f" {clean(self.trader) or 'watching'} ", ink.own + raised),
        ]
        used = sum(s.cell_length for s in segments)
        if used + sum(s.cell_length for s in tail) + 1 > width:
            tail = tail[1:]
        return spread(width, segments, tail, raised)


@dataclass(frozen=True)
class HintLine:
    """What the keys do now; help and quit, the last two, have their place at the right."""

    pairs: tuple[tuple[str, str], ...]
    preparing: bool

    def paint(self, width: int, ink: Ink) -> Segments:
        pairs = self.pairs
        ends = () if self.preparing else pairs[-2:]
        room = width - sum(_hint_width(pair) for pair in ends) - 1
        shown: list[tuple[str, str]] = []
        for pair in pairs[: len(pairs) - len(ends)]:
            room -= _hint_width(pair)
            if room < 0:
                break
            shown.append(pair)
        return spread(width, _hints(shown, ink), _hints(ends, ink), ink.plain)


def _hint_width(pair: tuple[str, str]) -> int:
    return len(pair[0]) + len(pair[1]) + 3


def _hints(pairs: Iterable[tuple[str, str]], ink: Ink) -> Segments:
    return [
        segment
        for key, words in pairs
        for segment in (Segment(f" {key}", ink.strong), Segment(f" {words} ", ink.muted))
    ]


def header(desk: Desk) -> Header:
    market, book = desk.market, desk.book
    symbols = [known.symbol for known in desk.model.markets]
    symbol = desk.symbol
    place = ""
    if len(symbols) > 1 and symbol in symbols:
        place = f"{symbols.index(symbol) + 1}/{len(symbols)}"
    bid = book.best_bid if book is not None else None
    ask = book.best_ask if book is not None else None
    last = desk.model.prints.get(symbol)
    return Header(
        clean(symbol),
        clean(market.title) if market is not None else "",
        grouped(bid) if bid is not None else "-",
        grouped(ask) if ask is not None else "-",
        f"{grouped(last.price)} {MOVES[last.move]}" if last is not None else "",
        place,
        desk.halted,
    )


def ticket_line(desk: Desk) -> TicketLine:
    ticket, book = desk.ticket, desk.book
    draft, moving = desk.draft(), desk.moving()
    outlook = ""
    if ticket.halting:
        outlook = "for everybody; a halted market takes cancels only"
    if moving is not None and book is not None:
        outlook = preview_move(moving, desk.price, ticket.qty, book)
    if draft is not None and book is not None:
        outlook = "the market is halted" if desk.halted else preview(draft, book)
    return TicketLine(
        ticket.side,
        ticket.qty,
        desk.price,
        ticket.kind,
        ticket.typed,
        outlook,
        bool(desk.model.trader),
        desk.locked,
        f"replaces #{ticket.moving}" if ticket.moving else "",
        f"{'RESUME' if desk.halted else 'HALT'} {clean(desk.symbol)}" if ticket.halting else "",
        desk.locked_since,
    )


def status_line(model: Model, news: Row | None = None) -> StatusLine:
    cluster = model.cluster
    return StatusLine(
        model.link,
        model.trouble,
        model.leader,
        model.epoch,
        model.lag,
        cluster.queue_depth if cluster is not None else 0,
        model.source.seq,
        model.trader,
        cluster is not None,
        bool(model.traders_ended),
        news,
    )
