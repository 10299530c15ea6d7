"""Who watches a book can keep it: the snapshot, and every delta applied to it."""

import asyncio
import json
import random
from typing import Any

from matchbox_tui.api import FeedSettings
from matchbox_tui.api.feeds.books import BookFeed
from matchbox_tui.api.feeds.pacer import Pacer
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import CancelAll, CancelOrder, NewOrder, ReplaceOrder, Side, Tagged
from matchbox_tui.store import Replica
from tests.api.feeds.member import Member
from tests.api.feeds.trading import trade
from tests.api.feeds.watching import Served, heard, serving_feeds, silent, sluggish
from tests.node.venue import Venue, buy, sell
from tests.waiting import PATIENCE, eventually

Levels = dict[int, int]


class Kept:
    """A book as a client keeps it, which takes every message at its word."""

    def __init__(self, snapshot: Any) -> None:
        assert snapshot["type"] == "snapshot"
        self.sequence: int = snapshot["sequence"]
        self.sides: dict[str, Levels] = {
            side: {level["price"]: level["qty"] for level in snapshot[side]}
            for side in ("bids", "asks")
        }

    def apply(self, delta: Any) -> None:
        assert delta["type"] == "delta"
        assert delta["sequence"] > self.sequence
        self.sequence = delta["sequence"]
        for side, levels in self.sides.items():
            prices = [level["price"] for level in delta[side]]
            assert prices == sorted(prices, reverse=side == "bids")
            for level in delta[side]:
                # A level that goes must have been there, and one that changes really does.
                assert levels.get(level["price"], 0) != level["qty"]
                if level["qty"]:
                    levels[level["price"]] = level["qty"]
                else:
                    del levels[level["price"]]

    def as_answer(self) -> Any:
        """As `GET /orderbook` has it."""
        return {
            "bids": [
                {"price": price, "qty": qty}
                for price, qty in sorted(self.sides["bids"].items(), reverse=True)
            ],
            "asks": [
                {"price": price, "qty": qty} for price, qty in sorted(self.sides["asks"].items())
            ],
            "sequence": self.sequence,
        }


def answer(served: Served, market: str) -> Any:
    """What `GET /orderbook` says now."""
    book = served.gateway.view.exchange.book(market).snapshot()
    return {
        "bids": [{"price": level.price, "qty": level.qty} for level in book.bids],
        "asks": [{"price": level.price, "qty": level.qty} for level in book.asks],
        "sequence": book.sequence,
    }


def some_command(chance: random.Random, market: str, last_id: int) -> NewOrder | Tagged:
    """Anything that may move a book, near enough to what is there to do so."""
    side = chance.choice((Side.BUY, Side.SELL))
    price = chance.randint(45, 55)
    some_id = chance.randint(max(1, last_id - 60), last_id + 1)
    more: dict[str, Any] = {"market": market, "trader": chance.choice(("ann", "bob", ""))}
    match chance.randrange(12):
        case 0 | 1:
            return CancelOrder(some_id)
        case 2 | 3:
            return ReplaceOrder(
                order_id=some_id,
                qty=chance.choice((None, chance.randint(1, 20))),
                price=chance.choice((None, price)),
            )
        case 4:
            more["time_in_force"] = chance.choice(("IOC", "FOK"))
        case 5:
            return CancelAll(trader=chance.choice(("ann", "bob")), market=market)
        case 6:
            more["post_only"] = True
        case 7:
            more |= {"time_in_force": "GTD", "expires_at": 10 + chance.randint(1, 5)}
        case _:
            pass
    return NewOrder(
        order_id=0, side=side, price=price, qty=chance.randint(1, 15), timestamp=10, **more
    )


async def test_a_snapshot_and_then_what_changed(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, [buy(48, 5), buy(49, 7), buy(49, 3), sell(52, 4)]))
    async with served.watch("/ws/book") as watcher:
        (snapshot,) = await heard(watcher, 1)
        assert snapshot == {
            "type": "snapshot",
            "sequence": 4,
            "bids": [{"price": 49, "qty": 10}, {"price": 48, "qty": 5}],
            "asks": [{"price": 52, "qty": 4}],
        }
        await led.client.submit([buy(52, 6)])
        assert await heard(watcher, 1) == [
            {
                "type": "delta",
                "sequence": 5,
                "bids": [{"price": 52, "qty": 2}],
                "asks": [{"price": 52, "qty": 0}],
            }
        ]
        await led.client.submit([sell(49, 5)])
        assert await heard(watcher, 1) == [
            {
                "type": "delta",
                "sequence": 6,
                "bids": [{"price": 52, "qty": 0}, {"price": 49, "qty": 7}],
                "asks": [],
            }
        ]


async def test_an_empty_book(served: Served) -> None:
    async with served.watch("/ws/book?market=RAIN") as watcher:
        assert await heard(watcher, 1) == [
            {"type": "snapshot", "sequence": 1, "bids": [], "asks": []}
        ]
        assert await silent(watcher)


async def test_other_markets_are_not_told_of(led: Venue, served: Served) -> None:
    async with served.watch("/ws/book?market=RAIN") as watcher:
        await heard(watcher, 1)
        await served.shows(await trade(led, [buy(50), buy(51)]))
        await led.client.submit([buy(30, 2, market="RAIN")])
        (delta,) = await heard(watcher, 1)
        assert (delta["sequence"], delta["bids"]) == (2, [{"price": 30, "qty": 2}])


