"""What the gateway answers: the JSON of CONTRACT section 3, as types."""

from enum import StrEnum

import msgspec

from matchbox_tui.engine import OrderType, Side, TimeInForce


class OrderStatus(StrEnum):
    """`pending` is acknowledged and not yet in the journal; `open` may be filled in part."""

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One order: price in ticks, quantities in contracts, timestamp in ns."""

    id: int
    market: str
    side: Side
    type: OrderType
    price: int
    qty: int
    cum_qty: int
    leaves_qty: int
    status: OrderStatus
    trader: str
    client_order_id: str
    time_in_force: TimeInForce
    timestamp: int
    reason: str | msgspec.UnsetType = msgspec.UNSET


class OrderId(msgspec.Struct, frozen=True):
    order_id: int


class OrderIds(msgspec.Struct, frozen=True):
    order_ids: list[int]


class Problem(msgspec.Struct, frozen=True):
    """An error: one line that names the field and the fix."""

    error: str
