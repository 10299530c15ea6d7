"""The guard ends a server for reasons that are ends, and for no other."""

import asyncio
import os
import signal
import time

from matchbox_tui.store import Client, EmbeddedServer

GUARD_LOOKS = 1.2
"""The guard looks at its server once a second at the latest, in seconds."""


def test_a_server_that_was_paused_and_resumed_serves_on() -> None:
    with EmbeddedServer() as server:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(server.pid, number)
            time.sleep(GUARD_LOOKS)
        assert server.alive()
        assert server.directory.exists()
        assert asyncio.run(_sequence(server.url)) == 0


async def _sequence(url: str) -> int:
    client = await Client.connect(url)
    try:
        return (await client.cluster()).seq
    finally:
        await client.close()
