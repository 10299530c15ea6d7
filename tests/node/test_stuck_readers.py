"""Whoever reads slowly, or not at all, holds up no commit; what the server keeps for them ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from matchbox_tui.store import Client, Server
from tests.node.often import OFTEN, Load, Writers
from tests.node.venue import PATIENT, Venue, buy, sell
from tests.servers import OwnServer
from tests.waiting import eventually

LIMIT = 256 * 1024
PAIRS = 4800


@pytest.fixture
async def little(tmp_path: Path) -> AsyncIterator[Venue]:
    """A venue on a server that keeps little for those who don't read."""
    limits = f"normal {LIMIT} {LIMIT} 1 pubsub {LIMIT} {LIMIT} 1"
    with OwnServer(tmp_path, "--client-output-buffer-limit", limits) as own:
        client = await Client.connect(f"{own.url}?socket_timeout=10")
        link = Server(own.url, timeout_s=10).link("matchbox-test")
        await link.call("CONFIG", "SET", "appendfsync", "no")
        venue = Venue(own.url, "", client, link)
        yield venue
        await venue.stop()
        await link.close()
        await client.close()


@contextlib.asynccontextmanager
async def unread(venue: Venue, *commands: str) -> AsyncIterator[str]:
    """A client that sends commands and reads no answer; its name."""
    path = venue.url.removeprefix("unix://")
    reader, writer = await asyncio.open_unix_connection(path, limit=1)
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    try:
        writer.write(
            b"".join(f"{words}\r\n".encode() for words in ("CLIENT SETNAME stuck", *commands))
        )
        transport.pause_reading()
        yield "stuck"
    finally:
        writer.close()
    del reader


async def _buffered(venue: Venue, name: str) -> int | None:
    """What the server keeps for this client; None where it is not connected."""
    for line in (await venue.link.call("CLIENT", "LIST")).decode().splitlines():
        facts = dict(part.partition("=")[::2] for part in line.split())
        if facts["name"] == name:
            return int(facts["omem"])
    return None


async def _trade(venue: Venue, pairs: int) -> int:
    """So many fills; the journal's tip."""
    for _ in range(pairs // 400):
        await venue.client.submit(
            [order for _ in range(400) for order in (sell(50, 1), buy(50, 1))]
        )
    return await venue.handled()


async def test_a_subscriber_that_does_not_read_is_dropped_while_commits_go_on(
    little: Venue,
) -> None:
    await little.lead(settings=PATIENT)
    async with unread(little, f"SUBSCRIBE {little.keys.fills_channel}") as name:
        await eventually(lambda: _buffered(little, name), lambda size: size is not None)
        sizes = []
        for round_ in range(1, 5):
            assert await _trade(little, PAIRS // 4) == round_ * PAIRS // 2
            sizes.append(await _buffered(little, name) or 0)
        await eventually(little.client.count_fills, lambda count: count == PAIRS)
        await eventually(lambda: _buffered(little, name), lambda size: size is None)
        # What one script call publishes is added before the server looks.
        assert max(sizes) < 2 * LIMIT
    assert await _trade(little, 400) == 2 * PAIRS + 800


async def test_one_that_asks_for_all_again_and_again_is_dropped_while_commits_go_on(
    little: Venue,
) -> None:
    await little.lead(settings=PATIENT)
    tip = await _trade(little, 800)
    ask = f"XRANGE {little.keys.log} - +"
    async with unread(little, *[ask] * 20) as name:
        assert await _trade(little, 400) == tip + 800
        await eventually(lambda: _buffered(little, name), lambda size: size is None)
    assert await _trade(little, 400) == tip + 1600


async def test_a_group_that_never_acknowledges_is_named_and_can_be_removed(
    venue: Venue, writers: Writers, unsynced: None
) -> None:
    keys, link = venue.keys, venue.link
    for stream in (keys.log, keys.fills_stream):
        await link.call("XGROUP", "CREATE", stream, "stuck", "0", "MKSTREAM")
    for name in "ab":
        venue.start(name, settings=OFTEN)
    await venue.leader()
    load = Load(venue.client)
    await writers.count(2)
    for stream in (keys.log, keys.fills_stream):
        read = ("XREADGROUP", "GROUP", "stuck", "x", "COUNT", 1_000_000, "STREAMS", stream, ">")
        assert await link.call(*read)
    await writers.count(4)

    async def held() -> list[str]:
        status = await venue.client.memory(await venue.client.consumer_groups())
        return [one.held_by for one in status.streams]

    async def first() -> list[int]:
        """The sequence that each stream begins with."""
        found = [
            await link.call("XRANGE", stream, "-", "+", "COUNT", 1)
            for stream in (keys.log, keys.fills_stream)
        ]
        return [int(entries[0][0].partition(b"-")[0]) for entries in found]

    begins = await first()
    assert begins[1] <= 2
    assert (await venue.client.entries_after(0, 1))[0].first_seq == 1
    # Fills are few yet: more than these stay in any case.
    assert await held() == ["stuck", ""]
    for group in await venue.client.consumer_groups():
        assert await venue.client.remove_group(group)
    await eventually(first, lambda now: all(map(int.__gt__, now, [100, 100])))
    acknowledged = await load.stop()
    assert await venue.handled() == len(acknowledged)
    assert await held() == ["", ""]
