"""The tables. A change here needs a migration as well, which a test compares.

Prices are in ticks, quantities in contracts, times in nanoseconds since the epoch unless a name
says otherwise. Everything that is a sequence is a command's number in the journal.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

metadata = MetaData()

OPEN = "open"
UNKNOWN = "unknown"
"""Status of an order that ended in a part of the journal which was trimmed before it was read."""


def _number(name: str, *, key: bool = False, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=nullable, autoincrement=False)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


markets = Table(
    "markets",
    metadata,
    _text("symbol", key=True),
    _text("title"),
    _number("min_price"),
    _number("max_price", nullable=True),
    _number("tick"),
    _text("status"),
    _number("created_seq", nullable=True),
    _number("updated_seq"),
)

orders = Table(
    "orders",
    metadata,
    # The sequence at which it was accepted or rejected; for an order that is known from a snapshot
    # only, that of the snapshot. An id alone is no key: it may be used again by foreign producers.
    _number("seq", key=True),
    _number("id", key=True),
    _text("origin"),
    _text("market"),
    _text("trader"),
    _text("client_order_id"),
    _text("side"),
    _text("type"),
    _text("time_in_force"),
    _number("expires_at"),
    Column("post_only", Boolean, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    _text("self_trade_prevention"),
    _number("timestamp"),
    _number("price"),
    _number("qty"),
    _number("cum_qty"),
    _number("leaves_qty"),
    _text("status"),
    _text("reason"),
    _number("updated_seq"),
    _number("updated"),
)
Index("orders_by_id", orders.c.id)
Index("orders_by_trader", orders.c.trader, orders.c.id)
_is_open = orders.c.status == OPEN
Index("orders_open", orders.c.id, sqlite_where=_is_open, postgresql_where=_is_open)

trades = Table(
    "trades",
    metadata,
    _number("seq", key=True),
    _number("n", key=True),
    _text("market"),
    _number("price"),
    _number("qty"),
    _text("taker_side"),
    _number("maker_order_id"),
    _number("taker_order_id"),
    _text("maker_trader"),
    _text("taker_trader"),
    _number("timestamp"),
)
Index("trades_by_market", trades.c.market, trades.c.seq, trades.c.n)
Index("trades_by_time", trades.c.timestamp, trades.c.seq)

snapshots = Table(
    "snapshots",
    metadata,
    _number("seq", key=True),
    _text("chain"),
    _number("epoch"),
    _number("highest_order_id"),
    _number("created_ms"),
    _number("parts"),
    # Open ones; unknown where an older program took the snapshot.
    _number("orders", nullable=True),
)

gaps = Table(
    "gaps",
    metadata,
    # What happened after `after_seq` and up to `up_to_seq` was trimmed before it was read.
    _number("after_seq", key=True),
    _number("up_to_seq"),
)

position = Table(
    "position",
    metadata,
    _text("consumer", key=True),
    _text("venue"),
    _number("seq"),
    _text("chain"),
    _number("epoch"),
)
