"""book, orders, positions, fills and status on a running venue."""

import select
import signal
import subprocess

import pytest

from tests.cli.command import command_line, environment, run
from tests.cli.venue import Venue


def trade(venue: Venue, market: str, qty: int = 5, price: int = 50) -> None:
    venue.call("sell", str(qty), str(price), "--market", market, "--trader", f"ann-{market}")
    venue.call("buy", str(qty), str(price), "--market", market, "--trader", f"bob-{market}")


def test_book_has_the_best_prices_first(venue: Venue, market: str) -> None:
    for side, price in (("buy", 40), ("buy", 42), ("buy", 41), ("sell", 46), ("sell", 45)):
        venue.call(side, "3", str(price), "--market", market)
    book = venue.call("book", "--market", market, "--json").json()
    assert [level["price"] for level in book["bids"]] == [42, 41, 40]
    assert [level["price"] for level in book["asks"]] == [45, 46]
    before = book["sequence"]
    venue.call("buy", "3", "39", "--market", market)
    assert venue.call("book", "--market", market, "--json").json()["sequence"] == before + 1
    shallow = venue.call("book", "--market", market, "--json", "--depth", "1").json()
    assert [level["price"] for level in shallow["bids"]] == [42]
    assert [level["price"] for level in shallow["asks"]] == [45]


def test_book_as_a_ladder(venue: Venue, market: str) -> None:
    for side, price in (("buy", 40), ("buy", 42), ("sell", 46), ("sell", 45)):
        venue.call(side, "3", str(price), "--market", market)
    shown = venue.call("book", "--market", market).out.splitlines()
    assert shown[0].split() == ["qty", "bid", "ask", "qty"]
    assert [row.split() for row in shown[1:]] == [
        ["46", "3"],
        ["45", "3"],
        ["3", "42"],
        ["3", "40"],
    ]


def test_an_empty_book(venue: Venue, market: str) -> None:
    book = venue.call("book", "--market", market, "--json").json()
    assert (book["bids"], book["asks"]) == ([], [])


@pytest.mark.parametrize("command", ["book", "orders", "positions", "fills"])
def test_an_unknown_market_is_told_with_those_there_are(venue: Venue, command: str) -> None:
    words = venue.call(command, "--market", "NOWHERE").refusal(2)
    assert "no such market; there are MAIN, M0, M1" in words


def test_orders_by_market_and_trader(venue: Venue, market: str) -> None:
    ids = [
        venue.call(*("buy", "5", "50", "--market", market, "--trader", who, "--json")).json()[
            "order_id"
        ]
        for who in (f"ann-{market}", f"bob-{market}", f"ann-{market}")
    ]
    venue.call("sell", "2", "50", "--market", market)
    found = venue.call("orders", "--market", market, "--json").json()
    assert [order["id"] for order in found] == ids
    assert (found[0]["qty"], found[0]["cum_qty"], found[0]["leaves_qty"]) == (5, 2, 3)
    assert (found[0]["side"], found[0]["price"], found[0]["time_in_force"]) == ("buy", 50, "GTC")
    hers = venue.call("orders", "--trader", f"ann-{market}", "--json").json()
    assert [order["id"] for order in hers] == [ids[0], ids[2]]
    table = venue.call("orders", "--market", market).out.splitlines()
    assert table[0].split()[:4] == ["id", "market", "side", "price"]
    assert [row.split()[0] for row in table[1:]] == [str(order_id) for order_id in ids]


def test_a_name_can_not_drive_the_terminal(venue: Venue, market: str) -> None:
    venue.call("buy", "5", "50", "--market", market, "--trader", "a\x1b[2Jb\nc")
    table = venue.call("orders", "--market", market).out
    assert "a?[2Jb?c" in table
    assert len(table.splitlines()) == 2


def test_positions_sum_to_zero(venue: Venue, market: str) -> None:
    trade(venue, market, 5, 50)
    held = venue.call("positions", "--market", market, "--json").json()
    assert {row["trader"]: (row["qty"], row["cash"]) for row in held} == {
        f"ann-{market}": (-5, 250),
        f"bob-{market}": (5, -250),
    }
    (mine,) = venue.call("positions", "--trader", f"bob-{market}", "--json").json()
    assert (mine["market"], mine["qty"]) == (market, 5)
    assert len(venue.call("positions", "--market", market).out.splitlines()) == 3


