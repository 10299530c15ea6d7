"""A subscriber of the fills' channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from matchbox_tui.store import FillMessage, Server


@asynccontextmanager
async def subscribed(url: str, channel: str) -> AsyncIterator[list[FillMessage]]:
    """What the subscriber has heard; grows as it listens."""
    connection = Server(url).connection()
    await connection.connect()  # type: ignore[no-untyped-call]
    await connection.send_command("SUBSCRIBE", channel)
    await connection.read_response()
    heard: list[FillMessage] = []

    async def listen() -> None:
        while True:
            _, _, message = await connection.read_response(disable_decoding=True)
            heard.append(msgspec.json.decode(message, type=FillMessage))

    listening = asyncio.ensure_future(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await connection.disconnect(nowait=True)
