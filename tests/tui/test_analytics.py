"""The analytics on the screen: the figures, where they come from, and what is said without them."""

from pathlib import Path

import pytest

from matchbox_tui.engine import Side
from matchbox_tui.store import Replica
from matchbox_tui.tui.analytics import STILL_NS
from matchbox_tui.tui.desk import Page
from tests.tui.analytics import LocalBoard
from tests.tui.cockpit import app_on, press, screen_text, until, until_shown
from tests.tui.venue import SECOND, LocalVenue, furnish


def counted() -> tuple[LocalVenue, LocalBoard]:
    """A venue with analytics beside it."""
    venue = LocalVenue()
    furnish(venue)
    venue.analytics = board = LocalBoard(venue)
    return venue, board


async def test_the_figures_of_the_market_and_its_traders() -> None:
    venue, _ = counted()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "y")
        tip = venue.exchange.seq
        await until_shown(pilot, f"up to {tip}", "last   52 ▲1", "high   52", "low    48")
        # 12, 5, 60 and so on, as far as somebody stood there.
        trades = [event for entry in venue.entries for event in entry.events]
        traded = [one for one in trades if type(one).__name__ == "TradeExecuted"]
        mine = [one for one in traded if one.market == "RAIN"]
        volume = sum(one.qty for one in mine)
        mean = sum(one.qty * one.price for one in mine) / volume
        text = screen_text(app)
        assert f"all    {volume}" in text
        assert f"trades {len(mine)}" in text
        assert f"vwap   {int(mean * 100 + 0.5) / 100:.2f}" in text
        assert "◆ada" in text
        assert "grace" in text
        venue.order(Side.BUY, 1, 60, "ada")
        await until_shown(pilot, f"all    {volume + 1}", f"up to {tip + 1}")
        await press(pilot, "full_stop")
        await until_shown(pilot, "last   35", "trades 1")
        await press(pilot, "y")
        assert app.desk.page is Page.ORDERS
        await until(pilot, lambda: "analytics" not in screen_text(app))


async def test_without_analytics_it_is_said_how_to_have_them() -> None:
    venue, board = counted()
    board.runs = False
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "y")
        await until_shown(pilot, "no analytics beside this venue", "matchbox consume analytics")
        board.runs = True
        await until_shown(pilot, "vwap", "traders")


async def test_analytics_of_another_version_are_told_of() -> None:
    venue, board = counted()
    board.refusal = "engine:analytics can't be read"
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "y")
        await until_shown(pilot, "engine:analytics can't be read")
        board.refusal = ""
        await until_shown(pilot, "vwap")


async def test_analytics_that_stand_still_say_where() -> None:
    venue, board = counted()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "y")
        place = venue.exchange.seq
        await until_shown(pilot, f"up to {place}")
        board.stopped = True
        venue.order(Side.BUY, 1, 40)
        venue.time += STILL_NS
        await until_shown(pilot, f"stopped at {place}")
        board.stopped = False
        await until_shown(pilot, f"up to {place + 1}")


async def test_what_counts_from_later_on_is_said() -> None:
    venue, board = counted()
    board.since, board.history_from = 1234, 56
    app = app_on(venue)
    async with app.run_test(size=(160, 40)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "y")
        await until_shown(pilot, "book, orders since 1,234", "trades since 56")
        # On a screen with room for all others it takes the cluster's place, and gives it back.
        assert "cluster" not in screen_text(app)
        assert "chart 1 s" in screen_text(app)
        await press(pilot, "y")
        await until_shown(pilot, "cluster")


class Trimmed(LocalVenue):
    """A venue whose journal begins late."""

    begins_after = 0

    async def restore(self, *, oldest: bool) -> Replica:
        replica = Replica()
        for entry in self.entries:
            if entry.seq <= self.begins_after:
                replica.apply(entry)
        return replica


@pytest.fixture
def trimmed() -> Trimmed:
    venue = Trimmed()
    for price in (61, 62, 63, 64):
        venue.order(Side.SELL, 5, price, "ada")
        venue.order(Side.BUY, 5, price, "bob")
        venue.time += 60 * SECOND
    venue.order(Side.SELL, 3, 65, "ada")
    venue.begins_after = venue.exchange.seq
    venue.order(Side.BUY, 3, 65, "bob")
    return venue


@pytest.mark.parametrize("runs", [True, False])
async def test_the_chart_goes_further_back_than_the_journal(trimmed: Trimmed, runs: bool) -> None:
    if runs:
        trimmed.analytics = LocalBoard(trimmed)
    app = app_on(trimmed)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "o o o z z")
        # The most that traded in a minute, which was in one before the journal's beginning.
        await until_shown(pilot, "chart 1 m", "◂65", "v 5" if runs else "v 3")


def test_the_names_of_the_spans_are_those_of_the_analytics() -> None:
    from matchbox_tui.store import CANDLE_SPANS
    from matchbox_tui.tui.analytics import INTERVALS

    spans = {name: span.value * SECOND for span, name in INTERVALS.items()}
    assert spans == CANDLE_SPANS


def test_the_app_needs_no_library_for_databases() -> None:
    import subprocess
    import sys

    code = "import sys, matchbox_tui.tui; print('sqlalchemy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == "False"
