"""What must hold of an exchange after any commands, checked from its events and its books."""

from collections import defaultdict
from dataclasses import dataclass

from matchbox_tui.engine import (
    Event,
    Exchange,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    Side,
    TradeExecuted,
)


@dataclass
class Line:
    """One order's account: its total and where it went."""

    qty: int
    filled: int = 0
    cancelled: int = 0
    expired: int = 0

    @property
    def leaves(self) -> int:
        return self.qty - self.filled - self.cancelled - self.expired


class Ledger:
    """Keeps account of every order by reading events only."""

    def __init__(self) -> None:
        self.open: dict[int, Line] = {}

    def read(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, OrderAccepted):
                self.open[event.order_id] = Line(event.order.qty)
            elif isinstance(event, TradeExecuted):
                self.open[event.maker_order_id].filled += event.qty
                self.open[event.taker_order_id].filled += event.qty
            elif isinstance(event, OrderReplaced):
                self.open[event.order_id].qty = event.qty
            elif isinstance(event, OrderCancelled):
                self.open[event.order_id].cancelled += event.qty
            elif isinstance(event, OrderExpired):
                self.open[event.order_id].expired += event.qty
        for order_id in [i for i, line in self.open.items() if line.leaves == 0]:
            del self.open[order_id]

    def check_conserved(self, exchange: Exchange) -> None:
        """filled + cancelled + expired + resting = qty, and nothing rests that is not here."""
        resting = {order.id: order.leaves_qty for order in exchange.orders.values()}
        assert {order_id: line.leaves for order_id, line in self.open.items()} == resting
        for order in exchange.orders.values():
            assert order.qty == self.open[order.id].qty
            assert order.cum_qty == self.open[order.id].filled


def check_books(exchange: Exchange) -> None:
    """No book is crossed, and each level is the sum of its orders and never empty."""
    for book in exchange.books.values():
        bid, ask = book.best_bid, book.best_ask
        assert bid is None or ask is None or bid < ask
        ids = []
        for side in Side:
            totals: dict[int, int] = {}
            for order in book.queue(side):
                ids.append(order.id)
                assert order.side is side
                assert order.leaves_qty > 0
                totals[order.price] = totals.get(order.price, 0) + order.leaves_qty
                assert book.order(order.id) is order
            assert list(totals) == sorted(totals, reverse=side is Side.BUY)
            levels = book.snapshot().bids if side is Side.BUY else book.snapshot().asks
            assert totals == {level.price: level.qty for level in levels}
            best = book.best_bid if side is Side.BUY else book.best_ask
            assert best == next(iter(totals), None)
        assert sorted(ids) == sorted(
            order.id for trader in ("", *book.by_trader) for order in book.orders_of(trader)
        )
        gtd = sorted((o.expires_at, o.id) for s in Side for o in book.queue(s) if o.expires_at)
        assert list(book.expiries) == gtd


def check_positions(exchange: Exchange) -> None:
    """What one holds another owes."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for _, market, held in exchange.positions.items():
        sums[market][0] += held.qty
        sums[market][1] += held.cash
    assert all(total == [0, 0] for total in sums.values())


def check(exchange: Exchange, ledger: Ledger) -> None:
    ledger.check_conserved(exchange)
    check_books(exchange)
    check_positions(exchange)
