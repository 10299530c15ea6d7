"""Somebody who reads the journal from its beginning, while it is written and trimmed."""

import asyncio

from matchbox_tui.store import Client, Entry, InDoubt, Refused, Replica, Unreachable
from tests.waiting import eventually


class Witness:
    """Follows the journal. Nothing that it has seen may ever change."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.entries: list[Entry] = []
        self.replica = Replica()
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            try:
                async for entry in self._client.follow(self.replica):
                    self.entries.append(entry)
            except (InDoubt, Unreachable, Refused):
                await asyncio.sleep(0.02)

    async def stop(self, seq: int) -> None:
        """Ends it when it has seen that command; raises what went wrong with it."""

        async def seen() -> bool:
            return self._task.done() or self.replica.seq >= seq

        await eventually(seen)
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled():
            self._task.result()
