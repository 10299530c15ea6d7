"""The database: opening it, its tables' version, and what is written in one transaction.

All calls wait for the database, so they belong in a thread. Each raises a `DatabaseError`, and
then nothing of it was written.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import UNSET
from sqlalchemy import Connection, event, insert, select, update
from sqlalchemy import exc as sql_errors

from matchbox_tui.consumers.persistence.connecting import (
    driver_error,
    make_engine,
    parse_url,
    shown_url,
)
from matchbox_tui.consumers.persistence.errors import (
    DatabaseTrouble,
    DatabaseUnusable,
    Overtaken,
    explained,
    no_answer,
)
from matchbox_tui.consumers.persistence.ledger import Changes, OrderRow
from matchbox_tui.consumers.persistence.schema import is_of_this_version, is_up_to_date, migrate
from matchbox_tui.consumers.persistence.starting_over import start_over
from matchbox_tui.consumers.persistence.tables import OPEN, orders, position, snapshots
from matchbox_tui.consumers.persistence.watching import Watch, Watched
from matchbox_tui.consumers.persistence.writing import write_changes
from matchbox_tui.consumers.reader import Place
from matchbox_tui.store import Header, Replica

CONSUMER = "persistence"
"""The position's name in the table."""

HANG_SECONDS = 30.0
"""A server that takes longer to write a batch hangs: another copy may have a better way to it."""

LONG_SECONDS = 600.0
"""The same for what takes its time: new tables, and all that is open."""


class Database:
    """One venue's tables in SQLite or PostgreSQL."""

    def __init__(self, url: str, venue: str = "") -> None:
        """Opens nothing yet. `venue` is its key prefix. Raises `DatabaseUnusable`."""
        parsed = parse_url(url)
        self.shown = shown_url(parsed)
        self._venue = venue
        self._file = Path(parsed.database or "") if parsed.drivername == "sqlite" else None
        self._inode: int | None = None
        self._engine = make_engine(parsed)
        self._driver_error = driver_error(self._engine)
        self._watch = Watch()
        if self._file is not None:
            event.listen(self._engine, "connect", _set_up_sqlite)

    def close(self) -> None:
        """Closes its connections; the next call opens new ones."""
        self._engine.dispose()

    def break_off(self) -> None:
        """Ends what another thread waits for, and all that comes, by a `DatabaseTrouble`."""
        self._watch.break_off()

    def prepare(self) -> None:
        """Brings the tables up to date, or makes them."""
        with self._transaction() as connection:
            there = is_up_to_date(connection, self.shown)
        if not there:
            with self._transaction(LONG_SECONDS) as connection:
                migrate(connection, self.shown)
        if self._file is not None:
            self._inode = self._file.stat().st_ino

    def place(self) -> Place | None:
        """How far the journal was read; None where nothing was."""
        with self._transaction() as connection:
            found = connection.execute(
                select(position).where(position.c.consumer == CONSUMER)
            ).one_or_none()
        if found is None:
            return None
        if found.venue != self._venue:
            raise DatabaseUnusable(
                f"database {self.shown}: it holds the venue with the key prefix {found.venue!r},"
                f" not {self._venue!r}: name another one in DATABASE_URL"
            )
        return Place(found.seq, found.chain, found.epoch)

    def open_orders(self) -> list[OrderRow]:
        """They are of a `place` that is the same before and after."""
        c = orders.c
        with self._transaction(LONG_SECONDS) as connection:
            found = connection.execute(
                select(c.seq, c.id, c.price, c.qty, c.cum_qty).where(c.status == OPEN)
            )
            return [
                OrderRow(seq, id_, None, price, qty, cum_qty)
                for seq, id_, price, qty, cum_qty in found
            ]

    def commit(self, before: Place, after: Place, changes: Changes) -> None:
        """Writes a batch and moves the position, together.

        Raises `Overtaken` where the position is not the one that the batch begins at.
        """
        with self._transaction() as connection:
            self._move(connection, before, after)
            write_changes(connection, changes)

    def start_over(self, before: Place | None, replica: Replica, *, rewind: bool = False) -> None:
        """Goes on at a snapshot, since what lies before it can't be read any more.

        With `rewind` the rows that tell of later things go. Raises `Overtaken` as `commit` does.
        """
        after = Place(replica.seq, replica.chain, replica.epoch)
        with self._transaction(LONG_SECONDS) as connection:
            self._move(connection, before, after)
            start_over(connection, before.seq if before else 0, replica, rewind=rewind)

    def note_snapshots(self, found: list[Header]) -> None:
        """Adds a row for each recovery snapshot that has none."""
        c = snapshots.c
        with self._transaction() as connection:
            # Of two copies one waits here, and then finds the other's rows.
            connection.execute(select(position.c.seq).with_for_update())
            known = set(connection.execute(select(c.seq)).scalars())
            rows = [
                {
                    "seq": head.seq,
                    "chain": head.chain,
                    "epoch": head.epoch,
                    "highest_order_id": head.order_id,
                    "created_ms": head.created,
                    "parts": head.parts,
                    "orders": None if head.orders is UNSET else head.orders,
                }
                for head in found
                if head.seq not in known
            ]
            if rows:
                connection.execute(insert(snapshots), rows)

    def _move(self, connection: Connection, before: Place | None, after: Place) -> None:
        # First in its transaction: a second writer waits here, and then finds it moved.
        values = {"seq": after.seq, "chain": after.chain, "epoch": after.epoch}
        c = position.c
        if before is None:
            row = {"consumer": CONSUMER, "venue": self._venue, **values}
            try:
                connection.execute(insert(position).values(row))
            except sql_errors.IntegrityError:
                raise Overtaken("another copy has begun with the database") from None
            return
        is_there = (
            c.consumer == CONSUMER,
            c.seq == before.seq,
            c.chain == before.chain,
            # A newer program may have changed the tables meanwhile.
            is_of_this_version(),
        )
        moved = connection.execute(update(position).where(*is_there).values(values))
        if moved.rowcount != 1:
            raise Overtaken(f"another copy has written after {before.seq}, or changed the tables")

    @contextlib.contextmanager
    def _transaction(self, seconds: float | None = None) -> Iterator[Connection]:
        watched = None
        try:
            self._check_file()
            with self._engine.connect() as connection:
                watched = Watched(connection)
                with self._watch.over(watched, seconds or HANG_SECONDS):
                    if self._file is not None:
                        # Else it would begin at the first write only, or at none for a table.
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                    yield connection
                    connection.commit()
        except (sql_errors.SQLAlchemyError, self._driver_error, OSError) as error:
            self._engine.dispose()
            if watched is not None and watched.broken_off:
                raise no_answer(self.shown) from None
            raise explained(self.shown, error) from None

    def _check_file(self) -> None:
        # SQLite would go on writing to a file that was removed, and make another one afterwards.
        if self._file is None or self._inode is None:
            return
        try:
            inode = self._file.stat().st_ino
        except OSError:
            self._engine.dispose()
            raise DatabaseTrouble(
                f"database {self.shown}: the file is gone: put it back,"
                " or start persistence again to begin another"
            ) from None
        if inode != self._inode:
            # Another one was put there: what it knows is asked for anew.
            self._engine.dispose()
            self._inode = inode


def _set_up_sqlite(connection: Any, record: object) -> None:
    # Readers don't wait for a writer then, and a commit is on the disk before it is counted on.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
