"""Chart, cluster and the other panels, as somebody at the keyboard meets them."""

import pytest
from textual.strip import Strip
from textual.widget import Widget

from matchbox_tui.engine import Side
from matchbox_tui.tui import MatchboxApp
from matchbox_tui.tui.palette import PALETTES
from matchbox_tui.tui.panel import Panel
from matchbox_tui.tui.screen import TradeScreen
from tests.tui.cockpit import app_on, press, screen_text, until, until_armed, until_shown
from tests.tui.venue import LocalVenue, Staffed, furnish


def furnished() -> LocalVenue:
    venue = Staffed()
    furnish(venue)
    return venue


@pytest.mark.parametrize(
    ("size", "keys"), [((80, 24), "o o o"), ((40, 12), "o o o"), ((130, 30), "o")]
)
async def test_look_at_the_chart_and_the_cluster(size: tuple[int, int], keys: str) -> None:
    app = app_on(furnished())
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "bids", "● live")
        assert "chart" not in screen_text(app)
        await press(pilot, keys)
        await until_shown(pilot, "chart 1 s", "◂52")
        await press(pilot, "z")
        await until_shown(pilot, "chart 10 s")
        await press(pilot, "z")
        await until_shown(pilot, "chart 1 m")
        await press(pilot, "o")
        await until_shown(pilot, "● node-3", "pid 4243", "your requests")
        assert "chart" not in screen_text(app)
        await press(pilot, "o")
        await until_shown(pilot, "analytics")
        assert "4243" not in screen_text(app)
        await press(pilot, "o")
        await until_shown(pilot, "bids")
        assert "node-1 " not in screen_text(app)


async def test_on_a_huge_screen_everything_is_in_sight() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "bids", "tape", "3 open orders", "unrealised", "log", "chart 1 s")
        await until_shown(pilot, "cluster", "● node-3", "4243", "queue 0")
        before = screen_text(app)
        await press(pilot, "o o")
        await pilot.pause()
        assert screen_text(app).count("chart") == before.count("chart") == 1


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 40), (20, 5), (63, 13), (64, 7), (119, 60), (120, 8), (160, 36), (200, 35)]
)
async def test_every_page_works_at_any_size(size: tuple[int, int]) -> None:
    app = app_on(furnished())
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.desk.model.roster.looks and app.desk.model.source.seq > 30)
        for _ in range(6):
            await press(pilot, "o z tab")
            await pilot.pause()
            assert len(screen_text(app).split("\n")) == size[1]
            await press(pilot, "tab o")


async def test_the_chart_moves_with_the_market() -> None:
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "◂52")
        venue.order(Side.BUY, 500, 56)
        await until_shown(pilot, "h 56")
        await press(pilot, "full_stop")
        await until_shown(pilot, "◂35")


async def test_what_is_sent_is_timed_until_its_outcome_is_on_the_screen() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(200, 60)) as pilot:
        await until_armed(pilot, "none was sent yet", "● live")
        await press(pilot, "b enter")
        await until_shown(pilot, "your 1 request ", "acknowledged", "painted")
        (sample,) = app.desk.model.latencies.samples
        assert sample.acknowledged_ns >= 0
        assert sample.painted_ns > 0
        await press(pilot, "x")
        await until_shown(pilot, "your 2 requests")


async def test_what_was_not_sent_is_not_timed() -> None:
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_armed(pilot, "none was sent yet", "● live")
        venue.away = True
        await press(pilot, "b enter")
        await until(pilot, lambda: not len(app.desk.model.intents))
        assert app.desk.model.latencies.summary() is None
        assert len(app.desk.model.latencies) == 0


async def test_stale_data_lie_under_a_veil_until_they_are_fresh_again() -> None:
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "● live", "chart 1 s", "◂52")
        await until(pilot, lambda: not dimmed(app.screen.query_one("#ladder", Panel)))
        assert "stale" not in screen_text(app)
        venue.away = True
        await until_shown(pilot, "○ reconnecting")
        for name in ("ladder", "tape", "orders", "positions", "log", "chart", "cluster"):
            panel = app.screen.query_one(f"#{name}", Panel)
            await until(pilot, lambda panel=panel: dimmed(panel), name)  # type: ignore[misc]
            assert "stale" in panel.render_line(0).text, name
        for name in ("ticket", "status"):
            assert not dimmed(app.screen.query_one(f"#{name}", Panel)), name
        venue.away = False
        await until_shown(pilot, "● live")
        await until(pilot, lambda: "stale" not in screen_text(app))
        assert not dimmed(app.screen.query_one("#ladder", Panel))


