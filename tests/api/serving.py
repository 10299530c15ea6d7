"""A gateway that listens on this machine, on the loop of a test, and a client of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from matchbox_tui.api import ApiServer, Gateway, Limits, create_app, listen
from matchbox_tui.store import Client, Past
from tests.waiting import eventually


class Api:
    """One instance's HTTP side, as its clients see it."""

    def __init__(self, gateway: Gateway, server: ApiServer, port: int, http: httpx.AsyncClient):
        self.gateway = gateway
        self.server = server
        self.port = port
        self.http = http
        self.running: asyncio.Future[None] | None = None
        """The server, until it has ended."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of a read that must succeed."""
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def place(self, side: str = "buy", price: int = 50, qty: int = 10, **more: Any) -> int:
        """Posts an order that must be taken; its id."""
        order = {"side": side, "price": price, "qty": qty, **more}
        answer = await self.http.post("/orders", json=order)
        assert answer.status_code == 201, answer.text
        order_id = answer.json()["order_id"]
        assert isinstance(order_id, int)
        return order_id

    async def settled(self) -> None:
        """Waits until everything asked for so far is in the journal and shown here."""

        async def shown() -> bool:
            status = await self.gateway.client.cluster()
            return status.queue_depth == 0 and self.gateway.view.seq >= status.seq

        await eventually(shown)


@contextlib.asynccontextmanager
async def serving(
    url: str,
    prefix: str,
    limits: Limits | None = None,
    *,
    past: Past | None = None,
    **options: Any,
) -> AsyncIterator[Api]:
    """A gateway of the venue, without an engine; `options` are those of `create_app`."""
    client = await Client.connect(url, prefix, "api")
    gateway = Gateway(client, past=past)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = ApiServer(create_app(gateway, **options), listener, meter=gateway.meter, limits=limits)
    tasks = [
        asyncio.ensure_future(gateway.run()),
        asyncio.ensure_future(server.run_until_stopped()),
    ]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            await gateway.reader.caught_up.wait()
            api = Api(gateway, server, port, http)
            api.running = tasks[1]
            yield api
    finally:
        server.stop()
        await tasks[1]
        await gateway.finish()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
