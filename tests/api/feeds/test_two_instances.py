"""Two instances serve one venue; the one that leads is killed, and nobody misses a fill."""

import asyncio
import contextlib
import json

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import Client, Replica
from tests.api.processes import Instance, instances
from tests.waiting import PATIENCE, eventually


class Watcher:
    """A client that keeps what it is told, and goes to another instance when it loses its own."""

    def __init__(self, home: Instance, other: Instance, path: str) -> None:
        self._places = [home, other]
        self._path = path
        self.trade_ids: list[str] = []
        self.moves = 0
        self.ready = asyncio.Event()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(ConnectionClosed, OSError):
                await self._read()
            self._places.reverse()
            self.moves += 1

    async def _read(self) -> None:
        path = f"/ws?after={self.trade_ids[-1]}" if self.trade_ids else self._path
        async with connect(self._places[0].websocket + path) as connection:
            self.ready.set()
            async for message in connection:
                self.trade_ids.append(json.loads(message)["trade_id"])


async def post_without_end(instance: Instance, posted: list[int]) -> None:
    """Orders that trade, whatever becomes of them."""
    orders = [{"side": side, "price": 50, "qty": 1} for side in ("buy", "sell") * 5]
    async with httpx.AsyncClient(base_url=instance.base) as http:
        while True:
            try:
                answer = await http.post("/orders/batch", json={"orders": orders})
            except httpx.TransportError:
                return
            posted += answer.json().get("order_ids", [])
            await asyncio.sleep(0.005)


async def test_the_leader_is_killed(url: str, prefix: str, client: Client) -> None:
    # One that notices a dead leader by its connection, and is patient with a busy machine.
    with instances(url, prefix, "a", "b", options=("--lease-ms", "10000")) as pair:
        led_by = (await eventually(client.cluster, lambda status: status.leader)).leader
        leader, follower = sorted(pair, key=lambda instance: instance.name != led_by)
        staying = [Watcher(follower, leader, path) for path in ("/ws", "/ws", "/ws?after=0-0")]
        moving = [Watcher(leader, follower, path) for path in ("/ws", "/ws", "/ws?after=0-0")]
        tasks = [asyncio.ensure_future(watcher.run()) for watcher in (*staying, *moving)]
        async with asyncio.timeout(PATIENCE):
            for watcher in (*staying, *moving):
                await watcher.ready.wait()
        lost_orders: list[int] = []
        kept_orders: list[int] = []
        posting = [
            asyncio.ensure_future(post_without_end(leader, lost_orders)),
            asyncio.ensure_future(post_without_end(follower, kept_orders)),
        ]

        async def told(watchers: list[Watcher], count: int) -> bool:
            return all(len(watcher.trade_ids) > count for watcher in watchers)

        await eventually(lambda: told(staying + moving, 200))
        leader.process.kill()
        await eventually(client.cluster, lambda status: status.leader not in (None, led_by))
        so_far = max(len(watcher.trade_ids) for watcher in staying)
        await eventually(lambda: told(staying + moving, so_far + 200))
        for task in posting:
            task.cancel()
        await asyncio.gather(*posting, return_exceptions=True)
        seq = (await eventually(client.cluster, lambda status: status.queue_depth == 0)).seq
        journal = []
        async for entry in client.follow(Replica(), until=seq):
            journal += [
                event.trade_id for event in entry.events if isinstance(event, TradeExecuted)
            ]
        assert lost_orders
        assert kept_orders
        await eventually(lambda: told(staying + moving, len(journal) - 1))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [watcher.moves for watcher in staying] == [0, 0, 0]
        for watcher in (*staying, *moving):
            assert watcher.trade_ids == journal
        for watcher in moving:
            assert watcher.moves >= 1
