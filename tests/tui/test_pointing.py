"""The ladder by mouse, by groups and by depth."""

from functools import partial

from textual.events import MouseDown, MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from matchbox_tui.engine import Side
from matchbox_tui.tui import MatchboxApp
from matchbox_tui.tui.glow import FADE_NS
from matchbox_tui.tui.ladder import Ladder
from tests.tui.cockpit import TRADER, app_on, press, screen_text, until, until_armed, until_shown
from tests.tui.venue import LocalVenue

BIDS, PRICE, ASKS = 4, 22, 30
"""Columns of a ladder 44 cells wide."""


def market() -> LocalVenue:
    venue = LocalVenue()
    venue.order(Side.BUY, 40, 48)
    venue.order(Side.SELL, 30, 52)
    return venue


def line_of(app: MatchboxApp, price: int) -> int:
    """Where a price stands on the ladder as it is painted now."""
    gaze = app.desk.gaze
    assert gaze is not None
    return 1 + gaze.window.row(price)


async def point(pilot: Pilot[None], x: int, y: int) -> None:
    await pilot.click("#ladder", offset=(x, y))


async def wheel(pilot: Pilot[None], event: type[MouseScrollUp | MouseScrollDown]) -> None:
    await pilot._post_mouse_events([event], "#ladder", offset=(20, 5))
    await pilot.pause()


def cursor_is(app: MatchboxApp, price: int) -> bool:
    return app.desk.price == price


def screen_frame(app: MatchboxApp) -> int:
    return app.screen.frame()  # type: ignore[attr-defined, no-any-return]  # the trade screen


async def test_a_click_moves_the_cursor_and_prepares_nothing_while_locked() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live", "locked")
        for x, price in ((PRICE, 51), (BIDS, 45), (ASKS, 55)):
            await point(pilot, x, line_of(app, price))
            await until(pilot, partial(cursor_is, app, price), f"cursor at {price}")
            assert not app.desk.ticket.prepared
        assert "trading is locked" not in screen_text(app)


async def test_a_click_on_the_bids_prepares_a_buy_and_on_the_asks_a_sell() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        before = venue.exchange.seq
        await point(pilot, BIDS, line_of(app, 46))
        await until_shown(pilot, "BUY  10 @ 46")
        await point(pilot, ASKS, line_of(app, 55))
        await until_shown(pilot, "SELL  10 @ 55")
        await point(pilot, PRICE, line_of(app, 57))
        await until_shown(pilot, "SELL  10 @ 57")
        assert venue.exchange.seq == before
        await press(pilot, "enter")
        await until_shown(pilot, "sell 10 @ 57 rests")


async def test_a_click_while_an_order_is_moved_chooses_its_price() -> None:
    venue = market()
    mine = venue.order(Side.BUY, 10, 47, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "◆10<0", "● live")
        await press(pilot, "down v")
        await until_shown(pilot, f"replaces #{mine}")
        await point(pilot, ASKS, line_of(app, 45))
        await until_shown(pilot, "BUY  10 @ 45", f"replaces #{mine}")
        await press(pilot, "enter")
        await until_shown(pilot, f"#{mine} is now 10 @ 45")


async def test_a_click_gives_up_a_price_that_was_half_typed() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b p 9")
        await until_shown(pilot, "@ 9▏")
        await point(pilot, BIDS, line_of(app, 46))
        await until_shown(pilot, "BUY  10 @ 46")


async def test_a_click_means_the_price_that_was_painted_there_however_the_book_has_moved() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live")
        await pilot.pause(0.2)
        y = line_of(app, 46)
        ladder = app.screen.query_one(Ladder)
        ladder.renew = lambda: 0  # type: ignore[method-assign]  # nothing is painted from here on
        venue.order(Side.BUY, 5, 51)
        venue.order(Side.SELL, 5, 80)
        venue.order(Side.BUY, 100, 79)
        await until(pilot, lambda: app.desk.book and app.desk.book.best_bid == 79)
        app.desk.settle_view(app.desk.rows, app.desk.span)
        assert app.desk.gaze is not None
        assert app.desk.gaze.window.price(y - 1) != 46
        # Now the lines are known, but no terminal has had them.
        Ladder.renew(ladder)
        ladder.on_mouse_down(MouseDown(ladder, PRICE, y, 0, 0, 1, False, False, False))
        await until(pilot, lambda: app.desk.price == 46, "cursor at 46")


