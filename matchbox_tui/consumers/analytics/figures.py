"""The fold over the journal: every market's figures and the engine's health."""

from collections.abc import Iterable, Sequence

from matchbox_tui.consumers.analytics.health import Health
from matchbox_tui.consumers.analytics.market import MarketFigures
from matchbox_tui.consumers.names import clean
from matchbox_tui.engine import Event, Exchange, TradeExecuted
from matchbox_tui.store import Entry, JournalBroken


class Figures:
    """A venue's figures, and the exchange whose books they are taken from.

    All is counted command by command, so that it makes no difference how many entries are read
    together. Only the sizes of commits depend on how the engine batched them, which the journal
    says.
    """

    def __init__(
        self,
        exchange: Exchange,
        since: int | None = None,
        health: Health | None = None,
        markets: Sequence[MarketFigures] | None = None,
        history_from: int = 0,
    ) -> None:
        """From the exchange's place on, or where a checkpoint of the same place left off."""
        self.exchange = exchange
        self.since = since if since is not None else exchange.seq + 1
        """The first command that is counted."""
        self.history_from = history_from or self.since
        """The first command whose trades are counted: earlier, where a past was recalled."""
        self.health = health if health is not None else Health()
        self.markets = {figures.market: figures for figures in markets or ()}
        self.changed: set[str] = set(self.markets)
        """Markets that something happened in since somebody emptied this."""
        if markets is None:
            for symbol, book in exchange.books.items():
                self._market(symbol).begin(book)

    @property
    def seq(self) -> int:
        return self.exchange.seq

    def recall(self, trades: Iterable[TradeExecuted]) -> None:
        """Takes in trades from before all that was folded, in their order.

        They count for prices, candles and traders, and for nothing else. Names may be as they are
        written down.
        """
        markets = {clean(symbol): figures for symbol, figures in self.markets.items()}
        for trade in trades:
            figures = markets.get(trade.market)
            if figures is not None:
                figures.recall(trade)

    def fold(self, entry: Entry) -> None:
        """Takes in the next commit, whose chain was checked.

        Raises `JournalBroken` where it contradicts what was before it: the figures are void then.
        """
        events = entry.events
        begin = 0
        try:
            for end in range(1, len(events) + 1):
                if end == len(events) or events[end].seq != events[begin].seq:
                    self._command(events[begin:end])
                    begin = end
        except (ValueError, KeyError) as error:
            raise JournalBroken(f"the journal contradicts itself: {error}") from None
        self.health.commit(entry.count)

    def _command(self, events: list[Event]) -> None:
        exchange = self.exchange
        exchange.replay(events)
        books, first = exchange.books, events[0]
        self.health.command(len(events), first.timestamp)
        symbol = ""
        for event in events:
            if event.market != symbol:
                symbol = event.market
                if symbol in books:
                    figures = self.markets.get(symbol) or self._market(symbol)
            if symbol in books:
                figures.record(event)
        # Only a command for all markets of a trader, or an expiry, is about more than one.
        touched = {symbol} if first.market == symbol else {event.market for event in events}
        for symbol in touched:
            if symbol in books:
                self.markets[symbol].see(books[symbol], first.seq, first.timestamp)
                self.changed.add(symbol)

    def _market(self, symbol: str) -> MarketFigures:
        figures = self.markets[symbol] = MarketFigures(symbol)
        self.changed.add(symbol)
        return figures
