"""Who comes back with ?after= gets what it missed, and then what is new, without gap or repeat."""

import asyncio
import random
from collections import deque

import pytest

from matchbox_tui.api.feeds import history
from matchbox_tui.store import FillMessage
from matchbox_tui.store.archive import PUBLISHER
from tests.api.feeds.trading import fills_of, pairs, trade
from tests.api.feeds.watching import Served, as_json, close_code, heard, serving_feeds, silent
from tests.node.venue import Venue, buy, sell
from tests.waiting import eventually


def remember(served: Served, count: int) -> None:
    """Has the gateway keep so few fills in memory."""
    trades = served.gateway.view.trades
    trades.all = deque(trades.all, maxlen=count)


async def published(venue: Venue, count: int) -> None:

    await eventually(venue.client.count_fills, lambda seen: seen == count)


async def test_from_the_beginning(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, pairs(700)))
    async with served.watch("/ws?after=0-0") as watcher:
        past = await heard(watcher, 700)
        await trade(led, pairs(2))
        new = await heard(watcher, 2)
        assert past + new == [as_json(fill) for fill in await fills_of(led)]
        assert await silent(watcher)


async def test_from_within_what_one_order_did(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, [*(sell(50, 1) for _ in range(5)), buy(50, 5)]))
    fills = await fills_of(led)
    assert len({fill.trade_id.partition("-")[0] for fill in fills}) == 1
    for missed in range(5):
        after = fills[-1 - missed].trade_id
        async with served.watch(f"/ws?after={after}") as watcher:
            await trade(led, pairs(1, price=77))
            expected = (await fills_of(led))[5 - missed :]
            assert await heard(watcher, len(expected)) == [as_json(fill) for fill in expected]
        fills = fills[:5]


async def test_of_one_market(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, pairs(300) + pairs(3, market="RAIN") + pairs(300)))
    async with served.watch("/ws?market=RAIN&after=0-0") as watcher:
        assert [fill["market"] for fill in await heard(watcher, 3)] == ["RAIN"] * 3
        await trade(led, pairs(1) + pairs(1, market="RAIN"))
        assert (await heard(watcher, 1))[0]["market"] == "RAIN"
        assert await silent(watcher)


async def test_what_memory_has_forgotten_comes_from_the_server(led: Venue, served: Served) -> None:
    remember(served, 40)
    await served.shows(await trade(led, pairs(600)))
    await published(led, 600)
    fills = await fills_of(led)
    for missed in (600, 599, 300, 41, 40, 39, 1, 0):
        after = fills[-1 - missed].trade_id if missed < 600 else "0-0"
        async with served.watch(f"/ws?after={after}") as watcher:
            assert await heard(watcher, missed) == [as_json(fill) for fill in fills[600 - missed :]]
            assert await silent(watcher)


@pytest.mark.parametrize("unpublished", [False, True])
async def test_what_is_older_than_the_instance_comes_from_the_server(
    led: Venue, unpublished: bool
) -> None:
    """Where the journal's beginning went, the view begins later than the fills do."""
    await trade(led, pairs(30))
    # The last ten in one sweep.
    late = await trade(led, [*(sell(50, 1) for _ in range(10)), buy(50, 10)])
    await published(led, 40)
    expected = [as_json(fill) for fill in await fills_of(led)]
    await led.snapshot()
    await led.link.call("XTRIM", led.keys.log, "MINID", f"{late - 5}-0")
    if unpublished:
        # As where the publisher has yet to tell of the last commits.
        lost = [fill["trade_id"] for fill in expected[32:]]
        await led.link.call("XDEL", led.keys.fills_stream, *lost)
        place = f"{late - 11}-0"
        await led.link.call("XGROUP", "SETID", led.keys.log, PUBLISHER, place)
    async with serving_feeds(led.url, led.prefix) as served:
        assert not served.gateway.view.trades.all
        for missed in (40, 20, 8, 5, 0):
            after = expected[-1 - missed]["trade_id"] if missed < 40 else "0-0"
            async with served.watch(f"/ws?after={after}") as watcher:
                assert await heard(watcher, missed) == expected[40 - missed :]
                assert await silent(watcher)
        async with served.watch("/ws?after=0-0") as watcher:
            await heard(watcher, 40)
            await trade(led, pairs(1, price=77))
            assert [fill["price"] for fill in await heard(watcher, 1)] == [77]


