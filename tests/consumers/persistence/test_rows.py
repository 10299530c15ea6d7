"""What becomes of orders, trades and markets in the tables, in SQLite and in PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.consumers.persistence import service
from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    CreateMarket,
    HaltMarket,
    Market,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    SelfTradePrevention,
    TimeInForce,
)
from tests.consumers.persistence.rows import check, read, tables
from tests.consumers.persistence.running import persisted, persisting
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue, buy, sell


async def test_every_order_and_every_trade_is_there_once_as_it_became(
    venue: Venue, database_url: str
) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    async with persisting(venue, database_url) as running:
        for round_ in range(4):
            await venue.client.submit(mixed_orders(round_))
            await running.reaches(await venue.handled())
        await venue.client.submit([CancelAll("t1"), CancelAll("t2", "RAIN")])
        await running.reaches(await venue.handled())
    check(database_url, await venue.events())


async def test_orders_of_every_kind_come_to_every_end(venue: Venue, database_url: str) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    cancel_both = SelfTradePrevention.CANCEL_BOTH
    await venue.client.submit(
        [
            sell(50, 5, trader="ann", client_order_id="a-1", timestamp=7),
            buy(50, 2, trader="bob", type=OrderType.MARKET, time_in_force=TimeInForce.IOC),
            buy(60, 9, trader="ann", self_trade_prevention=cancel_both),
            buy(40, 4, time_in_force=TimeInForce.FOK),
            buy(40, 4, trader="cy", time_in_force=TimeInForce.GTD, expires_at=2**62),
            buy(40, 4, post_only=True),
            buy(100, 1, market="RAIN"),
            buy(1, 1, market="no such", trader="nul\0"),
            buy(39, 10**12, trader="dee"),
        ]
    )
    seq = await venue.handled()
    orders = await venue.events()
    dee = max(event.order.order_id for event in orders if hasattr(event, "order") and event.order)
    await venue.client.submit([ReplaceOrder(order_id=dee, qty=10**12 - 1, price=38)])
    await venue.client.submit([CancelOrder(dee), HaltMarket("RAIN")])
    await venue.client.submit([CreateMarket(Market("SUN", title="\0 at noon", tick=5))])
    await venue.link.call("RPUSH", venue.keys.queue, "no command")
    await persisted(venue, database_url)
    assert seq > 9
    events = await venue.events()
    found = {row["id"]: row for row in read(database_url, "orders")}
    statuses = [row["status"] for row in found.values()]
    assert statuses == [
        *("cancelled", "filled", "cancelled", "expired", "open", "open", "rejected", "rejected"),
        "cancelled",
    ]
    assert found[dee]["price"] == 38
    assert found[dee]["qty"] == 10**12 - 1
    assert found[dee]["reason"] == "requested"
    assert found[dee]["updated_seq"] == seq + 2
    assert found[dee - 1]["trader"] == "nul\N{SYMBOL FOR NULL}"
    assert found[dee - 1]["reason"] == "unknown_market"
    markets = [(row["symbol"], row["status"]) for row in read(database_url, "markets")]
    assert markets == [("MAIN", "open"), ("RAIN", "halted"), ("SUN", "open")]
    (position,) = read(database_url, "position")
    assert position["seq"] == events[-1].seq


async def test_an_id_that_is_used_again_is_another_order(venue: Venue, database_url: str) -> None:
    await venue.lead(settings=QUIET)
    for qty in (1, 2, 3):
        element = f'{{"id":5,"side":"buy","price":50,"qty":{qty}}}'
        await venue.link.call("RPUSH", venue.keys.queue, element)
        await venue.link.call("RPUSH", venue.keys.queue, '{"op":"cancel","id":5}' * (qty < 3))
    await persisted(venue, database_url)
    found = [(row["id"], row["qty"], row["status"]) for row in read(database_url, "orders")]
    assert found == [(5, 1, "cancelled"), (5, 2, "cancelled"), (5, 3, "open")]


async def test_what_was_open_at_a_stop_goes_on_where_it_was(
    venue: Venue, database_url: str
) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    for round_ in range(5):
        await venue.client.submit(mixed_orders(round_))
        await persisted(venue, database_url)
    check(database_url, await venue.events())


async def test_the_rows_are_the_same_however_the_journal_is_cut_into_batches(
    venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    for one in mixed_orders(1, 100):
        await venue.client.submit([one])
    await venue.handled()
    await venue.client.submit([CancelAll("t3"), HaltMarket("RAIN")])
    await venue.handled()
    found = []
    for size in (1, 7, 5000):
        monkeypatch.setattr(service, "BATCH_EVENTS", size)
        url = f"sqlite:///{tmp_path / f'{size}.db'}"
        await persisted(venue, url)
        found.append(tables(url))
    assert found[0] == found[1] == found[2]
    assert found[0]["trades"]


async def test_each_recovery_snapshot_has_a_row(venue: Venue, database_url: str) -> None:
    await venue.lead(settings=QUIET)
    seqs = []
    for round_ in range(2):
        await venue.client.submit(mixed_orders(round_, 10))
        await venue.handled()
        await persisted(venue, database_url)
        seqs.append(await venue.snapshot())
        await persisted(venue, database_url)
    found = read(database_url, "snapshots")
    assert [row["seq"] for row in found] == seqs
    assert found[-1]["chain"] == (await venue.restored()).chain
    assert found[-1]["created_ms"] == 1_700_000_000_000
    assert found[-1]["orders"] == len((await venue.restored()).exchange.orders) > 0


async def test_a_market_that_is_halted_later_is_shown_so(venue: Venue, database_url: str) -> None:
    await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    await persisted(venue, database_url)
    await venue.client.submit([HaltMarket("RAIN")])
    await persisted(venue, database_url)
    rows = _markets(database_url)
    found = [(row["symbol"], row["status"], row["updated_seq"]) for row in rows]
    assert found == [("MAIN", "open", 0), ("RAIN", "halted", 2)]
    await venue.client.submit([ResumeMarket("RAIN")])
    await persisted(venue, database_url)
    assert _markets(database_url)[1]["status"] == "open"


def _markets(url: str) -> list[dict[str, Any]]:
    return read(url, "markets")
