"""What the app knows of the venue: the journal folded for the eye. No Textual, no clock, no I/O.

The replica holds books, orders and positions; this adds what a screen needs besides: the last
prints, who led, what this trader asked for and what became of it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    Exchange,
    Market,
    MarketHalted,
    MarketResumed,
    OrderBook,
    OrderCancelled,
    Reason,
    ReplaceRejected,
    Side,
    TradeExecuted,
)
from matchbox_tui.store import ClusterStatus, Entry
from matchbox_tui.tui.analytics import Analytics
from matchbox_tui.tui.candles import Candles
from matchbox_tui.tui.day import Day
from matchbox_tui.tui.holdings import Holding, Holdings
from matchbox_tui.tui.intents import Intent, Intents, cancel_all_key
from matchbox_tui.tui.latency import Latencies
from matchbox_tui.tui.lead import Handover, Lead
from matchbox_tui.tui.outcome import Notice, Outcomes, Tone
from matchbox_tui.tui.recovery import Recoveries
from matchbox_tui.tui.roster import Roster
from matchbox_tui.tui.volume import Volume
from matchbox_tui.tui.watch import Watch

TAPE_KEPT = 500
"""Prints kept for each market."""

NOTICES_KEPT = 200


_STATUS = (MarketHalted, MarketResumed)


class Source(Protocol):
    """Where the state comes from: a replica of the journal."""

    exchange: Exchange
    epoch: int

    @property
    def seq(self) -> int: ...


class Link(StrEnum):
    """How fresh the picture is."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"


_BREAKS = {
    Link.STALE: "the server does not answer",
    Link.RECONNECTING: "the connection was lost",
}
"""What happened, by what the link has become."""


@dataclass(frozen=True)
class Print:
    """The last trade of a market, the `n`-th that was seen.

    `move` is the sign of the last change in price, `side` the taker's.
    """

    price: int
    move: int = 0
    side: Side = Side.BUY
    n: int = 1


