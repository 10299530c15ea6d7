"""`matchbox consume persistence` as a process: what it says, where it writes, and how it ends."""

import contextlib
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from tests.cli.command import call, command_line, environment, run
from tests.cli.venue import Venue
from tests.consumers.persistence.rows import read
from tests.waiting import soon

NOWHERE = {"REDIS_URL": "redis://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--database-url", "nonsense"), 3, "can't be understood: set DATABASE_URL to"),
        (("--database-url", "mysql://u:secret@h/x"), 3, "no database for mysql"),
        (("--database-url", "sqlite:////no/such/place/m.db"), 3, "its directory is there"),
        (("--name", "two words"), 2, "--name 'two words': use letters, digits and dashes"),
        (("--id", ""), 3, "can't reach a server"),
        (("--log-level", "loud"), 2, "LOG_LEVEL 'loud'"),
    ],
)
def test_what_can_not_be_is_one_clear_line(
    tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    env = NOWHERE | {"MATCHBOX_DATA_DIR": str(tmp_path)}
    said = call("consume", "persistence", *options, env=env).refusal(code)
    assert words in said
    assert "secret" not in said


def test_orders_and_trades_of_a_venue_come_into_the_data_directory(
    url: str, prefix: str, tmp_path: Path
) -> None:
    venue = Venue(url, prefix)
    directory = tmp_path / "data"
    with venue.engine("--id", "alpha"):
        process = subprocess.Popen(
            command_line("consume", "persistence", "--data-dir", str(directory)),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(venue.env),
        )
        assert venue.call("sell", "5", "50", "--trader", "ann").code == 0
        assert venue.call("buy", "3", "50", "--trader", "bob").code == 0
        database = f"sqlite:///{directory / 'matchbox.db'}"
        soon(lambda: directory.exists() and _written(database))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "Working as persistence" in log
    assert "Read the journal up to 2" in log
    assert "Traceback" not in log
    (trade,) = read(database, "trades")
    assert (trade["maker_trader"], trade["taker_trader"], trade["qty"]) == ("ann", "bob", 3)
    statuses = [(row["trader"], row["status"]) for row in read(database, "orders")]
    assert statuses == [("ann", "open"), ("bob", "filled")]


def _written(database: str) -> bool:
    """Whether the second order has come there."""
    with contextlib.suppress(DBAPIError):
        return len(read(database, "orders")) == 2
    return False


def test_once_reads_what_is_there_and_ends(url: str, prefix: str, tmp_path: Path) -> None:
    venue = Venue(url, prefix)
    database = f"sqlite:///{tmp_path / 'it.db'}"
    once = ("consume", "persistence", "--once", "--database-url", database)
    with venue.engine("--id", "alpha"):
        assert venue.call("sell", "5", "50", "--trader", "ann").code == 0
        assert venue.call("buy", "3", "50", "--trader", "bob").code == 0
        for _ in range(2):
            assert run(*once, env=venue.env).code == 0
            assert len(read(database, "trades")) == 1
        assert run("consume", "analytics", "--once", env=venue.env).code == 0
        assert venue.call("buy", "1", "50", "--trader", "bob").code == 0
    assert len(read(database, "trades")) == 1


def test_once_does_not_wait_for_ever(
    url: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue(url, prefix)
    file = tmp_path / "it.db"
    once = ("consume", "persistence", "--once", "--database-url", f"sqlite:///{file}")
    with venue.engine("--id", "alpha"):
        assert venue.call("sell", "5", "50", "--trader", "ann").code == 0
        assert run(*once, env=venue.env).code == 0
        assert venue.call("buy", "3", "50", "--trader", "bob").code == 0
    # Whoever writes to it finds that it is full.
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON trades"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    monkeypatch.setattr("matchbox_tui.consumers.draining.PATIENCE_SECONDS", 0.5)
    done = venue.call(*once)
    assert done.code == 1
    assert "persistence read up to command 1 of 2 only" in done.err.splitlines()[-1]
