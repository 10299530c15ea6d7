"""How a deep ladder looks: grouped, summed up, and just traded. The clock stands still."""

from collections.abc import Callable

from textual.pilot import Pilot

from matchbox_tui.engine import DEFAULT_MARKET, Side
from matchbox_tui.tui import MatchboxApp
from tests.tui.cockpit import TRADER, app_on, press, until, until_shown
from tests.tui.venue import LocalVenue


def deep() -> LocalVenue:
    """Ten ticks a cent, hundreds of prices, and orders of ours in two queues."""
    venue = LocalVenue(())
    for step in range(200):
        venue.order(Side.BUY, 10 + step * 37 % 90, 5_020 - step * 3, market=DEFAULT_MARKET)
        venue.order(Side.SELL, 10 + step * 53 % 80, 5_031 + step * 4, market=DEFAULT_MARKET)
    venue.order(Side.BUY, 25, 4_999, TRADER, DEFAULT_MARKET)
    venue.order(Side.SELL, 40, 5_051, TRADER, DEFAULT_MARKET)
    for step in range(6):
        venue.order(Side.BUY, 30 + 20 * step, 5_031 + 4 * step, "grace", DEFAULT_MARKET)
        venue.order(Side.SELL, 25 + 15 * step, 5_020 - 3 * step, "grace", DEFAULT_MARKET)
    return venue


def test_a_deep_ladder_by_groups(snap_compare: Callable[..., bool]) -> None:
    venue = deep()

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MatchboxApp)
        await until_shown(pilot, "● live", "leader node-2")
        await press(pilot, "g g g w c")
        await until(pilot, lambda: app.desk.model.caught_up and app.desk.heat == 0)
        await pilot.pause(0.2)
        venue.order(Side.BUY, 20, 5_055, "grace", DEFAULT_MARKET)
        await until(pilot, lambda: app.desk.heat == 3)
        screen = app.screen
        await until(pilot, lambda: screen.frame() == 0)  # type: ignore[attr-defined]
        await pilot.pause(0.1)

    app = app_on(venue, DEFAULT_MARKET)
    assert snap_compare(app, terminal_size=(170, 32), run_before=before)
