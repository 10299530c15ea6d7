"""Going on at a snapshot: where the journal before it is gone, or the store was set back."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from matchbox_tui.consumers.persistence import writing
from matchbox_tui.consumers.persistence.ledger import Row, market_row, open_rows
from matchbox_tui.consumers.persistence.tables import (
    OPEN,
    UNKNOWN,
    gaps,
    markets,
    orders,
    snapshots,
    trades,
)
from matchbox_tui.store import Replica

TRIMMED = "history_trimmed"
"""Reason of an order whose end was not read."""


def start_over(connection: Connection, before: int, replica: Replica, *, rewind: bool) -> None:
    """Makes the rows say what a snapshot says, in the transaction that is open.

    `before` is the sequence up to which the rows were whole. With `rewind` the rows that tell of
    what came after the snapshot go; all of them, where it is not known to be of their history.
    """
    seq = replica.seq
    if rewind:
        kept = seq if _knows(connection, replica) else -1
        _drop_later(connection, kept, replica)
        before = max(kept, 0)
    known = _known(connection, seq)
    new: list[Row] = []
    changed: list[Row] = []
    for row in open_rows(replica.exchange):
        assert row.message is not None
        place = known.pop((row.id, row.message.timestamp), None)
        if place is None:
            new.append(row.whole())
        else:
            changed.append((*row.mutable(), place, row.id))
    writing.insert(connection, orders, new)
    writing.update(connection, orders, writing.MUTABLE, ("seq", "id"), changed)
    lost = [(UNKNOWN, TRIMMED, seq, place, id_) for (id_, _), place in known.items()]
    writing.update(connection, orders, ("status", "reason", "updated_seq"), ("seq", "id"), lost)
    _markets(connection, replica)
    if seq > before:
        connection.execute(insert(gaps).values(after_seq=before, up_to_seq=seq))


def _knows(connection: Connection, replica: Replica) -> bool:
    """Whether the rows tell of this snapshot's history."""
    if replica.seq == 0:
        return True
    c = snapshots.c
    found = select(c.seq).where(c.seq == replica.seq, c.chain == replica.chain)
    return connection.execute(found).first() is not None


def _drop_later(connection: Connection, kept: int, replica: Replica) -> None:
    """Drops the rows that came into being after `kept`, which is -1 for all."""
    for table in (orders, trades, snapshots):
        connection.execute(delete(table).where(table.c.seq > kept))
    c = gaps.c
    # A snapshot may lie in a gap: what is missing before it still is.
    connection.execute(
        update(gaps).where(c.after_seq < kept, c.up_to_seq > kept).values(up_to_seq=kept)
    )
    connection.execute(delete(gaps).where(c.up_to_seq > kept))
    # When a market was made is not known where that lies in a gap; those of the snapshot are.
    there = {market.symbol for market in replica.exchange.markets} if kept >= 0 else set()
    for symbol in list(connection.execute(select(markets.c.symbol)).scalars()):
        if symbol not in there:
            connection.execute(delete(markets).where(markets.c.symbol == symbol))


def _known(connection: Connection, seq: int) -> dict[tuple[int, int], int]:
    """The rows' keys of orders that were open, or changed later than the snapshot."""
    c = orders.c
    found = connection.execute(
        select(c.id, c.timestamp, c.seq)
        .where((c.status == OPEN) | (c.updated_seq > seq))
        .order_by(c.seq)
    )
    return {(id_, timestamp): place for id_, timestamp, place in found}


def _markets(connection: Connection, replica: Replica) -> None:
    known = set(connection.execute(select(markets.c.symbol)).scalars())
    seq = replica.seq
    created = 0 if seq == 0 else None
    rows = replica.exchange.markets
    fresh: Iterable[Row] = (
        market_row(market, market.status.value, created, seq)
        for market in rows
        if market.symbol not in known
    )
    writing.insert(connection, markets, list(fresh))
    writing.update(
        connection,
        markets,
        ("status", "updated_seq"),
        ("symbol",),
        [(market.status.value, seq, market.symbol) for market in rows if market.symbol in known],
    )
