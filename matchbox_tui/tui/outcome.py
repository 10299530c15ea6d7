"""What became of one trader's orders, in words: a fold over events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from matchbox_tui.engine import (
    Event,
    NewOrder,
    Order,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    OrderType,
    Side,
    TimeInForce,
    TradeExecuted,
)
from matchbox_tui.tui.figures import grouped, thousandths


class Tone(StrEnum):
    """What kind of news a notice is."""

    PLAIN = "plain"
    TWIN = "twin"
    """What was asked for, as a command line."""
    FILL = "fill"
    ALARM = "alarm"


@dataclass(frozen=True)
class Notice:
    """One line for the trader, at a time in nanoseconds."""

    time: int
    tone: Tone
    words: str


@dataclass
class _Open:
    order: NewOrder
    leaves: int


@dataclass
class _Arrival:
    """An order of ours whose command is being told: its fills so far."""

    order: NewOrder
    filled: int = 0
    value: int = 0


class Outcomes:
    """Tells the trader's orders from everybody's and says what happened to them."""

    def __init__(self, trader: str) -> None:
        self.trader = trader
        self._mine: dict[int, _Open] = {}
        self._arrival: _Arrival | None = None
        self._seq = 0

    def know(self, orders: Iterable[Order]) -> None:
        """Takes orders that rested before the first event."""
        for order in orders:
            now = msgspec.structs.replace(order.message, price=order.price, qty=order.qty)
            self._mine[order.id] = _Open(now, order.leaves_qty)

    def owns(self, order_id: int) -> bool:
        """Whether this is an open order of ours."""
        return order_id in self._mine

    def hear(self, event: Event) -> list[Notice]:
        """What an event tells about our orders. O(1)."""
        notices: list[Notice] = []
        if event.seq != self._seq:
            self._seq = event.seq
            if self._arrival is not None:
                notices += self.finish()
        hearing = _HEARD.get(type(event))
        if hearing is not None:
            hearing(self, event, notices)
        return notices

    def finish(self) -> list[Notice]:
        """Closes what the last command told about an order of ours that arrived with it."""
        arrival, self._arrival = self._arrival, None
        if arrival is None:
            return []
        order = arrival.order
        known = self._mine.get(order.order_id)
        left = known.leaves if known is not None else 0
        name = f"#{order.order_id}"
        if not arrival.filled:
            return [Notice(order.timestamp, Tone.PLAIN, f"{name} {asked(order)} rests")]
        words = f"{name} {_done(order.side)} {_average(arrival.filled, arrival.value)}"
        if left:
            words += f", {grouped(left)} rest at {grouped(order.price)}"
        return [Notice(order.timestamp, Tone.FILL, words)]

    def _accepted(self, event: OrderAccepted, _: list[Notice]) -> None:
        if event.order.trader == self.trader:
            self._arrival = _Arrival(event.order)
            self._mine[event.order_id] = _Open(event.order, event.order.qty)

    def _rested(self, event: OrderRested, notices: list[Notice]) -> None:
        if self._arrival is not None and self._arrival.order.order_id == event.order_id:
            notices += self.finish()

    def _rejected(self, event: OrderRejected, notices: list[Notice]) -> None:
        if event.order is not None and event.order.trader == self.trader:
            words = f"rejected: {asked(event.order)}: {event.reason.words}"
            notices.append(Notice(event.timestamp, Tone.ALARM, words))

    def _traded(self, trade: TradeExecuted, notices: list[Notice]) -> None:
        maker = self._mine.get(trade.maker_order_id)
        if maker is not None:
            maker.leaves -= trade.qty
            words = (
                f"#{trade.maker_order_id} {_done(maker.order.side)} {grouped(trade.qty)}"
                f" @ {grouped(trade.price)}"
            )
            if maker.leaves > 0:
                words += f", {grouped(maker.leaves)} left"
            else:
                del self._mine[trade.maker_order_id]
            notices.append(Notice(trade.timestamp, Tone.FILL, words))
        taker = self._mine.get(trade.taker_order_id)
        if taker is None:
            return
        if self._arrival is None:
            self._arrival = _Arrival(taker.order)
        self._arrival.filled += trade.qty
        self._arrival.value += trade.qty * trade.price
        taker.leaves -= trade.qty
        if taker.leaves <= 0:
            del self._mine[trade.taker_order_id]

    def _replaced(self, event: OrderReplaced, notices: list[Notice]) -> None:
        mine = self._mine.get(event.order_id)
        if mine is None:
            return
        mine.leaves = event.leaves_qty
        mine.order = msgspec.structs.replace(mine.order, price=event.price, qty=event.qty)
        words = (
            f"#{event.order_id} is now {grouped(event.leaves_qty)} @ {grouped(event.price)}"
            f"{'' if event.priority_kept else ', at the back of the queue'}"
        )
        notices.append(Notice(event.timestamp, Tone.PLAIN, words))

    def _ended(self, event: OrderCancelled | OrderExpired, notices: list[Notice]) -> None:
        mine = self._mine.pop(event.order_id, None)
        if mine is None:
            return
        arrival = self._arrival
        if arrival is not None and arrival.order.order_id != event.order_id:
            # Self-trade prevention ends the maker while the taker still arrives.
            arrival = None
        else:
            self._arrival = None
        if arrival is not None and arrival.filled:
            words = f"#{event.order_id} {_done(mine.order.side)} "
            words += _average(arrival.filled, arrival.value)
            words += f", {grouped(event.qty)} ended: {event.reason.words}"
            notices.append(Notice(event.timestamp, Tone.FILL, words))
            return
        verb = "cancelled" if isinstance(event, OrderCancelled) else "expired"
        words = f"#{event.order_id} {verb}: {asked(mine.order)}, {grouped(event.qty)} unfilled"
        if event.reason != "requested":
            words += f", {event.reason.words}"
        notices.append(Notice(event.timestamp, Tone.PLAIN, words))


def asked(order: NewOrder) -> str:
    """An order as its trader would say it: buy 10 @ 50 IOC."""
    words = f"{order.side.value} {grouped(order.qty)}"
    if order.type is OrderType.MARKET:
        words += " at market"
    else:
        words += f" @ {grouped(order.price)}"
        if order.time_in_force is not TimeInForce.GTC:
            words += f" {order.time_in_force.value}"
    return words + (" post-only" if order.post_only else "")


def _done(side: Side) -> str:
    return "bought" if side is Side.BUY else "sold"


def _average(qty: int, value: int) -> str:
    exact = value % qty == 0
    price = grouped(value // qty) if exact else thousandths(value * 1000 // qty)
    return f"{grouped(qty)} @ {price}"


_HEARD: dict[type, Callable[[Outcomes, Any, list[Notice]], None]] = {
    OrderAccepted: Outcomes._accepted,
    OrderRested: Outcomes._rested,
    OrderRejected: Outcomes._rejected,
    OrderReplaced: Outcomes._replaced,
    OrderCancelled: Outcomes._ended,
    OrderExpired: Outcomes._ended,
    TradeExecuted: Outcomes._traded,
}
