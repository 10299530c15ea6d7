"""The message line: what came of a request, and the command line that asks for it."""

from matchbox_tui.engine import HaltMarket
from matchbox_tui.tui import MatchboxApp
from matchbox_tui.tui.news import NOTICE_NS, READ_NS, TWIN_NS
from tests.tui.cockpit import app_on, press, screen_text, until, until_armed, until_shown
from tests.tui.venue import market


def message(app: MatchboxApp) -> str:
    """What stands on the message line."""
    return screen_text(app).split("\n")[-3].strip()


async def test_the_command_line_is_read_beside_what_came_of_it() -> None:
    venue = market()
    venue.held = True
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b enter")
        twin = "$ matchbox buy 10 48 --market RAIN --trader ada"
        await until(pilot, lambda: message(app).split("  ", 1)[0] == "? buy 10 @ 48: queued")
        assert message(app).endswith(f"  {twin}")
        venue.held = False
        venue.release()
        await until(pilot, lambda: message(app).split("  ", 1)[0] == "#3 buy 10 @ 48 rests")
        assert message(app).endswith(f"  {twin}")
        # A while later it is out of the way, and its outcome is still there.
        venue.time += TWIN_NS
        await until(pilot, lambda: message(app) == "#3 buy 10 @ 48 rests")


async def test_where_there_is_no_room_for_both_the_outcome_is_read_first() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(63, 14)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b enter")
        await until(pilot, lambda: message(app) == "#3 buy 10 @ 48 rests")
        venue.time += READ_NS + 1
        twin = "$ matchbox buy 10 48 --market RAIN --trader ada"
        await until(pilot, lambda: message(app) == twin)
        venue.time += TWIN_NS - READ_NS
        await until(pilot, lambda: message(app) == "#3 buy 10 @ 48 rests")


async def test_why_an_order_was_rejected_does_not_give_way_to_its_command_line() -> None:
    venue = market()
    venue.commit([HaltMarket("RAIN", 0)])
    app = app_on(venue)
    async with app.run_test(size=(63, 14)) as pilot:
        await until_armed(pilot, "HALTED", "● live")
        await press(pilot, "b enter")
        why = "rejected: buy 10 @ 48: the market is halted and takes cancels…"
        await until(pilot, lambda: message(app) == why)
        venue.time += READ_NS + 1
        await pilot.pause(0.2)
        assert message(app) == why


async def test_a_low_screen_tells_the_outcome_and_the_command_line_beside_the_link() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(40, 10)) as pilot:
        await until_armed(pilot, "bids", "● live")
        await until_shown(pilot, "● live  armed: b buys")
        await press(pilot, "b enter")
        await until_shown(pilot, "● live  #3 buy 10 @ 48 rests")
        venue.time += READ_NS + 1
        await until_shown(pilot, "● live  $ matchbox buy 10 48 --market …")
        venue.time += NOTICE_NS
        await until_shown(pilot, "● live  leader node-2")


async def test_an_answer_to_a_key_does_not_stand_beside_an_older_command() -> None:
    app = app_on(market())
    async with app.run_test(size=(120, 36)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "right b 2 5 enter")
        await until_shown(pilot, "#3 bought 25 @ 52  ", "  $ matchbox buy 25 52")
        await press(pilot, "enter")
        await until_shown(pilot, "nothing is prepared")
        assert "nothing is prepared: b buys, s sells\n" in screen_text(app)
