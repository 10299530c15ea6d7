"""The tables' version, and how they get to the newest."""

import logging

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from matchbox_tui.consumers.persistence.errors import DatabaseUnusable

LOCK = 7_406_228_471
"""PostgreSQL's advisory lock under which the tables are changed."""


def migrate(connection: Connection, shown: str) -> None:
    """Brings the tables up to date in the transaction that is open; two at a time wait in turn.

    Raises `DatabaseUnusable` for tables of a newer program.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", "matchbox_tui.consumers.persistence:migrations")
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise DatabaseUnusable(
            f"database {shown}: its tables are of version {found}, this program knows up to"
            f" {scripts.get_current_head()}: upgrade matchbox"
        )
    if found != scripts.get_current_head():
        command.upgrade(config, "head")
