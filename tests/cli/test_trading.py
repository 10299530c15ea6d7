"""buy, sell, cancel and cancel-all on a running venue."""

import pytest

from tests.cli.command import run
from tests.cli.venue import Venue
from tests.waiting import soon


def levels(venue: Venue, market: str) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
    book = venue.call("book", "--market", market, "--json").json()
    return book["bids"], book["asks"]


def test_an_order_rests_and_is_told(venue: Venue, market: str) -> None:
    done = venue.call("buy", "10", "40", "--market", market)
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith("order ")
    assert done.out.endswith(": open, 10 resting at 40\n")
    assert levels(venue, market) == ([{"price": 40, "qty": 10}], [])


def test_an_order_as_json_has_every_field(venue: Venue, market: str) -> None:
    outcome = venue.call("sell", "7", "60", "--market", market, "--json").json()
    order_id = outcome.pop("order_id")
    assert order_id > 0
    assert outcome == {
        "status": "open",
        "cum_qty": 0,
        "leaves_qty": 7,
        "fills": [],
        "reason": "",
        "repeated": False,
    }


def test_a_fill_is_told_with_its_prices(venue: Venue, market: str) -> None:
    for price in ("50", "51"):
        venue.call("sell", "5", price, "--market", market, "--trader", "ann")
    done = venue.call("buy", "8", "55", "--market", market, "--trader", "bob")
    assert done.code == 0
    assert done.out.endswith(": filled, 5 @ 50 + 3 @ 51\n")
    assert levels(venue, market) == ([], [{"price": 51, "qty": 2}])


