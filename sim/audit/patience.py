"""Waiting for the publisher of fills, which works behind the journal."""

import asyncio
import time

from matchbox_tui.store import Keys, Link, StoreError
from sim.audit.replies import place

LOOK_SECONDS = 0.05
MOST_PATIENCE = 12
"""A publisher that gets on is waited for so many times as long as one that doesn't."""


async def await_fills(
    link: Link, keys: Keys, last_fill: tuple[int, int], wait_s: float
) -> str | None:
    """Waits for `events_stream` to have the fill of this (seq, n); returns who leads then.

    It is given up where the publisher has stood still for `wait_s` seconds: None where nobody
    leads who could publish. A leader that died may hold its lease meanwhile, and its successor
    must catch up before it publishes. Raises a `StoreError`.
    """
    began = moved = time.monotonic()
    patience, seen = 0.0, (0, -2)
    while True:
        replies = await link.calls(
            [
                ("XREVRANGE", keys.fills_stream, "+", "-", "COUNT", 1),
                ("GET", keys.leader),
                ("PTTL", keys.leader),
            ]
        )
        fills, leader, lease_ms = replies
        if isinstance(fills, StoreError):
            raise fills
        now, clock = (place(fills[0][0]) if fills else (0, -1)), time.monotonic()
        if now > seen:
            seen, moved = now, clock
            patience = wait_s + (max(0, lease_ms) / 1000 if isinstance(lease_ms, int) else 0)
        name = leader.decode(errors="replace") if isinstance(leader, bytes) else None
        if now >= last_fill:
            return name
        if clock - began > MOST_PATIENCE * wait_s:
            return name if await _leads(link, keys, name) else None
        if clock - moved > patience and (name is None or await _leads(link, keys, name)):
            return name
        await asyncio.sleep(LOOK_SECONDS)


async def _leads(link: Link, keys: Keys, name: str | None) -> bool:
    """Whether the leader has caught up and works, as far as it says."""
    if name is None:
        return False
    role = await link.call("HGET", keys.instance(name), "role")
    return role in (None, b"leading")
