"""Writing many rows at once, as each kind of database does it quickest."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Boolean, Connection, Table

from matchbox_tui.consumers.persistence.ledger import Changes, Row
from matchbox_tui.consumers.persistence.tables import markets, orders, trades

MUTABLE = (
    *("price", "qty", "cum_qty", "leaves_qty", "status", "reason"),
    *("updated_seq", "updated"),
)
"""What can change of an order, in the order of `OrderRow.mutable`."""


def write_changes(connection: Connection, changes: Changes) -> None:
    """Writes a batch in the transaction that is open. Raises SQLAlchemy's errors, and
    the driver's own.
    """
    insert(connection, markets, changes.new_markets)
    update(connection, markets, ("status", "updated_seq"), ("symbol",), changes.changed_markets)
    insert(connection, orders, changes.new_orders)
    update(connection, orders, MUTABLE, ("seq", "id"), changes.changed_orders)
    insert(connection, trades, changes.trades)


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """New rows, whole and in the order of the columns."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
        return
    places = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({places})", list(rows))


def update(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    key: Sequence[str],
    rows: Sequence[Row],
) -> None:
    """Sets columns of rows that are there: each row has the new values, and then its key."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        names = [*columns, *key]
        arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in names)
        values = ", ".join(f"{name} = new.{name}" for name in columns)
        fits = " AND ".join(f"{table.name}.{name} = new.{name}" for name in key)
        connection.exec_driver_sql(
            f"UPDATE {table.name} SET {values}"
            f" FROM unnest({arrays}) AS new({', '.join(names)}) WHERE {fits}",
            tuple(list(column) for column in zip(*rows, strict=True)),
        )
        return
    values = ", ".join(f"{name} = ?" for name in columns)
    fits = " AND ".join(f"{name} = ?" for name in key)
    connection.exec_driver_sql(f"UPDATE {table.name} SET {values} WHERE {fits}", list(rows))


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    # An INSERT a row takes several times as long there, even when they are sent together.
    driver = connection.connection.driver_connection
    assert driver is not None
    names = ", ".join(column.name for column in table.columns)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as to:
        for row in rows:
            to.write_row(row)


def _type(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, BigInteger):
        return "bigint"
    return "boolean" if isinstance(kind, Boolean) else "text"
