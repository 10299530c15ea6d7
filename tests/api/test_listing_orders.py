"""GET /orders: by id, page by page, filtered, and never at the cost of others."""

import asyncio

import msgspec
import pytest

from matchbox_tui.api import reading
from matchbox_tui.api.order_log import OrderRecord
from matchbox_tui.engine import NewOrder, OrderAccepted
from tests.api.serving import Api
from tests.node.venue import buy


@pytest.fixture
async def shelf(api: Api) -> dict[str, int]:
    """Orders of every state, by what became of them."""
    made = {
        "filled": await api.place("sell", 60, 5, trader="alice"),
        "taker": await api.place("buy", 60, 5, trader="bob"),
        "open": await api.place("buy", 50, 10, trader="alice"),
        "rain": await api.place("buy", 40, 10, trader="alice", market="RAIN"),
        "expired": await api.place("buy", 10, 5, time_in_force="IOC"),
        "rejected": await api.place("sell", 50, 1, post_only=True, trader="bob"),
        "cancelled": await api.place("buy", 49, 5, trader="bob"),
    }
    await api.http.delete(f"/orders/{made['cancelled']}")
    await api.settled()
    return made


async def test_orders_are_listed_by_id(api: Api, shelf: dict[str, int]) -> None:
    shown = await api.get("/orders")
    assert [order["id"] for order in shown] == sorted(shelf.values())
    for order in shown:
        assert await api.get(f"/orders/{order['id']}") == order


async def test_filters_narrow_the_list(api: Api, shelf: dict[str, int]) -> None:
    for query, names in (
        ({"status": "open"}, ["open", "rain"]),
        ({"status": "filled"}, ["filled", "taker"]),
        ({"status": "expired"}, ["expired"]),
        ({"status": "rejected"}, ["rejected"]),
        ({"status": "cancelled"}, ["cancelled"]),
        ({"status": "pending"}, []),
        ({"trader": "bob"}, ["taker", "rejected", "cancelled"]),
        ({"trader": ""}, ["expired"]),
        ({"trader": "nobody"}, []),
        ({"trader": "null"}, []),
        ({"market": "RAIN"}, ["rain"]),
        ({"trader": "alice", "market": "MAIN", "status": "open"}, ["open"]),
        ({"trader": "alice", "limit": "2"}, ["filled", "open"]),
    ):
        shown = await api.get("/orders", **query)
        assert [order["id"] for order in shown] == [shelf[name] for name in names], query


async def test_pages_follow_each_other(api: Api) -> None:
    answer = await api.http.post(
        "/orders/batch", json={"orders": [{"side": "buy", "price": 5, "qty": 1}] * 250}
    )
    given = answer.json()["order_ids"]
    await api.settled()
    assert len(await api.get("/orders")) == 100
    assert len(await api.get("/orders", limit=1000)) == 250
    seen: list[int] = []
    while page := await api.get("/orders", after=seen[-1] if seen else 0, limit=70):
        seen += [order["id"] for order in page]
    assert seen == given


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("limit=0", 400, "limit must be between 1 and 1000"),
        ("limit=1001", 400, "limit must be between 1 and 1000"),
        ("limit=-1", 400, "limit must be between 1 and 1000"),
        ("limit=ten", 422, "limit must be a whole number, not text"),
        ("limit=", 422, "limit must be a whole number, not text"),
        ("limit=1.5", 422, "limit must be a whole number"),
        ("after=-1", 400, "after must be between 0 and 2**53 - 1"),
        ("after=9007199254740992", 400, "after must be between 0 and 2**53 - 1"),
        ("after=x", 422, "after must be a whole number, not text"),
        (
            "status=done",
            422,
            "status must be pending, open, filled, cancelled, expired, rejected or",
        ),
        (
            "status=null",
            422,
            "status must be pending, open, filled, cancelled, expired, rejected or",
        ),
        ("market=NO", 422, "market 'NO': no market has this symbol"),
        ("trader=" + "x" * 65, 400, "trader must have at most 64 characters"),
        (
            "tarder=bob",
            422,
            "tarder: unknown query parameter; use after, history, limit, market, status",
        ),
        ("limit=1&limit=2", 422, "limit: given more than once"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_parameter_is_refused_by_name(
    shared_api: Api, query: str, status: int, words: str
) -> None:
    answer = await shared_api.http.get(f"/orders?{query}")
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_others_get_their_turn_while_all_orders_are_looked_at(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is whole although orders come, and leave, while it is made."""
    ids = [await api.place(price=5, trader=f"t{number % 2}") for number in range(20)]
    await api.settled()
    monkeypatch.setattr(reading, "RECORDS_A_STEP", 2)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    gateway = api.gateway
    meanwhile = asyncio.ensure_future(others())
    listing = asyncio.ensure_future(
        reading.matching_orders(gateway.view, 0, 1000, lambda record: record.order.trader == "t1")
    )
    await asyncio.sleep(0)
    late = ids[-1] + 1
    record = gateway.view.orders.get(ids[-1])
    assert record is not None
    gateway.view.orders.expect(_like(record.order, late))
    found = await listing
    meanwhile.cancel()
    assert [each.order.order_id for each in found] == [*ids[1::2], late]
    assert turns >= 10


def _like(order: NewOrder, order_id: int) -> NewOrder:
    return msgspec.structs.replace(order, order_id=order_id)


async def test_a_long_list_is_of_one_moment(api: Api) -> None:
    """What was looked at first may have changed by the time that the last is looked at."""
    orders = api.gateway.view.orders
    pending = [msgspec.structs.replace(buy(50), order_id=n) for n in range(1, 1501)]
    for order in pending:
        orders.expect(order)

    def fits(record: OrderRecord) -> bool:
        if record.order.order_id == 1500:
            orders.fold(OrderAccepted(1, pending[0]))
        return True

    listed = await reading.matching_orders(api.gateway.view, 0, 1500, fits)
    assert len(listed) == 1500
    assert [record.status for record in listed[:2]] == ["open", "pending"]