def test_fills_are_oldest_first_and_the_last_of_their_market(venue: Venue, market: str) -> None:
    for price in (50, 51, 52):
        trade(venue, market, 1, price)
    venue.call("sell", "1", "9", "--trader", "x")
    for _ in range(3):
        venue.call("buy", "1", "9", "--trader", "y")
        venue.call("sell", "1", "9", "--trader", "x")
    prices = [fill["price"] for fill in venue.call("fills", "-m", market, "--json").lines()]
    assert prices == [50, 51, 52]
    last = venue.call("fills", "-m", market, "--json", "--limit", "2").lines()
    assert [fill["price"] for fill in last] == [51, 52]
    words = venue.call("fills", "-m", market, "--limit", "1").out
    assert words.startswith(last[1]["trade_id"])
    assert f"{market}  buy 1 @ 52" in words


def test_a_fill_has_the_fields_of_the_contract(venue: Venue, market: str) -> None:
    trade(venue, market, 3, 50)
    (fill,) = venue.call("fills", "--market", market, "--json").lines()
    assert sorted(fill) == [
        *("maker_order_id", "market", "price", "qty", "taker_order_id", "taker_side"),
        *("timestamp", "trade_id"),
    ]
    assert (fill["price"], fill["qty"], fill["taker_side"]) == (50, 3, "buy")


def test_follow_goes_on_until_ctrl_c(venue: Venue, market: str) -> None:
    trade(venue, market, 1, 50)
    following = subprocess.Popen(
        command_line("fills", "--follow", "--market", market),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(venue.env),
    )
    try:
        assert following.stdout is not None
        assert "buy 1 @ 50" in following.stdout.readline()
        trade(venue, market, 2, 51)
        assert "buy 2 @ 51" in following.stdout.readline()
        trade(venue, market, 3, 52)
        assert "buy 3 @ 52" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=20)
    finally:
        following.kill()
    assert following.returncode == 130
    assert (out, err.strip()) == ("", "")


def test_follow_without_the_past(venue: Venue, market: str) -> None:
    trade(venue, market, 1, 50)
    following = subprocess.Popen(
        command_line("fills", "--follow", "--limit", "0", "--market", market, "--json"),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(venue.env),
    )
    try:
        assert following.stdout is not None
        # When it begins to follow is not told, so fills are made until one is.
        while not select.select([following.stdout], [], [], 0.05)[0]:
            trade(venue, market, 2, 51)
        assert '"price":51' in following.stdout.readline()
    finally:
        following.kill()
        following.communicate()


def test_a_reader_that_goes_away_gets_no_traceback(venue: Venue, market: str) -> None:
    for price in range(40, 44):
        trade(venue, market, 1, price)
    shown = subprocess.Popen(
        command_line("fills"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(venue.env),
    )
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    said = shown.stderr.read()
    assert shown.wait(20) == 0
    assert said == b""


def test_status(venue: Venue) -> None:
    status = venue.call("status", "--json").json()
    assert (status["leader"], status["epoch"], status["queue_depth"]) == ("alpha", 1, 0)
    assert status["seq"] > 0
    (instance,) = status["instances"]
    assert (instance["id"], instance["role"], instance["epoch"]) == ("alpha", "leading", 1)
    shown = venue.call("status").out.splitlines()
    assert shown[0].startswith("leader alpha  epoch 1  sequence ")
    assert shown[1].split() == ["id", "role", "epoch", "seq", "lag", "pid", "host"]
    assert shown[2].split()[:2] == ["alpha", "leading"]
    assert shown[3].startswith("memory ")
    assert "(half of its machine's memory)" in shown[3]


def test_a_process_prints_data_on_stdout_alone(venue: Venue) -> None:
    done = run("status", "--json", env=venue.env)
    assert (done.code, done.err) == (0, "")
    assert done.json()["leader"] == "alpha"


def test_a_venue_where_nothing_ever_ran(venue: Venue) -> None:
    empty = {"MATCHBOX_KEY_PREFIX": "nothing-here:"}
    status = venue.call("status", "--json", env=empty).json()
    memory = status.pop("memory")
    assert memory["used_bytes"] < memory["limit_bytes"]
    assert [one["entries"] for one in memory["streams"]] == [0, 0]
    assert status == {
        "leader": None,
        "epoch": 0,
        "seq": 0,
        "queue_depth": 0,
        "last_order_id": 0,
        "instances": [],
        "consumers": [],
    }
    assert venue.call("status", env=empty).out.startswith("leader -  epoch 0")
    book = venue.call("book", "--json", env=empty).json()
    assert book == {"bids": [], "asks": [], "sequence": 0}
    assert venue.call("orders", "--json", env=empty).json() == []
    assert venue.call("positions", "--json", env=empty).json() == []
    assert venue.call("fills", "--json", env=empty).out == ""
