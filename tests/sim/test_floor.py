"""The traders' own record, and trading on a real venue through thick and thin."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelAll,
    CreateMarket,
    Exchange,
    NewOrder,
    OrderAccepted,
    OrderRejected,
    Side,
)
from matchbox_tui.store import Client, InDoubt, Keys, Overloaded, Replica, Server, StoreError
from sim import Cluster, FloorRecord, TradingFloor, make_markets, standard_crew
from sim.agents import Action, Sight
from sim.agents.kinds import KINDS
from sim.agents.market_maker import MarketMaker, MarketMakerParameters
from sim.agents.noise import NoiseParameters
from sim.agents.orders import quoting
from sim.floor import Doubt
from sim.hiring import Hired
from sim.scenario import Population
from tests.servers import OwnServer
from tests.waiting import eventually

MARKETS = make_markets(2, 3)
SYMBOLS = tuple(market.symbol for market in MARKETS)


def test_acknowledged_ids_are_kept_as_ranges() -> None:
    record = FloorRecord()
    record.acknowledge([1, 2, 0, 3])
    record.acknowledge([4])
    record.acknowledge([7, 8, -2, 11])
    assert record.order_ids == [[1, 4], [7, 8], [11, 11]]
    assert record.acknowledged == 9


def test_orders_in_doubt_are_kept_where_they_can_be_told_apart() -> None:
    record = FloorRecord()
    named = NewOrder(order_id=0, side=Side.BUY, price=1, qty=1, trader="ann", client_order_id="7")
    record.doubt([named, CancelAll("ann"), msgspec.structs.replace(named, client_order_id="")])
    record.doubt([msgspec.structs.replace(named, trader="bob")])
    assert record.in_doubt == 4
    assert record.doubts == [Doubt("ann", "7"), Doubt("bob", "7")]
    assert msgspec.json.decode(msgspec.json.encode(record), type=FloorRecord) == record


def test_two_records_are_joined_to_one() -> None:
    ours, theirs = FloorRecord(commands=3, in_doubt=1), FloorRecord(commands=9, overloaded=2)
    ours.acknowledge([4, 5])
    theirs.acknowledge([1, 3, 6, 0])
    named = NewOrder(order_id=0, side=Side.BUY, price=1, qty=1, trader="ann", client_order_id="7")
    theirs.doubt([named])
    both = ours.joined(theirs)
    assert both == theirs.joined(ours)
    assert both.order_ids == [[1, 1], [3, 6]]
    assert (both.commands, both.acknowledged, both.in_doubt, both.overloaded) == (12, 6, 2, 2)
    assert both.doubts == [Doubt("ann", "7")]
    assert ours.order_ids == [[4, 5]]


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


async def test_market_makers_quote_first_however_many_trade_however_seldom(
    cluster: Cluster, floor_client: Client
) -> None:
    cluster.start(1, 0, 0, 0)
    floor = TradingFloor(floor_client, standard_crew(2000, 200, 1, SYMBOLS))
    running = asyncio.ensure_future(floor.run())
    quotes = 40 * 2 * MarketMakerParameters().levels

    async def quoted() -> bool:
        assert not running.done(), running.result()
        return (await floor_client.cluster()).seq > quotes + len(MARKETS)

    await eventually(quoted)
    floor.stop()
    await running
    accepted: list[NewOrder] = []
    async for entry in floor_client.follow(Replica(), until=quotes + len(MARKETS)):
        accepted += [one.order for one in entry.events if isinstance(one, OrderAccepted)]
    makers = {one.agent.trader for one in floor._seats if isinstance(one.agent, MarketMaker)}
    assert len(makers) == 40
    assert {one.trader for one in accepted[:quotes]} == makers
    sides = {(one.market, one.side) for one in accepted[:quotes]}
    assert sides == {(symbol, side) for symbol in SYMBOLS for side in Side}


async def test_all_that_was_acknowledged_is_in_the_journal_once(
    cluster: Cluster, floor_client: Client, url: str, prefix: str
) -> None:
    cluster.start(2, 0, 0, 0)
    floor = TradingFloor(floor_client, standard_crew(10, 400, 1, SYMBOLS))
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
            floor = TradingFloor(client, standard_crew(5, 300, 1))
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


async def names_in_journal(client: Client) -> list[str]:
    """The client_order_ids of all orders, in the journal's order."""
    replica, events = Replica(), []
    async for entry in client.follow(replica, until=(await client.cluster()).seq):
        events += entry.events
    orders = [e.order for e in events if isinstance(e, OrderAccepted | OrderRejected)]
    return [order.client_order_id for order in orders if order is not None]


