"""What a trader hears of the own orders, as the feed says it.

Every message is one JSON text with `type`, `seq` (the command's number in the venue; rises, and
repeats where one command did several things), `order_id`, `market` and `timestamp` (ns). `type`
is the event's name in the journal, and says what else there is:

- `order.accepted`: `order`, all fields of the order as it was asked for.
- `order.rested`: `price`, `qty` (contracts that now rest).
- `trade.executed`: `trade_id`, `price`, `qty`, `side` (this order's), `liquidity` (maker or taker).
  A trade between two orders of the trader is told twice, once for each.
- `order.replaced`: `price`, `qty` (the new total), `leaves_qty`, `priority_kept`.
- `order.cancelled`, `order.expired`: `qty` (contracts that will never trade), `reason`.
- `order.rejected`: `reason`, `order`.
- `order.cancel_rejected`: `reason`.
- `order.replace_rejected`: `reason`; `price` and `qty` as asked for, null where not.

It begins with the connection and has no replay. To know the orders at its beginning: connect, then
`GET /orders?trader=`, and pass over what has a `seq` up to that answer's `Matchbox-Sequence`.
"""

import msgspec

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderRested,
    OrderType,
    Reason,
    ReplaceRejected,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)


class Asked(msgspec.Struct, frozen=True):
    """An order as it was asked for, with every field."""

    id: int
    market: str
    side: Side
    type: OrderType
    price: int
    qty: int
    time_in_force: TimeInForce
    expires_at: int
    post_only: bool
    reduce_only: bool
    trader: str
    client_order_id: str
    self_trade_prevention: SelfTradePrevention
    timestamp: int

    @classmethod
    def of(cls, order: NewOrder) -> "Asked":
        fields = {name: getattr(order, name) for name in cls.__struct_fields__ if name != "id"}
        return cls(id=order.order_id, **fields)


class _Told(msgspec.Struct, frozen=True, tag_field="type"):
    seq: int
    order_id: int
    market: str
    timestamp: int


class Accepted(_Told, frozen=True, tag="order.accepted"):
    order: Asked


class Rested(_Told, frozen=True, tag="order.rested"):
    price: int
    qty: int


class Traded(_Told, frozen=True, tag="trade.executed"):
    trade_id: str
    price: int
    qty: int
    side: Side
    liquidity: str


class Replaced(_Told, frozen=True, tag="order.replaced"):
    price: int
    qty: int
    leaves_qty: int
    priority_kept: bool


class Cancelled(_Told, frozen=True, tag="order.cancelled"):
    qty: int
    reason: Reason


class Expired(_Told, frozen=True, tag="order.expired"):
    qty: int
    reason: Reason


class Rejected(_Told, frozen=True, tag="order.rejected"):
    reason: Reason
    order: Asked


class NotCancelled(_Told, frozen=True, tag="order.cancel_rejected"):
    reason: Reason


class NotReplaced(_Told, frozen=True, tag="order.replace_rejected"):
    reason: Reason
    price: int | None
    qty: int | None


Told = (
    Accepted
    | Rested
    | Traded
    | Replaced
    | Cancelled
    | Expired
    | Rejected
    | NotCancelled
    | NotReplaced
)


def told(event: Event) -> Told | None:
    """The message about an event of one order; None for an event that is about none."""
    match event:
        case OrderAccepted():
            return Accepted(*_head(event), Asked.of(event.order))
        case OrderRested():
            return Rested(*_head(event), event.price, event.qty)
        case OrderReplaced():
            amended = (event.price, event.qty, event.leaves_qty, event.priority_kept)
            return Replaced(*_head(event), *amended)
        case OrderCancelled():
            return Cancelled(*_head(event), event.qty, event.reason)
        case OrderExpired():
            return Expired(*_head(event), event.qty, event.reason)
        case OrderRejected(order=NewOrder() as order):
            return Rejected(*_head(event), event.reason, Asked.of(order))
        case CancelRejected():
            return NotCancelled(*_head(event), event.reason)
        case ReplaceRejected():
            return NotReplaced(*_head(event), event.reason, event.price, event.qty)
        case _:
            return None


def told_of_trade(trade: TradeExecuted, *, maker: bool) -> Traded:
    """The message about a trade to the one who made it, or the one who took it."""
    order_id = trade.maker_order_id if maker else trade.taker_order_id
    side = trade.taker_side.opposite if maker else trade.taker_side
    head = (trade.seq, order_id, trade.market, trade.timestamp)
    liquidity = "maker" if maker else "taker"
    return Traded(*head, trade.trade_id, trade.price, trade.qty, side, liquidity)


def _head(
    event: OrderAccepted
    | OrderRested
    | OrderReplaced
    | OrderCancelled
    | OrderExpired
    | OrderRejected
    | CancelRejected
    | ReplaceRejected,
) -> tuple[int, int, str, int]:
    return event.seq, event.order_id, event.market, event.timestamp
