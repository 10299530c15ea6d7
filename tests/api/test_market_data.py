"""GET /orderbook, /trades, /markets and /positions; and how fresh all reads are."""

import asyncio
from typing import Any

import pytest

from matchbox_tui.api import reading
from matchbox_tui.engine import HaltMarket, Position
from tests.api.serving import Api, serving
from tests.node.venue import Venue


async def test_an_empty_venue_has_an_empty_book(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix) as api:
        assert await api.get("/orderbook") == {"bids": [], "asks": [], "sequence": 0}
        assert await api.get("/orders") == await api.get("/trades") == []


async def test_the_book_is_best_first_on_both_sides(api: Api) -> None:
    for price in (48, 50, 49, 50):
        await api.place("buy", price, 10)
    for price in (53, 51, 52):
        await api.place("sell", price, 5)
    await api.settled()
    book = await api.get("/orderbook")
    assert book == {
        "bids": [{"price": 50, "qty": 20}, {"price": 49, "qty": 10}, {"price": 48, "qty": 10}],
        "asks": [{"price": 51, "qty": 5}, {"price": 52, "qty": 5}, {"price": 53, "qty": 5}],
        "sequence": 7,
    }
    top = await api.get("/orderbook", depth=1)
    assert (top["bids"], top["asks"]) == (book["bids"][:1], book["asks"][:1])
    assert (await api.get("/orderbook", market="MAIN")) == book


async def test_each_market_has_its_own_book(api: Api) -> None:
    await api.place("buy", 40, 3, market="RAIN")
    await api.settled()
    assert (await api.get("/orderbook", market="RAIN"))["bids"] == [{"price": 40, "qty": 3}]
    assert (await api.get("/orderbook"))["bids"] == []


async def test_trades_are_the_last_ones_oldest_first(api: Api) -> None:
    for price in (50, 51, 52):
        await api.place("sell", price, 1, trader="alice")
        await api.place("buy", price, 1, trader="bob")
    await api.place("sell", 40, 2, market="RAIN")
    await api.place("buy", 40, 2, market="RAIN")
    await api.settled()
    trades = await api.get("/trades")
    assert [trade["price"] for trade in trades] == [50, 51, 52, 40]
    first = trades[0]
    assert first.pop("timestamp") > 0
    assert first.pop("trade_id").endswith("-0")
    assert first == {
        "maker_order_id": 1,
        "taker_order_id": 2,
        "price": 50,
        "qty": 1,
        "market": "MAIN",
        "taker_side": "buy",
    }
    assert [trade["price"] for trade in await api.get("/trades", limit=2)] == [52, 40]
    assert [trade["price"] for trade in await api.get("/trades", market="RAIN")] == [40]


async def test_markets_say_what_they_take_and_where_they_are(api: Api) -> None:
    await api.place("sell", 60, 1, market="RAIN")
    await api.place("buy", 60, 1, market="RAIN")
    await api.place("buy", 55, 1, market="RAIN")
    await api.gateway.ask(HaltMarket("RAIN", 1))
    await api.settled()
    main, rain = await api.get("/markets")
    assert main == {
        "symbol": "MAIN",
        "title": "",
        "min_price": 1,
        "max_price": None,
        "tick": 1,
        "status": "open",
        "best_bid": None,
        "best_ask": None,
        "last_price": None,
        "sequence": 0,
    }
    assert rain == {
        "symbol": "RAIN",
        "title": "Will it rain in Oslo on Friday?",
        "min_price": 1,
        "max_price": 99,
        "tick": 1,
        "status": "halted",
        "best_bid": 55,
        "best_ask": None,
        "last_price": 60,
        "sequence": 5,
    }


