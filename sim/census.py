"""Counting what happened: a fold over the journal that trusts nothing it was told."""

from collections import Counter

import msgspec

from matchbox_tui.engine import (
    CancelRejected,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    ReplaceRejected,
    Side,
    TradeExecuted,
)
from matchbox_tui.store import Entry, Replica
from sim.floor import FloorRecord


class BookCount(msgspec.Struct, frozen=True):
    """A market at the end: its resting orders, best prices and the book's best levels."""

    market: str
    sequence: int
    resting_orders: int
    best_bid: int | None
    best_ask: int | None
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


class Summary(msgspec.Struct, frozen=True):
    """A run in numbers, each of them counted in the journal or by the traders.

    `orders` = accepted + rejects. `bought` and `sold` are what the buy and the sell orders lack
    of their quantity without having been cancelled, expired or resting; both must be `traded`,
    the sum over fills. `lost` and `doubled` count acknowledged orders without, or with more than
    one, first outcome; `errors` says what is wrong in words.
    """

    seconds: int
    commands: int
    commits: int
    orders: int
    accepted: int
    rejects: int
    fills: int
    traded: int
    bought: int
    sold: int
    cancels: int
    expired: int
    cancel_rejects: int
    replace_rejects: int
    elections: int
    leader: str | None
    epoch: int
    acknowledged: int
    in_doubt: int
    lost: int
    doubled: int
    fills_published: int
    state_hash: str
    books: list[BookCount]
    errors: list[str]


class Census:
    """Counts entry by entry from where `replica` stands now, elections from `epoch` on.

    The replica must have applied each entry before it is counted.
    """

    def __init__(self, replica: Replica, epoch: int = 0) -> None:
        self._replica = replica
        self._epoch = epoch
        self.commands = 0
        self.commits = 0
        self.accepted = 0
        self.rejects = 0
        self.fills = 0
        self.cancels = 0
        self.expired = 0
        self.cancel_rejects = 0
        self.replace_rejects = 0
        self.traded = 0
        self._filled: Counter[Side] = Counter()
        self._orders: dict[int, tuple[Side, int]] = {}
        self._outcomes: Counter[int] = Counter()
        for order in replica.exchange.orders.values():
            self._orders[order.id] = (order.side, order.qty)
            self._filled[order.side] += order.leaves_qty

    def count(self, entry: Entry) -> None:
        """O(events)."""
        self.commits += 1
        self.commands += entry.count
        for event in entry.events:
            match event:
                case TradeExecuted():
                    self.fills += 1
                    self.traded += event.qty
                case OrderAccepted():
                    self.accepted += 1
                    order = event.order
                    self._orders[order.order_id] = (order.side, order.qty)
                    self._filled[order.side] += order.qty
                    self._outcomes[event.order_id] += 1
                case OrderRejected():
                    self.rejects += 1
                    self._outcomes[event.order_id] += 1
                case OrderCancelled():
                    self.cancels += 1
                    self._filled[self._orders[event.order_id][0]] -= event.qty
                case OrderExpired():
                    self.expired += 1
                    self._filled[self._orders[event.order_id][0]] -= event.qty
                case OrderReplaced():
                    side, qty = self._orders[event.order_id]
                    self._orders[event.order_id] = (side, event.qty)
                    self._filled[side] += event.qty - qty
                case CancelRejected():
                    self.cancel_rejects += 1
                case ReplaceRejected():
                    self.replace_rejects += 1
                case _:
                    pass

    def summary(
        self,
        seconds: int,
        record: FloorRecord | None,
        leader: str | None,
        epoch: int,
        fills_published: int,
    ) -> Summary:
        """The run's numbers, and what is wrong with them.

        Without the traders' record nobody can say that nothing was lost, which is wrong in itself.
        """
        missing = record is None
        record = record or FloorRecord()
        ids = [order_id for first, last in record.order_ids for order_id in range(first, last + 1)]
        lost = sum(order_id not in self._outcomes for order_id in ids)
        doubled = sum(self._outcomes[order_id] > 1 for order_id in ids)
        resting: Counter[Side] = Counter()
        for order in self._replica.exchange.orders.values():
            resting[order.side] += order.leaves_qty
        bought = self._filled[Side.BUY] - resting[Side.BUY]
        sold = self._filled[Side.SELL] - resting[Side.SELL]
        return Summary(
            seconds=seconds,
            commands=self.commands,
            commits=self.commits,
            orders=self.accepted + self.rejects,
            accepted=self.accepted,
            rejects=self.rejects,
            fills=self.fills,
            traded=self.traded,
            bought=bought,
            sold=sold,
            cancels=self.cancels,
            expired=self.expired,
            cancel_rejects=self.cancel_rejects,
            replace_rejects=self.replace_rejects,
            elections=epoch - self._epoch,
            leader=leader,
            epoch=epoch,
            acknowledged=record.acknowledged,
            in_doubt=record.in_doubt,
            lost=lost,
            doubled=doubled,
            fills_published=fills_published,
            state_hash=self._replica.exchange.state_hash(),
            books=self._books(),
            errors=["the traders left no record of what they were told"] * missing
            + self._errors(lost, doubled, bought, sold, fills_published),
        )

    def _errors(
        self, lost: int, doubled: int, bought: int, sold: int, fills_published: int
    ) -> list[str]:
        errors = []
        if lost:
            errors.append(f"{lost} acknowledged orders are not in the journal")
        if doubled:
            errors.append(f"{doubled} acknowledged orders are in the journal more than once")
        if not bought == sold == self.traded:
            errors.append(f"{self.traded} contracts traded, but {bought} bought and {sold} sold")
        if fills_published != self.fills:
            errors.append(f"{self.fills} fills in the journal, {fills_published} in events_stream")
        for symbol, book in self._replica.exchange.books.items():
            bid, ask = book.best_bid, book.best_ask
            if bid is not None and ask is not None and bid >= ask:
                errors.append(f"the book of {symbol} is crossed: {bid} >= {ask}")
        totals: Counter[str] = Counter()
        for _, market, position in self._replica.exchange.positions.items():
            totals[market] += position.qty
        errors += [f"positions in {m} sum to {total}" for m, total in totals.items() if total]
        return errors

    def _books(self) -> list[BookCount]:
        counts = []
        for symbol, book in self._replica.exchange.books.items():
            shown = book.snapshot(10)
            counts.append(
                BookCount(
                    symbol,
                    book.sequence,
                    sum(1 for side in Side for _ in book.queue(side)),
                    book.best_bid,
                    book.best_ask,
                    tuple((level.price, level.qty) for level in shown.bids),
                    tuple((level.price, level.qty) for level in shown.asks),
                )
            )
        return counts
