"""Short ways to write commands, and to look at events."""

from collections.abc import Iterable
from typing import Any

from matchbox_tui.engine import (
    CancelOrder,
    Event,
    Exchange,
    Market,
    NewOrder,
    OrderBook,
    Side,
    TradeExecuted,
)


def buy(order_id: int, price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return NewOrder(order_id=order_id, side=Side.BUY, price=price, qty=qty, **more)


def sell(order_id: int, price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return NewOrder(order_id=order_id, side=Side.SELL, price=price, qty=qty, **more)


def cancel(order_id: int, timestamp: int = 0) -> CancelOrder:
    return CancelOrder(order_id=order_id, timestamp=timestamp)


def exchange(*commands: Any, markets: Iterable[Market] | None = None) -> Exchange:
    """An exchange that has carried out these commands."""
    venue = Exchange(markets)
    for command in commands:
        venue.apply(command)
    return venue


def kinds(events: list[Event]) -> list[str]:
    """The wire names of the events."""
    return [str(type(event).__struct_config__.tag) for event in events]


def trades(events: Iterable[Event]) -> list[tuple[int, int, int]]:
    """(maker's order id, price, qty) of each fill."""
    return [
        (event.maker_order_id, event.price, event.qty)
        for event in events
        if isinstance(event, TradeExecuted)
    ]


def only(events: list[Event]) -> Any:
    """The one event that there is."""
    assert len(events) == 1, events
    return events[0]


def queue(book: OrderBook, side: Side) -> list[tuple[int, int]]:
    """(order id, leaves) of one side as it would be filled."""
    return [(order.id, order.leaves_qty) for order in book.queue(side)]


def reason_of(events: list[Event]) -> str:
    """The reason that the last event gives."""
    reason: str = getattr(events[-1], "reason", "")
    return reason
