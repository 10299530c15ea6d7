"""The leader goes and another comes, as somebody at the screen sees it."""

import asyncio

import msgspec
from textual.pilot import Pilot

from matchbox_tui.engine import NewOrder, Side
from matchbox_tui.store import ClusterStatus
from matchbox_tui.tui import MatchboxApp
from tests.tui.cockpit import app_on, press, screen_text, until, until_shown
from tests.tui.test_faults import Processes
from tests.tui.venue import SECOND, Staffed, numbered_as


class Traded(Staffed):
    """A venue in which two have traded, and whose followers told of themselves before that."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0
        self.slow = False
        self.trade()

    def trade(self) -> None:
        self.order(Side.SELL, 5, 51)
        self.order(Side.BUY, 5, 51)

    async def cluster(self) -> ClusterStatus:
        """Where it is slow, much happens after the heartbeats and before the answer."""
        if self.slow:
            self.told = self.exchange.seq
            self.trade()
            await asyncio.sleep(0.1)
            self.time += SECOND
        status = await super().cluster()
        instances = tuple(
            one if one.role == "leading" else msgspec.structs.replace(one, seq=self.told or one.seq)
            for one in status.instances
        )
        return msgspec.structs.replace(status, instances=instances)


async def until_looked(pilot: Pilot[None], app: MatchboxApp) -> None:
    """Until the app has looked at the cluster as it is now."""
    looks = app.desk.model.roster.looks
    await until(pilot, lambda: app.desk.model.roster.looks > looks + 1, "two more looks")


async def test_the_tape_tells_who_took_over_and_not_how_long_nobody_traded() -> None:
    venue = Traded()
    app = app_on(venue)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "● live", "leader node-2", "RAIN")
        venue.time += 60 * SECOND
        await until_looked(pilot, app)
        venue.time += 300_000_000
        venue.epoch, venue.leader = 8, "node-3"
        await until_looked(pilot, app)
        venue.time += 60 * SECOND
        await until_looked(pilot, app)
        venue.trade()
        await until_shown(pilot, " epoch 7→8 · node-3 · ≤300ms ")


async def test_after_a_lost_connection_the_tape_tells_who_took_over_and_no_time() -> None:
    venue = Traded()
    app = app_on(venue)
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "● live", "leader node-2", "RAIN")
        await until_looked(pilot, app)
        venue.away = True
        await until_shown(pilot, "○ reconnecting")
        venue.time += 600 * SECOND
        venue.epoch, venue.leader = 8, "node-3"
        venue.away = False
        await until_shown(pilot, "● live", "leader node-3")
        await until_looked(pilot, app)
        venue.trade()
        await until_shown(pilot, "─ epoch 7 → 8 · node-3 ─")


async def test_the_tape_and_the_score_agree_on_a_leader_that_was_killed_from_here() -> None:
    venue = Traded()
    app = app_on(venue, operator=Processes())
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "● live", "leader node-2", "RAIN")
        await press(pilot, "K")
        await until_shown(pilot, "no commit since")
        venue.time += 84_000_000
        venue.epoch, venue.leader = 8, "node-3"
        await until_shown(pilot, "elected node-3 +84 ms")
        venue.trade()
        await until_shown(pilot, "84 ms without a leader", " epoch 7→8 · node-3 · 84ms ")


async def test_a_follower_that_is_up_to_date_lags_behind_nothing_however_much_is_traded() -> None:
    venue = Traded()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "● live", "● node-2")
        await until(pilot, lambda: app.desk.model.caught_up)
        await until_looked(pilot, app)
        venue.told = venue.exchange.seq
        venue.trade()
        await until(pilot, lambda: app.desk.model.source.seq == venue.exchange.seq)
        await until_looked(pilot, app)
        assert lags(app) == {"node-1": 0, "node-2": 0, "node-3": 0}
        venue.told -= 2
        await until_looked(pilot, app)
        assert lags(app) == {"node-1": 2, "node-2": 0, "node-3": 2}
        await until_shown(pilot, f"follows        7            {venue.told}      2    4241")


async def test_an_answer_that_is_long_on_its_way_makes_nobody_lag() -> None:
    venue = Traded()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "leader node-2")
        venue.slow = True
        for _ in range(2):
            await until_looked(pilot, app)
            assert lags(app) == {"node-1": 0, "node-2": 0, "node-3": 0}


def lags(app: MatchboxApp) -> dict[str, int | None]:
    return {member.instance.id: member.lag for member in app.desk.model.roster.members()}


async def test_strangers_who_number_their_orders_themselves_spoil_no_score() -> None:
    venue = Traded()
    stranger = NewOrder(order_id=90_000, market="RAIN", side=Side.SELL, price=51, qty=1)
    venue.commit([stranger])
    venue.commit([numbered_as(stranger, 1)])
    app = app_on(venue, operator=Processes())
    async with app.run_test(size=(120, 36)) as pilot:
        await until_shown(pilot, "● live", "leader node-2")
        await until(pilot, lambda: app.desk.model.caught_up)
        await until_looked(pilot, app)
        await press(pilot, "K")
        await until_shown(pilot, "no commit since")
        venue.epoch, venue.leader = 8, "node-3"
        venue.commit([stranger, numbered_as(stranger, 1), numbered_as(stranger, 70_000)])
        venue.trade()
        await until_looked(pilot, app)
        await until_shown(pilot, "✓ lost 0, doubled 0 of 5 orders")
        venue._ids += 1
        venue.trade()
        await until_shown(pilot, "✗ lost 1, doubled 0 of 7 orders")
        assert "✓ lost" not in screen_text(app)
