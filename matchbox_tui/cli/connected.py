"""What the one-shot commands share: a client for the time of one command."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from matchbox_tui.cli.running import UsageError, run, say

if TYPE_CHECKING:
    from matchbox_tui.engine import Exchange
    from matchbox_tui.store import Client


def with_client(url: str, prefix: str, work: "Callable[[Client], Coroutine[Any, Any, int]]") -> int:
    """Runs `work` with a connected client and returns its exit code. Raises a `StoreError`."""
    from matchbox_tui.store import Client

    async def connected() -> int:
        client = await Client.connect(url, prefix, "cli")
        for warning in client.warnings:
            say(f"matchbox: warning: {warning}")
        try:
            return await work(client)
        finally:
            await client.close()

    return run(connected())


async def read_exchange(client: "Client") -> "Exchange":
    """The venue's state at this moment: the newest snapshot and the journal after it."""
    replica = await client.restore()
    await client.catch_up(replica)
    return replica.exchange


def known_market(exchange: "Exchange", market: str) -> None:
    """Raises `UsageError` for a market that is not there."""
    if market not in exchange.books:
        names = ", ".join(exchange.books)
        raise UsageError(f"--market {market!r}: no such market; there are {names}")
