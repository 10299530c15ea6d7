"""All figures of one market."""

import msgspec

from matchbox_tui.consumers.analytics.activity import Activity
from matchbox_tui.consumers.analytics.candles import Candles
from matchbox_tui.consumers.analytics.flow import NO_ASK, NO_BID, Flow
from matchbox_tui.consumers.analytics.prices import Prices, Sums
from matchbox_tui.consumers.analytics.quotes import Quotes
from matchbox_tui.consumers.analytics.traders import Traders
from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.engine import Event, OrderBook, TradeExecuted
from matchbox_tui.store import CANDLE_SPANS, Candle, MarketStats


class MarketState(msgspec.Struct, frozen=True):
    """The figures as they are kept in a checkpoint."""

    market: str
    sequence: int
    sums: Sums
    days: Windows
    candles: dict[str, Windows]
    quotes: Quotes
    flow: Flow
    activity: Activity
    traders: Traders


class MarketFigures:
    """One market's folds, fed with its events and with its book after each command."""

    __slots__ = (
        "_activity",
        "_flow",
        "_prices",
        "_quotes",
        "_traders",
        "candles",
        "market",
        "sequence",
    )

    def __init__(self, market: str, state: MarketState | None = None) -> None:
        """From the beginning, or where a checkpoint left off."""
        self.market = market
        self.sequence = state.sequence if state is not None else 0
        """The last command that concerned this market."""
        kept = state.candles if state is not None else {}
        self.candles = {name: Candles(span, kept.get(name)) for name, span in CANDLE_SPANS.items()}
        """By the names of `CANDLE_SPANS`."""
        self._prices = Prices(state.sums, state.days) if state is not None else Prices()
        self._quotes = state.quotes if state is not None else Quotes()
        self._flow = state.flow if state is not None else Flow()
        self._activity = state.activity if state is not None else Activity()
        self._traders = state.traders if state is not None else Traders()

    def begin(self, book: OrderBook) -> None:
        """Starts at a book that is there already: what rests in it is nobody's flow."""
        self._flow.begin(*_best(book))

    def record(self, event: Event) -> None:
        """Takes in one event of this market."""
        if type(event) is TradeExecuted:
            self.recall(event)
        self._activity.record(event)

    def recall(self, trade: TradeExecuted) -> None:
        """Takes in a trade alone, which tells nothing of orders and of the book."""
        price, qty, timestamp = trade.price, trade.qty, trade.timestamp
        for candles in self.candles.values():
            candles.record(price, qty, timestamp)
        self._prices.record(price, qty, timestamp)
        self._traders.record(trade)

    def see(self, book: OrderBook, seq: int, timestamp: int) -> None:
        """Takes in the book as the command `seq` left it."""
        self.sequence = seq
        best = _best(book)
        self._quotes.see(*best)
        self._flow.see(*best, timestamp)

    def stats(self) -> MarketStats:
        return MarketStats(
            self.market,
            self.sequence,
            self._prices.stats(),
            self._quotes.stats(),
            self._flow.stats(),
            self._activity.stats(),
            self._traders.stats(),
        )

    def candles_of(self, name: str) -> list[Candle]:
        """All candles of one length, by time."""
        windows = self.candles[name].windows
        return [Candle(start, *values) for start, values in sorted(windows.kept.items())]

    def state(self) -> MarketState:
        """The figures for a checkpoint; to be encoded before more is taken in."""
        return MarketState(
            self.market,
            self.sequence,
            self._prices.sums,
            self._prices.days,
            {name: candles.windows for name, candles in self.candles.items()},
            self._quotes,
            self._flow,
            self._activity,
            self._traders,
        )


def _best(book: OrderBook) -> tuple[int, int, int, int]:
    bid, ask = book.bids.best, book.asks.best
    return (
        bid.price if bid is not None else NO_BID,
        bid.qty if bid is not None else 0,
        ask.price if ask is not None else NO_ASK,
        ask.qty if ask is not None else 0,
    )
