"""Looking for an order that waits in the queue, whatever else stands there."""

import asyncio
from typing import Any

import pytest

from matchbox_tui.engine import CancelOrder, NewOrder, ReplaceOrder, Side, encode_command
from matchbox_tui.store import Client, Keys, Link
from matchbox_tui.store.client import FIND_AT_ONCE
from tests.store.build import buy


async def rpush(link: Link, keys: Keys, *elements: str | bytes) -> None:
    await link.call("RPUSH", keys.queue, *elements)
    await link.call("SET", keys.order_id, 10_000)


async def test_an_order_is_found_among_all_that_waits(client: Client) -> None:
    await client.submit([buy(price) for price in range(1, 1001)])
    await client.submit([buy(price) for price in range(1001, 1601)])
    for order_id in (1, 600, 601, 1000, 1600):
        found = await client.queued_order(order_id)
        assert found is not None
        assert (found.order_id, found.price) == (order_id, order_id)


@pytest.mark.parametrize("order_id", [0, 2, 3, 11])
async def test_an_id_that_nobody_has_is_not_found(client: Client, order_id: int) -> None:
    assert await client.submit([buy(50)]) == [1]
    assert await client.queued_order(order_id) is None


async def test_an_order_is_found_behind_what_is_asked_of_it(client: Client) -> None:
    """The cancel and the changes name the same id and stand nearer to the queue's end."""
    (order_id,) = await client.submit([buy(50)])
    await client.submit([ReplaceOrder(order_id=order_id, price=51)] * 3 + [CancelOrder(order_id)])
    found = await client.queued_order(order_id)
    assert found is not None
    assert (found.order_id, found.price) == (order_id, 50)


async def test_however_many_cancels_stand_behind_it_one_look_finds_the_order(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order_id,) = await client.submit([buy(50)])
    await client.submit([CancelOrder(order_id)] * 500)
    looks = 0
    run = client._asking.run

    async def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return await run(*arguments)

    monkeypatch.setattr(client._asking, "run", counted)
    assert await client.queued_order(order_id) is not None
    assert looks == 1


async def test_a_cancel_alone_is_no_order(client: Client) -> None:
    assert await client.submit([buy(50), CancelOrder(1)]) == [1, 0]
    await client.submit([CancelOrder(7)])
    assert await client.queued_order(7) is None


@pytest.mark.parametrize(
    "element",
    [
        '{"id": 5, "side": "buy", "price": 50, "qty": 1}',
        '{"side":"buy","price":50,"qty":1,"id":5}',
        '{"op":"new","id":5,"side":"buy","price":50,"qty":1}',
        '{ "op" : "new", "id" : 5 , "side":"buy","price":50,"qty":1}',
    ],
)
async def test_an_order_is_found_however_it_is_spelled(
    client: Client, link: Link, keys: Keys, element: str
) -> None:
    await rpush(link, keys, element)
    found = await client.queued_order(5)
    assert found is not None
    assert (found.order_id, found.price) == (5, 50)


async def test_what_only_mentions_the_id_hides_no_order(
    client: Client, link: Link, keys: Keys
) -> None:
    order = '{"id":5,"side":"buy","price":50,"qty":1}'
    decoys = (
        '{"id":7,"side":"buy","price":1,"qty":1,"extra":{"id":5}}',
        '{"extra":{"id":5},"id":7,"side":"buy","price":1,"qty":1}',
        '{"id":5,"side":"neither"}',
        '{"id":55,"side":"buy","price":1,"qty":1}',
        '{"id":5,"side":"buy","price":1,"qty":1,"trader":"' + "x" * 20_000 + '"}',
        'no JSON, but it has "id":5}',
        b'\xff\xfe"id":5,',
    )
    await rpush(link, keys, *decoys, order, *decoys)
    found = await client.queued_order(5)
    assert found is not None
    assert (found.order_id, found.price) == (5, 50)
    assert (await client.queued_order(55)) is not None
    assert await client.queued_order(6) is None


@pytest.mark.parametrize("behind", [FIND_AT_ONCE - 2, FIND_AT_ONCE - 1, FIND_AT_ONCE])
async def test_decoys_at_the_border_of_a_step_hide_no_order(
    client: Client, link: Link, keys: Keys, behind: int
) -> None:
    filling = [
        encode_command(NewOrder(order_id=100 + n, side=Side.BUY, qty=1)) for n in range(behind)
    ]
    decoy = '{"id":7,"side":"buy","price":1,"qty":1,"extra":{"id":5}}'
    await rpush(link, keys, '{"id":5,"side":"buy","price":50,"qty":1}', decoy, decoy, *filling)
    found = await client.queued_order(5)
    assert found is not None
    assert found.price == 50


async def test_an_order_is_found_while_others_come_and_go(
    client: Client, link: Link, keys: Keys
) -> None:
    """What is appended moves everything away from the end, and the leader takes from the front."""
    await client.submit([buy(1)] * 900)
    (wanted,) = await client.submit([buy(77)])
    for _ in range(4):
        await client.submit([buy(1)] * 1000)

    async def disturb() -> None:
        for _ in range(30):
            await link.call("RPUSH", keys.queue, *['{"side":"buy"}'] * 150)
            await link.call("LTRIM", keys.queue, 20, -1)

    disturbing = asyncio.ensure_future(disturb())
    while not disturbing.done():
        found = await client.queued_order(wanted)
        assert found is not None
        assert found.price == 77
    await disturbing
