"""replace, halt and resume on a running venue."""

import pytest

from tests.cli.venue import Venue


def rest(venue: Venue, market: str, side: str, qty: str, price: str) -> int:
    placed = venue.call(side, qty, price, "--market", market, "--json").json()
    assert placed["status"] == "open"
    return int(placed["order_id"])


def test_an_order_gets_another_price(venue: Venue, market: str) -> None:
    order_id = rest(venue, market, "buy", "10", "40")
    done = venue.call("replace", str(order_id), "--price", "45")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"order {order_id}: open, 10 resting at 45\n"
    book = venue.call("book", "--market", market, "--json").json()
    assert book["bids"] == [{"price": 45, "qty": 10}]


def test_a_smaller_order_keeps_its_price(venue: Venue, market: str) -> None:
    order_id = rest(venue, market, "buy", "10", "40")
    done = venue.call("replace", str(order_id), "--qty", "4", "--json").json()
    assert done == {
        "order_id": order_id,
        "status": "open",
        "leaves_qty": 4,
        "price": 40,
        "fills": [],
        "reason": "",
    }


def test_a_better_price_may_trade_at_once(venue: Venue, market: str) -> None:
    rest(venue, market, "sell", "6", "60")
    order_id = rest(venue, market, "buy", "10", "40")
    done = venue.call("replace", str(order_id), "--price", "61")
    assert done.out == f"order {order_id}: open, 6 @ 60, 4 resting at 61\n"
    rest(venue, market, "sell", "4", "70")
    done = venue.call("replace", str(order_id), "--price", "70")
    assert done.out == f"order {order_id}: filled, 4 @ 70\n"


def test_a_total_that_was_filled_already_ends_it(venue: Venue, market: str) -> None:
    order_id = rest(venue, market, "buy", "10", "40")
    venue.call("sell", "6", "40", "--market", market)
    done = venue.call("replace", str(order_id), "--qty", "6")
    assert done.code == 0
    assert done.out == f"order {order_id}: cancelled (the new qty was filled already)\n"


def test_an_order_that_is_not_open_is_refused_in_words(venue: Venue) -> None:
    done = venue.call("replace", "999999999", "--qty", "6")
    assert done.code == 4
    assert done.out == "order 999999999: rejected (no open order has this id)\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("1",), "--qty or --price is missing"),
        (("1", "--qty", "0"), "--qty 0: qty must be > 0"),
        (("1", "--price", "-3"), "--price -3: price must be > 0"),
        (("0", "--qty", "1"), "ID 0: use the number"),
        (("1", "--qty", "1", "--timeout", "0"), "--timeout 0: use 1 or more"),
    ],
)
def test_a_wrong_change_names_the_option(
    venue: Venue, arguments: tuple[str, ...], words: str
) -> None:
    done = venue.call("replace", *arguments)
    assert done.code == 2
    assert words in done.err
    assert done.out == ""


def test_a_halted_market_takes_cancels_only_until_it_is_resumed(venue: Venue, market: str) -> None:
    order_id = rest(venue, market, "buy", "10", "40")
    assert venue.call("halt", market).out == f"{market}: halted\n"
    refused = venue.call("buy", "1", "41", "--market", market)
    assert refused.code == 4
    assert "halted" in refused.out
    assert venue.call("cancel", str(order_id)).code == 0
    assert venue.call("resume", market, "--json").json() == {
        "market": market,
        "status": "open",
        "reason": "",
    }
    assert venue.call("buy", "1", "41", "--market", market).code == 0


def test_an_unknown_market_can_not_be_halted(venue: Venue) -> None:
    done = venue.call("halt", "NOWHERE")
    assert done.code == 4
    assert done.out == "NOWHERE: rejected (no market has this symbol)\n"
