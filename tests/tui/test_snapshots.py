"""How the app looks. The data, the clock and the zone are fixed."""

from collections.abc import Callable

from textual.pilot import Pilot

from matchbox_tui.engine import Side
from matchbox_tui.tui import MatchboxApp
from matchbox_tui.tui.panel import DRIFT_SECONDS
from tests.tui.analytics import LocalBoard
from tests.tui.cockpit import app_on, press, until, until_shown
from tests.tui.venue import SECOND, LocalVenue, Staffed, furnish

Compare = Callable[..., bool]


def furnished() -> MatchboxApp:
    venue = LocalVenue()
    furnish(venue)
    return app_on(venue)


async def ready(pilot: Pilot[None], keys: str = "") -> None:
    """Everything has arrived, the keys are pressed, and no line is left to paint."""
    await until_shown(pilot, "● live", "leader node-3")
    await settled(pilot, keys)


async def settled(pilot: Pilot[None], keys: str = "") -> None:
    """The keys are pressed, and no line is left to paint."""
    app = pilot.app
    if keys:
        await press(pilot, keys)
    screen = app.screen_stack[0]
    # What drifts is painted only so often.
    await pilot.pause(1.5 * DRIFT_SECONDS)
    await until(pilot, lambda: screen.frame() == 0)  # type: ignore[attr-defined]
    await pilot.pause(0.1)


def test_a_small_screen(snap_compare: Compare) -> None:
    assert snap_compare(furnished(), terminal_size=(80, 24), run_before=ready)


def test_a_large_screen_with_a_ticket(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot, "a right up s 2 5")

    assert snap_compare(furnished(), terminal_size=(160, 50), run_before=before)


def test_the_order_list(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot, "tab down")

    assert snap_compare(furnished(), terminal_size=(80, 24), run_before=before)


def test_the_help(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot, "question_mark")

    assert snap_compare(furnished(), terminal_size=(80, 24), run_before=before)


def test_the_chart(snap_compare: Compare) -> None:
    venue = LocalVenue()
    for price in (50, 51, 53, 52, 52, 49, 50, 54, 55, 53):
        furnish_second(venue, price)

    async def before(pilot: Pilot[None]) -> None:
        await until_shown(pilot, "● live", "leader node-2")
        await settled(pilot, "o o o")

    assert snap_compare(app_on(venue), terminal_size=(80, 24), run_before=before)


def test_the_cluster(snap_compare: Compare) -> None:
    venue = Staffed()
    furnish(venue)

    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot, "o o o o")

    assert snap_compare(app_on(venue), terminal_size=(80, 24), run_before=before)


def test_the_analytics(snap_compare: Compare) -> None:
    venue = Staffed()
    furnish(venue)
    venue.analytics = LocalBoard(venue)

    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot)
        await press(pilot, "y")
        await until_shown(pilot, "vwap")
        await settled(pilot)

    assert snap_compare(app_on(venue), terminal_size=(80, 24), run_before=before)


def test_a_venue_that_is_away(snap_compare: Compare) -> None:
    venue = Staffed()
    furnish(venue)

    async def before(pilot: Pilot[None]) -> None:
        await ready(pilot)
        venue.away = True
        await until_shown(pilot, "○ reconnecting", "can't reach the server")
        await settled(pilot)

    assert snap_compare(app_on(venue), terminal_size=(80, 24), run_before=before)


def furnish_second(venue: LocalVenue, price: int) -> None:
    """A second in which trades go up to a price and back by one."""
    for step in (-1, 1, 0):
        venue.order(Side.SELL, 10 + price % 7, price + step)
        venue.order(Side.BUY, 10 + price % 7, price + step)
        venue.time -= 2 * SECOND
    venue.time += SECOND
