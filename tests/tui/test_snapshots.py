"""How the app looks. The data, the clock and the zone are fixed."""

from collections.abc import Callable

from textual.pilot import Pilot

from matchbox_tui.tui import MatchboxApp
from tests.tui.cockpit import app_on, press, until, until_shown
from tests.tui.venue import LocalVenue, furnish

Compare = Callable[..., bool]


def furnished() -> MatchboxApp:
    venue = LocalVenue()
    furnish(venue)
    return app_on(venue)


async def ready(pilot: Pilot[None], keys: str = "") -> None:
    """Everything has arrived, the keys are pressed, and no line is left to paint."""
    app = pilot.app
    assert isinstance(app, MatchboxApp)
    await until_shown(pilot, "● live", "leader node-3")
    if keys:
        await press(pilot, keys)
    screen = app.screen_stack[0]
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
