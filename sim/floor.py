"""The trading floor: agents on a running venue, through the client that everybody uses."""

import asyncio
import heapq
import itertools
import random
import secrets
import time
from collections.abc import Iterator

import msgspec
from faker import Faker

from matchbox_tui.engine import Exchange, NewOrder
from matchbox_tui.store import (
    MAX_BATCH,
    Client,
    InDoubt,
    JournalBroken,
    Overloaded,
    Replica,
    StoreError,
    StoreSetBack,
)
from sim.agents import Action, Drift, MarketMaker, RandomTrader, View

Agent = RandomTrader | MarketMaker

TICK_SECONDS = 0.02
"""Actions that fall due within this time share a submit."""

DRIFT_SECONDS = 0.4
REQUOTE_SECONDS = 0.25
RETRY_SECONDS = 0.2
START_VALUE = 50


class Doubt(msgspec.Struct, frozen=True, array_like=True):
    """An order of which its trader doesn't know whether it was queued."""

    trader: str
    client_order_id: str


class FloorRecord(msgspec.Struct):
    """The traders' own record of what they were told.

    `order_ids` are the acknowledged new orders as ranges [first, last], in order. `in_doubt` are
    commands of all kinds; the new orders among them that can be told apart, since they have a
    client_order_id, are in `doubts`.
    """

    commands: int = 0
    acknowledged: int = 0
    in_doubt: int = 0
    overloaded: int = 0
    unsent: int = 0
    order_ids: list[list[int]] = msgspec.field(default_factory=list)
    doubts: list[Doubt] = msgspec.field(default_factory=list)

    def acknowledge(self, ids: list[int]) -> None:
        self.acknowledged += len(ids)
        for order_id in ids:
            if order_id <= 0:
                continue
            if self.order_ids and self.order_ids[-1][1] == order_id - 1:
                self.order_ids[-1][1] = order_id
            else:
                self.order_ids.append([order_id, order_id])

    def doubt(self, actions: list[Action]) -> None:
        self.in_doubt += len(actions)
        self.doubts += [
            Doubt(action.trader, action.client_order_id)
            for action in actions
            if isinstance(action, NewOrder) and action.client_order_id
        ]


class TradingFloor:
    """Agents in every market, acting at random times that add up to `rate` a second."""

    def __init__(
        self,
        client: Client,
        *,
        traders: int,
        rate: int,
        seed: int,
        markets: tuple[str, ...] = (),
        client_order_ids: bool = False,
    ) -> None:
        """With `client_order_ids` every order has one, which no other run has used."""
        self._client = client
        self._count = traders
        self._rate = rate
        self._rng = random.Random(seed)
        self._fake = Faker("en_US")
        self._fake.seed_instance(seed)
        self._wanted = markets
        self._replica = Replica()
        self._drifts: dict[str, Drift] = {}
        self._record = FloorRecord()
        self._stopping = asyncio.Event()
        self._names = itertools.count(1) if client_order_ids else None
        self._run = secrets.token_hex(4)

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> FloorRecord:
        """Trades until `stop`; returns what was acknowledged.

        Outlives leaders and servers. Raises a `StoreError` that trying again can't mend.
        """
        following = asyncio.ensure_future(self._follow())
        trading = asyncio.ensure_future(self._trade())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((following, trading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
            if trading.done():
                trading.result()
            # A submit under way is waited for: what it acknowledges belongs into the record.
            if not trading.done():
                await asyncio.wait((trading,), timeout=2)
        finally:
            following.cancel()
            trading.cancel()
            stopping.cancel()
            await asyncio.gather(following, trading, stopping, return_exceptions=True)
        return self._record

    async def _follow(self) -> None:
        begun_at = None
        while True:
            try:
                if begun_at is None:
                    self._replica = await self._client.restore()
                    begun_at = self._replica.seq
                async for _ in self._client.follow(self._replica):
                    pass
            except StoreSetBack:
                begun_at = None
            except JournalBroken:
                if begun_at is None or self._replica.seq == begun_at:
                    # Not even what was restored can be followed.
                    raise
                # Trimmed while nobody read here.
                begun_at = None
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _trade(self) -> None:
        while not self._markets_there(self._replica.exchange):
            if self._stopping.is_set():
                return
            await asyncio.sleep(TICK_SECONDS)
        agents = self._hire(self._replica.exchange)
        pace = self._rate / len(agents)
        start = time.monotonic()
        due = [(self._rng.expovariate(pace), number) for number in range(len(agents))]
        heapq.heapify(due)
        drift_at = 0.0
        while not self._stopping.is_set():
            elapsed = time.monotonic() - start
            while drift_at <= elapsed:
                drift_at += DRIFT_SECONDS
                for drift in self._drifts.values():
                    drift.step()
            actions: list[Action] = []
            while due[0][0] <= elapsed and len(actions) < MAX_BATCH - 50:
                at, number = due[0]
                agent = agents[number]
                actions += agent.act(self._view(agent), time.time_ns())
                wait = (
                    REQUOTE_SECONDS
                    if isinstance(agent, MarketMaker)
                    else self._rng.expovariate(pace)
                )
                # A floor that fell behind does not make up for it in one go.
                heapq.heapreplace(due, (max(at, elapsed - 1) + wait, number))
            if actions:
                await self._submit(actions)
            await asyncio.sleep(TICK_SECONDS)

    async def _submit(self, actions: list[Action]) -> None:
        if self._names is not None:
            actions = [self._named(action, self._names) for action in actions]
        self._record.commands += len(actions)
        try:
            self._record.acknowledge(await self._client.submit(actions))
        except InDoubt:
            self._record.doubt(actions)
        except Overloaded:
            self._record.overloaded += len(actions)
        except StoreError:
            self._record.unsent += len(actions)
            await asyncio.sleep(RETRY_SECONDS)

    def _named(self, action: Action, names: Iterator[int]) -> Action:
        if not isinstance(action, NewOrder):
            return action
        return msgspec.structs.replace(action, client_order_id=f"{self._run}-{next(names)}")

    def _markets_there(self, exchange: Exchange) -> bool:
        if self._wanted:
            return all(symbol in exchange.books for symbol in self._wanted)
        return exchange.seq > 0

    def _hire(self, exchange: Exchange) -> list[Agent]:
        symbols = self._wanted or tuple(exchange.books)
        agents: list[Agent] = []
        for symbol in symbols:
            market = exchange.book(symbol).market
            start = START_VALUE if market.max_price is None else (market.max_price + 1) // 2
            start += self._rng.randrange(-15, 16)
            self._drifts[symbol] = Drift(start, market, self._rng)
            agents.append(MarketMaker(self._name(agents), symbol, self._rng))
        while len(agents) < max(self._count, len(symbols) + 1):
            symbol = symbols[len(agents) % len(symbols)]
            agents.append(RandomTrader(self._name(agents), symbol, self._rng))
        return agents

    def _name(self, hired: list[Agent]) -> str:
        taken = {agent.trader for agent in hired}
        name = self._fake.first_name().lower()
        return name if name not in taken else f"{name}{len(hired)}"

    def _view(self, agent: Agent) -> View:
        exchange = self._replica.exchange
        book = exchange.book(agent.market)
        return View(
            book.market,
            book.best_bid,
            book.best_ask,
            book.orders_of(agent.trader),
            exchange.position(agent.trader, agent.market),
            self._drifts[agent.market].value,
        )