async def trimmed(venue: Venue, seq: int) -> None:
    """As instances do it: the fills no further than the journal."""
    for key in (venue.keys.log, venue.keys.fills_stream):
        await venue.link.call("XTRIM", key, "MINID", f"{seq}-0")


async def test_what_was_trimmed_is_not_passed_over(led: Venue, served: Served) -> None:
    remember(served, 5)
    for _ in range(4):
        await served.shows(await trade(led, pairs(10)))
    await published(led, 40)
    fills = [as_json(fill) for fill in await fills_of(led)]
    places = [fill["trade_id"] for fill in fills]
    await trimmed(led, int(places[20].partition("-")[0]))
    assert await led.client.count_fills() == 20
    for gone in (0, 10, 18):
        async with served.watch(f"/ws?after={places[gone]}") as watcher:
            assert await close_code(watcher) == 1008
            assert watcher.close_reason is not None
            assert "after: fills since that trade were trimmed" in watcher.close_reason
    for left in (20, 30):
        async with served.watch(f"/ws?after={places[left]}") as watcher:
            assert await heard(watcher, 39 - left) == fills[left + 1 :]
            assert await silent(watcher)
    async with served.watch("/ws?after=0-0") as watcher:
        assert await heard(watcher, 20) == fills[20:]


async def test_what_is_trimmed_in_the_middle_of_a_replay_ends_it(
    led: Venue, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 10)
    remember(served, 5)
    for _ in range(4):
        await served.shows(await trade(led, pairs(10)))
    await published(led, 40)
    places = [fill.trade_id for fill in await fills_of(led)]
    past = history.History(served.gateway.view, served.gateway.reader, led.client)
    pages = past.since((0, 0))
    assert [fill.trade_id for fill in await anext(pages)] == places[:10]
    await trimmed(led, int(places[30].partition("-")[0]))
    with pytest.raises(history.PastTrimmed):
        await anext(pages)


@pytest.mark.parametrize("kept", [25, 50_000])
async def test_while_trading_goes_on(led: Venue, served: Served, kept: int) -> None:
    """Clients come at any moment of it, from any fill: each has everything from there on."""
    remember(served, kept)
    chance = random.Random(7)
    told: list[FillMessage] = []
    served.gateway.view.on_update.append(lambda update: told.extend(update.fills))
    total = 900

    async def watch(delay: float) -> tuple[int, list[object]]:
        await asyncio.sleep(delay)
        known = len(told)
        start = chance.randrange(known + 1)
        after = told[start - 1].trade_id if start else "0-0"
        async with served.watch(f"/ws?after={after}") as watcher:
            return start, await heard(watcher, total - start)

    watchers = [asyncio.ensure_future(watch(chance.random())) for _ in range(25)]
    for _ in range(total // 15):
        await led.client.submit(pairs(15))
        await asyncio.sleep(chance.random() * 0.02)
    seen = await asyncio.gather(*watchers)
    expected = [as_json(fill) for fill in await fills_of(led)]
    assert len(expected) == total
    for start, fills in seen:
        assert fills == expected[start:]


async def test_a_client_that_is_ahead_of_this_instance_waits(led: Venue, served: Served) -> None:
    """Another instance told it of a fill that this one has yet to read."""
    seq = await trade(led, pairs(1))
    await served.shows(seq)
    (told,) = await fills_of(led)
    ahead = f"{seq + 2}-{told.trade_id.partition('-')[2]}"
    async with served.watch(f"/ws?after={ahead}") as watcher:
        await trade(led, pairs(2))
        first, second = (await fills_of(led))[1:]
        assert first.trade_id == ahead
        assert await heard(watcher, 1) == [as_json(second)]
        assert await silent(watcher)


async def test_a_trade_that_never_was_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "REACH_SECONDS", 0.1)
    async with served.watch("/ws?after=1000-0") as watcher:
        assert await close_code(watcher) == 1008
        assert watcher.close_reason is not None
        assert "after" in watcher.close_reason


async def test_a_fill_that_cannot_be_read_ends_the_replay(led: Venue, served: Served) -> None:
    """Passed over it would be a gap, of which nobody were told."""
    await led.link.call("XADD", led.keys.fills_stream, "1-1", "event", '{"price":50')
    remember(served, 1)
    await served.shows(await trade(led, pairs(3)))
    await published(led, 4)
    async with served.watch("/ws?after=0-0") as watcher:
        assert await close_code(watcher) == 1011
    async with served.watch("/ws?after=1-1") as watcher:
        assert len(await heard(watcher, 3)) == 3
