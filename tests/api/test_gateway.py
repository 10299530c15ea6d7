"""What the gateway knows of an order, wherever that is: in its view, in the queue, nowhere."""

import asyncio

import pytest

from matchbox_tui.api import Gateway
from matchbox_tui.api import gateway as module
from matchbox_tui.engine import CancelOrder
from matchbox_tui.store import Client, ClusterStatus, Unreachable
from tests.api.serving import Api
from tests.node.venue import QUIET, Venue, buy, sell


@pytest.fixture
def gateway(api: Api) -> Gateway:
    return api.gateway


async def status(gateway: Gateway, order_id: int) -> str | None:
    record = await gateway.order(order_id)
    return record.status.value if record is not None else None


async def test_an_order_is_known_the_moment_it_is_acknowledged(
    gateway: Gateway, led: Venue
) -> None:
    await led.stop()
    first, second = await gateway.place([buy(50), sell(60)])
    assert (first.order_id, second.order_id) == (1, 2)
    assert [record.status for record in gateway.view.orders.after(0)] == ["pending", "pending"]
    await led.lead("b", settings=QUIET)
    await led.handled()
    await gateway.reader.reach((await gateway.cluster()).seq, 30)
    assert [await status(gateway, n) for n in (1, 2)] == ["open", "open"]


async def test_an_order_that_another_took_is_found_in_the_queue(
    gateway: Gateway, led: Venue
) -> None:
    await led.stop()
    (order_id,) = await led.client.submit([buy(50)])
    await led.client.submit([CancelOrder(order_id)])
    assert gateway.view.orders.get(order_id) is None
    assert await status(gateway, order_id) == "pending"


async def test_an_order_that_another_took_is_found_on_its_way(gateway: Gateway, led: Venue) -> None:
    """From the acknowledgement on there is no moment at which it is unknown."""
    for _ in range(100):
        (order_id,) = await led.client.submit([buy(50)])
        assert await status(gateway, order_id) in ("pending", "open")


async def test_an_order_that_nobody_took_is_not_known(gateway: Gateway) -> None:
    await gateway.place([buy(50)])
    assert [await status(gateway, n) for n in (0, 2, 3, 2**53 - 1)] == [None] * 4


async def test_many_that_ask_at_once_share_the_answer(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = gateway.client.cluster

    async def counted() -> object:
        nonlocal asked
        asked += 1
        return await ask()

    monkeypatch.setattr(gateway.client, "cluster", counted)
    answers = await asyncio.gather(*(gateway.cluster() for _ in range(50)))
    assert len({id(answer) for answer in answers}) <= 2
    # The reader's own pulse may be one of them.
    assert asked <= 3


async def test_an_order_is_found_while_an_older_answer_of_the_server_is_on_its_way(
    led: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(led.url, led.prefix, "api")
    gateway = Gateway(client)
    look, late = client.cluster, asyncio.Event()

    async def delayed() -> ClusterStatus:
        status = await look()
        await late.wait()
        return status

    monkeypatch.setattr(client, "cluster", delayed)
    asking = asyncio.create_task(gateway.cluster())
    await asyncio.sleep(0.05)
    (order_id,) = await led.client.submit([buy(50)])
    await led.handled()
    looking = asyncio.create_task(status(gateway, order_id))
    await asyncio.sleep(0.05)
    late.set()
    await asking
    reading = asyncio.create_task(gateway.run())
    try:
        assert await looking == "open"
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await client.close()


async def test_an_instance_that_is_behind_does_not_say_that_an_order_is_unknown(
    led: Venue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REACH_SECONDS", 0.01)
    (order_id,) = await client.submit([buy(50)])
    await led.handled()
    with pytest.raises(Unreachable, match="has not read all of the journal yet"):
        await Gateway(client).order(order_id)


async def test_nobody_waits_behind_others_for_a_server_that_does_not_answer(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKUP_SECONDS", 0.05)

    async def hang(order_id: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(gateway.client, "queued_order", hang)
    asked = (gateway.order(order_id) for order_id in range(1, 41))
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the order could not be looked up in time"] * 40


async def test_whoever_asked_and_left_takes_nothing_from_the_others(gateway: Gateway) -> None:
    leaving = asyncio.ensure_future(gateway.cluster())
    staying = asyncio.ensure_future(gateway.cluster())
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).leader == "a"


async def test_a_repeated_client_order_id_is_the_first_order(gateway: Gateway) -> None:
    named = buy(50, trader="ann", client_order_id="x")
    (first,) = await gateway.place([named])
    again, other = await gateway.place([named, buy(51)])
    assert (again.order_id, again.repeated) == (first.order_id, True)
    assert (other.order_id, other.repeated) == (first.order_id + 1, False)
    meter = gateway.meter
    assert (meter.orders_submitted, meter.orders_repeated) == (2, 1)
