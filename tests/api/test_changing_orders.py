"""PATCH and DELETE: what may be changed, and what is refused for good."""

from typing import Any

import pytest

from tests.api.serving import Api, serving
from tests.node.venue import Venue


async def test_an_order_gets_a_new_price_and_total(api: Api) -> None:
    order_id = await api.place("buy", 50, 10)
    answer = await api.http.patch(f"/orders/{order_id}", json={"price": 51, "qty": 20})
    assert (answer.status_code, answer.json()) == (202, {"order_id": order_id})
    await api.settled()
    shown = await api.get(f"/orders/{order_id}")
    assert (shown["price"], shown["qty"], shown["status"]) == (51, 20, "open")


@pytest.mark.parametrize(
    ("change", "price", "qty"), [({"price": 52}, 52, 10), ({"qty": 4.0}, 50, 4)]
)
async def test_what_is_not_named_stays(
    api: Api, change: dict[str, Any], price: int, qty: int
) -> None:
    order_id = await api.place("buy", 50, 10)
    answer = await api.http.patch(f"/orders/{order_id}", json=change)
    assert answer.status_code == 202
    await api.settled()
    shown = await api.get(f"/orders/{order_id}")
    assert (shown["price"], shown["qty"]) == (price, qty)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "qty and price are missing: give one of them, or both"),
        ({"side": "sell"}, 422, "side: unknown field; use qty, price"),
        ({"qty": "5"}, 422, "qty must be a whole number, not text"),
        ({"qty": None, "price": 3}, 422, "qty must be a whole number, not null"),
        ({"qty": 0}, 400, "qty must be > 0"),
        ({"price": -1}, 400, "price must be > 0"),
        ({"price": 100}, 400, "price is outside the market's range: 1 to 99"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_that_can_not_be_is_refused(
    shared_api: Api, body: dict[str, Any], status: int, words: str
) -> None:
    order_id = await shared_api.place("buy", 50, 10, market="RAIN")
    await shared_api.settled()
    answer = await shared_api.http.patch(f"/orders/{order_id}", json=body)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    await shared_api.settled()
    shown = await shared_api.get(f"/orders/{order_id}")
    assert (shown["price"], shown["qty"], shown["status"]) == (50, 10, "open")


async def test_an_order_is_cancelled(api: Api) -> None:
    order_id = await api.place("buy", 50, 10)
    answer = await api.http.delete(f"/orders/{order_id}")
    assert (answer.status_code, answer.json()) == (202, {"order_id": order_id})
    await api.settled()
    shown = await api.get(f"/orders/{order_id}")
    assert (shown["status"], shown["reason"], shown["leaves_qty"]) == ("cancelled", "requested", 0)
    assert (await api.get("/orderbook"))["bids"] == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_an_order_that_ended_is_409(api: Api, method: str) -> None:
    order_id = await api.place("buy", 50, 10, time_in_force="IOC")
    await api.settled()
    body = {"qty": 5} if method == "PATCH" else None
    answer = await api.http.request(method, f"/orders/{order_id}", json=body)
    assert answer.status_code == 409
    assert answer.json() == {"error": f"order {order_id} is expired: it is no longer open"}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "order_id", ["999999", "0", "-1", "9007199254740992", "1e3", "abc", "1.0", "%00", "9" * 5000]
)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_unknown_order_is_404(shared_api: Api, method: str, order_id: str) -> None:
    body = {"qty": 5} if method == "PATCH" else None
    answer = await shared_api.http.request(method, f"/orders/{order_id}", json=body)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


async def test_an_order_that_still_waits_may_be_changed_and_cancelled(venue: Venue) -> None:
    """What is asked of it gets its turn after it."""
    async with serving(venue.url, venue.prefix) as api:
        moved = await api.place("buy", 50, 10)
        gone = await api.place("buy", 49, 10)
        changed = await api.http.patch(f"/orders/{moved}", json={"price": 51})
        cancelled = await api.http.delete(f"/orders/{gone}")
        assert (changed.status_code, cancelled.status_code) == (202, 202)
        await venue.lead()
        await api.settled()
        assert (await api.get("/orderbook"))["bids"] == [{"price": 51, "qty": 10}]


async def test_all_orders_of_a_trader_are_cancelled(api: Api) -> None:
    await api.place("buy", 50, 1, trader="alice")
    await api.place("buy", 40, 2, trader="alice", market="RAIN")
    await api.place("buy", 49, 4, trader="bob")
    anonymous = await api.place("buy", 48, 8)

    async def left() -> list[int]:
        await api.settled()
        return [order["qty"] for order in await api.get("/orders", status="open")]

    answer = await api.http.delete("/orders", params={"trader": "alice", "market": "RAIN"})
    assert (answer.status_code, answer.json()) == (202, {"trader": "alice", "market": "RAIN"})
    assert await left() == [1, 4, 8]
    answer = await api.http.delete("/orders", params={"trader": "alice"})
    assert (answer.status_code, answer.json()) == (202, {"trader": "alice", "market": None})
    assert await left() == [4, 8]
    assert (await api.http.delete("/orders")).status_code == 202
    assert await left() == [4]
    assert (await api.get(f"/orders/{anonymous}"))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("market=NO", 422, "market 'NO': no market has this symbol"),
        ("tarder=alice", 422, "tarder: unknown query parameter; use market, trader"),
        ("trader=" + "x" * 65, 400, "trader must have at most 64 characters"),
        ("market=" + "x" * 65, 422, "market must have at most 64 characters"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_cancel_all_cancels_nothing(
    shared_api: Api, query: str, status: int, words: str
) -> None:
    order_id = await shared_api.place()
    answer = await shared_api.http.delete(f"/orders?{query}")
    assert answer.status_code == status
    assert words in answer.json()["error"]
    await shared_api.settled()
    assert (await shared_api.get(f"/orders/{order_id}"))["status"] == "open"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_cancel_all_that_says_whose_in_a_body_cancels_nothing(shared_api: Api) -> None:
    order_id = await shared_api.place()
    answer = await shared_api.http.request("DELETE", "/orders", json={"trader": "alice"})
    assert answer.status_code == 422
    assert "use ?trader= and ?market=" in answer.json()["error"]
    await shared_api.settled()
    assert (await shared_api.get(f"/orders/{order_id}"))["status"] == "open"
