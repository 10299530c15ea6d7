"""A flow of commands of which it is known beforehand how many events they make."""

import asyncio
import random
import time
from collections import deque

from matchbox_tui.engine import (
    CancelOrder,
    Exchange,
    Market,
    NewOrder,
    OrderAccepted,
    Side,
    Tagged,
    TimeInForce,
)
from matchbox_tui.store import MAX_BATCH, Client
from sim.bench.figures import latency
from sim.bench.jobs import Flowed, FlowJob

MARKET = Market.prediction("RAIN")
PERSON = "person"
"""Who looks at the screen: with orders of their own, far enough from the market to stay."""

STEP_SECONDS = 0.005
"""The commands that are due within this go together, as those of many traders do in a queue."""

SEED = 1
MIDDLE, WANDERS = 50, 4
PERSON_AWAY = (12, 15, 18)
AWAY = 20
RESTING = 400
"""Orders that rest before cancels begin."""

TRADERS = tuple(f"trader-{number}" for number in range(20))


class Flow:
    """Passive orders, cancels and orders that take, around a middle that wanders.

    What the commands do is found out here first, on an exchange of its own: no cancel comes too
    late, and every event in the journal is one that was asked for.
    """

    def __init__(self) -> None:
        self.exchange = Exchange([MARKET])
        self._rng = random.Random(SEED)
        self._middle = MIDDLE
        self._next_id = 1
        self._passive: deque[int] = deque()
        self._first = deque(
            self._order(PERSON, side, MIDDLE - away if side is Side.BUY else MIDDLE + away, 10)
            for away in PERSON_AWAY
            for side in Side
        )

    def take(self, events: int) -> tuple[list[NewOrder | Tagged], int]:
        """The next commands, and how many events they make: `events`, or barely more."""
        commands: list[NewOrder | Tagged] = []
        made = 0
        while made < events and len(commands) < MAX_BATCH:
            command = self._first.popleft() if self._first else self._draw()
            told = self.exchange.apply(command)
            first = told[0]
            if isinstance(first, OrderAccepted) and first.order_id in self.exchange.orders:
                self._passive.append(first.order_id)
            made += len(told)
            commands.append(command)
        return commands, made

    def _draw(self) -> NewOrder | Tagged:
        rng = self._rng
        if rng.random() < 0.002:
            moved = self._middle + rng.choice((-1, 1))
            self._middle = min(max(moved, MIDDLE - WANDERS), MIDDLE + WANDERS)
        while len(self._passive) > RESTING:
            order_id = self._passive.popleft()
            order = self.exchange.orders.get(order_id)
            if order is not None and order.trader != PERSON:
                return CancelOrder(order_id, time.time_ns())
        side, trader = rng.choice((Side.BUY, Side.SELL)), rng.choice(TRADERS)
        towards = 1 if side is Side.BUY else -1
        if rng.random() < 0.4:
            price = self._middle + 2 * towards
            return self._order(trader, side, price, rng.randint(1, 30), TimeInForce.IOC)
        price = self._middle - towards * rng.randint(1, AWAY)
        return self._order(trader, side, price, rng.randint(1, 40))

    def _order(
        self,
        trader: str,
        side: Side,
        price: int,
        qty: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
    ) -> NewOrder:
        order = NewOrder(
            order_id=self._next_id,
            market=MARKET.symbol,
            side=side,
            price=price,
            qty=qty,
            timestamp=time.time_ns(),
            trader=trader,
            time_in_force=time_in_force,
        )
        self._next_id += 1
        return order


async def make_flow(flow: Flow, job: FlowJob) -> Flowed:
    """Does the job: as many events by now as are due by now.

    Nobody else may submit to that venue: the flow knows which ids its orders get. Raises
    `StoreError`.
    """
    client = await Client.connect(job.url, name="bench")
    made = count = 0
    times: list[int] = []
    wrong: list[str] = []
    try:
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < job.seconds and not wrong:
            while made < (due := int(passed * job.rate)):
                commands, events = flow.take(due - made)
                expected = [
                    command.order_id if isinstance(command, NewOrder) else 0 for command in commands
                ]
                sent = time.perf_counter_ns()
                numbers = await client.submit(commands)
                times.append(time.perf_counter_ns() - sent)
                made += events
                count += len(commands)
                if numbers != expected:
                    wrong.append(f"orders got the ids {numbers[:3]}..., not {expected[:3]}...")
                    break
            await asyncio.sleep(STEP_SECONDS)
        took = time.perf_counter() - began
    finally:
        await client.close()
    return Flowed(count, made, took, latency(times), wrong)
