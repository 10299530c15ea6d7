"""What the journal says, as rows: the fold from events to changes of the tables."""

from collections.abc import Iterable

from matchbox_tui.consumers.names import clean
from matchbox_tui.engine import (
    Event,
    Exchange,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from matchbox_tui.store import JournalBroken

OPEN, FILLED, CANCELLED, EXPIRED, REJECTED = "open", "filled", "cancelled", "expired", "rejected"
JOURNAL, SNAPSHOT = "journal", "snapshot"

Value = str | int | bool | None
Row = tuple[Value, ...]


class OrderRow:
    """An order's row: what can change of it. `message` is None where it is in the table already."""

    __slots__ = (
        *("changed", "cum_qty", "id", "leaves_qty", "message", "origin", "price", "qty"),
        *("reason", "seq", "status", "updated", "updated_seq"),
    )

    def __init__(
        self, seq: int, id: int, message: NewOrder | None, price: int, qty: int, cum_qty: int
    ) -> None:
        self.seq = seq
        self.id = id
        self.message = message
        self.origin = JOURNAL
        self.price = price
        self.qty = qty
        self.cum_qty = cum_qty
        self.leaves_qty = qty - cum_qty
        self.status = OPEN
        self.reason = ""
        self.updated_seq = seq
        self.updated = message.timestamp if message is not None else 0
        self.changed = False

    def whole(self) -> Row:
        """A new row, in the order of the table's columns."""
        order = self.message
        assert order is not None
        return (
            *(self.seq, self.id, self.origin),
            *(clean(order.market), clean(order.trader), clean(order.client_order_id)),
            *(order.side.value, order.type.value, order.time_in_force.value, order.expires_at),
            *(order.post_only, order.reduce_only, order.self_trade_prevention.value),
            *(order.timestamp, *self.mutable()),
        )

    def mutable(self) -> Row:
        """What can change, in the order of the table's columns."""
        return (
            *(self.price, self.qty, self.cum_qty, self.leaves_qty, self.status, self.reason),
            *(self.updated_seq, self.updated),
        )


class Changes:
    """What a batch changes: new orders whole, of others what can change and then their key."""

    def __init__(self) -> None:
        self.new_orders: list[Row] = []
        self.changed_orders: list[Row] = []
        self.trades: list[Row] = []
        self.new_markets: list[Row] = []
        self.changed_markets: list[Row] = []

    def __len__(self) -> int:
        return sum(map(len, vars(self).values()))


class Ledger:
    """The open orders, and what has changed since the last `take`."""

    def __init__(self) -> None:
        self._open: dict[int, OrderRow] = {}
        self._touched: list[OrderRow] = []
        self._trades: list[Row] = []
        self._new_markets: dict[str, tuple[Market, int]] = {}
        self._statuses: dict[str, tuple[str, int]] = {}

    def load(self, rows: Iterable[OrderRow]) -> None:
        """Takes in open orders that are in the table."""
        self._open.update((row.id, row) for row in rows)

    def fold(self, events: Iterable[Event]) -> None:
        """Takes in events in their order. O(1) each.

        Raises `JournalBroken` for one that contradicts the rows.
        """
        try:
            for event in events:
                if isinstance(event, TradeExecuted):
                    self._trade(event)
                elif isinstance(event, OrderAccepted):
                    order = event.order
                    row = OrderRow(event.seq, order.order_id, order, order.price, order.qty, 0)
                    self._open[order.order_id] = self._touch(row, event.seq, order.timestamp)
                else:
                    self._other(event)
        except KeyError as error:
            raise JournalBroken(
                f"the journal tells at {event.seq} of order {error}, which is not open"
            ) from None

    def take(self) -> Changes:
        """What is to be written, once."""
        changes = Changes()
        for row in self._touched:
            if row.message is None:
                changes.changed_orders.append((*row.mutable(), row.seq, row.id))
            else:
                changes.new_orders.append(row.whole())
                row.message = None
            row.changed = False
        changes.trades = self._trades
        for market, seq in self._new_markets.values():
            status, updated = self._statuses.pop(market.symbol, (market.status.value, seq))
            changes.new_markets.append(market_row(market, status, seq, updated))
        changes.changed_markets = [
            (status, updated, symbol) for symbol, (status, updated) in self._statuses.items()
        ]
        self._touched, self._trades = [], []
        self._new_markets, self._statuses = {}, {}
        return changes

    def _other(self, event: Event) -> None:
        match event:
            case OrderReplaced():
                row = self._open[event.order_id]
                row.price, row.qty, row.leaves_qty = event.price, event.qty, event.leaves_qty
                self._touch(row, event.seq, event.timestamp)
            case OrderCancelled():
                self._end(event, CANCELLED)
            case OrderExpired():
                self._end(event, EXPIRED)
            case OrderRejected():
                self._reject(event)
            case MarketCreated():
                self._new_markets[event.market] = event.definition, event.seq
            case MarketHalted():
                self._statuses[event.market] = "halted", event.seq
            case MarketResumed():
                self._statuses[event.market] = "open", event.seq
            case _:
                # What was refused of an order that stands changes nothing; one that rests is what
                # its acceptance and its trades have left.
                pass

    def _trade(self, event: TradeExecuted) -> None:
        for order_id in (event.maker_order_id, event.taker_order_id):
            row = self._open[order_id]
            row.cum_qty += event.qty
            row.leaves_qty -= event.qty
            if not row.leaves_qty:
                row.status = FILLED
                del self._open[order_id]
            self._touch(row, event.seq, event.timestamp)
        self._trades.append(
            (
                *(event.seq, event.n, clean(event.market), event.price, event.qty),
                *(event.taker_side.value, event.maker_order_id, event.taker_order_id),
                *(clean(event.maker_trader), clean(event.taker_trader), event.timestamp),
            )
        )

    def _end(self, event: OrderCancelled | OrderExpired, status: str) -> None:
        row = self._open.pop(event.order_id)
        row.status, row.reason, row.leaves_qty = status, event.reason.value, 0
        self._touch(row, event.seq, event.timestamp)

    def _reject(self, event: OrderRejected) -> None:
        order = event.order
        if order is None:
            # A market's command, or what is no order at all.
            return
        row = OrderRow(event.seq, order.order_id, order, order.price, order.qty, 0)
        row.status, row.reason, row.leaves_qty = REJECTED, event.reason.value, 0
        self._touch(row, event.seq, order.timestamp)

    def _touch(self, row: OrderRow, seq: int, time: int) -> OrderRow:
        row.updated_seq, row.updated = seq, time
        if not row.changed:
            row.changed = True
            self._touched.append(row)
        return row


def open_rows(exchange: Exchange) -> list[OrderRow]:
    """The rows of the orders that rest, as a snapshot knows them."""
    rows = []
    for order in exchange.orders.values():
        row = OrderRow(exchange.seq, order.id, order.message, order.price, order.qty, order.cum_qty)
        row.origin = SNAPSHOT
        rows.append(row)
    return rows


def market_row(market: Market, status: str, created: int | None, updated: int) -> Row:
    """A market's row, in the order of the table's columns."""
    return (
        *(market.symbol, clean(market.title), market.min_price, market.max_price, market.tick),
        *(status, created, updated),
    )
