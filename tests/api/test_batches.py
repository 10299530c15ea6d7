"""POST /orders/batch: all or none, in their order."""

from typing import Any

import pytest

from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


def order(price: int = 50, **more: Any) -> dict[str, Any]:
    return {"side": "buy", "price": price, "qty": 10, **more}


async def ids(api: Api) -> list[int]:
    await api.settled()
    return [shown["id"] for shown in await api.get("/orders", limit=1000)]


async def test_a_batch_gets_ids_in_its_order(shared_api: Api) -> None:
    orders = [order(price) for price in range(1, 101)]
    answer = await shared_api.http.post("/orders/batch", json={"orders": orders})
    assert answer.status_code == 201
    given = answer.json()["order_ids"]
    assert given == list(range(given[0], given[0] + 100))
    await shared_api.settled()
    shown = await shared_api.get("/orders", after=given[0] - 1)
    assert [(each["id"], each["price"]) for each in shown] == list(
        zip(given, range(1, 101), strict=True)
    )


async def test_a_thousand_orders_are_one_batch(shared_api: Api) -> None:
    answer = await shared_api.http.post("/orders/batch", json={"orders": [order()] * 1000})
    assert answer.status_code == 201
    assert len(set(answer.json()["order_ids"])) == 1000


@pytest.mark.parametrize(
    ("orders", "status", "words"),
    [
        ([order(), order(), order(), order(qty=0)], 400, "orders[3].qty must be > 0"),
        ([order(), order(0)], 400, "orders[1].price must be > 0"),
        ([order(qty="1")], 422, "orders[0].qty must be a whole number, not text"),
        ([order(), order(side="hold")], 422, "orders[1].side must be buy or sell"),
        ([order(), {"side": "buy", "price": 1}], 422, "orders[1].qty is missing"),
        ([order(), {"side": "buy", "qty": 1}], 422, "orders[1].price is missing"),
        ([order(), order(colour="red")], 422, "orders[1].colour: unknown field; use side, qty"),
        ([order(), order(market="NO")], 422, "orders[1].market 'NO': no market"),
        ([order(market="RAIN", price=100)], 400, "orders[0].price is outside"),
        ([order(), 7], 422, "orders[1] must be an object, not a whole number"),
        ([order(qty=2.0), order(qty=0.5)], 422, "orders[1].qty must be a whole number"),
        ([], 400, "orders must hold 1 to 1000 orders"),
        ([order()] * 1001, 400, "orders must hold 1 to 1000 orders"),
        ({"side": "buy"}, 422, "orders must be an array, not an object"),
    ],
    ids=range(14),
)
async def test_one_bad_order_refuses_the_batch_and_is_named(
    shared_api: Api, orders: Any, status: int, words: str
) -> None:
    before = await ids(shared_api)
    answer = await shared_api.http.post("/orders/batch", json={"orders": orders})
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert await ids(shared_api) == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "orders is missing: orders must hold 1 to 1000"),
        ({"orders": [order()], "atomic": True}, "atomic: unknown field; use orders"),
        ([order()], "the body must be an object, not an array"),
    ],
)
async def test_what_is_no_batch_is_422(shared_api: Api, body: Any, words: str) -> None:
    answer = await shared_api.http.post("/orders/batch", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]


async def test_a_batch_may_have_one_mib_and_no_more(shared_api: Api) -> None:
    body = b'{"orders":[{"side":"buy","price":50,"qty":10}]}'
    fits = await shared_api.http.post("/orders/batch", content=body.ljust(1024 * 1024))
    long = await shared_api.http.post("/orders/batch", content=body.ljust(1024 * 1024 + 1))
    assert (fits.status_code, long.status_code) == (201, 413)
    assert "at most 1024 KiB" in long.json()["error"]


async def test_a_batch_sent_again_queues_what_was_not_queued_before(shared_api: Api) -> None:
    named = [order(client_order_id=f"b-{number}") for number in range(3)]

    async def post(orders: list[dict[str, Any]]) -> tuple[int, list[int]]:
        answer = await shared_api.http.post("/orders/batch", json={"orders": orders})
        return answer.status_code, answer.json()["order_ids"]

    before = await ids(shared_api)
    first = await post(named[:2])
    both = await post(named)
    again = await post(named)
    twice = await post([order(client_order_id="b-9"), order(client_order_id="b-9")])
    assert (first[0], both[0], again[0], twice[0]) == (201, 201, 200, 201)
    assert both[1][:2] == first[1]
    assert again == (200, both[1])
    assert twice[1][0] == twice[1][1]
    assert len(await ids(shared_api)) == min(len(before) + 4, 1000)
