"""What happens to a running market at its time: halts, and bursts of orders."""

import asyncio
import time

import msgspec

from matchbox_tui.engine import HaltMarket, NewOrder, ResumeMarket, Tagged
from matchbox_tui.store import MAX_BATCH, Client, InDoubt, Overloaded, StoreError
from sim.agents import Action
from sim.bursts import burst_orders
from sim.floor import FloorRecord
from sim.hiring import burst_trader
from sim.live.run_time import RunTime
from sim.scenario import Burst, Halt, Resume, Scenario

RETRY_SECONDS = 0.05


class Happenings:
    """Does them one after the other. `record` is what its own orders were told."""

    def __init__(self, client: Client, scenario: Scenario) -> None:
        self.record = FloorRecord()
        self._client = client
        self._scenario = scenario

    async def run(self, clock: RunTime) -> None:
        for number, one in sorted(enumerate(self._scenario.happenings), key=lambda n: n[1].at):
            if isinstance(one, Halt | Resume | Burst):
                await clock.until(one.at)
            match one:
                case Halt():
                    await self._ask(HaltMarket(one.market, time.time_ns()))
                case Resume():
                    await self._ask(ResumeMarket(one.market, time.time_ns()))
                case Burst():
                    await self._send(one, burst_trader(number))
                case _:
                    # News is in the values' paths, and faults are for somebody else.
                    pass

    async def _ask(self, command: Tagged) -> None:
        """Until it is sure to be queued: what comes twice changes nothing."""
        while True:
            try:
                await self._client.submit([command])
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _send(self, burst: Burst, trader: str) -> None:
        orders = burst_orders(burst, trader)
        for first in range(0, len(orders), MAX_BATCH):
            now = time.time_ns()
            await self._submit(
                [
                    _named(order, f"{trader}-{first + number}", now)
                    for number, order in enumerate(orders[first : first + MAX_BATCH])
                ]
            )

    async def _submit(self, actions: list[Action]) -> None:
        record = self.record
        record.commands += len(actions)
        while True:
            try:
                record.acknowledge(await self._client.submit(actions))
            except InDoubt:
                record.doubt(actions)
            except Overloaded:
                record.overloaded += len(actions)
            except StoreError:
                # Nothing was sent.
                await asyncio.sleep(RETRY_SECONDS)
                continue
            return


def _named(action: Action, name: str, now: int) -> Action:
    assert isinstance(action, NewOrder)
    return msgspec.structs.replace(action, client_order_id=name, timestamp=now)
