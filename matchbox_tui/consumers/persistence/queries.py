"""Questions about the past: what is read from the tables, without writing to them.

Rows come in lists of a bounded length, so that as many as there are fit into memory.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select
from sqlalchemy import exc as sql_errors
from sqlalchemy.engine import URL

from matchbox_tui.consumers.persistence.connecting import (
    driver_error,
    make_engine,
    parse_url,
    shown_url,
)
from matchbox_tui.consumers.persistence.errors import DatabaseUnusable, explained
from matchbox_tui.consumers.persistence.schema import check_version
from matchbox_tui.consumers.persistence.tables import gaps, markets, orders, position, trades

ROWS_AT_ONCE = 1_000

TRADE_COLUMNS = tuple(trades.c.keys())
ORDER_COLUMNS = tuple(orders.c.keys())

Rows = Iterator[Sequence[Row[Any]]]


@dataclass(frozen=True)
class Extent:
    """How much of the journal is there: up to `seq`, but for so many `gaps`."""

    seq: int
    gaps: int


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
        trader: str | None = None,
        market: str | None = None,
        status: str | None = None,
        limit: int | None = None,
    ) -> Rows:
        """Orders as they came into the journal, with `ORDER_COLUMNS`; the last of a `limit`."""
        asked = select(orders)
        for column, wanted in (
            (orders.c.trader, trader),
            (orders.c.market, market),
            (orders.c.status, status),
        ):
            if wanted is not None:
                asked = asked.where(column == wanted)
        return self._rows(asked, orders, limit)

    def _rows(self, asked: Select[Any], table: Table, limit: int | None) -> Rows:
        if limit is None:
            asked = asked.order_by(*table.primary_key)
        else:
            backwards = [column.desc() for column in table.primary_key]
            last = asked.order_by(*backwards).limit(limit).subquery()
            asked = select(last).order_by(*(last.c[key.name] for key in table.primary_key))
        streamed = asked.execution_options(yield_per=ROWS_AT_ONCE)
        return self._connection.execute(streamed).partitions()


@contextlib.contextmanager
def open_history(url: str, venue: str = "") -> Iterator[History]:
    """The history of the venue with the key prefix `venue`, as it is now, for the block.

    A writer is not held up. Raises a `DatabaseError`, also for what goes wrong in the block.
    """
    parsed = parse_url(url)
    shown = shown_url(parsed)
    _check_there(parsed, shown)
    engine = make_engine(parsed)
    try:
        with engine.connect() as connection:
            _begin(connection)
            check_version(connection, shown)
            yield History(connection, _extent(connection, shown, venue))
    except (sql_errors.SQLAlchemyError, driver_error(engine)) as error:
        raise explained(shown, error) from None
    finally:
        engine.dispose()


def _check_there(url: URL, shown: str) -> None:
    # SQLite would make an empty one.
    if url.drivername == "sqlite" and not Path(url.database or "").exists():
        raise DatabaseUnusable(
            f"database {shown}: there is no such file: 'matchbox consume persistence' makes it;"
            " or name another one in DATABASE_URL"
        )


def _begin(connection: Connection) -> None:
    """One moment for all that is asked, and no writing."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
    else:
        connection.execution_options(
            isolation_level="REPEATABLE READ",
            postgresql_readonly=True,
        )


def _extent(connection: Connection, shown: str, venue: str) -> Extent:
    missing = connection.execute(select(func.count()).select_from(gaps)).scalar_one()
    found = connection.execute(select(position.c.seq, position.c.venue)).first()
    if found is None:
        return Extent(0, missing)
    if found.venue != venue:
        raise DatabaseUnusable(
            f"database {shown}: it holds the venue with the key prefix {found.venue!r}, not"
            f" {venue!r}: name that one by --key-prefix, or another database in DATABASE_URL"
        )
    return Extent(found.seq, missing)