async def test_a_click_beside_the_prices_does_nothing() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 10, 2)
    app = app_on(venue)
    async with app.run_test(size=(80, 130)) as pilot:
        await until_shown(pilot, "bid 2", "● live")
        await point(pilot, BIDS, 0)
        await point(pilot, BIDS, 1)
        await pilot.pause(0.1)
        assert app.desk.price == 2


async def test_the_wheel_scrolls_and_the_ladder_stays_there() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live")
        assert app.desk.gaze is not None
        for _ in range(6):
            await wheel(pilot, MouseScrollUp)
        await until_shown(pilot, "held, c recentres", "▼ bid 48")
        window = app.desk.gaze.window
        venue.order(Side.BUY, 5, 49)
        await until_shown(pilot, "▼ bid 49")
        assert app.desk.gaze.window == window
        assert window.shows(app.desk.price)
        for _ in range(12):
            await wheel(pilot, MouseScrollDown)
        await until_shown(pilot, "▲ ask 52")
        await press(pilot, "c")
        await until_shown(pilot, "spread 3 · mid 50.5")


async def test_the_wheel_never_changes_the_price_of_what_is_prepared() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "b")
        await until_shown(pilot, "BUY  10 @ 48")
        for event in (MouseScrollUp, MouseScrollDown):
            for _ in range(9):
                await wheel(pilot, event)
            assert app.desk.price == 48
            assert app.desk.gaze is not None
            assert app.desk.gaze.window.shows(48)


async def test_group_prices_and_come_back() -> None:
    venue = market()
    venue.order(Side.BUY, 5, 41)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live")
        await press(pilot, "g g g")
        await until_shown(pilot, "by 10", " 45 ▸  48")
        assert app.desk.price == 48
        await press(pilot, "up")
        await until_shown(pilot, " 45    40", "▸  50")
        await press(pilot, "G G G G")
        await until_shown(pilot, "price", "40    48", "▸  50")


async def test_an_order_from_a_grouped_row_gets_the_price_that_is_written_there() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_armed(pilot, "bid 48", "● live")
        await press(pilot, "g g g")
        await until_shown(pilot, "by 10")
        await point(pilot, BIDS, line_of(app, 30))
        await until_shown(pilot, "BUY  10 @ 30")
        await press(pilot, "enter")
        await until_shown(pilot, "buy 10 @ 30 rests")
        await point(pilot, ASKS, line_of(app, 70))
        await until_shown(pilot, "SELL  10 @ 70")
        await press(pilot, "escape")
        await press(pilot, "s p 5 7 enter")
        await until_shown(pilot, "SELL  10 @ 57", "▸  57")
        await press(pilot, "g u")
        await until_shown(pilot, "BUY  10 @ 52 IOC", "▸  52")


async def test_cancel_at_a_grouped_row_cancels_all_of_yours_in_it() -> None:
    venue = market()
    for price in (39, 41, 46):
        venue.order(Side.BUY, 10, price, TRADER)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "3 open orders", "● live")
        await press(pilot, "g g g")
        await until_shown(pilot, "◆20<0")
        await press(pilot, "x")
        await until_shown(pilot, "1 open order")
        assert [order.price for order in venue.exchange.orders_of(TRADER)] == [39]


async def test_depth_up_to_each_price_and_back() -> None:
    venue = market()
    venue.order(Side.BUY, 5, 46)
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live")
        await press(pilot, "w")
        await until_shown(pilot, "Σ bids", "asks Σ", "45    46")
        await press(pilot, "w")
        await until_shown(pilot, " 5    46")
        assert "Σ" not in screen_text(app)


async def test_the_fading_of_a_trade_repaints_its_line_only() -> None:
    venue = market()
    app = app_on(venue)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "bid 48", "● live", "lag 0")
        await until(pilot, lambda: app.desk.model.caught_up and not screen_frame(app))
        venue.order(Side.BUY, 5, 52)
        await until(pilot, lambda: app.desk.heat == 3, "a bright trade")
        await until_shown(pilot, "52 ◆")
        await until(pilot, lambda: not screen_frame(app))
        repainted = []
        ladder = app.screen.query_one(Ladder)
        renew = ladder.renew
        for _ in range(4):
            venue.time += FADE_NS // 3
            repainted.append(renew())
        assert repainted == [1, 1, 1, 0]
        assert "52 ◆" in screen_text(app)