def _longer(length: int, names: list[str]) -> bool:
    return len(names) > length


async def test_every_order_has_a_name_of_its_own_where_that_is_asked_for(
    cluster: Cluster, floor_client: Client
) -> None:
    cluster.start(1, 0, 0, 0)
    symbols = tuple(market.symbol for market in MARKETS)
    for wanted in (True, True, False):
        before = await names_in_journal(floor_client)
        enough = len(before) + 50
        floor = TradingFloor(
            floor_client, standard_crew(10, 400, 1, symbols), client_order_ids=wanted
        )
        running = asyncio.ensure_future(floor.run())
        await eventually(lambda: names_in_journal(floor_client), partial(_longer, enough))
        floor.stop()
        await running
        await eventually(lambda: all_done(floor_client))
        names = (await names_in_journal(floor_client))[len(before) :]
        assert all(names) == wanted
        assert any(names) == wanted
        if wanted:
            # Not even a run with the same seed uses a name again.
            assert len({*names, *before}) == len(names) + len(before)


class Forgetful(Client):
    """A client whose every second submit is carried out, and the reply to it lost."""

    count = 0

    async def submit(self, commands: Any) -> list[int]:
        numbers = await super().submit(commands)
        self.count += 1
        if self.count % 2:
            raise InDoubt("lost the server")
        return numbers


async def test_what_is_in_doubt_is_found_in_the_journal_by_its_name(
    cluster: Cluster, url: str, prefix: str
) -> None:
    cluster.start(1, 0, 0, 0)
    client = Forgetful(Server(url), Keys(prefix), "floor")
    symbols = tuple(market.symbol for market in MARKETS)
    floor = TradingFloor(client, standard_crew(5, 300, 1, symbols), client_order_ids=True)
    running = asyncio.ensure_future(floor.run())
    await eventually(lambda: names_in_journal(client), partial(_longer, 50))
    floor.stop()
    record = await running
    await eventually(lambda: all_done(client))
    names = await names_in_journal(client)
    await client.close()
    assert 0 < len(record.doubts) <= record.in_doubt
    # Each is there once; those that were acknowledged are not among the doubtful.
    assert {doubt.client_order_id for doubt in record.doubts} <= set(names)
    assert len(names) == len(set(names)) == len(record.doubts) + len(ids_of(record))


class Full(Client):
    """A client whose venue takes nothing."""

    async def submit(self, commands: Any) -> list[int]:
        raise Overloaded("the queue is full")


async def test_what_is_refused_is_counted(cluster: Cluster, url: str, prefix: str) -> None:
    cluster.start(1, 0, 0, 0)
    client = Full(Server(url), Keys(prefix), "floor")
    symbols = tuple(market.symbol for market in MARKETS)
    floor = TradingFloor(client, standard_crew(5, 300, 1, symbols))
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


def test_the_same_seed_hires_the_same_agents() -> None:
    def names(seed: int) -> list[tuple[str, str]]:
        hired = standard_crew(40, 100, seed)(opened())
        assert hired is not None
        return [(one.agent.trader, one.market) for one in hired]

    assert names(4) == names(4)
    assert names(4) != names(5)
    assert len({name for name, _ in names(4)}) == 40


def opened() -> Exchange:
    """A venue that has come so far as to have its markets, and no other one."""
    exchange = Exchange([])
    for market in MARKETS:
        exchange.apply(CreateMarket(market))
    return exchange


def test_nobody_is_hired_before_the_markets_are_there() -> None:
    wanted = tuple(market.symbol for market in MARKETS)
    half = Exchange([])
    assert standard_crew(40, 100, 1)(half) is None
    half.apply(CreateMarket(MARKETS[0]))
    assert standard_crew(40, 100, 1, wanted)(half) is None
    hired = standard_crew(40, 100, 1, wanted[:1])(half)
    assert hired is not None
    assert {one.market for one in hired} == {wanted[0]}


