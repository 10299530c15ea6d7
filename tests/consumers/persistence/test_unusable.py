"""Databases that can't be worked with: one line that says what is wrong and what to do."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from matchbox_tui.consumers.persistence import Database, DatabaseError, DatabaseUnusable
from matchbox_tui.consumers.persistence.connecting import make_engine, parse_url
from matchbox_tui.consumers.persistence.tables import metadata
from matchbox_tui.store import Replica
from tests.consumers.persistence.postgres import Postgres
from tests.consumers.persistence.rows import driven, tables
from tests.consumers.persistence.running import persisting
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "can't be understood: set DATABASE_URL to sqlite:///FILE or postgresql://"),
        ("no url", "can't be understood"),
        ("postgresql://u:secret@h:port/x", "can't be understood"),
        ("mysql://u:secret@h/x", "no database for mysql"),
        ("sqlite://", "in memory would be gone"),
        ("sqlite:///:memory:", "in memory would be gone"),
        ("sqlite:///m.db?timeout=soon", "database sqlite:///m.db: options after ? are for"),
    ],
)
def test_a_wrong_url(url: str, words: str) -> None:
    with pytest.raises(DatabaseUnusable) as error:
        Database(url)
    assert words in str(error.value)
    assert "secret" not in str(error.value)
    assert "DATABASE_URL" in str(error.value)


def test_a_file_that_can_not_be_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="check that its directory is there"):
        Database(f"sqlite:///{tmp_path / 'none' / 'm.db'}").prepare()


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_bytes(b"something else entirely" * 1000)
    with pytest.raises(DatabaseUnusable, match="no SQLite database, or damaged"):
        Database(f"sqlite:///{tmp_path / 'm.db'}").prepare()


def test_tables_of_a_newer_program_are_left_alone(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    engine = create_engine(driven(database_url))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(DatabaseUnusable, match=r"version 9999.*upgrade matchbox"):
        database.prepare()
    database.close()


async def test_tables_that_a_newer_program_changes_are_not_written_to_by_one_that_runs(
    venue: Venue, database_url: str
) -> None:
    await venue.lead(settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    async with persisting(venue, database_url) as running:
        await running.reaches(await venue.handled())
        rows = tables(database_url)
        engine = create_engine(driven(database_url))
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        engine.dispose()
        await venue.client.submit(mixed_orders(2))
        with pytest.raises(DatabaseUnusable, match=r"version 9999.*upgrade matchbox"):
            await running.ends()
    assert tables(database_url) == rows


def test_the_migrations_make_the_tables_that_the_program_knows(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    database.prepare()  # again changes nothing
    database.close()
    engine = create_engine(driven(database_url))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_database_of_another_venue_is_left_alone(database_url: str) -> None:
    database = Database(database_url, "first:")
    database.prepare()
    database.start_over(None, Replica())
    database.close()
    other = Database(database_url, "second:")
    with pytest.raises(DatabaseUnusable, match="key prefix 'first:', not 'second:'"):
        other.place()
    other.close()


def test_rows_that_somebody_else_wrote_are_an_error_and_not_tried_again(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'm.db'}")
    database.prepare()
    with sqlite3.connect(tmp_path / "m.db") as other:
        other.execute("INSERT INTO markets VALUES ('MAIN', '', 1, NULL, 1, 'open', 0, 0)")
        other.execute("DROP TABLE trades")
    other.close()
    database.start_over(None, Replica())
    with pytest.raises(DatabaseError, match="trades"):
        database.start_over(database.place(), Replica(), rewind=True)
    database.close()


@pytest.mark.parametrize(
    ("user", "name", "words"),
    [
        ("nobody_here", "postgres", "create that user"),
        ("postgres", "no_such", "create that database"),
    ],
)
def test_a_user_or_a_database_that_is_not_there(
    postgres: Postgres, user: str, name: str, words: str
) -> None:
    with pytest.raises(DatabaseError, match=words):
        Database(postgres.url(name, user)).prepare()


def test_a_user_without_rights(postgres: Postgres) -> None:
    postgres.execute("CREATE ROLE looker LOGIN")
    with pytest.raises(DatabaseError, match="grant that to the user"):
        Database(postgres.url("postgres", "looker")).prepare()


def test_a_database_that_can_not_hold_every_name(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    postgres.execute("CREATE DATABASE western TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(DatabaseUnusable, match=r"encoding is LATIN1.*ENCODING 'UTF8'"):
        Database(postgres.url("western")).prepare()
    assert "Context impl" not in caplog.text


def test_an_option_that_postgresql_does_not_know(postgres: Postgres) -> None:
    with pytest.raises(DatabaseUnusable, match="leave that option out of DATABASE_URL"):
        Database(f"{postgres.url()}&colour=red").prepare()


def test_options_of_the_url_count_beside_our_own(postgres: Postgres) -> None:
    url = f"{postgres.url()}&options=-c%20work_mem%3D3MB%20-c%20lock_timeout%3D0"
    engine = make_engine(parse_url(url), 7)
    with engine.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("work_mem", "lock_timeout", "statement_timeout")
        ]
    engine.dispose()
    assert shown == ["3MB", "7s", "7s"]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://user:secret@/x?host={tmp_path}"
    with pytest.raises(DatabaseError, match="start it, or check DATABASE_URL") as error:
        Database(url).prepare()
    assert "secret" not in str(error.value)


def test_a_driver_that_is_not_installed() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from matchbox_tui.consumers.persistence import Database, DatabaseUnusable\n"
        "try: Database('postgresql://u@h/x')\n"
        "except DatabaseUnusable as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "not installed: pip install 'matchbox-tui[postgres]'" in done.stdout
