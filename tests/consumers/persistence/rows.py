"""What is in a database, and what should be, out of the journal by another way."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import create_engine, select

from matchbox_tui.api.order_log import OrderLog
from matchbox_tui.consumers.persistence.tables import metadata
from matchbox_tui.engine import Event, OrderAccepted, OrderRejected, TradeExecuted


def driven(url: str) -> str:
    """The URL as SQLAlchemy wants it of the tests."""
    return url.replace("postgresql://", "postgresql+psycopg://")


def read(url: str, table: str) -> list[dict[str, Any]]:
    """A table's rows by name of the column, in the order of its key."""
    engine = create_engine(driven(url))
    found = metadata.tables[table]
    with engine.connect() as connection:
        rows = connection.execute(select(found).order_by(*found.primary_key.columns))
        read = [dict(row) for row in rows.mappings()]
    engine.dispose()
    return read


def tables(url: str) -> dict[str, list[dict[str, Any]]]:
    return {name: read(url, name) for name in metadata.tables}


def expected_trades(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {
            "seq": event.seq,
            "n": event.n,
            "market": event.market,
            "price": event.price,
            "qty": event.qty,
            "taker_side": event.taker_side.value,
            "maker_order_id": event.maker_order_id,
            "taker_order_id": event.taker_order_id,
            "maker_trader": event.maker_trader,
            "taker_trader": event.taker_trader,
            "timestamp": event.timestamp,
        }
        for event in events
        if isinstance(event, TradeExecuted)
    ]


def expected_orders(events: list[Event]) -> list[dict[str, Any]]:
    """As the gateway tells of them, for ids that are used once."""
    log = OrderLog()
    for event in events:
        log.fold(event)
    found = []
    for event in events:
        if isinstance(event, OrderAccepted) or (isinstance(event, OrderRejected) and event.order):
            record = log.get(event.order_id)
            assert record is not None
            order = record.order
            found.append(
                {
                    "seq": event.seq,
                    "id": order.order_id,
                    "market": order.market,
                    "trader": order.trader,
                    "client_order_id": order.client_order_id,
                    "side": order.side.value,
                    "type": order.type.value,
                    "time_in_force": order.time_in_force.value,
                    "expires_at": order.expires_at,
                    "post_only": order.post_only,
                    "reduce_only": order.reduce_only,
                    "self_trade_prevention": order.self_trade_prevention.value,
                    "timestamp": order.timestamp,
                    "price": record.price,
                    "qty": record.qty,
                    "cum_qty": record.cum_qty,
                    "leaves_qty": record.leaves_qty,
                    "status": record.status.value,
                    "reason": record.reason,
                    "origin": "journal",
                }
            )
    return found


def check(url: str, events: list[Event]) -> None:
    """The database holds each order and each trade of the journal once, as it became."""
    assert read(url, "trades") == expected_trades(events)
    rows = read(url, "orders")
    for row in rows:
        del row["updated_seq"], row["updated"]
    assert rows == expected_orders(events)
