"""Questions about the past: what is read from the tables, without writing to them.

Rows come in lists of a bounded length, so that as many as there are fit into memory.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy import tuple_ as together

from matchbox_tui.consumers.names import clean
from matchbox_tui.consumers.persistence.ledger import REJECTED
from matchbox_tui.consumers.persistence.tables import markets, orders, position, trades
from matchbox_tui.engine import Side, TradeExecuted
from matchbox_tui.store import Extent, FillMessage, OrdersWanted, PastOrder

ROWS_AT_ONCE = 1_000

TRADE_COLUMNS = tuple(trades.c.keys())
ORDER_COLUMNS = tuple(orders.c.keys())

Rows = Iterator[Sequence[Row[Any]]]


class History:
    """What the database held at one moment. Every call raises a `DatabaseError`."""

    def __init__(self, connection: Connection, extent: Extent) -> None:
        self.extent = extent
        self._connection = connection

    def markets(self) -> list[str]:
        """The symbols of all markets that ever were, in the order of the alphabet."""
        c = markets.c
        return list(self._connection.execute(select(c.symbol).order_by(c.symbol)).scalars())

    def trades(
        self, *, since: int | None = None, market: str | None = None, limit: int | None = None
    ) -> Rows:
        """Trades in the journal's order, with `TRADE_COLUMNS`; the last ones of a `limit`.

        `since` is the earliest timestamp, in nanoseconds.
        """
        asked = select(trades)
        if market is not None:
            asked = asked.where(trades.c.market == market)
        if since is not None:
            # Where to begin is found in the index by time. Left to itself, a planner may read the
            # whole table in the journal's order; the sum keeps it from that for the minimum, too.
            late = trades.c.timestamp >= since
            earliest = select(func.min(trades.c.seq + 0)).where(late)
            first = self._connection.execute(earliest).scalar()
            if first is None:
                return iter(())
            asked = asked.where(late, trades.c.seq >= first)
        return self._rows(asked, trades, limit)

    def orders(
        self,
        *,
        since: int | None = None,
        trader: str | None = None,
        market: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> Rows:
        """Orders as they came into the journal, with `ORDER_COLUMNS`; the last of a `limit`.

        `since` is the earliest timestamp of an order, in nanoseconds.
        """
        asked = select(orders).where(*_fitting(trader, market, status))
        if since is not None:
            asked = asked.where(orders.c.timestamp >= since)
        return self._rows(asked, orders, limit)

    def trades_before(
        self, place: tuple[int, int], market: str | None, limit: int
    ) -> list[FillMessage]:
        """The last `limit` trades before the one at (seq, n), oldest first."""
        c = trades.c
        asked = select(trades).where(together(c.seq, c.n) < place)
        if market is not None:
            asked = asked.where(c.market == market)
        last = asked.order_by(c.seq.desc(), c.n.desc()).limit(limit)
        return [_fill(row) for row in self._connection.execute(last)][::-1]

    def executions(self, first: int, last: int) -> Iterator[list[TradeExecuted]]:
        """The trades of the commands from `first` to `last`, as the journal told of them."""
        asked = select(trades).where(trades.c.seq >= first, trades.c.seq <= last)
        for rows in self._rows(asked, trades, None):
            yield [_execution(row) for row in rows]

    def chain(self) -> str:
        """The journal's chain at the end of the extent; empty where nothing was read."""
        return str(self._connection.execute(select(position.c.chain)).scalar() or "")

    def page(self, wanted: OrdersWanted) -> list[PastOrder]:
        """Orders by id; of those that share one the one that counts."""
        c = orders.c
        asked = select(*_SHOWN).where(
            c.id > wanted.after,
            c.seq <= wanted.up_to,
            *_fitting(wanted.trader, wanted.market, wanted.status),
            ~_outranked(wanted.up_to),
        )
        found = self._connection.execute(asked.order_by(c.id).limit(wanted.limit))
        return [PastOrder(*row) for row in found]

    def order(self, order_id: int, up_to: int) -> PastOrder | None:
        """The order that counts of those with this id that came up to a sequence."""
        c = orders.c
        asked = select(*_SHOWN).where(c.id == order_id, c.seq <= up_to, ~_outranked(up_to))
        found = self._connection.execute(asked).first()
        return PastOrder(*found) if found is not None else None

    def highest_id(self, up_to: int) -> int:
        """The highest id of an order that came up to a sequence; 0 where there is none."""
        c = orders.c
        asked = select(c.id).where(c.seq <= up_to).order_by(c.id.desc()).limit(1)
        return int(self._connection.execute(asked).scalar() or 0)

    def _rows(self, asked: Select[Any], table: Table, limit: int | None) -> Rows:
        if limit is None:
            asked = asked.order_by(*table.primary_key)
        else:
            backwards = [column.desc() for column in table.primary_key]
            last = asked.order_by(*backwards).limit(limit).subquery()
            asked = select(last).order_by(*(last.c[key.name] for key in table.primary_key))
        streamed = asked.execution_options(yield_per=ROWS_AT_ONCE)
        return self._connection.execute(streamed).partitions()


_SHOWN = tuple(orders.c[name] for name in PastOrder.__struct_fields__)


def _fitting(
    trader: str | None, market: str | None, status: str | None
) -> list[ColumnElement[bool]]:
    """What narrows orders down."""
    columns = (orders.c.trader, orders.c.market, orders.c.status)
    pairs = zip(columns, (trader, market, status), strict=True)
    return [column == clean(wanted) for column, wanted in pairs if wanted is not None]


def _outranked(up_to: int) -> ColumnElement[bool]:
    """Whether another order has the id and counts: the last that was taken, or, where none was,
    the first that was rejected.
    """
    one, other = orders.c, orders.alias("other").c
    refused, other_refused = one.status == REJECTED, other.status == REJECTED
    return exists().where(
        other.id == one.id,
        other.seq <= up_to,
        or_(
            and_(refused, ~other_refused),
            and_(~refused, ~other_refused, other.seq > one.seq),
            and_(refused, other_refused, other.seq < one.seq),
        ),
    )


def _execution(row: Row[Any]) -> TradeExecuted:
    return TradeExecuted(
        seq=row.seq,
        n=row.n,
        market=row.market,
        maker_order_id=row.maker_order_id,
        taker_order_id=row.taker_order_id,
        price=row.price,
        qty=row.qty,
        taker_side=Side(row.taker_side),
        maker_trader=row.maker_trader,
        taker_trader=row.taker_trader,
        timestamp=row.timestamp,
    )


def _fill(row: Row[Any]) -> FillMessage:
    return FillMessage(
        maker_order_id=row.maker_order_id,
        taker_order_id=row.taker_order_id,
        price=row.price,
        qty=row.qty,
        timestamp=row.timestamp,
        market=row.market,
        trade_id=f"{row.seq}-{row.n}",
        taker_side=Side(row.taker_side),
    )