class Model:
    """The venue as one trader sees it. `revision` grows with every change outside the books."""

    def __init__(self, source: Source, trader: str = "") -> None:
        self.source = source
        self.trader = trader
        self.intents = Intents(trader)
        self.latencies = Latencies()
        self.roster = Roster()
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.leaders: dict[int, str] = {}
        self.cluster: ClusterStatus | None = None
        self.link = Link.CONNECTING
        self.trouble = ""
        self.named: Sequence[str] | None = None
        """The markets that are shown, None: all that there are."""
        self.traders_ended = ""
        """How the traders' process ended, as far as its parent knows; nothing while it runs."""
        self.when_broken: Callable[[str], None] = lambda why: None
        """Told why what is shown does not lead on from what was shown before."""
        self.printed = 0
        self.revision = 0
        self.recoveries = Recoveries()
        self.watch = Watch()
        self.analytics = Analytics()
        self.attach(source)

    def attach(self, source: Source) -> None:
        """Takes a source with what it knows already, and forgets what another one told."""
        self.source = source
        self.holdings = Holdings()
        self.outcomes = Outcomes(self.trader)
        self.prints: dict[str, Print] = {}
        self._tapes: dict[str, deque[TradeExecuted | Handover]] = {}
        self._candles: dict[str, Candles] = {}
        self._volumes: dict[str, Volume] = {}
        self.days: dict[str, Day] = {}
        self._lead = Lead(source.epoch, source.seq)
        self._past: int | None = None
        self.analytics.forget()
        if self.trader:
            self.outcomes.know(source.exchange.orders_of(self.trader))
        self.touch()
        self.when_broken("the journal is read anew")

    def touch(self) -> None:
        self.revision += 1

    @property
    def exchange(self) -> Exchange:
        return self.source.exchange

    @property
    def markets(self) -> tuple[Market, ...]:
        there = self.exchange.markets
        if self.named is None:
            return there
        return tuple(market for market in there if market.symbol in self.named)

    @property
    def epoch(self) -> int:
        """The newest epoch heard of, from the journal or the cluster."""
        return max(self._lead.epoch, self.cluster.epoch if self.cluster is not None else 0)

    @property
    def leader(self) -> str | None:
        return self.cluster.leader if self.cluster is not None else None

    @property
    def lag(self) -> int:
        """Commands that the journal has and this copy has not, as of the last look."""
        return max(self.cluster.seq - self.source.seq, 0) if self.cluster is not None else 0

    @property
    def caught_up(self) -> bool:
        """Whether this copy has all that the journal had at the last look."""
        return self.link is Link.LIVE and self.cluster is not None and not self.lag

    def book(self, market: str) -> OrderBook | None:
        return self.exchange.books.get(market)

    def tape(self, market: str) -> Sequence[TradeExecuted | Handover]:
        """The market's prints, oldest first."""
        return self._tapes.get(market, ())

    def candles(self, market: str) -> Candles:
        candles = self._candles.get(market)
        if candles is None:
            candles = self._candles[market] = Candles()
        return candles

    def volume(self, market: str) -> Volume | None:
        """What traded at each price, None where nothing did."""
        return self._volumes.get(market)

    def last(self, market: str) -> int | None:
        shown = self.prints.get(market)
        return shown.price if shown is not None else None

    def mark(self, market: str) -> int | None:
        """The price that positions are valued at, in half ticks: the last trade, else the mid."""
        last = self.last(market)
        if last is not None:
            return 2 * last
        book = self.book(market)
        if book is None or book.best_bid is None or book.best_ask is None:
            return None
        return book.best_bid + book.best_ask

    def holding(self, market: str) -> Holding:
        return self.holdings.of(market, self.exchange.position(self.trader, market))

    def fold(self, entry: Entry, seen: int | None = None) -> None:
        """Takes a journal entry that the source has applied already. O(1) an event.

        `seen` is when it was seen, in ns, and None where it was read as history. What was there at
        the first look at the cluster is history in any case.
        """
        self._led(entry, seen if entry.seq > (self._past or 0) else None)
        for event in entry.events:
            if type(event) is TradeExecuted:
                self._traded(event)
            elif type(event) in _STATUS:
                self._switched(event)
            if self.trader:
                self._own(event)
        if self.trader:
            self._tell(self.outcomes.finish())

    def note(self, time: int, words: str, tone: Tone = Tone.PLAIN) -> None:
        self._tell([Notice(time, tone, words)])

    def asked(self, intent: Intent) -> None:
        self.intents.add(intent)
        self.touch()

    def observed(self, cluster: ClusterStatus, time: int, asked: int | None = None) -> None:
        """Takes a look at the cluster, answered at a time and asked for at another, in ns."""
        asked = time if asked is None else asked
        if cluster.leader is not None:
            self.leaders[cluster.epoch] = cluster.leader
        if self._past is None:
            self._past = cluster.seq
        before, self.cluster = self.cluster, cluster
        if before is None or _headline(before) != _headline(cluster):
            self.touch()
        self.roster.looked(cluster, time, asked)
        self._lead.looked(cluster, asked, time)
        self.recoveries.looked(cluster, time)
        if self.caught_up and not cluster.queue_depth:
            for lost in self.intents.quiet():
                self.latencies.forget(lost.key)
                self.note(time, f"no trace of it in the journal: {lost.words}", Tone.ALARM)

    def linked(self, link: Link, trouble: str = "") -> None:
        if link is Link.RECONNECTING:
            self._lead.forget()
        if (link, trouble) != (self.link, self.trouble):
            self.link, self.trouble = link, trouble
            self.touch()
            if link in _BREAKS:
                self.when_broken(_BREAKS[link])

    def told_of_traders(self, ended: str) -> None:
        """Takes how the traders' process ended, or nothing where it runs."""
        if ended != self.traders_ended:
            self.traders_ended = ended
            self.touch()

    def _led(self, entry: Entry, seen: int | None) -> None:
        if seen is not None:
            self.roster.reached(entry.seq, seen)
        handover = self._lead.committed(entry, seen)
        if handover is not None:
            own = self.recoveries.gap(handover.before, handover.epoch)
            if own is not None and seen is not None:
                handover = Handover(handover.before, handover.epoch, own, exact=True)
            for market in self.exchange.books:
                self._tape(market).append(handover)
            self.printed += 1
            self.touch()

    def _traded(self, trade: TradeExecuted) -> None:
        market, price = trade.market, trade.price
        before = self.prints.get(market)
        if before is None:
            self.prints[market] = Print(price, 0, trade.taker_side)
            self._volumes[market] = Volume()
        else:
            move = before.move if price == before.price else 1 if price > before.price else -1
            self.prints[market] = Print(price, move, trade.taker_side, before.n + 1)
        self._volumes[market].traded(price, trade.taker_side, trade.qty)
        day = self.days.get(market)
        if day is None:
            day = self.days[market] = Day(price, price)
        day.traded(price, trade.qty)
        self._tape(market).append(trade)
        self.candles(market).traded(trade.timestamp, price, trade.qty)
        self.printed += 1

    def _switched(self, event: Event) -> None:
        status = "halted" if type(event) is MarketHalted else "open again"
        self.note(event.timestamp, f"{event.market} is {status}", Tone.ALARM)

    def _own(self, event: Event) -> None:
        if type(event) is TradeExecuted:
            if self.trader in (event.maker_trader, event.taker_trader):
                self._own_trade(event)
        elif len(self.intents):
            self._settle(event)
        self._tell(self.outcomes.hear(event))

    def _own_trade(self, trade: TradeExecuted) -> None:
        for side, trader in ((Side.BUY, trade.buyer), (Side.SELL, trade.seller)):
            if trader == self.trader:
                self.holdings.filled(trade.market, side, trade.price, trade.qty)
        if trade.maker_order_id not in self.exchange.orders:
            self.intents.ended(trade.maker_order_id)

    def _settle(self, event: Event) -> None:
        if isinstance(event, OrderCancelled) and self.outcomes.owns(event.order_id):
            # A cancel of all ends in one command whatever was open, known to us or not.
            everything = self.intents.get(cancel_all_key(event.market))
            if everything is not None and event.reason is Reason.REQUESTED:
                self.intents.drop(everything.key)
        settled = self.intents.settle(event)
        if settled is not None and isinstance(event, CancelRejected | ReplaceRejected):
            words = f"rejected: {settled.words}: {event.reason.words}"
            self.note(event.timestamp, words, Tone.ALARM)

    def _tell(self, notices: Sequence[Notice]) -> None:
        if notices:
            self.notices.extend(notices)
            self.touch()

    def _tape(self, market: str) -> deque[TradeExecuted | Handover]:
        tape = self._tapes.get(market)
        if tape is None:
            tape = self._tapes[market] = deque(maxlen=TAPE_KEPT)
        return tape


def _headline(cluster: ClusterStatus) -> tuple[str | None, int, int, int]:
    """What of a look at the cluster others than its own panel show."""
    return cluster.leader, cluster.epoch, cluster.seq, cluster.queue_depth
