"""The benchmark's clients: many get everything, and one that misses something is noticed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from matchbox_tui.api import FeedSettings
from matchbox_tui.api.feeds.frames import PING, text_frame
from sim.bench.ws_clients import Crowd, NotConnected
from tests.api.feeds.trading import fills_of, pairs, trade
from tests.api.feeds.watching import Served, serving_feeds
from tests.node.venue import Venue
from tests.servers import listening
from tests.waiting import PATIENCE


async def crowd_of(port: int, count: int, path: str = "/ws", token: str = "") -> Crowd:
    return await asyncio.to_thread(Crowd, "127.0.0.1", port, count, path, token)


async def read(crowd: Crowd, fills: int) -> None:
    await asyncio.to_thread(crowd.read, PATIENCE, lambda: crowd.have(fills))


async def test_a_crowd_gets_every_fill(led: Venue, served: Served) -> None:
    with contextlib.closing(await crowd_of(served.port, 40)) as crowd:
        await served.clients(40)
        reading = asyncio.ensure_future(read(crowd, 600))
        for _ in range(30):
            await led.client.submit(pairs(20))
            await asyncio.sleep(0.01)
        await reading
        assert crowd.trade_ids == [fill.trade_id for fill in await fills_of(led)]
        assert crowd.counts() == [600] * 40
        assert crowd.lost(600) == 0
        assert crowd.disordered == 0
        assert crowd.latencies


async def test_a_crowd_that_replays(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, pairs(500)))
    with contextlib.closing(await crowd_of(served.port, 20, "/ws?after=0-0")) as crowd:
        reading = asyncio.ensure_future(read(crowd, 600))
        await trade(led, pairs(100))
        await reading
        assert crowd.counts() == [600] * 20
        assert crowd.lost(600) == 0


async def test_a_crowd_is_pinged(led: Venue) -> None:
    settings = FeedSettings(heartbeat_s=0.2)
    async with serving_feeds(led.url, led.prefix, settings) as served:
        with contextlib.closing(await crowd_of(served.port, 5)) as crowd:
            await trade(led, pairs(1))
            await asyncio.to_thread(crowd.read, 0.7)
            reading = asyncio.ensure_future(read(crowd, 2))
            await trade(led, pairs(1))
            await reading
            assert crowd.lost(2) == 0
            assert [client.closed for client in crowd.clients] == [None] * 5


async def test_a_crowd_with_a_token(led: Venue) -> None:
    async with serving_feeds(led.url, led.prefix, FeedSettings(token="s3cret")) as served:
        with pytest.raises(NotConnected, match="401"):
            await crowd_of(served.port, 1)
        with contextlib.closing(await crowd_of(served.port, 1, token="s3cret")):
            await served.clients(1)


def frames(*numbers: int) -> bytes:
    fills = [{"trade_id": f"{number}-0", "timestamp": 1, "pad": "x" * 200} for number in numbers]
    return b"".join(text_frame(json.dumps(fill).encode()) for fill in fills)


@contextlib.asynccontextmanager
async def telling(*answers: list[bytes]) -> AsyncIterator[int]:
    """A server that tells each client something else, piece by piece."""
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = left.pop(0)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        for piece in answer:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        await reader.read()

    async with listening(talk) as port:
        yield port


async def counted(*answers: list[bytes]) -> tuple[list[int], int, int]:
    """The counts, the lost of three fills each, and how many came in disorder."""
    async with telling(*answers) as port:
        with contextlib.closing(await crowd_of(port, len(answers))) as crowd:
            await asyncio.to_thread(crowd.read, 0.5)
            return crowd.counts(), crowd.lost(3), crowd.disordered


async def test_a_fill_that_is_missing_is_noticed() -> None:
    # Whoever is read first is who the other is held against.
    counts, lost, disordered = await counted([frames(1, 2, 3)], [frames(1, 3)])
    assert (counts in ([3, 1], [2, 2]), lost, disordered) == (True, 3, 0)
    assert await counted([frames(1, 2, 3)], [frames(1, 2)]) == ([3, 2], 1, 0)


async def test_a_fill_that_is_repeated_is_noticed() -> None:
    _, lost, _ = await counted([frames(1, 2, 3)], [frames(1, 2, 2, 3)])
    # 1 where the first is read first and the other held against it, else 2.
    assert lost in (1, 2)


async def test_disorder_is_noticed() -> None:
    _, _, disordered = await counted([frames(1, 3, 2)], [frames(1, 3, 2)])
    assert disordered == 1


async def test_pieces_of_frames_are_put_together() -> None:
    data = frames(1, 2, 3)
    in_pieces = [data[start : start + 77] for start in range(0, len(data), 77)]
    pinged = [frames(1) + PING, PING + frames(2)[:50], frames(2)[50:], PING, frames(3)]
    assert await counted(in_pieces, [data], in_pieces, pinged) == ([3] * 4, 0, 0)


async def test_a_close_is_noticed() -> None:
    async with telling([frames(1), b"\x88\x02\x03\xf5"]) as port:
        with contextlib.closing(await crowd_of(port, 1)) as crowd:
            await asyncio.to_thread(crowd.read, 5, lambda: crowd.clients[0].closed is not None)
            assert crowd.clients[0].closed == 1013
            assert crowd.lost(3) == 2
