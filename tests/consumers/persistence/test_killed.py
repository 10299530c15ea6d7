"""Persistence is killed again and again: no row is lost, none is there twice."""

import asyncio
import random
from pathlib import Path

from tests.consumers.persistence.rows import check, read
from tests.consumers.persistence.running import process
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue
from tests.waiting import eventually

KILLS = 3


async def place(url: str) -> int:
    rows = await asyncio.to_thread(read, url, "position")
    return rows[0]["seq"] if rows else 0


async def test_kills_at_any_moment_lose_nothing_and_repeat_nothing(
    venue: Venue, database_url: str, tmp_path: Path
) -> None:
    env = {
        "REDIS_URL": venue.url,
        "MATCHBOX_KEY_PREFIX": venue.prefix,
        "DATABASE_URL": database_url,
    }
    log = tmp_path / "log"
    await venue.lead(settings=QUIET)
    chance = random.Random(7)
    with process(env, log, "--id", "first"):
        await eventually(lambda: _made(database_url))
    places = []
    for kill in range(KILLS):
        before = await place(database_url)
        for round_ in range(5):
            await venue.client.submit(mixed_orders(100 * kill + round_, 1000))
        with process(env, log, "--id", "first") as running:
            await eventually(lambda: place(database_url), lambda seq: seq > before)  # noqa: B023
            await asyncio.sleep(chance.uniform(0, 0.2))
            running.kill()
            await asyncio.to_thread(running.wait)
        places.append(await place(database_url))
    tip = await venue.handled()
    # Else none of them was killed while it had something to do.
    assert any(seq < tip for seq in places)
    with process(env, log, "--id", "first"):
        await eventually(lambda: place(database_url), lambda seq: seq == tip)
    check(database_url, await venue.events())
    assert "Traceback" not in log.read_text()


async def _made(url: str) -> bool:
    try:
        return bool(await asyncio.to_thread(read, url, "position"))
    except Exception:
        return False
