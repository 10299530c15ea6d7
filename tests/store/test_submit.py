"""SUBMIT: ids and queue grow together, in one step, in order."""

import asyncio

import pytest

from matchbox_tui.engine import CancelAll, NewOrder, Tagged, encode_command
from matchbox_tui.store import MAX_BATCH, Client, Keys, Link, Server
from matchbox_tui.store.scripts import SUBMIT
from tests.store.build import altered, buy, cancel, queued, sell


async def test_ids_are_counted_in_queue_order(client: Client, link: Link, keys: Keys) -> None:
    assert await client.submit([buy(50), sell(51)]) == [1, 2]
    assert await client.submit([buy(49)]) == [3]
    waiting = await queued(link, keys)
    assert [(order.order_id, order.price) for order in waiting] == [(1, 50), (2, 51), (3, 49)]
    assert await link.call("GET", keys.order_id) == b"3"


async def test_an_order_arrives_with_all_its_fields(client: Client, link: Link, keys: Keys) -> None:
    sent = sell(7, 3, trader="ada", market="RAIN", timestamp=2**62, post_only=True)
    await client.submit([sent])
    (arrived,) = await queued(link, keys)
    assert arrived.order_id == 1
    assert {**_fields(arrived), "order_id": 0} == _fields(sent)


async def test_the_id_that_an_order_comes_with_is_not_used(
    client: Client, link: Link, keys: Keys
) -> None:
    assert await client.submit([buy(order_id=777)]) == [1]
    assert [order.order_id for order in await queued(link, keys)] == [1]


async def test_a_mixed_batch_keeps_its_order(client: Client, link: Link, keys: Keys) -> None:
    batch: list[NewOrder | Tagged] = [
        buy(50),
        cancel(1),
        sell(51, client_order_id="x"),
        CancelAll("ada"),
        buy(49),
    ]
    assert await client.submit(batch) == [1, 0, 2, 0, 3]
    waiting = await queued(link, keys)
    assert [type(command) for command in waiting] == [type(command) for command in batch]


async def test_a_known_client_order_id_queues_nothing(
    client: Client, link: Link, keys: Keys
) -> None:
    named = buy(50, trader="ada", client_order_id="mine")
    assert await client.submit([buy(1), named]) == [1, 2]
    assert await client.submit([named]) == [-2]
    assert await client.submit([sell(60), named, sell(61)]) == [3, -2, 4]
    assert [order.order_id for order in await queued(link, keys)] == [1, 2, 3, 4]


async def test_a_batch_of_known_ids_only_takes_no_id(
    client: Client, link: Link, keys: Keys
) -> None:
    named = buy(50, client_order_id="mine")
    await client.submit([named])
    assert await client.submit([named, named]) == [-1, -1]
    assert await client.submit([buy(51)]) == [2]


async def test_the_same_client_order_id_twice_in_a_batch_is_one_order(
    client: Client, link: Link, keys: Keys
) -> None:
    named = buy(50, trader="ada", client_order_id="mine")
    assert await client.submit([named, buy(49), named]) == [1, 2, -1]
    assert len(await queued(link, keys)) == 2


async def test_two_traders_may_use_the_same_client_order_id(
    client: Client, link: Link, keys: Keys
) -> None:
    orders = [buy(50, trader=trader, client_order_id="1") for trader in ("ada", "bob", "")]
    assert await client.submit(orders) == [1, 2, 3]
    assert len(await queued(link, keys)) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a:b", "c"), ("a", "b:c")),
        (("", "a:b"), ("a", "b")),
        (("a%3Ab", "c"), ("a:b", "c")),
    ],
)
async def test_colons_in_names_make_no_two_orders_one(
    client: Client, one: tuple[str, str], other: tuple[str, str]
) -> None:
    orders = [buy(trader=trader, client_order_id=name) for trader, name in (one, other)]
    assert await client.submit(orders) == [1, 2]


async def test_a_client_order_id_is_forgotten_after_a_day(
    client: Client, link: Link, keys: Keys
) -> None:
    await client.submit([buy(trader="ada", client_order_id="mine")])
    left = await link.call("PTTL", keys.client_order("ada", "mine"))
    assert 23 * 3600 * 1000 < left <= 24 * 3600 * 1000


async def test_clients_that_race_with_one_client_order_id_make_one_order(
    url: str, prefix: str, keys: Keys, link: Link
) -> None:
    clients = [await Client.connect(url, prefix) for _ in range(8)]
    named = buy(50, trader="ada", client_order_id="mine")
    answers = await asyncio.gather(*(client.submit([named]) for client in clients))
    for client in clients:
        await client.close()
    assert sorted(number for (number,) in answers) == [-1] * 7 + [1]
    assert [order.order_id for order in await queued(link, keys)] == [1]


async def test_batches_of_clients_that_race_are_not_mixed(
    url: str, prefix: str, keys: Keys, link: Link
) -> None:
    clients = [await Client.connect(url, prefix) for _ in range(4)]

    async def submit(client: Client, price: int) -> list[list[int]]:
        return [await client.submit([buy(price)] * 20) for _ in range(10)]

    answers = await asyncio.gather(*(submit(client, n + 1) for n, client in enumerate(clients)))
    for client in clients:
        await client.close()
    waiting = await queued(link, keys)
    assert [order.order_id for order in waiting] == list(range(1, 801))
    prices = {order.order_id: order.price for order in waiting}
    for price, batches in enumerate(answers, 1):
        for ids in batches:
            assert ids == list(range(ids[0], ids[0] + 20))
            assert {prices[order_id] for order_id in ids} == {price}


async def test_a_thousand_commands_go_in_one_batch(client: Client, link: Link, keys: Keys) -> None:
    assert MAX_BATCH == 1000
    batch = [buy(client_order_id=str(n)) for n in range(MAX_BATCH)]
    assert await client.submit(batch) == list(range(1, MAX_BATCH + 1))
    assert await link.call("LLEN", keys.queue) == MAX_BATCH


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
async def test_a_batch_of_no_command_or_of_too_many_is_refused(
    client: Client, link: Link, prefix: str, count: int
) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        await client.submit([buy()] * count)
    assert await link.call("KEYS", f"{prefix}*") == []


async def test_ids_are_exact_up_to_the_largest(client: Client, link: Link, keys: Keys) -> None:
    await link.call("SET", keys.order_id, 2**53 - 3)
    assert await client.submit([buy(), buy()]) == [2**53 - 2, 2**53 - 1]
    assert [order.order_id for order in await queued(link, keys)] == [2**53 - 2, 2**53 - 1]


async def test_without_remembering_within_the_batch_an_order_would_be_doubled(
    url: str, link: Link, keys: Keys
) -> None:
    forgetful = altered(SUBMIT, ("      known[key] = id\n", ""))
    body = b"*" + encode_command(buy(client_order_id="x")).split(b",", 1)[1]
    name = keys.client_order("", "x")
    bare = Server(url).link()
    replies = await bare.run(
        forgetful, [keys.queue, keys.order_id, name, name], [9, 9, 0, body, body]
    )
    await bare.close()
    assert replies == [1, 2]


def _fields(order: NewOrder) -> dict[str, object]:
    return {field: getattr(order, field) for field in order.__struct_fields__}
