"""GET /orders and /trades further back than memory: view and database are one list."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine, update

from matchbox_tui.api import trade_log
from matchbox_tui.consumers.persistence import DatabasePast, past, queries
from matchbox_tui.consumers.persistence.tables import position
from matchbox_tui.engine import CancelAll, Market
from matchbox_tui.store import OrdersWanted, Past, PastOrder
from tests.api.processes import instances
from tests.api.serving import Api, serving
from tests.consumers.persistence.postgres import started
from tests.consumers.persistence.rows import driven
from tests.consumers.persistence.running import persisted
from tests.node.traded import mixed_orders, trim_to
from tests.node.venue import QUIET, Venue, buy, sell
from tests.waiting import eventually

FILTERS: list[dict[str, Any]] = [
    {},
    {"trader": "t1"},
    {"market": "RAIN"},
    {"status": "filled"},
    {"status": "cancelled", "trader": "t2"},
    {"status": "open"},
    {"trader": "nobody"},
]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'matchbox.db'}"


@contextlib.asynccontextmanager
async def looking_back(venue: Venue, database: str) -> AsyncIterator[Api]:
    """A gateway that has a database to ask."""
    asked = DatabasePast(database, venue.prefix)
    try:
        async with serving(venue.url, venue.prefix, past=asked) as api:
            await api.settled()
            yield api
    finally:
        asked.close()


async def opened(venue: Venue) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))


async def trade(venue: Venue, *seeds: int) -> int:
    for seed in seeds:
        await venue.client.submit([*mixed_orders(seed), CancelAll("t2", None, seed)])
    return await venue.handled()


async def late(venue: Venue, database: str, *seeds: int) -> None:
    """A venue with a past: a newcomer begins at its snapshot, and the database has the rest."""
    await opened(venue)
    await trade(venue, *seeds)
    seq = await venue.snapshot()
    await persisted(venue, database)
    await trim_to(venue, seq)


async def orders(api: Api, limit: int, **query: Any) -> list[dict[str, Any]]:
    """All orders, a page at a time, as one who stops at a page that is not full."""
    seen: list[dict[str, Any]] = []
    while True:
        page = await api.get("/orders", after=seen[-1]["id"] if seen else 0, limit=limit, **query)
        seen += page
        if len(page) < limit:
            return seen


async def trades(api: Api, limit: int, **query: Any) -> list[dict[str, Any]]:
    """All trades, from the last page back to the first."""
    seen: list[dict[str, Any]] = []
    while True:
        before = {"before": seen[0]["trade_id"]} if seen else {}
        page = await api.get("/trades", limit=limit, **before, **query)
        seen = page + seen
        if len(page) < limit:
            return seen


async def missing(api: Api, path: str, **query: Any) -> str | None:
    answer = await api.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.headers.get("Matchbox-Missing")


async def refused(api: Api, path: str, **query: Any) -> str:
    answer = await api.http.get(path, params=query)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    words: str = answer.json()["error"]
    return words


async def check_like(api: Api, whole: Api, limits: tuple[int, ...] = (12, 1000)) -> None:
    """One shows what the other does, which has seen all of it."""
    for limit, query in itertools.product(limits, FILTERS):
        assert await orders(api, limit, **query) == await orders(whole, 1000, **query), query
    for limit, market in itertools.product(limits, ({}, {"market": "RAIN"})):
        assert await trades(api, limit, **market) == await trades(whole, 1000, **market)


async def test_an_instance_that_came_late_shows_everything(venue: Venue, database: str) -> None:
    await opened(venue)
    async with serving(venue.url, venue.prefix) as whole:
        seq = await trade(venue, 1, 2)
        assert seq == await venue.snapshot()
        await persisted(venue, database)
        await trim_to(venue, seq)
        async with looking_back(venue, database) as api:
            assert api.gateway.view.orders.begun_at == seq
            await check_like(api, whole)
            await trade(venue, 3)
            await api.settled()
            await whole.settled()
            # The database need not know what memory does.
            await check_like(api, whole)
            await persisted(venue, database)
            await check_like(api, whole)
            for order in await orders(whole, 1000):
                assert await api.get(f"/orders/{order['id']}") == order
            assert await missing(api, "/orders") is None
            assert await missing(api, "/trades", limit=1000) is None


async def test_what_was_forgotten_is_shown_all_the_same(
    venue: Venue, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(venue)
    async with serving(venue.url, venue.prefix) as whole:
        await trade(venue, 9)
        await whole.settled()
        monkeypatch.setattr(trade_log, "TRADES_KEPT", 9)
        monkeypatch.setattr(trade_log, "TRADES_KEPT_PER_MARKET", 5)
        async with looking_back(venue, database) as api:
            log = api.gateway.view.orders
            log._ended_kept = 10
            for seed in range(3):
                await trade(venue, seed)
                await api.settled()
                await persisted(venue, database)
                await whole.settled()
                await check_like(api, whole, (9,))
            assert log.begun_at == 0 < log.whole_after
            assert len(log) < len(await orders(whole, 1000))


async def test_pages_are_whole_while_the_view_moves_and_forgets(
    venue: Venue, database: str
) -> None:
    """Everything that had ended before the pages were turned is in them, once."""
    await opened(venue)
    async with looking_back(venue, database) as api:
        api.gateway.view.orders._ended_kept = 10
        await trade(venue, 1, 2, 3)
        await persisted(venue, database)
        await api.settled()
        before = await venue.client.submit([buy(1, 1)])

        async def going_on() -> None:
            for seed in range(4, 9):
                await trade(venue, seed)
                await persisted(venue, database)

        moving = asyncio.ensure_future(going_on())
        rounds = 0
        while not moving.done():
            last = 0
            seen: list[int] = []
            while last < before[0]:
                answer = await api.http.get("/orders", params={"after": last, "limit": 7})
                if answer.status_code == 503:
                    # The view had forgotten what the database did not know yet.
                    assert "has to catch up" in answer.json()["error"]
                    continue
                seen += [order["id"] for order in answer.json()]
                last = seen[-1]
            assert seen == list(range(1, len(seen) + 1))
            rounds += 1
        await moving
        assert rounds


async def test_an_answer_tells_which_command_it_knows_of_and_not_what_came_meanwhile(
    venue: Venue, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await late(venue, database, 1)
    async with looking_back(venue, database) as api:
        asked = api.gateway.back._past
        assert asked is not None
        older, listed, ask_anew = asked.trades_before, asked.orders, api.gateway.reader.ask_anew

        async def traded() -> None:
            await venue.client.submit([buy(200), sell(200)])
            await venue.handled()
            await api.settled()

        async def later(*place: Any) -> Any:
            found = await older(*place)
            await traded()
            return found

        async def further(wanted: OrdersWanted) -> Any:
            extent, rows = await listed(wanted)
            return msgspec.structs.replace(extent, seq=api.gateway.view.seq + 1), rows

        async def asked_anew() -> Any:
            await traded()
            return await ask_anew()

        ahead = [(asked, "orders", further), (api.gateway.reader, "ask_anew", asked_anew)]
        for path, shown, patches in (
            ("/trades", trades, [(asked, "trades_before", later)]),
            ("/orders", orders, ahead),
        ):
            knows, before = api.gateway.view.seq, await shown(api, 1000)
            with monkeypatch.context() as patch:
                for target, name, instead in patches:
                    patch.setattr(target, name, instead)
                answer = await api.http.get(path, params={"limit": 1000})
            assert answer.headers["Matchbox-Sequence"] == str(knows) != str(api.gateway.view.seq)
            assert answer.json() == before != await shown(api, 1000)


async def test_an_id_that_was_used_again_is_the_last_order_s(venue: Venue, database: str) -> None:
    await opened(venue)
    async with serving(venue.url, venue.prefix) as whole:
        taken = '{"id":%d,"side":"%s","price":%d,"qty":%d,"timestamp":1}'
        for element in (
            *(taken % (1, "buy", 50, 1), taken % (1, "buy", 50, 5), taken % (2, "sell", 50, 1)),
            *(taken % (1, "buy", 51, 2), taken % (3, "sell", 51, 2), taken % (4, "buy", 0, 2)),
            *(taken % (4, "sell", 0, 3), taken % (2**53 - 1, "sell", 40, 3)),
            *(taken % (9, "buy", 40, 3), taken % (5, "buy", 0, 3), taken % (5, "buy", 7, 3)),
        ):
            await venue.link.call("RPUSH", venue.keys.queue, element)
        seq = await venue.handled()
        await whole.settled()
        await venue.snapshot()
        await persisted(venue, database)
        await trim_to(venue, seq)
        async with looking_back(venue, database) as api:
            shown = await orders(whole, 1000)
            assert [order["price"] for order in shown] == [51, 50, 51, 0, 7, 40, 40]
            await check_like(api, whole, (1, 2))
            for order in shown:
                assert await api.get(f"/orders/{order['id']}") == order


async def test_without_a_database_it_is_said_what_is_missing(venue: Venue, database: str) -> None:
    await late(venue, database, 1)
    async with serving(venue.url, venue.prefix) as api:
        await api.settled()
        seq = api.gateway.view.seq
        assert await missing(api, "/orders") == f"1-{seq}"
        assert await missing(api, "/trades") == f"1-{seq}"
        assert await missing(api, "/orders", status="open") is None
        ended = await api.http.get("/orders/1")
        assert ended.status_code == 404
        assert ended.headers["Matchbox-Missing"] == f"1-{seq}"
    async with looking_back(venue, database) as api:
        assert await missing(api, "/orders", history="false") == f"1-{seq}"
        assert await missing(api, "/trades", history="false") == f"1-{seq}"
        assert await missing(api, "/orders") is None


async def test_a_database_that_lags_behind_the_view_is_no_answer(
    venue: Venue, database: str
) -> None:
    await opened(venue)
    written = await trade(venue, 1)
    await persisted(venue, database)
    seq = await trade(venue, 2)
    await venue.snapshot()
    await trim_to(venue, written)
    async with looking_back(venue, database) as api:
        words = f"the database knows the journal up to {written}, and this takes {seq}: 'matchbox"
        assert words in await refused(api, "/orders")
        assert words in await refused(api, "/orders/1")
        assert words in await refused(api, "/trades", before=f"{seq}-1")
        # What is asked of today is answered all the same.
        assert await missing(api, "/trades") == f"1-{seq}"
        assert await missing(api, "/orders", status="open") is None
        assert await missing(api, "/orders", history="false") == f"1-{seq}"
        # What lies before where the database ends can be read.
        assert await api.get("/trades", before=f"{written}-0", limit=5)
        await venue.link.call("XTRIM", venue.keys.log, "MAXLEN", 0)
        await trade(venue, 3)
        await api.settled()
        await persisted(venue, database)
        gap = f"{written + 1}-{seq}"
        assert await missing(api, "/orders") == gap
        assert await missing(api, "/trades", limit=1000) == gap
        assert await missing(api, "/trades", before=f"{written}-0") is None
        lost = [order for order in await orders(api, 50) if order["status"] == "unknown"]
        assert {order["reason"] for order in lost} == {"history_trimmed"}
        assert await orders(api, 50, status="unknown") == lost != []


async def test_a_database_that_is_ahead_of_the_store_is_no_answer(
    venue: Venue, database: str
) -> None:
    await late(venue, database, 1)
    async with looking_back(venue, database) as api:
        seq = api.gateway.view.seq
        engine = create_engine(driven(database))
        with engine.begin() as connection:
            connection.execute(update(position).values(seq=seq + 5))
        engine.dispose()
        words = f"up to {seq + 5}, the store only up to {seq}: it was set back"
        assert words in await refused(api, "/orders")


async def test_a_database_that_hangs_or_is_gone_takes_history_alone_along(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "HANG_SECONDS", 0.5)
    monkeypatch.setattr(past, "PAUSE_SECONDS", 0.5)
    postgres = await asyncio.to_thread(started)
    try:
        await late(venue, postgres.url(), 1)
        async with looking_back(venue, postgres.url()) as api:
            listed = await orders(api, 1000)
            seq = api.gateway.view.seq
            postgres.freeze()
            asking = asyncio.ensure_future(refused(api, "/orders"))
            asked = api.gateway.back._past
            assert isinstance(asked, DatabasePast)
            while not asked._source._watch._under_way:  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.001)
            # It is waited for by who asked for it, and by nobody else.
            await api.place("buy", 1, 1)
            await api.get("/orderbook")
            assert not asking.done()
            words = "history can't be read now: the database does not answer as it should"
            assert words in await asking
            assert words in await refused(api, "/orders/1")
            assert await missing(api, "/trades") == f"1-{seq}"
            postgres.thaw()
            await eventually(lambda: api.http.get("/orders/1"), lambda got: got.status_code == 200)
            await asyncio.to_thread(postgres.stop)
            assert words in await refused(api, "/orders")
            await api.get("/orders", history=False)
            await asyncio.to_thread(postgres.start)
            await eventually(lambda: api.http.get("/orders/1"), lambda got: got.status_code == 200)
            assert (await orders(api, 1000))[: len(listed)] == listed
    finally:
        await asyncio.to_thread(postgres.remove)


async def test_many_who_ask_take_turns(
    venue: Venue, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await late(venue, database, 1)
    threads: set[str] = set()
    page = queries.History.page

    def watched(self: queries.History, wanted: OrdersWanted) -> list[PastOrder]:
        threads.add(threading.current_thread().name)
        return page(self, wanted)

    monkeypatch.setattr(queries.History, "page", watched)
    async with looking_back(venue, database) as api:
        answers = await asyncio.gather(*(api.get("/orders", limit=3) for _ in range(40)))
        assert all(answer == answers[0] != [] for answer in answers)
    assert 1 <= len(threads) <= past.ASKED_AT_ONCE
    assert threading.current_thread().name not in threads


async def test_an_instance_of_its_own_reads_where_it_is_told_to(
    venue: Venue, database: str
) -> None:
    await late(venue, database, 1)
    await venue.stop()
    with instances(venue.url, venue.prefix, "b", options=("--database-url", database)) as started:
        (instance,) = started
        shown = instance.get("/orders?limit=1000")
        assert len(shown) == 60
        assert [instance.get(f"/orders/{order['id']}") for order in shown[:3]] == shown[:3]
        traded = instance.get("/trades?limit=1000")
        assert instance.get(f"/trades?before={traded[5]['trade_id']}") == traded[:5]


class Unasked:
    """A past that nobody may ask."""

    async def trades_before(self, *_: Any) -> Any:
        raise AssertionError("the past was asked")

    orders = order = highest_id = trades_before


async def test_what_memory_knows_is_not_asked_of_the_database(venue: Venue, database: str) -> None:
    await opened(venue)
    unasked: Past = Unasked()
    async with serving(venue.url, venue.prefix, past=unasked) as api:
        await trade(venue, 1)
        await api.settled()
        first = (await api.get("/trades", limit=1000))[0]["trade_id"]
        for path in (
            *("/orders", "/orders?limit=1000", "/trades?limit=1000", f"/trades?before={first}"),
            *("/orders/1", "/orderbook", "/markets", "/positions"),
        ):
            await api.get(path)
        assert (await api.http.get("/orders/4711")).status_code == 404
        assert (await api.http.delete("/orders/4711")).status_code == 404
    await late_again(venue, database)
    async with looking_back(venue, database) as api:
        last = (await orders(api, 1000))[-1]["id"]
        await api.place("buy", 1, 1)
        await api.settled()
        await api.get("/trades", limit=1000)
        api.gateway.back._past = unasked
        assert len(await api.get("/orders", after=last)) == 1
        assert (await api.http.get("/orders", params={"status": "open"})).status_code == 200
        assert (await api.http.delete("/orders/4711")).status_code == 404


async def late_again(venue: Venue, database: str) -> None:
    seq = await venue.snapshot()
    await persisted(venue, database)
    await trim_to(venue, seq)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("/trades?before=5", 400, "before must be a trade_id: <sequence>-<number>"),
        ("/trades?before=5-", 400, "before must be a trade_id"),
        ("/trades?before=99999999999999999-0", 400, "before must be a trade_id"),
        ("/trades?before=null", 400, "before must be a trade_id"),
        ("/trades?history=perhaps", 422, "history must be true or false"),
        ("/orders?history=", 422, "history must be true or false"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_wrong_parameter_is_refused_by_name(
    shared_api: Api, query: str, status: int, words: str
) -> None:
    answer = await shared_api.http.get(query)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
