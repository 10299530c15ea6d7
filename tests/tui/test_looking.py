"""Looking around: markets, panels, sizes, help, and leaving."""

import pytest

from matchbox_tui.engine import HaltMarket, Market, Side, TradeExecuted
from matchbox_tui.tui.palette import PALETTES, Palette
from tests.tui.cockpit import app_on, press, screen_text, until, until_shown
from tests.tui.venue import LocalVenue, furnish


def furnished() -> LocalVenue:
    venue = LocalVenue()
    furnish(venue)
    return venue


async def test_market_switch() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Will it rain in Oslo on Friday?")
        await press(pilot, "full_stop")
        await until_shown(pilot, "Will there be snow on Christmas Eve?", "SNOW 3/3", "bid 35")
        await press(pilot, "full_stop")
        await until_shown(pilot, "MAIN 1/3")
        await press(pilot, "comma comma")
        await until_shown(pilot, "RAIN 2/3", "bid 48")


async def test_a_market_that_does_not_exist_yet_is_waited_for() -> None:
    app = app_on(furnished(), "FOG")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "no market FOG yet: m looks at the others")
        await press(pilot, "b x X enter up c left")
        await press(pilot, "full_stop")
        await until_shown(pilot, "MAIN 1/3")


async def test_move_the_cursor_and_recentre() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "pageup pageup")
        await until_shown(pilot, "held, c recentres", "▼ bid 48")
        await press(pilot, "c")
        await until(pilot, lambda: "held" not in screen_text(app))
        assert app.desk.price == 48


async def test_panels_share_a_place_on_a_small_screen() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "3 open orders")
        await press(pilot, "o")
        await until_shown(pilot, "avg", "real", "51.85")
        await press(pilot, "o")
        await until_shown(pilot, "#25 bought 20 @ 51.85")
        await press(pilot, "o o o o")
        await until_shown(pilot, "3 open orders")


async def test_all_panels_on_a_large_screen() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(160, 50)) as pilot:
        await until_shown(pilot, "3 open orders", "51.85", "epoch 7 → 8", "log", "spread 4")


async def test_the_order_list_takes_the_place_of_the_ladder_on_a_slim_screen() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(40, 12)) as pilot:
        await until_shown(pilot, "bids")
        await press(pilot, "tab")
        await until_shown(pilot, "▸ orders")
        assert "bids" not in screen_text(app)
        await press(pilot, "escape")
        await until_shown(pilot, "bids")


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (80, 24), (160, 50), (300, 80)])
async def test_any_size_works(size: tuple[int, int]) -> None:
    app = app_on(furnished())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.desk.model.source.seq > 30)
        await press(pilot, "b up 5 escape tab o m X question_mark escape")
        await pilot.pause()
        lines = screen_text(app).split("\n")
        assert len(lines) == size[1]


@pytest.mark.parametrize("size", [(40, 2), (40, 4), (40, 5), (30, 8)])
async def test_who_is_armed_sees_it_on_the_lowest_screen(size: tuple[int, int]) -> None:
    app = app_on(furnished())
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "locked")
        await until(pilot, lambda: app.desk.model.source.seq > 30)
        await press(pilot, "a")
        await until_shown(pilot, "ARMED")
        await press(pilot, "b")
        await until_shown(pilot, "BUY")


async def test_resize() -> None:
    venue = furnished()
    app = app_on(venue)
    sizes = [(160, 50), (1, 1), (20, 5), (300, 80), (80, 24), (64, 7), (2, 50), (120, 3)]
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "a b")
        price = app.desk.price
        for size in sizes:
            await pilot.resize_terminal(*size)
            venue.order(Side.BUY, 1, 30)
            await pilot.pause(0.1)
            assert app.desk.price == price
        await pilot.resize_terminal(80, 24)
        await until_shown(pilot, "BUY", "tape", "orders", "● live")


