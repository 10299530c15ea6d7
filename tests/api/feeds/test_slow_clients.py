"""A client that doesn't read, or talks too much, is disconnected, and harms no other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosedError

from matchbox_tui.api import FeedSettings
from tests.api.feeds.trading import fills_of, pairs, trade
from tests.api.feeds.watching import (
    Served,
    as_json,
    close_code,
    heard,
    read_all,
    serving_feeds,
    sluggish,
)
from tests.node.venue import Venue, buy, sell
from tests.waiting import PATIENCE, eventually

BACKLOG = 20_000
"""Bytes: some hundred fills."""


@pytest.fixture
async def strict(led: Venue) -> AsyncIterator[Served]:
    """Feeds that wait for nobody for long."""
    settings = FeedSettings(backlog=BACKLOG, closing_s=1.0)
    async with serving_feeds(led.url, led.prefix, settings) as feeds:
        yield feeds


async def flood(venue: Venue, count: int) -> None:
    """So many fills in one commit: far more than the system keeps for a client."""
    makers = [sell(50, 1) for _ in range(count)]
    await trade(venue, makers)
    await venue.client.submit([buy(50, count)])


async def test_one_who_does_not_read_is_cut_off_and_the_others_get_all(
    led: Venue, strict: Served
) -> None:
    async with strict.watch() as reader, sluggish(strict) as sleeper:
        await strict.clients(2)
        await flood(led, 8000)
        fills = await heard(reader, 8000)
        await strict.clients(1)
        assert strict.feeds.disconnected_slow == 1
        assert strict.feeds.bytes_sent > 8000 * 100
        assert fills == [as_json(fill) for fill in await fills_of(led)]
        # It was never told what it could not take.
        assert len(await read_all(sleeper)) < 1_500_000


async def test_one_who_reads_in_time_learns_why(led: Venue, strict: Served) -> None:
    """It slept, but reads before the server has lost patience: what it was sent, and the close."""
    async with strict.watch() as reader, sluggish(strict) as sleeper:
        await strict.clients(2)
        reading = asyncio.ensure_future(heard(reader, 8000))
        await flood(led, 8000)

        async def given_up() -> int:
            return strict.feeds.connected["fills"]

        await eventually(given_up, lambda seen: seen == 1)
        data = await read_all(sleeper)
        await reading
    at = data.rindex(b"\x88")
    assert int.from_bytes(data[at + 2 : at + 4], "big") == 1013
    assert data.endswith(b"too slow: connect again")
    fill = data[:at].rindex(b"\x81")
    assert data[fill:at].endswith(b"}")


async def test_a_replay_waits_for_a_slow_reader(led: Venue, strict: Served) -> None:
    """It is not cut off: what it missed is not kept for it alone, it is read as it goes."""
    await flood(led, 8000)
    await strict.shows(await led.handled())
    async with sluggish(strict, "/ws?after=0-0") as sleeper:
        await strict.clients(1)
        await trade(led, pairs(400))
        assert strict.feeds.connected["fills"] == 0
        data = b""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while data.count(b'"trade_id"') < 8400 or not data.endswith(b"}"):
                data += await loop.sock_recv(sleeper, 1 << 16)
        expected = [fill.trade_id for fill in await fills_of(led)]
        parts = data.split(b'"trade_id":"')[1:]
        assert [part.partition(b'"')[0].decode() for part in parts] == expected


async def test_a_message_is_ignored(led: Venue, served: Served) -> None:
    async with served.watch() as watcher:
        await watcher.send('{"subscribe":"everything"}')
        await watcher.send(b"\x00\x01")
        await (await watcher.ping())
        await led.client.submit(pairs(1))
        assert (await heard(watcher, 1))[0]["price"] == 50


async def test_a_message_that_is_too_long(served: Served) -> None:
    async with served.watch() as watcher:
        await watcher.send("x" * 5000)
        assert await close_code(watcher) == 1009


async def test_a_message_of_a_million_bytes(served: Served) -> None:
    async with served.watch() as watcher:
        with contextlib.suppress(ConnectionClosedError):
            await watcher.send("x" * 1_000_000)
        assert await close_code(watcher) == 1009


@pytest.mark.parametrize("kind", ["messages", "pings"])
async def test_a_flood(served: Served, kind: str) -> None:
    async with served.watch() as watcher, served.watch() as other:
        with contextlib.suppress(ConnectionClosedError):
            for number in range(5000):
                text = f"{number:0100d}"
                await (watcher.send(text) if kind == "messages" else watcher.ping(text))
        assert await close_code(watcher) == 1008
        await (await other.ping())


async def test_what_is_no_frame(served: Served) -> None:
    """A frame without a mask, and an opcode that there is not."""
    for rubbish in (b"\x81\x02hi", b"\x83\x80\x00\x00\x00\x00", b"GET / HTTP/1.1\r\n\r\n"):
        async with sluggish(served) as client:
            await asyncio.get_running_loop().sock_sendall(client, rubbish)
            data = await read_all(client)
            assert data[0] == 0x88
            assert int.from_bytes(data[2:4], "big") == 1002
        await served.clients(0)
