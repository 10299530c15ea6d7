"""A registered consumer: trimming waits for it, and of its copies one works."""

import asyncio
import logging

import pytest

from matchbox_tui.consumers import Duty
from matchbox_tui.store import Registration, Server
from tests.consumers.test_reader import trade
from tests.node.venue import QUIET, Venue
from tests.waiting import eventually


def registered(venue: Venue, copy: str = "one") -> Registration:
    return Registration(Server(venue.url), venue.keys, "test", copy)


async def first_after_trimming(venue: Venue) -> int:
    """Where the journal begins after as much of it was dropped as may be."""
    await venue.instances["a"].node.store.archive.trim()
    ((entry_id, _),) = await venue.link.call("XRANGE", venue.keys.log, "-", "+", "COUNT", 1)
    return int(entry_id.partition(b"-")[0])


async def test_trimming_waits_for_what_a_consumer_has_not_read(venue: Venue) -> None:
    instance = await venue.lead(settings=QUIET)
    consumer = registered(venue)
    await consumer.register()
    await trade(venue, 120)
    await instance.node.store.published(120)
    await venue.snapshot()
    await trade(venue, 1)
    await venue.snapshot()
    assert await first_after_trimming(venue) == 1
    await consumer.has_read(60)
    await consumer.register()  # again changes nothing
    assert 1 < await first_after_trimming(venue) <= 61
    await consumer.has_read(121)
    assert await first_after_trimming(venue) > 61
    await consumer.close()


async def test_of_two_copies_one_works_and_the_other_takes_over(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    one, two = registered(venue, "one"), registered(venue, "two")
    first, second = Duty(one, 500), Duty(two, 500)
    assert await first.look()
    assert not await second.look()
    assert "Working as test (one)" in caplog.text
    assert "Standing by as test: one works" in caplog.text
    await first.leave()
    await second.pause()
    assert await second.look()
    # A copy that goes without a word is waited for no longer than its lease.
    await eventually(lambda: _look(first))
    assert first.ours
    await one.close()
    await two.close()


async def test_a_copy_that_goes_on_looking_keeps_its_work(venue: Venue) -> None:
    one, two = registered(venue, "one"), registered(venue, "two")
    first, second = Duty(one, 300), Duty(two, 300)
    assert await first.look()
    for _ in range(12):
        await first.pause()
        assert await first.look()
        assert not await second.look()
    await one.close()
    await two.close()


async def test_a_copy_keeps_its_work_through_a_step_longer_than_the_lease(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    one, two = registered(venue, "one"), registered(venue, "two")
    first, second = Duty(one, 300), Duty(two, 300)
    assert await first.look()
    async with first.renewed():
        for _ in range(12):
            await second.pause()
            assert not await second.look()
    async with first.renewed(0.1):
        # One that takes for ever loses it.
        await eventually(lambda: _look(second))
    assert caplog.text.count("Working as test (one)") == 1
    await one.close()
    await two.close()


async def test_a_copy_says_once_that_it_works_however_often_it_begins(
    venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")
    one = registered(venue, "one")
    duty = Duty(one, 300)
    for _ in range(3):
        assert await duty.look()
        await duty.leave()
        await duty.pause()
    assert caplog.text.count("Working as test (one)") == 1
    await one.close()


async def _look(duty: Duty) -> bool:
    await asyncio.sleep(0.02)
    return await duty.look()
