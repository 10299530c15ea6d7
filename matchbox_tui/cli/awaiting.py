"""Waiting for what the journal tells of a command that was sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from matchbox_tui.cli.running import UsageError
from matchbox_tui.engine import Event

if TYPE_CHECKING:
    from matchbox_tui.store import Client


def check_timeout(seconds: int) -> None:
    """Raises `UsageError` for a wait that is none."""
    if seconds < 1:
        raise UsageError(f"--timeout {seconds}: use 1 or more seconds")


async def await_events(
    client: "Client",
    after: int,
    seconds: int,
    what: str,
    wanted: Callable[[Event], bool],
) -> list[Event]:
    """All events of the first command after `after` that has a wanted one."""
    async with patience(seconds, what):
        async for entry in client.entries(after):
            for event in entry.events:
                if wanted(event):
                    return [other for other in entry.events if other.seq == event.seq]
    raise AssertionError("the journal has no end")


@contextlib.asynccontextmanager
async def patience(seconds: int, what: str) -> AsyncIterator[None]:
    """Ends what waits for a leader in vain. Raises `Unusable`."""
    from matchbox_tui.store import Unusable

    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unusable(
            f"{what} is queued, but no leader took it within {seconds} s: start 'matchbox engine'"
        ) from None
