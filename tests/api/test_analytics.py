"""GET /candles and /stats: what the analytics say, and what is said where there are none."""

import asyncio
from typing import Any

import pytest

from matchbox_tui.api.answers import CandleInterval
from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.store import CANDLE_SPANS
from tests.api.serving import Api
from tests.waiting import eventually

BEGIN = 1_700_000_000_000_000_000


async def trade(api: Api, prices: list[int], market: str = "MAIN") -> None:
    """One contract at each price, ten seconds apart."""
    for number, price in enumerate(prices):
        for side, trader in ((Side.SELL, "ann"), (Side.BUY, "bob")):
            now = BEGIN + number * 10 * 10**9
            order = NewOrder(
                order_id=0,
                market=market,
                side=side,
                price=price,
                qty=1,
                timestamp=now,
                trader=trader,
            )
            await api.gateway.place([order])
    await api.settled()


async def up_to_date(api: Api, market: str = "MAIN") -> dict[str, Any]:
    """The statistics, as soon as they count all that there is."""

    async def stats() -> dict[str, Any]:
        answer = await api.http.get("/stats", params={"market": market})
        return answer.json() if answer.status_code == 200 else {}

    return await eventually(stats, lambda shown: shown.get("sequence") == api.gateway.view.seq)


async def test_candles_are_the_newest_of_a_market_oldest_first(counted: Api) -> None:
    await trade(counted, [50, 52, 49, 51])
    await up_to_date(counted)
    candles = await counted.get("/candles", interval="10s", limit=2)
    assert candles == [
        {
            "time": BEGIN + at * 10**9,
            **dict.fromkeys(("open", "high", "low", "close"), price),
            **dict.fromkeys(("volume", "trades"), 1),
        }
        for at, price in ((20, 49), (30, 51))
    ]
    assert len(await counted.get("/candles", interval="1s")) == 4
    minutes = await counted.get("/candles")
    assert minutes == await counted.get("/candles", interval="1m")
    assert sum(candle["trades"] for candle in minutes) == 4
    assert all(candle["time"] % (60 * 10**9) == 0 for candle in minutes)
    assert await counted.get("/candles", market="RAIN") == []


async def test_statistics_tell_of_prices_books_traders_and_the_engine(counted: Api) -> None:
    await trade(counted, [50, 53])
    await counted.place("buy", 40, 5)
    await counted.place("sell", 44, 2)
    await counted.settled()
    stats = await up_to_date(counted)
    assert (stats["since"], stats["history_from"], stats["lag"]) == (1, 1, 0)
    assert stats["health"]["commands"] == stats["sequence"]
    market = stats["market"]
    assert market["market"] == "MAIN"
    prices = market["prices"]
    assert (prices["last"], prices["change"]) == (53, 3)
    assert (prices["notional"], prices["volume"], prices["trades"]) == (103, 2, 2)
    quotes = market["quotes"]
    assert (quotes["samples"], quotes["two_sided"]) == (6, 1)
    assert (quotes["spread_sum"], quotes["bid_qty_sum"], quotes["ask_qty_sum"]) == (4, 5, 2)
    assert (market["activity"]["messages"], market["activity"]["trades"]) == (6, 2)
    assert [one["trader"] for one in market["leaderboard"]["by_volume"]] == ["ann", "bob"]
    assert market["leaderboard"]["by_volume"][0]["maker_qty"] == 2
    empty = (await counted.get("/stats", market="RAIN"))["market"]
    assert (empty["prices"]["last"], empty["prices"]["trades"]) == (None, 0)


async def test_analytics_that_were_stopped_are_shown_with_how_far_they_lag(
    counted: Api, analytics: "asyncio.Task[None]"
) -> None:
    await trade(counted, [50])
    before = await up_to_date(counted)
    analytics.cancel()
    await asyncio.wait((analytics,))
    await trade(counted, [51, 52])
    stats = await counted.get("/stats")
    assert (stats["sequence"], stats["lag"]) == (before["sequence"], 4)
    assert stats["market"] == before["market"]


@pytest.mark.parametrize("path", ["/candles", "/stats"])
async def test_where_no_analytics_run_it_is_said_how_to_start_them(api: Api, path: str) -> None:
    answer = await api.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"].endswith("start `matchbox consume analytics` beside it")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/candles?market=NO", 422, "market 'NO': no market has this symbol"),
        ("/candles?interval=2s", 422, "interval must be 1s, 10s or 1m"),
        ("/candles?limit=0", 400, "limit must be between 1 and 1000"),
        ("/stats?market=NO", 422, "market 'NO': no market has this symbol"),
        ("/stats?limit=5", 422, "limit: unknown query parameter; use market"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_parameter_is_refused_by_name(
    shared_api: Api, path: str, status: int, words: str
) -> None:
    answer = await shared_api.http.get(path)
    assert answer.status_code == status
    assert words in answer.json()["error"]


async def test_figures_that_can_not_be_read_are_said(counted: Api) -> None:
    await trade(counted, [50])
    await up_to_date(counted)
    keys = counted.gateway.client.keys
    link = counted.gateway.client.server.link("matchbox-test")
    await link.call("HSET", keys.analytics_market("MAIN"), "stats", '{"market":1}')
    await link.close()
    answer = await counted.http.get("/stats")
    assert answer.status_code == 503
    assert "can't be read" in answer.json()["error"]


def test_the_intervals_are_those_of_the_analytics() -> None:
    assert [interval.value for interval in CandleInterval] == list(CANDLE_SPANS)
