"""A database's URL, and the engine that connects to it."""

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy import exc as sql_errors
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import Pool

from matchbox_tui.consumers.persistence.errors import DatabaseUnusable

WAIT_SECONDS = 5
"""How long a connection, or another program's lock, is waited for."""


def parse_url(url: str) -> URL:
    """SQLite in a file, or PostgreSQL. Raises `DatabaseUnusable`."""
    fix = "set DATABASE_URL to sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
    try:
        parsed = make_url(url)
    except (sql_errors.ArgumentError, ValueError):
        # It may hold a password, which then can't be told from the rest.
        raise DatabaseUnusable(f"the database's URL can't be understood: {fix}") from None
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise DatabaseUnusable(f"there is no database for {parsed.drivername}://: {fix}")
    if parsed.database in (None, "", ":memory:"):
        raise DatabaseUnusable(f"a database in memory would be gone with the program: {fix}")
    if parsed.query:
        raise DatabaseUnusable(
            f"database {shown_url(parsed)}: options after ? are for PostgreSQL only: {fix}"
        )
    return parsed.set(drivername="sqlite")


def shown_url(url: URL) -> str:
    """The URL as a person may see it: without a password."""
    return url.set(query={}).render_as_string(hide_password=True)


def make_engine(
    url: URL, answer_seconds: int | None = None, pool: type[Pool] | None = None
) -> Engine:
    """Connects to nothing yet. With `answer_seconds` the server gives up what takes it longer.

    Raises `DatabaseUnusable` for a driver that isn't there.
    """
    arguments = _arguments(url, answer_seconds)
    try:
        return create_engine(url, connect_args=arguments, poolclass=pool)
    except ModuleNotFoundError:
        raise DatabaseUnusable(
            f"database {shown_url(url)}: the driver for PostgreSQL is not installed:"
            " pip install 'matchbox-tui[postgres]'"
        ) from None


def driver_error(engine: Engine) -> type[Exception]:
    """The base of the driver's errors, some of which SQLAlchemy lets through."""
    error: type[Exception] = engine.dialect.loaded_dbapi.Error
    return error


def _arguments(url: URL, answer_seconds: int | None) -> dict[str, Any]:
    wait = WAIT_SECONDS if answer_seconds is None else answer_seconds
    if url.drivername == "sqlite":
        return {"timeout": wait}
    # The URL's own stay, but for these: a later one counts.
    asked = url.query.get("options", "")
    options = [*((asked,) if isinstance(asked, str) else asked), f"-c lock_timeout={wait}s"]
    if answer_seconds is not None:
        options.append(f"-c statement_timeout={answer_seconds}s")
    return {"connect_timeout": wait, "options": " ".join(options).strip()}
