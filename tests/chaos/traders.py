"""Traders that keep their own record of what they were told."""

import asyncio
import random
from collections.abc import Sequence

from matchbox_tui.engine import CancelOrder, NewOrder, Side
from matchbox_tui.engine.commands import Tagged
from matchbox_tui.store import Client, InDoubt, Overloaded, Unreachable
from sim.floor import FloorRecord
from tests.node.venue import order

BATCH = 10
PAUSE_SECONDS = 0.012
AGAIN_SECONDS = 0.02


class Trader:
    """Submits batches without end: half of them with names, which are sent until acknowledged.

    The others are in doubt when their reply is lost, and stay so.
    """

    def __init__(self, client: Client, name: str, seed: int) -> None:
        self._client = client
        self._name = name
        self._chance = random.Random(f"{seed} {name}")
        self._stopping = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())
        self._count = 0
        self.acknowledged: list[int] = []
        self.in_doubt = 0

    async def stop(self) -> None:
        """Ends it; raises what went wrong with it."""
        self._stopping.set()
        await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            named = self._chance.random() < 0.5
            batch = [self._command(named) for _ in range(BATCH)]
            await (self._insist if named else self._try)(batch)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, batch: list[NewOrder | Tagged]) -> None:
        try:
            self._acknowledge(await self._client.submit(batch))
        except InDoubt:
            self.in_doubt += len(batch)
        except (Unreachable, Overloaded):
            # Nothing was queued.
            await asyncio.sleep(AGAIN_SECONDS)

    async def _insist(self, batch: list[NewOrder | Tagged]) -> None:
        while True:
            try:
                self._acknowledge(await self._client.submit(batch))
                return
            except (InDoubt, Unreachable, Overloaded):
                await asyncio.sleep(AGAIN_SECONDS)

    def _acknowledge(self, numbers: list[int]) -> None:
        self.acknowledged += [abs(number) for number in numbers if number]

    def _command(self, named: bool) -> NewOrder | Tagged:
        chance = self._chance
        # A repeated batch would repeat its cancels, which have no names.
        if self.acknowledged and not named and chance.random() < 0.2:
            return CancelOrder(chance.choice(self.acknowledged[-50:]))
        self._count += 1
        return order(
            chance.randint(45, 55),
            # About one in a hundred is rejected.
            chance.randint(1, 9) if chance.random() > 0.01 else 0,
            chance.choice(list(Side)),
            trader=self._name,
            client_order_id=f"{self._count}" if named else "",
        )


def record_of(traders: Sequence[Trader]) -> FloorRecord:
    """What all of them were told."""
    record = FloorRecord()
    record.acknowledge(sorted(order for trader in traders for order in trader.acknowledged))
    record.in_doubt = sum(trader.in_doubt for trader in traders)
    return record