async def test_a_kept_book_is_the_book_whatever_happens(led: Venue, served: Served) -> None:
    """Clients come at any moment; what each keeps equals the book at every sequence it was told."""
    chance = random.Random(11)
    books: dict[int, Any] = {}

    def remember(_: object) -> None:
        book = answer(served, "RAIN")
        books[book["sequence"]] = book

    served.gateway.view.on_update.append(remember)
    remember(None)
    last = asyncio.get_running_loop().create_future()
    compared = 0

    async def keep(delay: float) -> Kept:
        nonlocal compared
        await asyncio.sleep(delay)
        async with served.watch("/ws/book?market=RAIN") as watcher:
            kept = Kept((await heard(watcher, 1))[0])
            assert kept.as_answer() == books[kept.sequence]
            while not (last.done() and kept.sequence >= last.result()):
                kept.apply((await heard(watcher, 1))[0])
                assert kept.as_answer() == books[kept.sequence]
                compared += 1
        return kept

    keepers = [asyncio.ensure_future(keep(chance.random() * 0.5)) for _ in range(6)]
    last_id = 0
    for _ in range(150):
        commands = [some_command(chance, "RAIN", last_id) for _ in range(chance.choice((1, 2, 20)))]
        last_id = max(last_id, *await led.client.submit(commands))
        await asyncio.sleep(chance.random() * 0.01)
    await served.shows(await led.handled())
    last.set_result(answer(served, "RAIN")["sequence"])
    # One more, so that those who have it all already look up.
    await trade(led, [buy(45, 1, market="RAIN")])
    async with asyncio.timeout(PATIENCE):
        kept = await asyncio.gather(*keepers)
    assert kept[0].sides["bids"]
    assert compared > 100


async def test_a_book_of_many_levels_arrives_whole(led: Venue, served: Served) -> None:
    """Far more than fits into the client's buffer, with deltas behind it."""
    orders = [buy(price, 1) for price in range(1, 20_001)]
    await served.shows(await trade(led, orders))
    async with (
        served.watch("/ws/book", max_size=None) as first,
        served.watch("/ws/book", max_size=None) as second,
    ):
        for count, watcher in enumerate((first, second), start=1):
            await served.shows(await trade(led, [sell(20_001 - count, 1)]))
            kept = Kept((await heard(watcher, 1))[0])
            while kept.sequence < 20_000 + count:
                kept.apply((await heard(watcher, 1))[0])
            assert kept.as_answer() == answer(served, "MAIN")
            assert len(kept.sides["bids"]) == 20_000 - count


async def test_who_comes_to_a_large_book_later_has_it_too(led: Venue, served: Served) -> None:
    await served.shows(await trade(led, [buy(price, 1) for price in range(1, 2001)]))
    async with served.watch("/ws/book"):
        for count in range(1, 6):
            await served.shows(await trade(led, [sell(2000 - count, 1)]))
            async with served.watch("/ws/book") as watcher:
                kept = Kept((await heard(watcher, 1))[0])
                while kept.sequence < 2000 + count:
                    kept.apply((await heard(watcher, 1))[0])
                assert kept.as_answer() == answer(served, "MAIN")


async def test_who_comes_between_a_commit_and_its_delta(led: Venue) -> None:
    """The snapshot has it already, so the first delta is of what comes after."""
    view, replica = VenueView(), Replica()
    view.replica = replica
    feed = BookFeed(view, Pacer(), 1 << 20)
    view.on_event.append(feed.note)
    view.on_update.append(lambda _: feed.update())
    for price in range(50, 60):
        await trade(led, [buy(price, 1)])
    entries = await led.journal()
    early, late = Member(), Member()
    for entry in entries:
        replica.apply(entry)
        view.fold(entry)
        if replica.exchange.book("MAIN").sequence == 1:
            feed.subscribe(early, "MAIN")  # type: ignore[arg-type]
        elif replica.exchange.book("MAIN").sequence == 9:
            # The snapshot of the first is by now much shorter than what came after it.
            feed.subscribe(late, "MAIN")  # type: ignore[arg-type]
        elif replica.exchange.book("MAIN").sequence < 8:
            await asyncio.sleep(0.02)

    async def has_all() -> list[int]:
        return [member.messages()[-1]["sequence"] for member in (early, late)]

    await eventually(has_all, lambda seen: seen == [10, 10])
    assert [message["sequence"] for message in late.messages()] == [9, 10]
    for member in (early, late):
        snapshot, *deltas = member.messages()
        kept = Kept(snapshot)
        for delta in deltas:
            kept.apply(delta)
        assert kept.sides["bids"] == dict.fromkeys(range(50, 60), 1)


async def test_a_ping_does_not_come_within_a_message(led: Venue) -> None:
    """A large snapshot on its way to a slow reader, over several heartbeats."""
    huge = 10**12
    await trade(led, [buy(huge - number, huge) for number in range(20_000)])
    async with (
        serving_feeds(led.url, led.prefix, FeedSettings(heartbeat_s=0.1)) as served,
        sluggish(served, "/ws/book") as slow,
    ):
        data, size = b"", 1 << 40
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while len(data) < size:
                more = await loop.sock_recv(slow, 20_000)
                assert more
                data += more
                size = int.from_bytes(data[2:10], "big") + 10
                # A pong that nobody asked for: it lives.
                await loop.sock_sendall(slow, b"\x8a\x80\x00\x00\x00\x00")
                await asyncio.sleep(0.01)
        assert data[:2] == b"\x81\x7f"
        assert json.loads(data[10:size])["bids"][-1] == {"price": huge - 19_999, "qty": huge}
