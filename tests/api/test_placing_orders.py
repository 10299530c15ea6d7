"""POST /orders: what is taken, under which id, and what it says right after."""

import asyncio
import time
from typing import Any

import pytest

from tests.api.serving import Api, serving
from tests.node.venue import Venue

HOUR = 3600 * 1_000_000_000


async def test_an_order_is_queued_and_its_id_returned(api: Api) -> None:
    answer = await api.http.post("/orders", json={"side": "buy", "price": 50, "qty": 10})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"order_id": 1}
    await api.settled()
    assert (await api.get("/orderbook"))["bids"] == [{"price": 50, "qty": 10}]


async def test_right_after_its_201_an_order_is_pending_at_least(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix) as api:  # Nobody leads: it stays in the queue.
        order_id = await api.place("sell", 51, 3, trader="alice")
        shown = await api.get(f"/orders/{order_id}")
        listed = await api.get("/orders")
    assert shown["status"] == "pending"
    assert (shown["side"], shown["price"], shown["qty"]) == ("sell", 51, 3)
    assert (shown["cum_qty"], shown["leaves_qty"]) == (0, 3)
    assert listed == [shown]


async def test_an_order_that_another_instance_took_is_known_while_it_is_queued(
    venue: Venue,
) -> None:
    async with (
        serving(venue.url, venue.prefix) as one,
        serving(venue.url, venue.prefix) as other,
    ):
        order_id = await one.place(price=47)
        shown = await other.get(f"/orders/{order_id}")
    assert (shown["id"], shown["status"], shown["price"]) == (order_id, "pending", 47)


async def test_an_order_shows_all_that_was_asked_for(api: Api) -> None:
    before = time.time_ns()
    order_id = await api.place(
        side="sell",
        price=70,
        qty=5,
        market="RAIN",
        trader="alice",
        time_in_force="GTD",
        expires_at=before + HOUR,
        post_only=True,
        client_order_id="mine-1",
    )
    await api.settled()
    shown = await api.get(f"/orders/{order_id}")
    assert before <= shown.pop("timestamp") <= time.time_ns()
    assert shown == {
        "id": order_id,
        "market": "RAIN",
        "side": "sell",
        "type": "limit",
        "price": 70,
        "qty": 5,
        "cum_qty": 0,
        "leaves_qty": 5,
        "status": "open",
        "trader": "alice",
        "client_order_id": "mine-1",
        "time_in_force": "GTD",
    }


async def test_optional_fields_reach_the_engine(api: Api) -> None:
    """What an answer does not show is seen in what becomes of the orders."""
    resting = await api.place("sell", 60, 5, trader="alice")
    crossing = await api.place("buy", 60, 5, post_only=True)
    own = await api.place("buy", 60, 5, trader="alice", self_trade_prevention="cancel_both")
    growing = await api.place("sell", 60, 5, time_in_force="IOC", reduce_only=True, trader="bob")
    await api.settled()
    seen = {order["id"]: order for order in await api.get("/orders")}
    assert (seen[crossing]["status"], seen[crossing]["reason"]) == (
        "rejected",
        "post_only_would_cross",
    )
    assert [seen[resting]["status"], seen[own]["status"]] == ["cancelled", "cancelled"]
    assert seen[growing]["reason"] == "reduce_only_would_increase"


async def test_a_market_order_takes_what_is_there(api: Api) -> None:
    await api.place("sell", 60, 5)
    answer = await api.http.post("/orders", json={"side": "buy", "type": "market", "qty": 8})
    assert answer.status_code == 201
    await api.settled()
    shown = await api.get(f"/orders/{answer.json()['order_id']}")
    assert (shown["type"], shown["status"], shown["cum_qty"]) == ("market", "expired", 5)


async def test_a_client_order_id_queues_one_order_however_often_it_is_sent(api: Api) -> None:
    order = {"side": "buy", "price": 50, "qty": 10, "trader": "bob", "client_order_id": "b-1"}
    first = await api.http.post("/orders", json=order)
    again = await api.http.post("/orders", json=order)
    anothers = await api.http.post("/orders", json=order | {"trader": "carol"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert anothers.status_code == 201
    await api.settled()
    assert len(await api.get("/orders")) == 2


async def test_orders_posted_at_once_are_all_queued_once(api: Api) -> None:
    ids = await asyncio.gather(*(api.place(price=price) for price in range(1, 101)))
    assert sorted(ids) == list(range(1, 101))
    await api.settled()
    shown = await api.get("/orders", limit=1000)
    assert sorted(order["price"] for order in shown) == list(range(1, 101))


@pytest.mark.parametrize(
    "body",
    [
        b'{"side":"buy","price":50.0,"qty":1e1}',
        b' {"qty":10,\n"price":50,"side":"buy"}\n',
        b'{"side":"buy","price":50,"qty":10,"market":"MAIN","type":"limit"}',
        b'{"side":"buy","price":50,"qty":10,"trader":""}',
    ],
)
async def test_one_order_may_be_written_in_many_ways(api: Api, body: bytes) -> None:
    answer = await api.http.post("/orders", content=body)
    assert answer.status_code == 201
    await api.settled()
    assert (await api.get("/orderbook"))["bids"] == [{"price": 50, "qty": 10}]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": 'Application/JSON ; charset="UTF-8"'},
    ],
)
async def test_json_may_be_declared_in_many_ways_or_not_at_all(
    api: Api, headers: dict[str, str]
) -> None:
    answer = await api.http.post(
        "/orders", content=b'{"side":"buy","price":50,"qty":10}', headers=headers
    )
    assert answer.status_code == 201


async def test_a_name_may_hold_whatever_text_can(api: Api) -> None:
    name = 'J\u00fcrgen "\u5b57" \U0001f600 \x00{}'
    order_id = await api.place(trader=name, client_order_id=name)
    await api.settled()
    shown: Any = await api.get(f"/orders/{order_id}")
    assert (shown["trader"], shown["client_order_id"]) == (name, name)
    assert [order["id"] for order in await api.get("/orders", trader=name)] == [order_id]
