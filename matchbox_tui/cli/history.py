"""What the database tells of the past: ``matchbox trades``, and ``matchbox orders --all``."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matchbox_tui.cli import options
from matchbox_tui.cli.consume import default_database
from matchbox_tui.cli.output import print_csv, print_json_array, print_table, printable
from matchbox_tui.cli.running import EXIT_UNREACHABLE, UsageError, fail, say
from matchbox_tui.cli.since import parse_since

if TYPE_CHECKING:
    from matchbox_tui.consumers.persistence import History, Rows

STATUSES = ("open", "filled", "cancelled", "expired", "rejected", "unknown")
HIGHEST_LIMIT = 2**63 - 1

_TRADE_TABLE = (
    *("seq", "n", "market", "taker_side", "price", "qty", "maker_order_id", "taker_order_id"),
    *("maker_trader", "taker_trader", "timestamp"),
)
_ORDER_TABLE = (
    *("id", "market", "side", "price", "qty", "cum_qty", "leaves_qty", "trader"),
    *("time_in_force", "status", "reason"),
)


@dataclass(frozen=True)
class Where:
    """A database's URL, and the key prefix of the venue in it."""

    url: str
    prefix: str


def trades(
    prefix: options.Prefix = "",
    since: options.Since = None,
    market: options.AnyMarket = None,
    limit: options.LastRows = None,
    database_url: options.DatabaseUrl = "",
    data_dir: options.DatabaseDir = None,
    csv: options.Csv = False,
    json: options.Json = False,
) -> int:
    """Print past trades from the database, oldest first.

    They are in the database that 'matchbox consume persistence' writes.
    """
    check_output(limit, csv=csv, json=json)
    begin = parse_since(since, time.time_ns()) if since is not None else None
    with _opened(where(database_url, data_dir, prefix), market) as past:
        from matchbox_tui.consumers.persistence import TRADE_COLUMNS

        found = past.trades(since=begin, market=market, limit=limit)
        _print_rows(TRADE_COLUMNS, _TRADE_TABLE, found, csv=csv, json=json)
    return 0


def orders(
    place: Where,
    since: str | None,
    trader: str | None,
    market: str | None,
    status: str | None,
    limit: int | None,
    *,
    csv: bool,
    json: bool,
) -> int:
    """Prints orders of every status. Raises `UsageError`."""
    if status not in (None, *STATUSES):
        raise UsageError(f"--status {status!r}: use one of {', '.join(STATUSES)}")
    begin = parse_since(since, time.time_ns()) if since is not None else None
    with _opened(place, market) as past:
        from matchbox_tui.consumers.persistence import ORDER_COLUMNS

        wanted = {"trader": trader, "market": market, "status": status}
        found = past.orders(since=begin, limit=limit, **wanted)
        _print_rows(ORDER_COLUMNS, _ORDER_TABLE, found, csv=csv, json=json)
    return 0


def where(database_url: str, data_dir: Path | None, prefix: str) -> Where:
    return Where(database_url or default_database(data_dir, make=False), prefix)


def check_output(limit: int | None, *, csv: bool, json: bool) -> None:
    """Raises `UsageError` for a limit or a choice that can't be."""
    if csv and json:
        raise UsageError("--csv and --json: choose one of them")
    if limit is not None and not 0 <= limit <= HIGHEST_LIMIT:
        raise UsageError(f"--limit {limit}: use a number from 0 on")


@contextlib.contextmanager
def _opened(place: Where, market: str | None) -> "Iterator[History]":
    """The history for the block, with a word on how far it goes."""
    from matchbox_tui.consumers.persistence import DatabaseError, open_history

    try:
        with open_history(place.url, place.prefix) as past:
            if market is not None:
                _check_market(past, market)
            yield past
            missing = len(past.extent.gaps)
            incomplete = f", with {missing} gaps (table gaps)" if missing else ""
            say(f"matchbox: the database knows the journal up to {past.extent.seq}{incomplete}")
    except DatabaseError as error:
        fail(printable(str(error)), EXIT_UNREACHABLE)


def _check_market(past: "History", market: str) -> None:
    known = past.markets()
    if market not in known:
        names = ", ".join(known) or "none"
        raise UsageError(f"--market {market!r}: no such market; there are {printable(names)}")


def _print_rows(
    columns: Sequence[str], table: Sequence[str], found: "Rows", *, csv: bool, json: bool
) -> None:
    """All columns as JSON or CSV; those of `table` as a table."""
    if json:
        print_json_array([dict(zip(columns, row, strict=True)) for row in some] for some in found)
    elif csv:
        print_csv(columns, ([_plain(row) for row in some] for some in found))
    else:
        places = [columns.index(name) for name in table]
        print_table(table, ([row[place] for place in places] for some in found for row in some))


def _plain(row: Sequence[Any]) -> list[object]:
    # As JSON has them, not as Python prints them.
    return [str(value).lower() if isinstance(value, bool) else value for value in row]
