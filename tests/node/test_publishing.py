"""Fills reach the stream and the channel once each, in order, whoever leads and whatever broke."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from matchbox_tui.engine import BookSnapshot, Market, TradeExecuted
from matchbox_tui.node import publisher
from matchbox_tui.store import Entry, FillMessage, Tip, fill_message
from tests.node.venue import Venue, buy, sell
from tests.subscriber import subscribed
from tests.waiting import eventually

Fills = Sequence[tuple[int, int, FillMessage]]


async def _fills(venue: Venue) -> list[FillMessage]:
    """The fills of the journal."""
    return [fill_message(event) for event in await venue.events() if type(event) is TradeExecuted]


async def _stream(venue: Venue) -> list[tuple[str, FillMessage]]:
    reply = await venue.link.call("XRANGE", venue.keys.fills_stream, "-", "+")
    return [
        (entry_id.decode(), msgspec.json.decode(flat[1], type=FillMessage))
        for entry_id, flat in reply
    ]


async def _published(venue: Venue) -> list[FillMessage]:
    """The journal's fills, once the stream has them all; checks that it has them exactly."""
    await venue.handled()
    fills = await _fills(venue)
    await eventually(venue.client.count_fills, lambda count: count >= len(fills))
    assert await _stream(venue) == [(fill.trade_id, fill) for fill in fills]
    return fills


async def _heard(heard: list[FillMessage], fills: list[FillMessage]) -> None:
    async def count() -> int:
        return len(heard)

    await eventually(count, lambda number: number >= len(fills))
    assert heard == fills


async def test_every_fill_is_told_and_kept_once(venue: Venue) -> None:
    await venue.lead()
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        for n in range(20):
            await venue.client.submit([sell(50, 1), sell(50, 1), buy(50, 3 + n % 2)])
        fills = await _published(venue)
        assert len(fills) == 40
        await _heard(heard, fills)


async def test_a_leader_that_is_stopped_tells_what_it_matched(venue: Venue) -> None:
    instance = await venue.lead("a")
    slow = instance.node.store.publish

    async def publish(commit: Tip, last: tuple[int, int], fills: Fills) -> bool:
        await asyncio.sleep(0.05)
        return await slow(commit, last, fills)

    instance.node.store.publish = publish  # type: ignore[method-assign]  # a slow stream
    await venue.client.submit([sell(50, 1), buy(50, 1)])
    await venue.handled()
    await instance.stop()
    assert await venue.client.count_fills() == len(await _fills(venue)) == 1


async def test_a_fill_has_the_fields_of_the_contract(venue: Venue) -> None:
    await venue.lead()
    await venue.client.submit([sell(50, 4, timestamp=5), buy(51, 10, timestamp=6)])
    await _published(venue)
    ((entry_id, (field, event)),) = await venue.link.call(
        "XRANGE", venue.keys.fills_stream, "-", "+"
    )
    told = msgspec.json.decode(event)
    assert field == b"event"
    assert entry_id.decode() == told.pop("trade_id")
    assert told == {
        "maker_order_id": 1,
        "taker_order_id": 2,
        "price": 50,
        "qty": 4,
        "timestamp": 6,
        "market": "MAIN",
        "taker_side": "buy",
    }


async def test_across_failovers_no_fill_is_missed_or_doubled(venue: Venue) -> None:
    for name in "abcd":
        venue.start(name)
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        for _ in range(3):
            name = await venue.leader()
            await venue.client.submit([sell(50, 1)] * 100 + [buy(50, 1)] * 100)
            await venue.instances.pop(name).stop()
        await venue.client.submit([sell(50, 1), buy(50, 1)])
        fills = await _published(venue)
        assert len(fills) == 301
        await _heard(heard, fills)


