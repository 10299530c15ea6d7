"""A stop ends what an instance waits for."""

import asyncio

import pytest

from matchbox_tui.node import leader
from tests.node.venue import QUIET, Venue, buy
from tests.waiting import eventually

LONG = 600.0
"""Seconds; longer than any test may take."""


async def test_a_leader_that_waits_for_an_order_ends_at_a_stop(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "IDLE_SECONDS", LONG)
    instance = await venue.lead("a", settings=QUIET)
    await venue.client.submit([buy(50, 10)])
    await venue.handled()

    async def waits() -> bool:
        lines = (await venue.link.call("CLIENT", "LIST")).splitlines()
        return any(b"name=matchbox:a:wait " in line and b"cmd=blmove" in line for line in lines)

    await eventually(waits)
    async with asyncio.timeout(30):
        await instance.stop()
    assert (await venue.client.cluster()).leader is None
