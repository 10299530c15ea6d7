"""What is left of the rows when they follow a store that was set back to before a gap."""

from matchbox_tui.consumers.persistence import Database
from matchbox_tui.consumers.reader import Place
from matchbox_tui.engine import CreateMarket, Exchange, Market
from matchbox_tui.store import Header, Replica
from tests.consumers.persistence.past import write_past
from tests.consumers.persistence.rows import read

ORDERS = 20
"""The past is these, a market, and a cancel."""

READ = ORDERS + 2


def snapshot(seq: int, *symbols: str) -> Replica:
    """One of that place, with these markets."""
    exchange = Exchange()
    for symbol in symbols:
        exchange.apply(CreateMarket(Market.prediction(symbol)))
    exchange.seq = seq
    return Replica(exchange, f"chain of {seq}", 1)


def go_on(database: Database, before: Place, replica: Replica, *, rewind: bool = False) -> Place:
    database.start_over(before, replica, rewind=rewind)
    return Place(replica.seq, replica.chain, replica.epoch)


def note(database: Database, replica: Replica) -> None:
    database.note_snapshots([Header(replica.seq, replica.chain, 1, 0, 0)])


def test_a_market_that_was_made_in_the_gap_is_gone(database_url: str) -> None:
    write_past(database_url, orders=ORDERS)
    database = Database(database_url)
    early = snapshot(5, "RAIN")
    note(database, early)
    later = go_on(database, Place(READ, "x", 1), snapshot(100, "RAIN", "SNOW"))
    assert [row["symbol"] for row in read(database_url, "markets")] == ["MAIN", "RAIN", "SNOW"]
    go_on(database, later, early, rewind=True)
    assert [row["symbol"] for row in read(database_url, "markets")] == ["MAIN", "RAIN"]
    assert read(database_url, "gaps") == []
    assert {row["seq"] for row in read(database_url, "orders")} == set(range(2, 6))


def test_what_is_missing_before_a_snapshot_in_a_gap_is_still_told(database_url: str) -> None:
    write_past(database_url, orders=ORDERS)
    database = Database(database_url)
    later = go_on(database, Place(READ, "x", 1), snapshot(100, "RAIN"))
    within = snapshot(60, "RAIN")
    note(database, within)
    go_on(database, later, within, rewind=True)
    assert read(database_url, "gaps") == [{"after_seq": READ, "up_to_seq": 60}]
