"""The server is killed and started again: instances come back and lose nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from matchbox_tui.engine import OrderAccepted
from matchbox_tui.store import Client, InDoubt, Server, Unreachable
from tests.node.venue import Venue, buy, sell
from tests.servers import OwnServer, Proxy
from tests.waiting import eventually, soon


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with OwnServer(tmp_path) as server:
        yield server


@pytest.fixture
async def venue(own: OwnServer) -> AsyncIterator[Venue]:
    client = await Client.connect(own.url)
    link = Server(own.url).link()
    opened = Venue(own.url, "", client, link)
    yield opened
    await opened.stop()
    await client.close()
    await link.close()


def _kill(own: OwnServer) -> None:
    os.kill(own.pid, signal.SIGKILL)
    soon(lambda: not own.answers())
    own.stop()


async def test_instances_go_on_after_the_server_was_killed(venue: Venue, own: OwnServer) -> None:
    instances = [await venue.lead("a"), venue.start("b")]
    await venue.client.submit([buy(50, 10), sell(51, 10)])
    await venue.handled()
    for n in range(3):
        _kill(own)
        own.start()
        await eventually(_submits(venue, n))
        await venue.handled()
    replica = await venue.replica()
    assert len(replica.exchange.orders) == replica.seq == 5
    for instance in instances:
        assert (await venue.caught_up(instance)).tip == replica.tip
        assert not instance.task.done()


def _submits(venue: Venue, n: int) -> Callable[[], Awaitable[bool]]:
    """Submits one order, which its client_order_id makes safe to repeat."""

    async def submitted() -> bool:
        try:
            return bool(await venue.client.submit([buy(40 + n, 1, client_order_id=f"n{n}")]))
        except (InDoubt, Unreachable):
            return False

    return submitted


async def test_killed_under_load_the_server_loses_nothing_acknowledged(
    venue: Venue, own: OwnServer
) -> None:
    for name in "ab":
        venue.start(name)
    acknowledged: list[int] = []
    in_doubt = 0
    stopping = asyncio.Event()

    async def submit() -> None:
        nonlocal in_doubt
        while not stopping.is_set():
            try:
                acknowledged.extend(await venue.client.submit([buy(50, 1), sell(50, 1)] * 10))
            except InDoubt:
                in_doubt += 20
            except Unreachable:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0)

    load = asyncio.ensure_future(submit())
    for _ in range(2):
        seen = len(acknowledged)
        await eventually(_grown(acknowledged, seen + 400))
        _kill(own)
        own.start()
    await eventually(_grown(acknowledged, len(acknowledged) + 400))
    stopping.set()
    await load
    await venue.handled()
    ids = [one.order_id for one in await venue.events() if isinstance(one, OrderAccepted)]
    assert ids == sorted(set(ids))
    assert set(acknowledged) <= set(ids)
    assert len(ids) <= len(acknowledged) + in_doubt


def _grown(grows: list[int], length: int) -> Callable[[], Awaitable[bool]]:
    async def grown() -> bool:
        return len(grows) >= length

    return grown


async def test_a_node_that_starts_before_its_server_waits_for_it(
    venue: Venue, own: OwnServer
) -> None:
    own.stop()
    instance = venue.start("a")
    await asyncio.sleep(0.05)
    assert not instance.task.done()
    own.start()
    await venue.leads("a")


async def test_a_node_stops_while_its_server_is_away(venue: Venue, own: OwnServer) -> None:
    await venue.lead("a")
    venue.start("b")
    own.stop()
    async with asyncio.timeout(20):
        await venue.stop()
    own.start()


async def test_a_lost_reply_to_a_commit_repeats_nothing(venue: Venue, own: OwnServer) -> None:
    async with Proxy(own.socket).run() as proxy:
        through = Venue(proxy.url, "", venue.client, venue.link)
        await through.lead("a")
        await venue.client.submit([buy(1)])
        await venue.handled()
        for price in range(2, 12):
            proxy.eat_reply_to = f'"price":{price},'.encode()
            await venue.client.submit([buy(price)])
            await venue.handled()
        assert proxy.eaten == 10
        replica = await venue.replica()
        assert replica.seq == 11
        assert [order.price for order in replica.exchange.orders.values()] == list(range(1, 12))
        assert (await through.caught_up(through.instances["a"])).tip == replica.tip
        # It asked again instead of giving the lead up.
        assert {entry.epoch for entry in await venue.journal()} == {1}
        await through.stop()
