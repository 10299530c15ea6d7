"""The traders' own record, and trading on a real venue through thick and thin."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.store import Client, Keys, Overloaded, Server, StoreError
from sim import Cluster, FloorRecord, TradingFloor, make_markets
from tests.servers import OwnServer
from tests.waiting import eventually

MARKETS = make_markets(2, 3)


def test_acknowledged_ids_are_kept_as_ranges() -> None:
    record = FloorRecord()
    record.acknowledge([1, 2, 0, 3])
    record.acknowledge([4])
    record.acknowledge([7, 8, -2, 11])
    assert record.order_ids == [[1, 4], [7, 8], [11, 11]]
    assert record.acknowledged == 9


async def first_outcomes(url: str, prefix: str = "") -> list[int]:
    """The ids of all orders that were accepted or rejected, in the journal's order."""
    link = Server(url, timeout_s=20).link()
    entries = await link.call("XRANGE", Keys(prefix).log, "-", "+")
    await link.close()
    events: list[dict[str, Any]] = [
        event for _, flat in entries for event in json.loads(flat[flat.index(b"b") + 1])
    ]
    return [
        event["order"]["id"] if event["type"] == "order.accepted" else event["order_id"]
        for event in events
        if event["type"] in ("order.accepted", "order.rejected")
    ]


def ids_of(record: FloorRecord) -> list[int]:
    return [n for first, last in record.order_ids for n in range(first, last + 1)]


@pytest.fixture
def cluster(url: str, prefix: str, tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(url, tmp_path, prefix=prefix, markets=MARKETS)
    yield started
    started.stop()


@pytest.fixture
async def floor_client(url: str, prefix: str) -> AsyncIterator[Client]:
    client = await Client.connect(url, prefix, "floor")
    yield client
    await client.close()


async def all_done(client: Client) -> bool:
    return (await client.cluster()).queue_depth == 0


async def test_all_that_was_acknowledged_is_in_the_journal_once(
    cluster: Cluster, floor_client: Client, url: str, prefix: str
) -> None:
    cluster.start(2, 0, 0, 0)
    symbols = tuple(market.symbol for market in MARKETS)
    floor = TradingFloor(floor_client, traders=10, rate=400, seed=1, markets=symbols)
    running = asyncio.ensure_future(floor.run())

    async def leader() -> int:
        status = await floor_client.cluster()
        return next((i.pid for i in status.instances if i.role == "leading" and i.seq > 100), 0)

    killed = await eventually(leader)
    os.kill(killed, signal.SIGKILL)

    async def another() -> bool:
        status = await floor_client.cluster()
        return status.epoch > 1 and status.seq > 500

    await eventually(another)
    floor.stop()
    record = await running
    await eventually(lambda: all_done(floor_client))
    assert (record.in_doubt, record.overloaded, record.unsent) == (0, 0, 0)
    assert record.commands == record.acknowledged
    assert await first_outcomes(url, prefix) == ids_of(record)


async def test_it_outlives_a_server(tmp_path: Path, server_dir: Path) -> None:
    with OwnServer(server_dir) as own:
        cluster = Cluster(own.url, tmp_path, markets=MARKETS)
        client = await Client.connect(own.url, "", "floor")
        try:
            cluster.start(1, 0, 0, 0)
            floor = TradingFloor(client, traders=5, rate=300, seed=1)
            running = asyncio.ensure_future(floor.run())

            async def seq() -> int:
                try:
                    return (await client.cluster()).seq
                except StoreError:
                    return 0

            before = await eventually(seq, lambda at: at > 50)
            os.kill(own.pid, signal.SIGKILL)
            own.stop()
            await asyncio.sleep(0.3)
            own.start()
            await eventually(seq, lambda at: at > before + 50)
            floor.stop()
            record = await running
            await eventually(lambda: all_done(client))
            assert record.in_doubt + record.unsent > 0
            outcomes = await first_outcomes(own.url)
            assert set(ids_of(record)) <= set(outcomes)
            assert len(outcomes) == len(set(outcomes))
        finally:
            cluster.stop()
            await client.close()


class Full(Client):
    """A client whose venue takes nothing."""

    async def submit(self, commands: Any) -> list[int]:
        raise Overloaded("the queue is full")


async def test_what_is_refused_is_counted(cluster: Cluster, url: str, prefix: str) -> None:
    cluster.start(1, 0, 0, 0)
    client = Full(Server(url), Keys(prefix), "floor")
    symbols = tuple(market.symbol for market in MARKETS)
    floor = TradingFloor(client, traders=5, rate=300, seed=1, markets=symbols)
    running = asyncio.ensure_future(floor.run())
    record = floor._record

    async def refused() -> int:
        return record.overloaded

    await eventually(refused)
    floor.stop()
    await running
    await client.close()
    assert record.commands == record.overloaded
    assert (record.acknowledged, record.in_doubt) == (0, 0)


async def test_the_same_seed_hires_the_same_agents(floor_client: Client) -> None:
    from matchbox_tui.engine import Exchange

    def names(seed: int) -> list[tuple[str, str]]:
        floor = TradingFloor(floor_client, traders=30, rate=100, seed=seed)
        return [(a.trader, a.market) for a in floor._hire(Exchange(MARKETS))]

    assert names(4) == names(4)
    assert names(4) != names(5)
    assert len({name for name, _ in names(4)}) == 30


async def test_it_stops_where_no_market_ever_opens(floor_client: Client) -> None:
    floor = TradingFloor(floor_client, traders=5, rate=100, seed=1, markets=("NOWHERE",))
    running = asyncio.ensure_future(floor.run())
    await asyncio.sleep(0.1)
    floor.stop()
    assert (await running).commands == 0