def test_more_agents_are_hired_where_the_rate_takes_more() -> None:
    def hired(traders: int, rate: int) -> list[Hired]:
        return standard_crew(traders, rate, 1)(opened()) or []

    assert len(hired(40, 100)) == 40
    assert 60 < len(hired(40, 1000)) < len(hired(40, 5000))
    assert len(hired(2000, 100)) == 2000
    kinds = {one.kind for one in hired(20, 100)}
    assert kinds == set(KINDS) - {"spoofer"}


class Eager:
    """An agent that acts whenever it may; what it does is up to `orders`."""

    def __init__(self, orders: Callable[[Sight], list[Action]]) -> None:
        self.trader, self.market = "eve", MARKETS[0].symbol
        self.seen: list[tuple[int, int]] = []
        """How many acts there were before, and how many orders rest that it sees."""
        self._orders = orders

    def wait(self) -> int:
        return 1

    def act(self, sight: Sight) -> list[Action]:
        self.seen.append((len(self.seen), sight.open_orders))
        return self._orders(sight)

    def crew(self, exchange: Exchange) -> list[Hired] | None:
        if self.market not in exchange.books:
            return None
        population = Population(kind="noise", parameters=NoiseParameters())
        return [Hired(self, population, 0, "noise", self.market)]


def one_order(sight: Sight) -> list[Action]:
    return [quoting(sight.trader, sight.market.symbol, Side.BUY, 1, 1)]


def one_order_or_none(sight: Sight) -> list[Action]:
    """A cancel of what there is; the last command of such a turn is no new order."""
    if sight.open_orders:
        return [CancelAll(sight.trader, sight.market.symbol)]
    return one_order(sight)


async def test_who_acts_again_sees_what_came_of_it_before(
    cluster: Cluster, floor_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It could act far more often than anybody answers.
    monkeypatch.setattr("sim.trading_floor.TICK_SECONDS", 0.0001)
    cluster.start(1, 0, 0, 0)
    for orders in (one_order, one_order_or_none):
        eve = Eager(orders)
        floor = TradingFloor(floor_client, eve.crew)
        running = asyncio.ensure_future(floor.run())
        await eventually(lambda eve=eve: acts_of(eve), lambda acts: acts > 15)
        floor.stop()
        await running
        rest = eve.seen[0][1]
        if orders is one_order:
            assert [seen for _, seen in eve.seen] == [rest + acts for acts, _ in eve.seen]
        else:
            # All that there was is gone in its first turn.
            assert [seen for _, seen in eve.seen[1:5]] == [0, 1, 0, 1]


async def acts_of(eve: Eager) -> int:
    return len(eve.seen)


async def test_nobody_acts_while_nobody_answers(cluster: Cluster, floor_client: Client) -> None:
    cluster.start(1, 0, 0, 0)
    eve = Eager(one_order)
    floor = TradingFloor(floor_client, eve.crew)
    running = asyncio.ensure_future(floor.run())
    await eventually(lambda: acts_of(eve), lambda acts: acts > 5)
    os.kill(cluster.nodes["node-1"].process.pid, signal.SIGSTOP)
    await asyncio.sleep(0.2)
    before = await acts_of(eve)
    await asyncio.sleep(0.4)
    assert await acts_of(eve) == before
    os.kill(cluster.nodes["node-1"].process.pid, signal.SIGCONT)
    await eventually(lambda: acts_of(eve), lambda acts: acts > before + 5)
    floor.stop()
    await running


async def test_who_never_hears_of_its_order_acts_again(
    cluster: Cluster, floor_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.trading_floor.GIVE_UP_NS", 300_000_000)
    cluster.start(1, 0, 0, 0)
    eve = Eager(one_order)
    floor = TradingFloor(floor_client, eve.crew)
    running = asyncio.ensure_future(floor.run())
    await eventually(lambda: acts_of(eve), lambda acts: acts > 5)
    os.kill(cluster.nodes["node-1"].process.pid, signal.SIGSTOP)

    async def waiting() -> int:
        return (await floor_client.cluster()).queue_depth

    await eventually(waiting)
    await eventually(waiting, lambda depth: depth > 2)
    floor.stop()
    await running


async def test_it_stops_where_no_market_ever_opens(floor_client: Client) -> None:
    floor = TradingFloor(floor_client, standard_crew(5, 100, 1, ("NOWHERE",)))
    running = asyncio.ensure_future(floor.run())
    await asyncio.sleep(0.1)
    floor.stop()
    assert (await running).commands == 0
