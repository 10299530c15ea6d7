"""The app on a real server with a real engine instance."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from matchbox_tui.engine import Market, NewOrder, Side
from matchbox_tui.node import Node
from matchbox_tui.store import Client, EmbeddedServer, Keys, Replica, Server, Store
from matchbox_tui.tui import MatchboxApp
from matchbox_tui.tui.feed import Feed
from tests.tui.cockpit import TRADER, press, screen_text, until, until_shown

RAIN = Market.prediction("RAIN", "Will it rain in Oslo on Friday?")


@asynccontextmanager
async def instance(url: str) -> AsyncIterator[Node]:
    """An engine instance that runs for as long as the block."""
    node = Node(Store(Server(url), Keys(), "node-1"), markets=(RAIN,))
    living = asyncio.create_task(node.run())
    try:
        yield node
    finally:
        node.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(living, 20)


async def quote(url: str) -> None:
    """A dealer on both sides."""
    client = await Client.connect(f"{url}?socket_timeout=10", name="dealer")
    replica = Replica()
    while "RAIN" not in replica.exchange.books:
        await client.catch_up(replica)
    orders = [
        NewOrder(order_id=0, market="RAIN", side=side, price=price, qty=40, trader="dealer")
        for side, price in ((Side.BUY, 48), (Side.SELL, 52))
    ]
    assert len(await client.submit(orders)) == 2
    await client.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_buy_sell_and_cancel_on_a_real_venue() -> None:
    with EmbeddedServer() as server:
        async with instance(server.url) as node:
            await quote(server.url)
            app = MatchboxApp(server.url, trader=TRADER, market="RAIN")
            async with app.run_test(size=(160, 50)) as pilot:
                await until_shown(pilot, "● live", "bid 48", "leader node-1")
                await press(pilot, "a right b 1 5 enter")
                await until_shown(pilot, "bought 15 @ 52", " bought")
                await press(pilot, "left s 5 enter")
                await until_shown(pilot, "sold 5 @ 48", " sold")
                await press(pilot, "up b 7 enter")
                await until_shown(pilot, "buy 7 @ 49 rests", "◆7", "1 open order")
                await press(pilot, "x")
                await until_shown(pilot, "cancelled: buy 7 @ 49", "no open orders")
                position = node.replica.exchange.position(TRADER, "RAIN")
                assert (position.qty, position.cash) == (10, 5 * 48 - 15 * 52)
                exchange = app.desk.model.exchange
                assert exchange.state_hash() == node.replica.exchange.state_hash()


async def test_the_cluster_and_the_chart_of_a_real_venue() -> None:
    with EmbeddedServer() as server:
        async with instance(server.url):
            await quote(server.url)
            app = MatchboxApp(server.url, trader=TRADER, market="RAIN")
            async with app.run_test(size=(200, 60)) as pilot:
                await until_shown(pilot, "● live", "● node-1", str(os.getpid()), "none was sent")
                await until_shown(pilot, "no trade yet")
                await press(pilot, "a right b enter")
                await until_shown(pilot, "your 1 request", "◂52", "chart 1 s")
                (member,) = app.desk.model.roster.members()
                assert member.leads
                assert 0 <= member.heard_ns < 60_000_000_000


async def test_before_the_first_leader_there_is_a_friendly_word() -> None:
    with EmbeddedServer() as server:
        app = MatchboxApp(server.url, trader=TRADER)
        async with app.run_test(size=(80, 24)) as pilot:
            await until_shown(pilot, "● live", "waiting for a leader", "leader none")
            async with instance(server.url):
                await until_shown(pilot, "leader node-1", "RAIN 2/2")


async def test_the_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    port = free_port()
    server = EmbeddedServer(tmp_path, port)
    await asyncio.to_thread(server.start)
    try:
        async with instance(server.url):
            await quote(server.url)
            app = MatchboxApp(server.url, trader=TRADER, market="RAIN")
            async with app.run_test(size=(80, 24)) as pilot:
                await until_shown(pilot, "● live", "bid 48")
                os.kill(server.pid, signal.SIGKILL)
                await until_shown(pilot, "○ reconnecting", "stale")
                await asyncio.to_thread(server.stop)
                server = EmbeddedServer(tmp_path, port)
                await asyncio.to_thread(server.start)
                await until_shown(pilot, "● live", "leader node-1")
                await press(pilot, "a right b 4 enter")
                await until_shown(pilot, "bought 4 @ 52")
                assert "stale" not in screen_text(app)
    finally:
        await asyncio.to_thread(server.stop)


async def test_an_empty_server_at_the_same_address_is_noticed(tmp_path: Path) -> None:
    port = free_port()
    server = EmbeddedServer(tmp_path / "first", port)
    await asyncio.to_thread(server.start)
    try:
        feed = Feed.of(server.url, "", TRADER, lambda: 0)
        app = MatchboxApp("", feed=feed)
        async with app.run_test(size=(80, 24)) as pilot:
            async with instance(server.url):
                await quote(server.url)
                await until_shown(pilot, "● live", "bid 48")
            await asyncio.to_thread(server.stop)
            server = EmbeddedServer(tmp_path / "second", port)
            await asyncio.to_thread(server.start)
            await until(pilot, lambda: feed.replica.seq == 0, "an empty replica")
            await until_shown(pilot, "● live", "waiting for a leader")
    finally:
        await asyncio.to_thread(server.stop)
