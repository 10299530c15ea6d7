"""`matchbox trades` and `matchbox orders --all`: the past, out of the database."""

import csv
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Result, call, command_line, environment, run
from tests.cli.venue import Venue
from tests.consumers.persistence.past import HOUR, write_past
from tests.consumers.persistence.rows import read

PREFIX = "past:"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a past that ends now."""
    made = tmp_path_factory.mktemp("past")
    write_past(f"sqlite:///{made / 'matchbox.db'}", PREFIX, now=time.time_ns())
    return made


def ask(directory: Path, *arguments: str) -> Result:
    """What a command says that has the database, but no server."""
    env = {
        "MATCHBOX_DATA_DIR": str(directory),
        "MATCHBOX_KEY_PREFIX": PREFIX,
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    return call(*arguments, env=env)


def rows_of(directory: Path, table: str) -> list[dict[str, Any]]:
    return read(f"sqlite:///{directory / 'matchbox.db'}", table)


def test_all_trades_as_json(directory: Path) -> None:
    shown = ask(directory, "trades", "--json")
    assert (shown.code, shown.json()) == (0, rows_of(directory, "trades"))
    assert len(shown.out.splitlines()) == 1
    assert shown.err == "matchbox: the database knows the journal up to 302\n"


def test_trades_of_a_market_since_some_hours_ago_and_the_last(directory: Path) -> None:
    begin = time.time_ns() - 100 * HOUR
    expected = [
        trade
        for trade in rows_of(directory, "trades")
        if trade["market"] == "RAIN" and trade["timestamp"] > begin
    ]
    asked = ("trades", "-m", "RAIN", "--json", "--since")
    assert ask(directory, *asked, "101h").json() == expected
    assert ask(directory, *asked, str(begin)).json() == expected
    assert ask(directory, *asked, "101h", "--limit", "2").json() == expected[-2:]
    assert ask(directory, *asked, "2200-01-01").json() == []


def test_trades_as_csv(directory: Path) -> None:
    lines = ask(directory, "trades", "--csv").out.splitlines()
    found = list(csv.DictReader(lines))
    expected = rows_of(directory, "trades")
    assert found == [{name: str(value) for name, value in row.items()} for row in expected]
    assert len(lines) == len(expected) + 1


def test_trades_as_a_table(directory: Path) -> None:
    heading, *lines = ask(directory, "trades").out.splitlines()
    assert heading.split()[:6] == ["seq", "n", "market", "taker_side", "price", "qty"]
    expected = rows_of(directory, "trades")
    assert [line.split()[-1] for line in lines] == [str(row["timestamp"]) for row in expected]


def test_orders_of_every_status(directory: Path) -> None:
    expected = rows_of(directory, "orders")
    assert {row["status"] for row in expected} == {"open", "filled", "cancelled", "rejected"}
    shown = ask(directory, "orders", "--all", "--json")
    assert (shown.code, shown.json()) == (0, expected)
    assert "up to 302" in shown.err
    _, *lines = ask(directory, "orders", "--all").out.splitlines()
    assert [line.split()[0] for line in lines] == [str(row["id"]) for row in expected]
    found = list(csv.DictReader(ask(directory, "orders", "--all", "--csv").out.splitlines()))
    assert [row["status"] for row in found] == [row["status"] for row in expected]
    assert {row["post_only"] for row in found} == {"false"}


def test_orders_of_a_trader_a_market_and_a_status(directory: Path) -> None:
    expected = [
        row
        for row in rows_of(directory, "orders")
        if (row["trader"], row["market"], row["status"]) == ("t1", "MAIN", "filled")
    ]
    narrowed = ("--trader", "t1", "--market", "MAIN", "--status", "filled")
    found = ask(directory, "orders", "--all", *narrowed, "--json").json()
    assert found == expected != []
    assert ask(directory, "orders", "--all", *narrowed, "--limit", "1", "--json").json() == [
        expected[-1]
    ]


def test_orders_since_some_hours_ago(directory: Path) -> None:
    begin = time.time_ns() - 100 * HOUR
    every = rows_of(directory, "orders")
    expected = [row for row in every if row["timestamp"] >= begin]
    found = ask(directory, "orders", "--all", "--since", str(begin), "--json").json()
    assert [] != found == expected != every
    assert ask(directory, "orders", "--all", "--since", "10000h", "--json").json() == every


def test_nothing_found_is_whole_all_the_same(directory: Path) -> None:
    nothing = ("orders", "--all", "--trader", "nobody")
    assert ask(directory, *nothing, "--json").out == "[]\n"
    assert len(ask(directory, *nothing, "--csv").out.splitlines()) == 1
    assert len(ask(directory, *nothing).out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("trades", "--since", "soon"), 2, "--since 'soon': use a time"),
        (("trades", "--limit", "-1"), 2, "--limit -1: use a number from 0 on"),
        (("trades", "--limit", str(2**63)), 2, "use a number from 0 on"),
        (("trades", "--csv", "--json"), 2, "--csv and --json: choose one"),
        (("trades", "-m", "SNOW"), 2, "no such market; there are MAIN, RAIN"),
        (("orders", "--all", "-m", "SNOW"), 2, "no such market; there are MAIN, RAIN"),
        (("orders", "--all", "--status", "done"), 2, "--status 'done': use one of open, filled"),
        (("orders", "--all", "--since", "soon"), 2, "--since 'soon': use a time"),
        (("orders", "--since", "1h"), 2, "--since: only with --all"),
        (("orders", "--status", "filled"), 2, "only open orders are listed without --all"),
        (("orders", "--csv", "--json"), 2, "choose one"),
        (("trades", "--key-prefix", "other:"), 3, "'past:', not 'other:': name that one by"),
        (("trades", "--database-url", "nonsense"), 3, "can't be understood: set DATABASE_URL"),
        (("orders", "--all", "--database-url", "mysql://u:secret@h/x"), 3, "for mysql"),
    ],
)
def test_what_can_not_be_is_one_clear_line(
    directory: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    said = ask(directory, *arguments).refusal(code)
    assert words in said
    assert "secret" not in said


@pytest.mark.parametrize("command", [("trades",), ("orders", "--all")], ids=" ".join)
def test_where_no_database_is_none_is_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = ask(tmp_path / "none", *command, "--json").refusal(3)
    assert "there is no such file: 'matchbox consume persistence' makes it" in said
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_had_enough(directory: Path) -> None:
    env = {"MATCHBOX_DATA_DIR": str(directory), "MATCHBOX_KEY_PREFIX": PREFIX}
    shown = subprocess.Popen(
        command_line("trades", "--csv"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
    )
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    said = shown.stderr.read()
    assert (shown.wait(20), said) == (0, b"")


def test_a_process_prints_rows_on_stdout_alone(directory: Path) -> None:
    env = {"MATCHBOX_DATA_DIR": str(directory), "MATCHBOX_KEY_PREFIX": PREFIX}
    done = run("trades", "--json", "--limit", "3", env=env)
    assert (done.code, len(done.json())) == (0, 3)


def test_open_orders_of_a_venue_the_last_and_as_csv(venue: Venue, market: str) -> None:
    for price in (40, 41, 42):
        venue.call("buy", "3", str(price), "--market", market)
    asked = ("orders", "--market", market)
    last = venue.call(*asked, "--limit", "2", "--status", "open", "--json").json()
    assert [order["price"] for order in last] == [41, 42]
    assert venue.call(*asked, "--limit", "0", "--json").json() == []
    found = list(csv.DictReader(venue.call(*asked, "--csv").out.splitlines()))
    assert [order["price"] for order in found] == ["40", "41", "42"]
