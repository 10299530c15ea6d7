"""Persistence that hangs keeps the journal for itself, and nobody from trading."""

import asyncio
import signal
from pathlib import Path

import pytest

from matchbox_tui.engine import Event
from matchbox_tui.store import Replica
from tests.consumers.persistence.rows import check, read
from tests.consumers.persistence.running import process
from tests.node.often import OFTEN, Load, Writers
from tests.node.venue import Venue, buy
from tests.waiting import eventually

GROUP = "consumer:persistence"


async def test_one_that_is_stopped_holds_up_no_commit_and_misses_nothing(
    venue: Venue, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {
        "REDIS_URL": venue.url,
        "MATCHBOX_KEY_PREFIX": venue.prefix,
        "DATABASE_URL": sqlite_url,
    }
    writers = Writers(monkeypatch)
    for name in "ab":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    events: list[Event] = []

    async def witness() -> None:
        async for entry in venue.client.follow(Replica()):
            events.extend(entry.events)

    async def witnessed() -> int:
        return events[-1].seq if events else 0

    async def place() -> int:
        groups = {group.name: group for group in await venue.client.consumer_groups()}
        return int(groups[GROUP].read_up_to.partition("-")[0]) if GROUP in groups else 0

    witnessing = asyncio.ensure_future(witness())
    await venue.client.submit([buy(1, 1)])
    with process(env, tmp_path / "log", "--id", "first") as running:
        await eventually(place)
        running.send_signal(signal.SIGSTOP)
        try:
            stopped = await place()
            load = Load(venue.client)
            await writers.count(5)
            acknowledged = await load.stop()
            tip = await venue.handled()
            assert tip == len(acknowledged) + 1 > stopped + 100
            # All that it has not read is there, and it is said for whom.
            following = (await venue.client.entries_after(stopped, 1))[0]
            assert following.first_seq == stopped + 1
            groups = await venue.client.consumer_groups()
            log, _ = (await venue.client.memory(groups)).streams
            assert log.held_by == GROUP
        finally:
            running.send_signal(signal.SIGCONT)
        await eventually(place, lambda seq: seq == tip)
        await eventually(witnessed, lambda seq: seq == tip)
    witnessing.cancel()
    check(sqlite_url, events)
    assert read(sqlite_url, "gaps") == []
