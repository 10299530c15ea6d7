"""How connections end: heartbeats, a client that goes, a server that stops, a venue set back."""

import asyncio

import pytest

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
from tests.node.venue import Venue
from tests.waiting import eventually

LIVELY = FeedSettings(heartbeat_s=0.2)


async def test_a_dead_client_is_dropped_and_a_living_one_stays(led: Venue) -> None:
    async with (
        serving_feeds(led.url, led.prefix, LIVELY) as served,
        served.watch() as living,
        sluggish(served) as dead,
    ):
        await served.clients(2)
        data = await read_all(dead)
        # A ping, which it did not answer, and no more after it.
        assert data == b"\x89\x00"
        await served.clients(1)
        # Others come and go while it lives through several beats.
        for _ in range(3):
            async with served.watch():
                await asyncio.sleep(0.25)
        await led.client.submit(pairs(1))
        assert (await heard(living, 1))[0]["price"] == 50


async def test_heartbeats_go_on_after_everybody_left(led: Venue) -> None:
    async with serving_feeds(led.url, led.prefix, LIVELY) as served:
        async with served.watch():
            await served.clients(1)
        await asyncio.sleep(0.3)
        async with sluggish(served) as dead:
            assert await read_all(dead) == b"\x89\x00"


@pytest.mark.parametrize("path", ["/ws", "/ws?after=0-0", "/ws/book", "/ws/orders?trader=ann"])
async def test_a_client_that_goes_is_forgotten(led: Venue, served: Served, path: str) -> None:
    await served.shows(await trade(led, pairs(5)))
    connections = served.server.server_state.connections
    async with served.watch(path):
        await served.clients(1)
        assert len(connections) == 1
    await served.clients(0)
    assert not any(served.feeds.connected.values())
    async with sluggish(served, path):
        await served.clients(1)
    # Gone without a word.
    await served.clients(0)
    assert not any(served.feeds.connected.values())
    assert not connections


async def test_a_client_that_goes_in_the_midst_of_a_replay(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, pairs(8000)))
    async with sluggish(served, "/ws?after=0-0"):
        await served.clients(1)
        await asyncio.sleep(0.1)
        assert replays()
    await served.clients(0)
    await eventually(no_replays)


def replays() -> list[str]:
    return [
        name
        for task in asyncio.all_tasks()
        if "FillFeed._replay" in (name := repr(task.get_coro()))
    ]


async def no_replays() -> bool:
    return not replays()


async def test_a_server_that_stops_says_so(led: Venue) -> None:
    async with serving_feeds(led.url, led.prefix) as served:
        paths = ("/ws", "/ws?after=0-0", "/ws/book", "/ws/orders?trader=ann")
        watchers = [await served.watch(path) for path in paths]
        async with sluggish(served) as deaf:
            await served.clients(5)
            served.server.stop()
            assert [await close_code(watcher) for watcher in watchers] == [1001] * 4
            await served.clients(0)
            assert (await read_all(deaf))[:1] == b"\x88"
        for watcher in watchers:
            await watcher.wait_closed()


async def test_a_venue_that_is_set_back_begins_anew(led: Venue, served: Served) -> None:
    """Its numbers start again, so nothing that comes then follows what was said before."""
    await served.shows(await trade(led, pairs(20)))
    async with served.watch() as watcher, served.watch("/ws/book") as book:
        await heard(book, 1)
        keys = await led.link.call("KEYS", f"{led.prefix}*")
        await led.link.call("DEL", *keys)
        await led.client.submit(pairs(2, price=77))
        assert await close_code(watcher) == 1012
        assert await close_code(book) == 1012
    await led.handled()
    await served.lets_in()
    async with served.watch("/ws?after=0-0") as watcher:
        assert await heard(watcher, 2) == [as_json(fill) for fill in await fills_of(led)]
        await led.client.submit(pairs(1, price=78))
        assert (await heard(watcher, 1))[0]["price"] == 78
