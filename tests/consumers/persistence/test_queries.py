"""Questions about the past, asked of SQLite and of PostgreSQL."""

import sqlite3
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, update

from matchbox_tui.consumers.persistence import (
    ORDER_COLUMNS,
    TRADE_COLUMNS,
    Database,
    DatabaseError,
    DatabaseUnusable,
    Rows,
    open_history,
)
from matchbox_tui.consumers.persistence.queries import ROWS_AT_ONCE
from matchbox_tui.consumers.persistence.tables import gaps, metadata, position, trades
from matchbox_tui.store import Extent, OrdersWanted
from tests.consumers.persistence.past import HOUR, write_past
from tests.consumers.persistence.rows import driven, read

NOW = 1_000 * HOUR


def listed(columns: tuple[str, ...], found: Rows) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in chain.from_iterable(found)]


def change(url: str, *statements: Any) -> None:
    engine = create_engine(driven(url))
    with engine.begin() as connection:
        for statement in statements:
            if isinstance(statement, str):
                connection.exec_driver_sql(statement)
            else:
                connection.execute(statement)
    engine.dispose()


def many_trades(url: str, count: int) -> None:
    row = dict.fromkeys(TRADE_COLUMNS, 1) | dict.fromkeys(("market", "taker_side"), "x")
    row |= dict.fromkeys(("maker_trader", "taker_trader"), "x")
    rows = [row | {"seq": 1_000 + number, "timestamp": NOW + 1} for number in range(count)]
    engine = create_engine(driven(url))
    with engine.begin() as connection:
        connection.execute(insert(trades), rows)
    engine.dispose()


@pytest.mark.parametrize("since", [None, 0, NOW - 100 * HOUR, NOW - 30 * HOUR, NOW, NOW + 1])
@pytest.mark.parametrize("market", [None, "RAIN", "SNOW"])
@pytest.mark.parametrize("limit", [None, 0, 3])
def test_trades_since_a_time_in_a_market_and_the_last(
    sqlite_url: str, since: int | None, market: str | None, limit: int | None
) -> None:
    write_past(sqlite_url)
    asked_for(sqlite_url, since, market, limit)


def test_trades_in_every_kind_of_database(database_url: str) -> None:
    write_past(database_url)
    some = asked_for(database_url, NOW - 100 * HOUR, "RAIN", None)
    last = asked_for(database_url, NOW - 100 * HOUR, "RAIN", 4)
    assert 4 == len(last) < len(some) < len(asked_for(database_url, None, None, None))
    times = [trade["timestamp"] for trade in some]
    assert times != sorted(times), "none came late, so the order is not looked at"


def asked_for(
    url: str, since: int | None, market: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """The trades that are found, which are those that should be."""
    with open_history(url) as past:
        found = listed(TRADE_COLUMNS, past.trades(since=since, market=market, limit=limit))
    every = [
        trade
        for trade in read(url, "trades")
        if (since is None or trade["timestamp"] >= since) and market in (None, trade["market"])
    ]
    assert found == (every if limit is None else every[len(every) - min(limit, len(every)) :])
    return found


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"status": "open"},
        {"status": "rejected"},
        {"status": "cancelled", "trader": "t4"},
        {"trader": "t1", "market": "RAIN"},
        {"trader": "t2", "since": NOW - 50 * HOUR},
        {"since": NOW - 5 * HOUR, "market": "MAIN"},
        {"trader": "nobody"},
    ],
    ids=str,
)
def test_orders_since_a_time_by_trader_market_and_status(
    database_url: str, asked: dict[str, Any]
) -> None:
    write_past(database_url)
    every = [
        row
        for row in read(database_url, "orders")
        if row["timestamp"] >= asked.get("since", 0)
        and all(row[name] == wanted for name, wanted in asked.items() if name != "since")
    ]
    assert (asked == {"trader": "nobody"}) == (not every)
    with open_history(database_url) as past:
        assert listed(ORDER_COLUMNS, past.orders(**asked)) == every
        assert listed(ORDER_COLUMNS, past.orders(**asked, limit=2)) == every[-2:]


def test_how_far_it_goes_and_what_is_missing(database_url: str) -> None:
    write_past(database_url)
    with open_history(database_url) as past:
        assert past.extent == Extent(302)
        assert past.markets() == ["MAIN", "RAIN"]
    change(database_url, insert(gaps).values(after_seq=0, up_to_seq=7))
    with open_history(database_url) as past:
        assert past.extent.gaps == ((1, 7),)


