"""Who watches the fills gets each of them, once and in order."""

import asyncio

from tests.api.feeds.trading import fills_of, pairs, trade
from tests.api.feeds.watching import Served, as_json, heard, silent
from tests.node.venue import Venue, buy, sell


async def test_a_fill_has_all_that_is_promised(led: Venue, served: Served) -> None:
    async with served.watch() as watcher:
        maker, taker = await led.client.submit([sell(50, 10, timestamp=3), buy(51, 4, timestamp=7)])
        (fill,) = await heard(watcher, 1)
    assert fill == {
        "maker_order_id": maker,
        "taker_order_id": taker,
        "price": 50,
        "qty": 4,
        "timestamp": 7,
        "market": "MAIN",
        "trade_id": fill["trade_id"],
        "taker_side": "buy",
    }
    assert fill == as_json((await fills_of(led))[0])


async def test_everybody_gets_the_same_fills(led: Venue, served: Served) -> None:
    async with served.watch() as one, served.watch("/ws/") as other:
        await trade(led, pairs(20))
        expected = [as_json(fill) for fill in await fills_of(led)]
        assert len(expected) == 20
        assert await heard(one, 20) == expected
        assert await heard(other, 20) == expected
        assert await silent(one)


async def test_a_market_can_be_chosen(led: Venue, served: Served) -> None:
    async with served.watch("/ws?market=RAIN") as rain, served.watch() as everything:
        await trade(led, pairs(1) + pairs(2, market="RAIN") + pairs(1))
        assert [fill["market"] for fill in await heard(rain, 2)] == ["RAIN", "RAIN"]
        markets = [fill["market"] for fill in await heard(everything, 4)]
        assert markets == ["MAIN", "RAIN", "RAIN", "MAIN"]
        assert await silent(rain)


async def test_what_was_before_is_not_told(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, pairs(3)))
    async with served.watch() as watcher:
        await trade(led, pairs(1, price=77))
        assert [fill["price"] for fill in await heard(watcher, 1)] == [77]
        assert await silent(watcher)


async def test_a_sweep_of_thousands_arrives_whole(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, [sell(50, 1) for _ in range(3000)]))
    async with served.watch() as one, served.watch() as other:
        await led.client.submit([buy(50, 3000)])
        swept = await asyncio.gather(heard(one, 3000), heard(other, 3000))
        expected = [as_json(fill) for fill in await fills_of(led)]
        assert swept == [expected, expected]


async def test_a_feed_that_everybody_left_is_there_for_the_next(led: Venue, served: Served) -> None:
    async with served.watch() as watcher:
        await led.client.submit(pairs(1))
        await heard(watcher, 1)
    await served.clients(0)
    assert served.feeds.connected["fills"] == 0
    await served.shows(await trade(led, pairs(1)))
    async with served.watch() as watcher:
        await served.clients(1)
        assert served.feeds.connected["fills"] == 1
        await led.client.submit(pairs(1, price=77))
        assert [fill["price"] for fill in await heard(watcher, 1)] == [77]
