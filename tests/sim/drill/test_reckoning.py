"""What the journal says about what the traders were told, true or made up."""

import pytest

from matchbox_tui.engine import NewOrder
from matchbox_tui.store import Client, Keys, Link, Replica
from sim.drill.reckoning import Executed, reckon
from sim.floor import Doubt, FloorRecord
from sim.watcher import Sighting
from tests.node.conftest import venue as venue
from tests.node.venue import Venue, buy, sell


def named(name: str, trader: str = "ann", price: int = 50) -> NewOrder:
    return buy(price, trader=trader, client_order_id=name)


async def traded(venue: Venue) -> FloorRecord:
    """A venue with ten orders, some rejected and some filled, and what was told about them."""
    await venue.lead()
    record = FloorRecord()
    orders = [*(buy(price) for price in range(40, 46)), sell(44), buy(qty=0), buy(), sell(50)]
    record.acknowledge(await venue.client.submit(orders))
    await venue.handled()
    return record


async def test_a_true_record_has_nothing_lost_or_doubled(venue: Venue) -> None:
    record = await traded(venue)
    reckoning = await reckon(venue.client, record)
    assert (reckoning.seq, reckoning.commands) == (10, 10)
    assert reckoning.commits == len(await venue.journal())
    assert (reckoning.lost, reckoning.doubled) == ([], [])
    assert (reckoning.broken, reckoning.altered) == (None, None)


async def test_an_order_that_was_acknowledged_and_is_not_there_is_lost(venue: Venue) -> None:
    record = await traded(venue)
    record.acknowledge([12, 13])
    record.acknowledge([99])
    assert (await reckon(venue.client, record)).lost == [12, 13, 99]


async def test_an_order_that_is_answered_twice_is_doubled(venue: Venue, link: Link) -> None:
    record = await traded(venue)
    element = b'{"id":3,"side":"buy","price":42,"qty":10,"timestamp":1}'
    await link.call("RPUSH", venue.keys.queue, element)
    await venue.handled()
    reckoning = await reckon(venue.client, record)
    assert (reckoning.lost, reckoning.doubled) == ([], [3])


async def test_elements_that_are_no_orders_are_nobody_s_twice(venue: Venue, link: Link) -> None:
    record = await traded(venue)
    await link.call("RPUSH", venue.keys.queue, "nonsense", "more of it")
    await venue.handled()
    assert (await reckon(venue.client, record)).doubled == []


async def test_orders_in_doubt_are_found_or_never_arrived(venue: Venue) -> None:
    record = await traded(venue)
    # One is accepted, one rejected; both were carried out.
    rejected = named("worse", price=0)
    ids = await venue.client.submit([named("first"), named("first", "bob"), rejected])
    await venue.handled()
    record.doubts = [
        Doubt("ann", "first"),
        Doubt("ann", "never"),
        Doubt("ann", "worse"),
        Doubt("carl", "first"),
    ]
    reckoning = await reckon(venue.client, record)
    assert reckoning.executed == [
        Executed("ann", "first", ids[0]),
        Executed("ann", "worse", ids[2]),
    ]
    assert reckoning.never_arrived == [Doubt("ann", "never"), Doubt("carl", "first")]
    assert reckoning.doubled == []


async def test_a_name_with_two_orders_is_doubled(venue: Venue, link: Link) -> None:
    record = await traded(venue)
    (first,) = await venue.client.submit([named("once")])
    await link.call("DEL", venue.keys.client_order("ann", "once"))
    (second,) = await venue.client.submit([named("once")])
    await venue.handled()
    record.doubts = [Doubt("ann", "once")]
    reckoning = await reckon(venue.client, record)
    assert reckoning.executed == [Executed("ann", "once", first)]
    assert reckoning.doubled == [second]


async def test_hashes_are_those_of_the_state_at_that_place(venue: Venue) -> None:
    record = await traded(venue)
    places: dict[int, str] = {}
    replica = Replica()
    for entry in await venue.journal():
        replica.apply(entry)
        places[entry.seq] = replica.exchange.state_hash()
    assert (await reckon(venue.client, record, hash_at=[*places, 10**6])).hashes == places


async def seen(venue: Venue) -> list[Sighting]:
    return [Sighting(entry.seq, entry.epoch, entry.chain, 0.0) for entry in await venue.journal()]


async def test_a_journal_as_it_was_seen_is_not_altered(venue: Venue) -> None:
    record = await traded(venue)
    assert (await reckon(venue.client, record, await seen(venue))).altered is None


@pytest.mark.parametrize("change", ["another entry", "an entry that is gone"])
async def test_a_journal_other_than_it_was_seen_is_altered(venue: Venue, change: str) -> None:
    record = await traded(venue)
    sightings = await seen(venue)
    if change == "another entry":
        last = sightings.pop()
        sightings.append(Sighting(last.seq, last.epoch, "0" * 32, 0.0))
        place = last.seq
    else:
        place = sightings[-1].seq + 1
        sightings.append(Sighting(place, 1, "0" * 32, 0.0))
    assert (await reckon(venue.client, record, sightings)).altered == place


async def test_a_journal_with_an_entry_missing_is_broken(
    client: Client, venue: Venue, link: Link, keys: Keys
) -> None:
    record = await traded(venue)
    await venue.client.submit([buy()])
    await venue.handled()
    entries = await venue.journal()
    await link.call("XDEL", keys.log, f"{entries[-2].seq}-0")
    reckoning = await reckon(client, record)
    assert f"the journal has {entries[-1].first_seq} after" in (reckoning.broken or "")
    assert reckoning.seq == entries[-2].first_seq - 1
