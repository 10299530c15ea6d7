"""The server goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator

from matchbox_tui.engine import Side
from matchbox_tui.store import ClusterStatus, Entry, InDoubt, Overloaded, Replica
from matchbox_tui.tui.model import Link
from tests.tui.cockpit import app_on, press, screen_text, until, until_shown
from tests.tui.venue import RAIN, SNOW, LocalVenue, furnish


async def test_server_lost_and_back() -> None:
    venue = LocalVenue()
    furnish(venue)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "bid 48")
        venue.away = True
        await until_shown(pilot, "○ reconnecting", "lost the server", "stale", "bid 48")
        await press(pilot, "b")
        await until_shown(pilot, "reconnecting: nothing was sent")
        before = len(app.desk.model.tape("RAIN"))
        venue.order(Side.BUY, 3, 52, "grace")
        venue.away = False
        await until_shown(pilot, "● live", "3 ▲   52")
        assert len(app.desk.model.tape("RAIN")) == before + 1
        assert app.desk.model.exchange.state_hash() == venue.exchange.state_hash()


async def test_whoever_armed_before_the_connection_was_lost_finds_trading_locked() -> None:
    venue = LocalVenue()
    furnish(venue)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "bid 48")
        await press(pilot, "a b 7")
        await until_shown(pilot, "▲ BUY  7 @ 48")
        venue.away = True
        await until_shown(pilot, "trading is locked again", " locked  7 @ 48")
        assert "BUY" not in screen_text(app)
        venue.away = False
        await until_shown(pilot, "● live", " locked  7 @ 48 limit  the connection was lost")
        before = venue.exchange.seq
        await press(pilot, "enter b")
        await until_shown(pilot, "trading is locked: a arms it")
        assert venue.exchange.seq == before
        await press(pilot, "a b enter")
        await until_shown(pilot, "buy 7 @ 48 rests")
        assert "the connection was lost" not in screen_text(app)


async def test_there_is_no_server_at_the_start() -> None:
    venue = LocalVenue()
    venue.away = True
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "◌ connecting", "can't reach the server", "looking for the venue")
        venue.away = False
        await until_shown(pilot, "● live", "Will it rain")


async def test_the_picture_is_not_live_before_the_journal_is_caught_up_with() -> None:
    class Slow(LocalVenue):
        """Tells no more than the first half of the journal until `whole` is set."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = asyncio.Event()

        async def follow(self, replica: Replica) -> AsyncIterator[Entry]:
            half = self.entries[: len(self.entries) // 2]
            for entry in half if replica.seq == 0 else ():
                replica.apply(entry)
                yield entry
            await self.whole.wait()
            async for entry in super().follow(replica):
                yield entry

    venue = Slow()
    furnish(venue)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "◌ connecting", "lag ", "ask 5")
        await press(pilot, "b")
        await until_shown(pilot, "connecting: nothing was sent")
        assert "● live" not in screen_text(app)
        venue.whole.set()
        await until_shown(pilot, "● live", "lag 0")


async def test_there_is_no_leader() -> None:
    venue = LocalVenue()
    venue.leader = None
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "waiting for a leader", "leader none")
        venue.leader = "node-1"
        await until_shown(pilot, "leader node-1")
        assert "waiting for a leader" not in screen_text(app)


async def test_an_order_in_doubt_is_resolved_by_the_journal() -> None:
    class Lossy(LocalVenue):
        """Takes a request and loses the answer."""

        async def submit(self, commands):  # type: ignore[no-untyped-def]  # as the base
            await super().submit(commands)
            raise InDoubt("lost the server")

    venue = Lossy()
    venue.order(Side.SELL, 5, 52)
    venue.held = True
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "ask 52")
        await press(pilot, "a b enter")
        await until_shown(pilot, "in doubt: lost the server", "?10")
        venue.release()
        await until_shown(pilot, "◆")
        await until(pilot, lambda: not len(app.desk.model.intents))


async def test_a_full_queue_is_told_and_leaves_nothing_open() -> None:
    class Full(LocalVenue):
        """Refuses whatever is submitted."""

        async def submit(self, commands):  # type: ignore[no-untyped-def]  # as the base
            raise Overloaded("the queue is full: try again in a moment")

    venue = Full()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "a b enter")
        await until_shown(pilot, "not sent: buy 10 @ 50: the queue is full", "no open orders")
        assert len(app.desk.model.intents) == 0


async def test_a_server_that_hangs_makes_the_picture_stale() -> None:
    class Hung(LocalVenue):
        """Keeps its connections and answers nothing while `hung`."""

        hung = False

        async def cluster(self) -> ClusterStatus:
            if self.hung:
                await asyncio.Event().wait()
            return await super().cluster()

    venue = Hung()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "a")
        venue.hung = True
        await until_shown(pilot, "◐ stale", "the server does not answer: trading is locked again")
        await press(pilot, "b")
        await until_shown(pilot, "stale: nothing was sent")
        venue.hung = False
        await until_shown(pilot, "● live")


async def test_another_venue_at_the_same_address_is_read_from_its_start() -> None:
    venue = LocalVenue()
    furnish(venue)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "bid 48")
        await press(pilot, "a b")
        fresh = LocalVenue((SNOW, RAIN))
        venue.exchange, venue.entries = fresh.exchange, fresh.entries
        venue.order(Side.BUY, 3, 33)
        await until_shown(pilot, "bid 33", "RAIN 3/3", "no open orders", " locked ")
        await until_shown(pilot, "the journal is read anew: trading is locked again")
        assert "BUY" not in screen_text(app)
        await until(pilot, lambda: app.desk.model.link is Link.LIVE)
        assert app.desk.model.exchange.state_hash() == venue.exchange.state_hash()
