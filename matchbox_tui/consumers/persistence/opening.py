"""Opening a database to ask it about the past: it is there, of our version, and of this venue."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy import exc as sql_errors
from sqlalchemy.pool import NullPool

from matchbox_tui.consumers.persistence.connecting import (
    driver_error,
    make_engine,
    parse_url,
    shown_url,
)
from matchbox_tui.consumers.persistence.errors import (
    DatabaseUnusable,
    explained,
    no_answer,
)
from matchbox_tui.consumers.persistence.queries import History
from matchbox_tui.consumers.persistence.schema import check_version
from matchbox_tui.consumers.persistence.tables import gaps, position
from matchbox_tui.consumers.persistence.watching import Watch, Watched
from matchbox_tui.store import Extent


class Source:
    """A venue's database, as somebody who only reads sees it."""

    def __init__(self, url: str, venue: str = "", wait_seconds: int | None = None) -> None:
        """Opens nothing yet. `venue` is its key prefix. With `wait_seconds` no connection, and no
        single question, is waited for longer.

        Raises `DatabaseUnusable` for a URL that can't be understood, or a missing driver.
        """
        self._url = parse_url(url)
        self.shown = shown_url(self._url)
        self._venue = venue
        self._sqlite = self._url.drivername == "sqlite"
        # A file may be exchanged for another; to open it costs little.
        pool = NullPool if self._sqlite else None
        self._engine = make_engine(self._url, wait_seconds, pool)
        self._driver_error = driver_error(self._engine)
        self._watch = Watch()

    def close(self) -> None:
        """Breaks off what is under way, and closes the connections."""
        self._watch.break_off()
        self._engine.dispose()

    @contextlib.contextmanager
    def open(self, seconds: float | None = None) -> Iterator[History]:
        """The history as it is now, for the block, which is broken off after so many seconds.

        A writer is not held up. Raises a `DatabaseError`, also for what goes wrong in the block.
        """
        self._check_there()
        watched = None
        try:
            with self._engine.connect() as connection:
                watched = Watched(connection)
                with self._watch.over(watched, seconds):
                    _begin(connection)
                    check_version(connection, self.shown)
                    yield History(connection, self._extent(connection))
        except (sql_errors.SQLAlchemyError, self._driver_error) as error:
            self._engine.dispose()
            if watched is not None and watched.broken_off and not self._sqlite:
                raise no_answer(self.shown) from None
            raise explained(self.shown, error) from None

    def _check_there(self) -> None:
        # SQLite would make an empty one.
        if self._sqlite and not Path(self._url.database or "").exists():
            raise DatabaseUnusable(
                f"database {self.shown}: there is no such file: 'matchbox consume persistence'"
                " makes it; or name another one in DATABASE_URL"
            )

    def _extent(self, connection: Connection) -> Extent:
        c = gaps.c
        found = connection.execute(select(c.after_seq, c.up_to_seq).order_by(c.after_seq))
        missing = tuple((after + 1, up_to) for after, up_to in found)
        place = connection.execute(select(position.c.seq, position.c.venue)).first()
        if place is None:
            return Extent(0, missing)
        if place.venue != self._venue:
            raise DatabaseUnusable(
                f"database {self.shown}: it holds the venue with the key prefix {place.venue!r},"
                f" not {self._venue!r}: name that one by --key-prefix, or another database in"
                " DATABASE_URL"
            )
        return Extent(place.seq, missing)


@contextlib.contextmanager
def open_history(url: str, venue: str = "") -> Iterator[History]:
    """The history of the venue with the key prefix `venue`, as it is now, for the block.

    Raises as `Source.open` does.
    """
    source = Source(url, venue)
    try:
        with source.open() as history:
            yield history
    finally:
        source.close()


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
