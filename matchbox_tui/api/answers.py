"""What the gateway answers: the JSON of CONTRACT section 3, as types."""

from enum import StrEnum

import msgspec

from matchbox_tui.engine import MarketStatus, OrderType, Side, TimeInForce
from matchbox_tui.store import HealthStats, MarketStats


class OrderStatus(StrEnum):
    """`pending` is acknowledged and not yet in the journal; `open` may be filled in part;
    `unknown` ended in a part of the journal that was trimmed before it was written down.
    """

    PENDING = "pending"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class CandleInterval(StrEnum):
    """How long a candle lasts: the names of the store's `CANDLE_SPANS`."""

    SECOND = "1s"
    TEN_SECONDS = "10s"
    MINUTE = "1m"


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


class CancelAllAnswer(msgspec.Struct, frozen=True):
    """What was asked for: all open orders of the trader, in one market or (null) in all."""

    trader: str
    market: str | None


class MarketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A market: prices in ticks, multiples of `tick` from `min_price` to `max_price` (null: no
    bound of its own); best prices and last price null where there are none.
    """

    symbol: str
    title: str
    min_price: int
    max_price: int | None
    tick: int
    status: MarketStatus
    best_bid: int | None
    best_ask: int | None
    last_price: int | None
    sequence: int


class PositionAnswer(msgspec.Struct, frozen=True, gc=False):
    """A trader's standing in a market: `qty` bought less sold in contracts, `cash` received less
    paid in ticks x contracts.
    """

    trader: str
    market: str
    qty: int
    cash: int


class StatsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the analytics counted from the command `since` to the command `sequence`; `lag` is how
    many more this instance knows of. Prices and the leaderboard count from `history_from` on.
    """

    sequence: int
    since: int
    history_from: int
    lag: int
    market: MarketStats
    health: HealthStats