def test_a_database_in_which_nothing_was_written_yet(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    database.close()
    with open_history(database_url) as past:
        assert past.extent.seq == 0
        assert listed(TRADE_COLUMNS, past.trades(since=1)) == []


def test_rows_come_in_parts_and_a_writer_is_not_held_up(database_url: str) -> None:
    write_past(database_url, orders=10)
    before = len(read(database_url, "trades"))
    many_trades(database_url, 2 * ROWS_AT_ONCE)
    with open_history(database_url) as past:
        parts = past.trades()
        first = next(parts)
        assert len(first) == ROWS_AT_ONCE
        change(
            database_url,
            update(position).values(seq=9_999),
            update(trades).values(qty=77),
            "DELETE FROM orders",
        )
        rest = list(chain.from_iterable(parts))
        assert len(first) + len(rest) == before + 2 * ROWS_AT_ONCE
        assert all(row.qty != 77 for row in rest)
        assert listed(ORDER_COLUMNS, past.orders())


def test_looking_writes_nothing(database_url: str) -> None:
    write_past(database_url, orders=10)
    with (
        pytest.raises(DatabaseError, match=r"no permission to write"),
        open_history(database_url) as past,
    ):
        past._connection.exec_driver_sql("DELETE FROM orders")
    assert read(database_url, "orders")


def test_a_time_is_found_by_the_index(tmp_path: Path, sqlite_url: str) -> None:
    write_past(sqlite_url)
    asked: list[str] = []
    with open_history(sqlite_url) as past:
        raw: Any = past._connection.connection.driver_connection
        raw.set_trace_callback(asked.append)
        list(past.trades(since=NOW - 50 * HOUR, market="RAIN"))
        raw.set_trace_callback(None)
    with sqlite3.connect(tmp_path / "matchbox.db") as connection:
        plans = [
            " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}"))
            for text in asked
        ]
    connection.close()
    assert len(plans) == 2
    assert "COVERING INDEX trades_by_time (timestamp>?)" in plans[0]
    assert "trades_by_market (market=? AND seq>?)" in plans[1]
    assert "TEMP B-TREE" not in plans[1]


def test_a_trader_s_orders_are_found_by_the_index(tmp_path: Path, sqlite_url: str) -> None:
    write_past(sqlite_url)
    asked: list[str] = []
    with open_history(sqlite_url) as past:
        raw: Any = past._connection.connection.driver_connection
        raw.set_trace_callback(asked.append)
        list(past.orders(trader="t1"))
        page = past.page(OrdersWanted(100, 5, 10**9, "t1"))
        raw.set_trace_callback(None)
    assert len(page) == 5
    with sqlite3.connect(tmp_path / "matchbox.db") as connection:
        plans = [
            " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}"))
            for text in asked
            if not text.lstrip().startswith("--")
        ]
    connection.close()
    assert len(plans) == 2
    assert "orders_by_trader (trader=?)" in plans[0]
    assert "orders_by_trader (trader=? AND id>?)" in plans[1]
    assert "TEMP B-TREE" not in plans[1]


def test_tables_of_an_older_program_are_not_read_and_get_up_to_date(database_url: str) -> None:
    write_past(database_url, orders=10)
    before = read(database_url, "trades")
    older = "UPDATE alembic_version SET version_num = '0001'"
    gone = "DROP INDEX trades_by_time", "DROP INDEX orders_by_trader"
    change(database_url, *gone, "ALTER TABLE snapshots DROP COLUMN orders", older)
    words = r"version 0001, this program reads 0003: start 'matchbox consume persistence'"
    with pytest.raises(DatabaseUnusable, match=words), open_history(database_url):
        pass
    database = Database(database_url)
    database.prepare()
    database.close()
    engine = create_engine(driven(database_url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    with open_history(database_url) as past:
        assert listed(TRADE_COLUMNS, past.trades(since=1)) == before


def test_tables_of_a_newer_program_are_not_read(database_url: str) -> None:
    write_past(database_url, orders=10)
    change(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with (
        pytest.raises(DatabaseUnusable, match=r"version 9999.*upgrade matchbox"),
        open_history(database_url),
    ):
        pass


def test_a_database_of_something_else(database_url: str) -> None:
    change(database_url, "CREATE TABLE orders (what TEXT)")
    with (
        pytest.raises(DatabaseUnusable, match="no tables of a venue in it"),
        open_history(database_url),
    ):
        pass


def test_a_database_of_another_venue(database_url: str) -> None:
    write_past(database_url, "first:", orders=10)
    with (
        pytest.raises(DatabaseUnusable, match=r"prefix 'first:', not 'second:'.*--key-prefix"),
        open_history(database_url, "second:"),
    ):
        pass


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, sqlite_url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="there is no such file"), open_history(sqlite_url):
        pass
    assert list(tmp_path.iterdir()) == []
