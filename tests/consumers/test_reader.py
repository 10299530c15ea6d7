"""Reading the journal from a place on: in batches, checked, and told when something is missing."""

import pytest

from matchbox_tui.consumers import HistoryTrimmed, JournalReader, Place
from matchbox_tui.store import StoreSetBack
from tests.node.venue import QUIET, Venue, buy, sell


async def trade(venue: Venue, orders: int) -> None:
    for _ in range(orders):
        await venue.client.submit([buy(50, 1)])
        await venue.handled()


async def read_all(reader: JournalReader, events: int) -> list[list[int]]:
    found = []
    while batch := await reader.batch(events, wait_ms=1):
        found.append([entry.seq for entry in batch])
    return found


async def test_batches_hold_everything_once_and_no_more_than_asked_for(venue: Venue) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 5)  # each is accepted and rests: two events
    await venue.client.submit([sell(50, 3)])
    seq = await venue.handled()
    found = await read_all(JournalReader(venue.client, Place()), 4)
    assert found == [[1, 2], [3, 4], [5, 6]]
    assert seq == 6


async def test_a_reader_goes_on_where_another_one_stopped(venue: Venue) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 3)
    first = JournalReader(venue.client, Place())
    await first.batch(1)
    second = JournalReader(venue.client, first.place)
    await trade(venue, 2)
    assert await read_all(second, 1) == [[2], [3], [4], [5]]


async def test_what_was_trimmed_is_said_with_its_places(venue: Venue) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 6)
    first = JournalReader(venue.client, Place())
    await first.batch(1)
    reader = JournalReader(venue.client, first.place)
    await venue.link.call("XTRIM", venue.keys.log, "MINID", "5-0")
    with pytest.raises(HistoryTrimmed) as error:
        await reader.batch(100)
    assert (error.value.place, error.value.first) == (1, 5)
    assert reader.place == first.place


@pytest.mark.parametrize("place", [Place(2, "another"), Place(4, "another"), Place(9, "beyond")])
async def test_a_store_with_another_history_is_not_followed(venue: Venue, place: Place) -> None:
    await venue.lead(settings=QUIET)
    await trade(venue, 4)
    assert await venue.handled() == 4
    with pytest.raises(StoreSetBack):
        await JournalReader(venue.client, place).batch(100, wait_ms=1)
