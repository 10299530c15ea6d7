"""The journal folded without a screen: the least that anybody does who follows it."""

import asyncio
import threading
import time

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Client, Replica
from sim.bench.jobs import Tally


class Folding:
    """Follows the journal from its beginning with the store's client, in a thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._replica = Replica()
        self._commits = self._events = self._fills = 0
        self._trouble = ""
        threading.Thread(target=self._run, daemon=True).start()

    def tally(self) -> Tally:
        """What there was up to now, and what it cost of the processor."""
        return Tally(
            seq=self._replica.seq,
            commits=self._commits,
            events=self._events,
            fills=self._fills,
            at=time.perf_counter(),
            cpu_seconds=time.process_time(),
            trouble=self._trouble,
        )

    def _run(self) -> None:
        try:
            asyncio.run(self._follow())
        except Exception as error:
            self._trouble = str(error) or type(error).__name__

    async def _follow(self) -> None:
        client = await Client.connect(self._url, name="bench-fold")
        async for entry in client.follow(self._replica):
            self._commits += 1
            self._events += len(entry.events)
            self._fills += sum(type(event) is TradeExecuted for event in entry.events)