async def test_a_full_channel_makes_nobody_wait_and_loses_nothing(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CHANNEL_EVENTS", 1)
    instance = await venue.lead()
    gate, publish = asyncio.Event(), instance.node.store.publish

    async def slow(commit: Tip, last: tuple[int, int], fills: Fills) -> bool:
        await gate.wait()
        return await publish(commit, last, fills)

    monkeypatch.setattr(instance.node.store, "publish", slow)
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        for _ in range(10):
            await venue.client.submit([sell(50, 1), buy(50, 1)])
            await venue.handled()
        assert await venue.client.count_fills() == 0
        gate.set()
        fills = await _published(venue)
        assert len(fills) == 10
        await _heard(heard, fills)


async def test_commits_that_wait_are_told_together(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = await venue.lead()
    gate, publish = asyncio.Event(), instance.node.store.publish
    calls: list[int] = []

    async def slow(commit: Tip, last: tuple[int, int], fills: Fills) -> bool:
        calls.append(len(fills))
        await gate.wait()
        return await publish(commit, last, fills)

    monkeypatch.setattr(instance.node.store, "publish", slow)
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        for _ in range(10):
            await venue.client.submit([sell(50, 1), buy(50, 1)])
            await venue.handled()
        gate.set()
        await _heard(heard, await _published(venue))
    assert len(calls) == 2


async def test_what_waits_is_bounded_however_big_the_commits_are(venue: Venue) -> None:
    store = (await venue.lead()).node.store
    waiting = publisher.Publisher(store)
    await venue.client.submit([sell(50, 1), buy(50, 1)])
    await venue.handled()
    *_, fill = await venue.events()
    for number in range(100):
        waiting.offer(number, Tip(number), [fill] * (publisher.CHANNEL_EVENTS // 10))
    assert waiting.waiting_events == publisher.CHANNEL_EVENTS


async def test_what_overflowed_between_two_that_did_not_is_made_up_for(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CHANNEL_EVENTS", 1)
    instance = await venue.lead()
    await venue.client.submit([sell(50, 9)])
    await venue.handled()
    permits, publish = asyncio.Semaphore(0), instance.node.store.publish
    under_way: list[int] = []

    async def slow(commit: Tip, last: tuple[int, int], fills: Fills) -> bool:
        under_way.append(len(fills))
        await permits.acquire()
        return await publish(commit, last, fills)

    async def buy_one() -> None:
        await venue.client.submit([buy(50, 1)])
        await venue.handled()

    async def published() -> int:
        return len(under_way)

    monkeypatch.setattr(instance.node.store, "publish", slow)
    await buy_one()
    await eventually(published, lambda calls: calls == 1)
    await buy_one()  # waits in the channel
    await buy_one()  # finds it full
    permits.release()
    await eventually(published, lambda calls: calls == 2)
    await buy_one()  # has a place again
    for _ in range(100):
        permits.release()
    assert len(await _published(venue)) == 4


async def test_the_journal_is_read_in_pieces_that_grow_step_by_step(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (await venue.lead()).node.store
    for _ in range(8):
        await venue.client.submit([sell(50, 1), buy(50, 1)])
        await venue.handled()
    await _published(venue)
    await venue.link.call("DEL", venue.keys.fills_stream)
    read, limits = store.read, list[int]()

    async def noted(after: int, limit: int) -> list[Entry]:
        limits.append(limit)
        return await read(after, limit)

    monkeypatch.setattr(store, "read", noted)
    late = asyncio.ensure_future(publisher.Publisher(store).run())
    await _published(venue)
    late.cancel()
    assert limits[:3] == [1, 2, 4]


async def test_a_stream_that_can_t_be_written_for_a_while_is_made_up_for(venue: Venue) -> None:
    await venue.lead()
    await venue.link.call("SET", venue.keys.fills_stream, "in the way")
    await venue.client.submit([sell(50, 1), buy(50, 1)])
    await venue.handled()
    await venue.client.submit([sell(50, 1), buy(50, 1)])
    await venue.handled()
    await venue.link.call("DEL", venue.keys.fills_stream)
    assert len(await _published(venue)) == 2


@pytest.mark.parametrize("leading", [True, False])
async def test_a_stream_that_another_program_wrote_to_is_told_and_made_up_for_once_it_is_gone(
    venue: Venue, leading: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def told() -> bool:
        return "is no fill of this journal" in caplog.text

    if leading:
        await venue.lead()
    await venue.link.call("XADD", venue.keys.fills_stream, "*", "event", "{}")
    await venue.client.submit([sell(50, 1), buy(50, 1)])
    if not leading:
        await venue.lead()
    await eventually(told)
    await venue.link.call("DEL", venue.keys.fills_stream)
    assert len(await _published(venue)) == 1


async def test_a_batch_published_in_part_is_completed_by_the_next_leader(venue: Venue) -> None:
    instance = await venue.lead("a")
    publish = instance.node.store.publish
    cut: list[int] = []

    async def half(commit: Tip, last: tuple[int, int], fills: Fills) -> bool:
        if cut:
            await asyncio.sleep(3600)
        if fills:
            cut.append(len(fills))
        return await publish(commit, last, fills[: len(fills) // 2])

    instance.node.store.publish = half  # type: ignore[method-assign]
    async with subscribed(venue.url, venue.keys.fills_channel) as heard:
        await venue.client.submit([sell(50, 1)] * 9 + [buy(50, 9)])
        await venue.handled()
        await eventually(venue.client.count_fills)
        await venue.client.submit([sell(50, 1), buy(50, 1)])
        await venue.handled()
        await instance.stop()
        await venue.lead("b")
        fills = await _published(venue)
        assert len(fills) == 10
        await _heard(heard, fills)


async def test_the_published_books_are_each_market_s_own(venue: Venue) -> None:
    await venue.lead(markets=(Market.prediction("RAIN"), Market.prediction("SNOW")))
    await venue.client.submit(
        [buy(50, 1), buy(40, 2, market="RAIN"), sell(60, 3, market="RAIN"), sell(45, 1)]
    )
    await venue.handled()
    exchange = (await venue.replica()).exchange
    for market, key in (("MAIN", ""), ("RAIN", ":RAIN"), ("SNOW", ":SNOW")):
        raw = await venue.link.call("GET", f"{venue.prefix}orderbook:snapshot{key}")
        book = msgspec.json.decode(raw, type=BookSnapshot)
        assert book == exchange.book(market).snapshot()
    told = msgspec.json.decode(
        await venue.link.call("GET", f"{venue.prefix}orderbook:snapshot:RAIN")
    )
    assert told == {
        "bids": [{"price": 40, "qty": 2}],
        "asks": [{"price": 60, "qty": 3}],
        "sequence": told["sequence"],
    }


async def test_the_published_book_has_the_best_hundred_levels(venue: Venue) -> None:
    await venue.lead()
    await venue.client.submit([buy(price) for price in range(1, 151)])
    await venue.handled()
    book = await venue.client.published_book("MAIN")
    assert book is not None
    assert [level.price for level in book.bids] == list(range(150, 50, -1))
