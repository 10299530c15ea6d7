"""Sitting at the app in a test: start it on a venue, read its screen, wait for what should come."""

from collections.abc import Callable
from datetime import UTC
from functools import partial

from textual.pilot import Pilot

from matchbox_tui.tui import Look, MatchboxApp
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.feed import Feed
from matchbox_tui.tui.hand import Hand
from matchbox_tui.tui.keys import KeyTable
from matchbox_tui.tui.model import Link, Model
from matchbox_tui.tui.operator import Operator
from tests.tui.venue import SECOND, LocalVenue

TRADER = "ada"


def app_on(
    venue: LocalVenue,
    market: str | None = "RAIN",
    trader: str = TRADER,
    keys: KeyTable | None = None,
    operator: Operator | None = None,
) -> MatchboxApp:
    """The app on a venue in this process, two seconds after its last order."""

    def clock() -> int:
        return venue.time + 2 * SECOND

    feed = Feed(venue.connect, trader, clock)
    look = Look(keys or KeyTable())
    return MatchboxApp(
        "",
        trader=trader,
        market=market,
        feed=feed,
        clock=clock,
        zone=UTC,
        look=look,
        operator=operator,
    )


def desk_on(venue: LocalVenue, market: str | None = "RAIN", trader: str = TRADER) -> Desk:
    """A desk without an app, with everything of the venue folded."""
    feed = Feed(venue.connect, trader, lambda: venue.time)
    fold(feed.model, venue)
    feed.model.linked(Link.LIVE)
    return Desk(feed.model, lambda: venue.time, market)


def hand_of(desk: Desk, *, armed: bool = True) -> Hand:
    """The hand of the desk's trader."""
    desk.locked = not armed
    return Hand(desk, token="t")


def fold(model: Model, venue: LocalVenue) -> None:
    """Folds what is new at the venue."""
    for entry in venue.entries:
        if entry.seq > model.source.seq:
            model.source.apply(entry)  # type: ignore[attr-defined]  # a replica in tests
            model.fold(entry)


def screen_text(app: MatchboxApp) -> str:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until(pilot: Pilot[None], holds: Callable[[], object], what: str = "") -> None:
    """Waits until something holds; fails with the screen where it never does."""
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.02)
    app = pilot.app
    assert isinstance(app, MatchboxApp)
    raise AssertionError(f"never came: {what}\n{screen_text(app)}")


async def until_shown(pilot: Pilot[None], *texts: str) -> None:
    """Waits until all of the texts stand on the screen."""
    app = pilot.app
    assert isinstance(app, MatchboxApp)
    for text in texts:
        await until(pilot, partial(_is_shown, app, text), text)


async def until_armed(pilot: Pilot[None], *texts: str) -> None:
    """Waits until all of the texts stand on the screen, and arms trading."""
    await until_shown(pilot, *texts)
    await press(pilot, "a")


def _is_shown(app: MatchboxApp, text: str) -> bool:
    return text in screen_text(app)


async def press(pilot: Pilot[None], keys: str) -> None:
    """Presses keys, given by name with blanks between."""
    await pilot.press(*keys.split())
