"""Every order that this gateway knows of, open or ended, and what became of it."""

import asyncio
from collections import deque
from collections.abc import Iterator

import msgspec

from matchbox_tui.api.answers import OrderAnswer, OrderStatus
from matchbox_tui.api.id_map import IdMap
from matchbox_tui.engine import (
    Event,
    Exchange,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    TradeExecuted,
)

ENDED_KEPT = 100_000
"""Ended orders that are remembered; older ones are forgotten first."""

LOADED_AT_ONCE = 2000


class OrderRecord(msgspec.Struct, gc=False):
    """One order as the journal tells of it: qty = cum_qty + leaves_qty, unless it ended early."""

    order: NewOrder
    price: int
    qty: int
    cum_qty: int = 0
    leaves_qty: int = 0
    status: OrderStatus = OrderStatus.PENDING
    reason: str = ""
    ended_seq: int = 0

    @classmethod
    def of(cls, order: NewOrder, status: OrderStatus) -> "OrderRecord":
        return cls(order, order.price, order.qty, 0, order.qty, status)

    def answer(self) -> OrderAnswer:
        order = self.order
        return OrderAnswer(
            id=order.order_id,
            market=order.market,
            side=order.side,
            type=order.type,
            price=self.price,
            qty=self.qty,
            cum_qty=self.cum_qty,
            leaves_qty=self.leaves_qty,
            status=self.status,
            trader=order.trader,
            client_order_id=order.client_order_id,
            time_in_force=order.time_in_force,
            timestamp=order.timestamp,
            reason=self.reason or msgspec.UNSET,
        )


class OrderLog:
    """Orders by id: those in the journal as far back as it was read, and those on their way."""

    def __init__(self, ended_kept: int = ENDED_KEPT) -> None:
        self._records: IdMap[OrderRecord] = IdMap()
        self._ended: deque[OrderRecord] = deque()
        self._ended_kept = ended_kept
        self._expected: deque[int] = deque()
        self.begun_at = 0
        """The sequence at which it was loaded: what had ended by then it never knew."""
        self.whole_after = 0
        """Every order that was open after this sequence is known, whatever became of it."""
        self.highest_forgotten = 0
        """No order with a higher id was forgotten, of those that were known."""

    def __len__(self) -> int:
        return len(self._records)

    async def load(self, exchange: Exchange) -> None:
        """Begins anew with the orders that rest, in steps that leave the loop free. O(n log n)."""
        records: IdMap[OrderRecord] = IdMap()
        for number, order in enumerate(exchange.orders.values()):
            if number % LOADED_AT_ONCE == 0:
                await asyncio.sleep(0)
            records[order.id] = OrderRecord(
                order.message,
                order.price,
                order.qty,
                order.cum_qty,
                order.leaves_qty,
                OrderStatus.OPEN,
            )
        self._records = records
        self._ended.clear()
        self._expected.clear()
        self.begun_at = self.whole_after = exchange.seq
        self.highest_forgotten = 0

    def get(self, order_id: int) -> OrderRecord | None:
        """O(1)."""
        return self._records.get(order_id)

    def after(self, order_id: int, until: int | None = None) -> Iterator[OrderRecord]:
        """The orders with higher ids, in id order, up to one. Void once anything is folded."""
        return self._records.after(order_id, until)

    def expect(self, order: NewOrder) -> None:
        """Notes an order that was acknowledged, unless the journal told of it already. O(1)."""
        if order.order_id in self._records:
            self._drop_lost(order.order_id)
            return
        self._records[order.order_id] = OrderRecord.of(order, OrderStatus.PENDING)
        self._expected.append(order.order_id)

    def fold(self, event: Event) -> None:
        """Takes in one event of the journal. O(1), or O(log n) for one in some hundred orders."""
        match event:
            case OrderAccepted():
                self._begin(OrderRecord.of(event.order, OrderStatus.OPEN))
            case OrderRejected():
                self._reject(event)
            case TradeExecuted():
                self._fill(event.maker_order_id, event)
                self._fill(event.taker_order_id, event)
            case OrderRested():
                self._amend(event.order_id, event.price, None, event.qty)
            case OrderReplaced():
                self._amend(event.order_id, event.price, event.qty, event.leaves_qty)
            case OrderCancelled():
                self._end(event, event.order_id, OrderStatus.CANCELLED, event.reason)
            case OrderExpired():
                self._end(event, event.order_id, OrderStatus.EXPIRED, event.reason)
            case _:
                pass

    def _begin(self, record: OrderRecord) -> None:
        order_id = record.order.order_id
        known = self.get(order_id)
        if known is not None and known.status is OrderStatus.PENDING:
            self._drop_lost(order_id)
        self._records[order_id] = record

    def _drop_lost(self, order_id: int) -> None:
        """Forgets orders that were expected before this one.

        They were queued before it, so the journal would have told of them: the store lost them.
        """
        while self._expected and self._expected[0] <= order_id:
            lost = self.get(self._expected.popleft())
            if lost is not None and lost.status is OrderStatus.PENDING:
                del self._records[lost.order.order_id]

    def _reject(self, event: OrderRejected) -> None:
        known = self.get(event.order_id)
        if event.order is None:
            # Malformed: nothing is known of it but, perhaps, an id.
            return
        if known is not None and known.status is not OrderStatus.PENDING:
            # A second order under the id of a first: the first stands.
            return
        record = OrderRecord.of(event.order, OrderStatus.OPEN)
        self._begin(record)
        self._end(event, event.order_id, OrderStatus.REJECTED, event.reason)

    def _fill(self, order_id: int, trade: TradeExecuted) -> None:
        record = self.get(order_id)
        if record is None:
            return
        record.cum_qty += trade.qty
        record.leaves_qty -= trade.qty
        if record.leaves_qty == 0:
            self._end(trade, order_id, OrderStatus.FILLED, "")

    def _amend(self, order_id: int, price: int, qty: int | None, leaves_qty: int) -> None:
        record = self.get(order_id)
        if record is None:
            return
        record.price = price
        record.qty = record.qty if qty is None else qty
        record.leaves_qty = leaves_qty

    def _end(self, event: Event, order_id: int, status: OrderStatus, reason: str) -> None:
        record = self.get(order_id)
        if record is None:
            return
        record.status = status
        record.reason = reason
        record.leaves_qty = 0
        record.ended_seq = event.seq
        self._ended.append(record)
        if len(self._ended) > self._ended_kept:
            self._forget(self._ended.popleft())

    def _forget(self, record: OrderRecord) -> None:
        order_id = record.order.order_id
        if self._records.get(order_id) is record:
            del self._records[order_id]
            self.whole_after = max(self.whole_after, record.ended_seq)
            self.highest_forgotten = max(self.highest_forgotten, order_id)