async def test_positions_are_by_trader_and_market(api: Api) -> None:
    await api.place("sell", 50, 3, trader="bob")
    await api.place("buy", 50, 3, trader="alice")
    await api.place("sell", 40, 2, trader="alice", market="RAIN")
    await api.place("buy", 40, 2, market="RAIN")
    await api.settled()
    rows = [tuple(position.values()) for position in await api.get("/positions")]
    assert rows == [
        ("", "RAIN", 2, -80),
        ("alice", "MAIN", 3, -150),
        ("alice", "RAIN", -2, 80),
        ("bob", "MAIN", -3, 150),
    ]

    async def shown(**query: str) -> list[tuple[Any, ...]]:
        return [tuple(position.values()) for position in await api.get("/positions", **query)]

    assert await shown(trader="alice") == rows[1:3]
    assert await shown(trader="") == rows[:1]
    assert await shown(market="MAIN") == [rows[1], rows[3]]
    assert await shown(trader="bob", market="RAIN") == []


async def test_many_positions_are_listed_whole_and_in_order(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "RECORDS_A_STEP", 7)
    for number in range(100):
        api.gateway.view.exchange.positions.set(
            f"t{number * 37 % 100:02}", "MAIN", Position(number * 37 % 100, -number)
        )
    shown = await api.get("/positions")
    assert [(position["trader"], position["qty"]) for position in shown] == [
        (f"t{number:02}", number) for number in range(100)
    ]


async def test_others_get_their_turn_while_positions_are_sorted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "RECORDS_A_STEP", 10)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    items = [(f"{number * 7 % 100:02}", "M") for number in range(100)]
    meanwhile = asyncio.ensure_future(others())
    ordered = await reading.in_order(items)
    await reading.encoded(ordered, list)
    meanwhile.cancel()
    assert ordered == sorted(items)
    assert turns >= 25


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/orderbook?market=NO", 422, "market 'NO': no market has this symbol"),
        ("/orderbook?market=", 422, "market '': no market has this symbol"),
        ("/orderbook?depth=0", 400, "depth must be between 1 and 10000"),
        ("/orderbook?depth=10001", 400, "depth must be between 1 and 10000"),
        ("/orderbook?depth=all", 422, "depth must be a whole number, not text"),
        ("/orderbook?depth=null", 422, "depth must be a whole number, not text"),
        ("/orderbook?symbol=MAIN", 422, "symbol: unknown query parameter; use depth, market"),
        ("/trades?market=NO", 422, "market 'NO': no market has this symbol"),
        ("/trades?limit=1001", 400, "limit must be between 1 and 1000"),
        (
            "/trades?depth=5",
            422,
            "depth: unknown query parameter; use before, history, limit, market",
        ),
        ("/markets?market=MAIN", 422, "market: unknown query parameter; there are none here"),
        ("/positions?market=NO", 422, "market 'NO': no market has this symbol"),
        ("/positions?limit=5", 422, "limit: unknown query parameter; use market, trader"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_parameter_is_refused_by_name(
    shared_api: Api, path: str, status: int, words: str
) -> None:
    answer = await shared_api.http.get(path)
    assert answer.status_code == status
    assert words in answer.json()["error"]


READS = ("/orders", "/orders/1", "/orderbook", "/trades", "/markets", "/positions")


@pytest.mark.parametrize("path", READS)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_read_says_how_fresh_it_is(shared_api: Api, path: str) -> None:
    await shared_api.place()
    await shared_api.settled()
    answer = await shared_api.http.get(path)
    assert answer.status_code == 200
    assert int(answer.headers["Matchbox-Sequence"]) == shared_api.gateway.view.seq > 0
    assert int(answer.headers["Matchbox-Age"]) >= 0


async def test_before_the_first_view_reads_and_orders_are_asked_to_wait(venue: Venue) -> None:
    async with serving(venue.url, venue.prefix) as api:
        api.gateway.reader.caught_up.clear()
        order = {"side": "buy", "price": 50, "qty": 10}
        answers = [await api.http.get(path) for path in READS]
        answers.append(await api.http.post("/orders", json=order))
        answers.append(await api.http.delete("/orders/1"))
        queued = (await api.gateway.client.cluster()).queue_depth
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "journal is still being read" in answer.json()["error"]
    assert queued == 0
