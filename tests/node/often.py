"""Venues that take snapshots often, under load, and who took which."""

import asyncio
import itertools
from collections.abc import Awaitable, Iterable

import msgspec
import pytest

from matchbox_tui.engine import Part
from matchbox_tui.node import publisher, snapshotter
from matchbox_tui.store import (
    Archive,
    Client,
    Header,
)
from tests.node.venue import PATIENT, buy, sell
from tests.waiting import eventually

OFTEN = msgspec.structs.replace(PATIENT, snapshot_ms=100, history=0, fills_kept=0)


class Writers:
    """Who took which snapshots."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[tuple[str, int]] = []
        write = Archive.write

        async def noted(
            archive: Archive, head: Header, parts: Iterable[Part], history: int
        ) -> None:
            await write(archive, head, parts, history)
            self.taken.append((archive._instance_id, head.seq))

        monkeypatch.setattr(Archive, "write", noted)
        # On a busy machine all of them take long.
        monkeypatch.setattr(snapshotter, "PAUSE_FACTOR", 0)
        monkeypatch.setattr(snapshotter, "GROWN_PAUSE_FACTOR", 0)
        monkeypatch.setattr(publisher, "NOTE_SECONDS", 0)

    def count(self, number: int) -> Awaitable[bool]:
        """Waits until so many more were taken."""
        goal = len(self.taken) + number

        async def reached() -> bool:
            return len(self.taken) >= goal

        return eventually(reached)


class Load:
    """Orders without end, a few at a time: two that match and one that rests."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acknowledged: list[int] = []
        self._stopping = False
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        prices = itertools.cycle(range(1, 40))
        while not self._stopping:
            self.acknowledged += await self._client.submit(
                [sell(50, 2), buy(50, 2), buy(next(prices), 1)] * 7
            )
            await asyncio.sleep(0.002)

    async def stop(self) -> list[int]:
        self._stopping = True
        await self._task
        return self.acknowledged
