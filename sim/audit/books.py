"""I7: no book is crossed at rest, and what one trader holds another owes."""

from collections import defaultdict

from matchbox_tui.engine import Event, Exchange
from sim.audit.inspection import Inspection, some


class BooksInspection(Inspection):
    """Looks at the markets that a command touched, and at all positions at both ends."""

    name = "I7"

    def __init__(self, exchange: Exchange) -> None:
        """`exchange` stands where the journal begins, and moves with it."""
        super().__init__()
        self.inspected = True
        self._exchange = exchange
        self._looks = 0
        for market in exchange.books:
            self._look(exchange.seq, market)
        self._sum_positions()

    def read(self, seq: int, events: list[Event]) -> None:
        """The exchange has just moved by these events of one command."""
        market = events[0].market
        self._look(seq, market)
        if len(events) > 1:
            for other in {event.market for event in events} - {market}:
                self._look(seq, other)

    def _look(self, seq: int, market: str) -> None:
        book = self._exchange.books.get(market)
        if book is None:
            return
        self._looks += 1
        bid, ask = book.best_bid, book.best_ask
        if bid is not None and ask is not None and bid >= ask:
            self.accuse(
                seq, f"the best bid of {market} below the best ask", f"bid {bid} and ask {ask}"
            )

    def finish(self) -> None:
        self._sum_positions()

    def _sum_positions(self) -> None:
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for _, market, held in self._exchange.positions.items():
            sums[market][0] += held.qty
            sums[market][1] += held.cash
        for market, (qty, cash) in sums.items():
            if qty or cash:
                self.accuse(
                    self._exchange.seq,
                    f"the positions in {market} to sum to zero",
                    f"{qty} contracts and {cash} of cash",
                )

    def counts(self) -> dict[str, int]:
        return {
            "books": len(self._exchange.books),
            "looks": self._looks,
            "positions": sum(1 for _ in self._exchange.positions.items()),
        }

    def words(self) -> str:
        counts = self.counts()
        return (
            f"{some(counts['books'], 'book')} looked at {some(self._looks, 'time')},"
            f" {some(counts['positions'], 'position')} added up"
        )
