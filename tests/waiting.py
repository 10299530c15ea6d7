"""Waiting for what must happen, however slow the machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds until what has not happened counts as never happening."""


async def eventually(
    look: Callable[[], Awaitable[T]],
    fits: Callable[[T], bool] = bool,
    seconds: float = PATIENCE,
) -> T:
    """What `look` returns, once it fits. Fails with the last thing seen."""
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if fits(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        await asyncio.sleep(0.01)


def soon(look: Callable[[], T], fits: Callable[[T], bool] = bool, seconds: float = PATIENCE) -> T:
    """As `eventually`, where nothing is awaited."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if fits(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        time.sleep(0.01)