async def test_help() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "question_mark")
        await until_shown(pilot, "prepare a buy at the cursor")
        await press(pilot, "pagedown " * 8)
        await until_shown(pilot, "sent, and not in the journal yet")
        await press(pilot, "escape")
        await until_shown(pilot, "? help")
        assert "prepare a buy" not in screen_text(app)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quit(key: str) -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, key)
        await pilot.pause()
    assert app.return_code == 0


async def test_an_idle_venue_repaints_nothing() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(160, 50)) as pilot:
        await until_shown(pilot, "● live", "leader node-3")
        await pilot.pause(0.3)
        repainted = []
        for _ in range(10):
            await pilot.pause(0.05)
            repainted.append(app.screen.frame())  # type: ignore[attr-defined]  # the trade screen
        assert repainted == [0] * 10


async def test_hostile_names_cannot_steer_the_terminal() -> None:
    venue = furnished()
    venue.leader = "\x1b[2Jnode"
    app = app_on(venue)
    async with app.run_test(size=(160, 50)) as pilot:
        await until_shown(pilot, "·[2Jnode")
        assert "\x1b" not in screen_text(app)


async def test_find_an_action_by_its_words() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, "● live")
        await press(pilot, "ctrl+p")
        await until_shown(pilot, "arm trading, or lock it")
        await pilot.press(*"flatten")
        await until(pilot, lambda: "arm trading" not in screen_text(app))
        await press(pilot, "escape")
        await press(pilot, "ctrl+p")
        await pilot.press(*"look at snow")
        await until_shown(pilot, "look at SNOW")
        await press(pilot, "enter")
        await until_shown(pilot, "SNOW 3/3")


async def test_choose_a_market_from_the_list() -> None:
    venue = furnished()
    venue.commit([HaltMarket("SNOW", 0)])
    app = app_on(venue)
    async with app.run_test(size=(110, 30)) as pilot:
        await until_shown(pilot, "● live", "RAIN 2/3")
        await press(pilot, "m")
        await until_shown(pilot, "▸ RAIN", "Will it rain in Oslo", "HALTED")
        traded = sum(
            trade.qty for trade in app.desk.model.tape("RAIN") if isinstance(trade, TradeExecuted)
        )
        assert app.desk.model.days["RAIN"].volume == traded
        await press(pilot, "down")
        await until_shown(pilot, "▸ SNOW")
        venue.order(Side.SELL, 1, 97, market="RAIN")
        await press(pilot, "enter")
        await until_shown(pilot, "SNOW 3/3")
        await press(pilot, "m escape")
        await until_shown(pilot, "SNOW 3/3")
        assert "markets ─" not in screen_text(app)


async def test_to_the_last_market_of_the_list_and_back_to_the_first() -> None:
    markets = [Market.prediction(f"M{number:02}", "?") for number in range(40)]
    app = app_on(LocalVenue(markets), "M20")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live", "M20 22/41")
        await press(pilot, "m")
        await until_shown(pilot, "▸ M20")
        await press(pilot, "end")
        await until_shown(pilot, "▸ M39")
        await press(pilot, "down home")
        await until_shown(pilot, "▸ MAIN")
        await press(pilot, "end enter")
        await until_shown(pilot, "M39 41/41")


async def test_other_colours() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "● live")
        seen = set()
        for _ in PALETTES:
            strips = app.screen._compositor.render_strips()
            seen.add(str(strips[0]._segments[0].style))
            await press(pilot, "T")
            await pilot.pause(0.1)
        assert len(seen) == len(PALETTES)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_colour_can_be_read_on_its_ground(palette: Palette) -> None:
    """WCAG 2.2, 1.4.3: text needs a contrast of 4.5 to its ground, and 3 where it is large."""
    for name in ("text", "muted", "bid", "ask", "own", "alarm"):
        for ground in (palette.ground, palette.raised):
            wanted = 7.0 if palette.name.endswith("contrast") else 3.0 if name == "muted" else 4.5
            assert contrast(getattr(palette, name), ground) >= wanted, (name, ground)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by WCAG's definition."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