def test_a_part_fill_says_what_rests(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    done = venue.call("buy", "8", "52", "--market", market)
    assert done.out.endswith(": open, 5 @ 50, 3 resting at 52\n")


def test_a_process_does_the_same(venue: Venue, market: str) -> None:
    done = run("buy", "10", "40", "--market", market, "--json", env=venue.env)
    assert (done.code, done.err) == (0, "")
    assert done.json()["status"] == "open"


def test_a_market_order_takes_what_is_there(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    outcome = venue.call("buy", "8", "--type", "market", "--market", market, "--json").json()
    assert outcome["fills"] == [[5, 50]]
    assert (outcome["status"], outcome["reason"]) == ("expired", "immediate")
    assert (outcome["cum_qty"], outcome["leaves_qty"]) == (5, 0)


def test_ioc_leaves_nothing(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    outcome = venue.call("buy", "8", "50", "--tif", "ioc", "--market", market, "--json").json()
    assert (outcome["status"], outcome["cum_qty"]) == ("expired", 5)
    assert levels(venue, market) == ([], [])


def test_fok_takes_all_or_nothing(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    done = venue.call("buy", "8", "50", "--tif", "FOK", "--market", market)
    assert (done.code, done.out.partition(": ")[2]) == (
        0,
        "expired (could not be filled whole at once)\n",
    )
    whole = venue.call("buy", "5", "50", "--tif", "FOK", "--market", market, "--json").json()
    assert whole["status"] == "filled"


def test_gtd_ends_by_itself(venue: Venue, market: str) -> None:
    outcome = venue.call(
        *("buy", "5", "50", "--tif", "GTD", "--expires-in", "1", "--market", market, "--json")
    ).json()
    assert outcome["status"] == "open"
    soon(lambda: levels(venue, market) == ([], []))


def test_post_only_never_takes(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    done = venue.call("buy", "5", "50", "--post-only", "--market", market)
    assert done.code == 4
    assert "rejected (post_only order would have traded at once)" in done.out
    assert venue.call("buy", "5", "49", "--post-only", "--market", market).code == 0


def test_reduce_only_closes_no_more_than_there_is(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market, "--trader", "ann")
    venue.call("buy", "5", "50", "--market", market, "--trader", "bob")
    venue.call("buy", "20", "45", "--market", market, "--trader", "cleo")
    reduce = ("--reduce-only", "--tif", "IOC", "--market", market, "--json")
    closed = venue.call("sell", "9", "45", "--trader", "bob", *reduce).json()
    assert (closed["status"], closed["cum_qty"]) == ("filled", 5)
    again = venue.call("sell", "9", "45", "--trader", "bob", *reduce)
    assert again.code == 4
    assert again.json()["reason"] == "reduce_only_would_increase"


@pytest.mark.parametrize(
    ("mode", "status", "left"),
    [
        ("cancel_taker", "cancelled", 5),
        ("cancel_maker", "open", 0),
        ("cancel_both", "cancelled", 0),
        ("none", "filled", 0),
    ],
)
def test_self_trade(venue: Venue, market: str, mode: str, status: str, left: int) -> None:
    mine = ("--market", market, "--trader", "ann")
    venue.call("sell", "5", "50", *mine)
    outcome = venue.call("buy", "5", "50", *mine, "--self-trade", mode, "--json").json()
    assert outcome["status"] == status
    assert levels(venue, market)[1] == ([{"price": 50, "qty": left}] if left else [])


def test_an_unknown_market_rejects_the_order(venue: Venue) -> None:
    done = venue.call("buy", "1", "50", "--market", "NOWHERE")
    assert done.code == 4
    assert done.out.endswith(": rejected (no market has this symbol)\n")


def test_a_price_out_of_range_rejects_the_order(venue: Venue, market: str) -> None:
    done = venue.call("buy", "1", "100", "--market", market, "--json")
    assert done.code == 4
    assert done.json()["reason"] == "price_out_of_range"


def test_the_same_client_order_id_is_one_order(venue: Venue, market: str) -> None:
    order = ("buy", "5", "50", "--market", market, "--trader", "ann", "--client-order-id", market)
    first = venue.call(*order, "--json").json()
    again = venue.call(*order, "--json").json()
    assert again == first | {"repeated": True}
    venue.call("sell", "2", "50", "--market", market)
    partly = venue.call(*order)
    assert partly.out.endswith(
        ": open (sent before under this client order id), 2 @ 50, 3 resting\n"
    )
    venue.call("sell", "3", "50", "--market", market)
    done = venue.call(*order, "--json").json()
    assert (done["order_id"], done["status"]) == (first["order_id"], "filled")
    assert done["fills"] == [[2, 50], [3, 50]]
    assert levels(venue, market) == ([], [])


def test_a_second_try_tells_of_a_first_that_was_cancelled_or_rejected(
    venue: Venue, market: str
) -> None:
    order = ("buy", "5", "50", "--market", market, "--client-order-id", f"{market}-c", "--json")
    order_id = venue.call(*order).json()["order_id"]
    venue.call("cancel", str(order_id))
    assert venue.call(*order).json()["status"] == "cancelled"
    refused = ("buy", "5", "100", "--market", market, "--client-order-id", f"{market}-r")
    assert venue.call(*refused).code == 4
    assert venue.call(*refused).code == 4


def test_cancel(venue: Venue, market: str) -> None:
    order_id = venue.call("buy", "5", "50", "--market", market, "--json").json()["order_id"]
    venue.call("sell", "2", "50", "--market", market)
    done = venue.call("cancel", str(order_id))
    assert (done.code, done.out) == (0, f"order {order_id}: cancelled, 3 not filled\n")
    again = venue.call("cancel", str(order_id))
    assert (again.code, again.out) == (4, "nothing cancelled: no open order has this id\n")


def test_cancel_as_json(venue: Venue, market: str) -> None:
    order_id = venue.call("buy", "5", "50", "--market", market, "--json").json()["order_id"]
    done = venue.call("cancel", str(order_id), "--json")
    assert done.json() == {
        "status": "cancelled",
        "orders": [{"order_id": order_id, "qty": 5}],
        "reason": "",
    }
    again = venue.call("cancel", str(order_id), "--json")
    assert again.code == 4
    assert again.json() == {"status": "rejected", "orders": [], "reason": "unknown_order"}


def test_cancel_all_is_one_traders(venue: Venue, market: str) -> None:
    for trader in ("ann", "ann", "bob"):
        venue.call("buy", "5", "50", "--market", market, "--trader", f"{trader}-{market}")
    done = venue.call("cancel-all", "--trader", f"ann-{market}", "--json")
    assert done.code == 0
    assert [order["qty"] for order in done.json()["orders"]] == [5, 5]
    assert levels(venue, market)[0] == [{"price": 50, "qty": 5}]
    again = venue.call("cancel-all", "--trader", f"ann-{market}")
    assert (again.code, again.out) == (4, "nothing cancelled: the trader has no open order there\n")


def test_cancel_all_in_one_market(venue: Venue, market: str) -> None:
    trader = f"zoe-{market}"
    venue.call("buy", "5", "50", "--market", market, "--trader", trader)
    venue.call("buy", "6", "1", "--trader", trader)
    done = venue.call("cancel-all", "--trader", trader, "--market", "MAIN", "--json")
    assert [order["qty"] for order in done.json()["orders"]] == [6]
    assert levels(venue, market)[0] == [{"price": 50, "qty": 5}]


def test_variables_stand_for_options(venue: Venue, market: str) -> None:
    said = {
        "MATCHBOX_MARKET": market,
        "MATCHBOX_TRADER": "ann",
        "MATCHBOX_TIF": "GTC",
        "MATCHBOX_POST_ONLY": "1",
        "MATCHBOX_CLIENT_ORDER_ID": f"{market}-env",
        "MATCHBOX_JSON": "1",
    }
    outcome = venue.call("buy", "5", "50", env=said).json()
    (order,) = venue.call("orders", "--market", market, "--json").json()
    assert order["id"] == outcome["order_id"]
    assert (order["trader"], order["client_order_id"]) == ("ann", f"{market}-env")
