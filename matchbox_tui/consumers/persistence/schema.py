"""The tables' version, and how they get to the newest."""

import functools
import logging

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ColumnElement, Connection, String, column, select, table, text

from matchbox_tui.consumers.persistence.errors import DatabaseUnusable

LOCK = 7_406_228_471
"""PostgreSQL's advisory lock under which the tables are changed."""


def migrate(connection: Connection, shown: str) -> None:
    """Brings the tables up to date in the transaction that is open; two at a time wait in turn.

    Raises `DatabaseUnusable` for tables of a newer program, and for a database that can't hold
    every name.
    """
    config = _config()
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        _check_encoding(connection, shown)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    found, newest = _versions(connection, shown)
    if found != newest:
        command.upgrade(config, "head")


def is_up_to_date(connection: Connection, shown: str) -> bool:
    """Whether the tables are of the newest version. Raises `DatabaseUnusable` as `migrate`."""
    found, newest = _versions(connection, shown)
    return found == newest


def is_of_this_version() -> ColumnElement[bool]:
    """For a WHERE: whether the tables are still as this program makes them."""
    newest, _ = _known()
    found = select(column("version_num", String())).select_from(table("alembic_version"))
    return found.scalar_subquery() == newest


def check_version(connection: Connection, shown: str) -> None:
    """Raises `DatabaseUnusable` for tables of another version, or for none of ours."""
    found, newest = _versions(connection, shown)
    if found is None:
        raise DatabaseUnusable(
            f"database {shown}: there are no tables of a venue in it: name the one that"
            " 'matchbox consume persistence' writes in DATABASE_URL"
        )
    if found != newest:
        raise DatabaseUnusable(
            f"database {shown}: its tables are of version {found}, this program reads {newest}:"
            " start 'matchbox consume persistence', which brings them up to date"
        )


def _check_encoding(connection: Connection, shown: str) -> None:
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise DatabaseUnusable(
            f"database {shown}: its encoding is {encoding}, which can't hold the names of all"
            " traders: make one with ENCODING 'UTF8', and name that in DATABASE_URL"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "matchbox_tui.consumers.persistence:migrations")
    return config


def _versions(connection: Connection, shown: str) -> tuple[str | None, str | None]:
    """That of the tables, and the newest that is known."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    newest, known = _known()
    found = MigrationContext.configure(connection).get_current_heads()
    if set(found) - known or len(found) > 1:
        raise DatabaseUnusable(
            f"database {shown}: its tables are of version {', '.join(found)}, this program knows"
            f" up to {newest}: upgrade matchbox"
        )
    return (found[0] if found else None), newest


@functools.cache
def _known() -> tuple[str | None, frozenset[str]]:
    """The newest version, and all that there are: the same as long as the program runs."""
    scripts = ScriptDirectory.from_config(_config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), known