async def test_another_theme_shows_at_once_on_every_panel() -> None:
    app = app_on(furnished())
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "● live")
        screen = app.screen
        assert isinstance(screen, TradeScreen)
        for name, palette in PALETTES.items():
            screen.action_use_theme(name)
            for panel in ("ladder", "tape", "orders", "chart", "cluster"):
                shown = screen.query_one(f"#{panel}", Panel)
                await until(pilot, lambda shown=shown: grounds(shown) == {palette.ground}, name)  # type: ignore[misc]  # noqa: B023


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (40, 12)])
@pytest.mark.parametrize("colours", [True, False])
async def test_panels_paint_as_any_widget_does_that_is_under_a_veil_or_not(
    size: tuple[int, int], colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "● live", "bids")
        await until(pilot, lambda: app.screen.frame() == 0)  # type: ignore[attr-defined]
        assert painted_apart(app) == []
        await press(pilot, "tab")
        assert painted_apart(app) == []
        width, height = size
        await pilot.resize_terminal(width - 3, height - 2)
        await until(pilot, lambda: app.screen.frame() == 0)  # type: ignore[attr-defined]
        assert painted_apart(app) == []
        venue.away = True
        await until_shown(pilot, "○ reconnecting")
        await until(pilot, lambda: dimmed(app.screen.query_one("#orders", Panel)))
        assert painted_apart(app) == []


def painted_apart(app: MatchboxApp) -> list[tuple[str | None, int]]:
    """The panels' lines that Textual would paint otherwise."""
    found = []
    for panel in app.screen.query(Panel):
        if not panel.display or not panel.size:
            continue
        region = panel.outer_size.region
        lines = zip(panel.render_lines(region), Widget.render_lines(panel, region), strict=True)
        found += [
            (panel.id, y) for y, (ours, plain) in enumerate(lines) if cells(ours) != cells(plain)
        ]
    return found


def cells(strip: Strip) -> list[tuple[str, object]]:
    return [
        (cell, (style.color, style.bgcolor, bool(style.bold), bool(style.reverse)))
        for text, style, _ in strip
        for cell in text
        if style is not None
    ]


async def test_a_line_is_painted_again_only_where_it_changed() -> None:
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "● live", "◂52")
        ladder = app.screen.query_one("#ladder", Panel)
        await until(pilot, lambda: app.screen.frame() == 0)  # type: ignore[attr-defined]
        before = ladder.render_lines(ladder.size.region)
        venue.order(Side.BUY, 7, 40)
        await until(pilot, lambda: ladder.render_lines(ladder.size.region) != before)
        after = ladder.render_lines(ladder.size.region)
        moved = [old.text for old, new in zip(before, after, strict=True) if old is not new]
        assert [text.split()[-1] for text in moved] == ["40"]


def grounds(panel: Panel) -> set[str]:
    """The colours behind what stands on the panel's last line."""
    return {
        segment.style.bgcolor.get_truecolor().hex
        for segment in panel.render_line(panel.size.height - 1)
        if segment.style is not None and segment.style.bgcolor is not None
    }


def dimmed(panel: Panel) -> bool:
    """Whether what stands below the panel's head is painted dimly."""
    line = min(1, panel.size.height - 1)
    return all(
        segment.style is not None and segment.style.dim for segment in panel.render_line(line)
    )


async def test_a_change_of_leader_is_ruled_off_on_the_tape_with_the_time_it_took() -> None:
    venue = furnished()
    app = app_on(venue)
    async with app.run_test(size=(200, 60)) as pilot:
        await until_shown(pilot, "● live", "epoch 7 → 8")
        venue.epoch, venue.leader = 9, "node-1"
        venue.order(Side.BUY, 1, 52)
        await until_shown(pilot, "epoch 8 → 9 · node-1 · ≤ ", "leader node-1")
