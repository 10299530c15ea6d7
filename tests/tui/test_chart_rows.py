"""The chart's rows: candles, volume, prices and times."""

from datetime import UTC

import pytest

from matchbox_tui.engine import DEFAULT_MARKET, Side
from matchbox_tui.tui.candles import Candle, Span
from matchbox_tui.tui.chart_rows import ChartRow, Scale, chart_rows
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.palette import DARK, Ink
from tests.tui.cockpit import desk_on
from tests.tui.venue import SECOND, LocalVenue

INK = Ink(DARK)


def print_at(venue: LocalVenue, price: int, qty: int = 1) -> None:
    """One trade, within the second of the one before."""
    venue.order(Side.SELL, qty, price)
    venue.order(Side.BUY, qty, price)
    venue.time -= 2 * SECOND


def drawn(desk: Desk, width: int = 30, height: int = 14) -> list[str]:
    rows = chart_rows(desk, width, height, UTC)
    return ["".join(segment.text for segment in row.paint(width, INK)) for row in rows]


def candle_of(*prices: int) -> LocalVenue:
    venue = LocalVenue()
    for price in prices:
        print_at(venue, price)
    return venue


def column(lines: list[str], at: int) -> str:
    return "".join(line[at] for line in lines)


def test_a_rising_candle_a_falling_one_and_one_that_ends_where_it_began_look_different() -> None:
    venue = candle_of(50, 54, 49, 53)
    venue.time += SECOND
    for price in (53, 50):
        print_at(venue, price)
    venue.time += SECOND
    for price in (51, 53, 51):
        print_at(venue, price)
    lines = drawn(desk_on(venue), 30, 10)
    prices = lines[1 : 1 + 6]
    end = lines[0].__len__() - 6
    assert column(prices, end - 3) == "│████│"
    assert column(prices, end - 2) == " ▒▒▒▒ "
    assert column(prices, end - 1) == " ││┼  "


def test_the_price_at_the_axis_is_where_the_candle_ends() -> None:
    lines = drawn(desk_on(candle_of(50, 54, 49, 53)))
    (marked,) = [line for line in lines if "◂" in line]
    assert marked.split("◂")[1].strip() == "53"


def test_the_head_tells_the_newest_candle_and_how_to_change_it() -> None:
    desk = desk_on(candle_of(50, 54, 49, 53))
    assert "chart 1 s" in drawn(desk, 60)[0]
    assert "o 50 h 54 l 49 c 53 v 4" in drawn(desk, 60)[0]
    assert "z changes it" in drawn(desk, 30)[0]


def test_volume_stands_below_its_candle_and_the_peak_beside_it() -> None:
    venue = LocalVenue()
    for qty in (80, 40, 1):
        print_at(venue, 50, qty)
        venue.time += SECOND
    lines = drawn(desk_on(venue), 30, 20)
    volume = lines[-4:-1]
    end = len(lines[0]) - 6
    assert column(volume, end - 3) == "███"
    assert column(volume, end - 2) == " ▄█"
    assert column(volume, end - 1) == "  ▁"
    assert volume[0].endswith("v 80 ")


def test_times_stand_under_their_candles() -> None:
    venue = LocalVenue()
    for _ in range(40):
        print_at(venue, 50)
        venue.time += SECOND
    desk = desk_on(venue)
    (times,) = [line for line in drawn(desk, 60) if "╵" in line]
    assert times.split() == ["╵00:00:15", "╵00:00:30"]
    newest = 60 - 6 - 1
    assert newest - times.index("╵00:00:30") == 41 - 30


def test_a_minute_of_seconds_is_one_candle() -> None:
    venue = LocalVenue()
    for second in range(120):
        print_at(venue, 50 + second % 7)
        venue.time += SECOND
    desk = desk_on(venue)
    desk.change_candles()
    assert desk.candle_span is Span.TEN
    desk.change_candles()
    lines = drawn(desk)
    assert "chart 1 m" in lines[0]
    assert sum(line.count("╵") for line in lines) <= 2
    body = [line[:-6] for line in lines[1:-4]]
    assert {at for line in body for at, glyph in enumerate(line) if glyph != " "} == {21, 22, 23}
    desk.change_candles()
    assert desk.candle_span is Span.SECOND


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 5), (12, 3), (34, 7), (200, 60)])
def test_every_row_fits_at_any_size(size: tuple[int, int]) -> None:
    venue = LocalVenue(())
    for price in (10**12, 7, 5000):
        venue.order(Side.SELL, 10**9, price, market=DEFAULT_MARKET)
        venue.order(Side.BUY, 10**9, price, market=DEFAULT_MARKET)
    desk = desk_on(venue, DEFAULT_MARKET)
    width, height = size
    rows = chart_rows(desk, width, height, UTC)
    assert len(rows) <= height
    for row in rows:
        if isinstance(row, ChartRow):
            assert len(row.cells) == len(row.tints)
            text = "".join(segment.text for segment in row.paint(width, INK))
            assert len(text) <= max(width, 0)


def test_before_the_first_trade_the_chart_says_so() -> None:
    assert drawn(desk_on(LocalVenue()))[1].strip() == "no trade yet"


def test_a_scale_shows_every_price_in_its_own_row_where_there_are_enough() -> None:
    scale = Scale.of([Candle(0, 50, 55, 48, 51)], 20)
    rows = [scale.row(price) for price in range(55, 47, -1)]
    assert rows == sorted(set(rows))
    assert [scale.price(row) for row in rows] == list(range(55, 47, -1))
    assert 0 <= rows[0] <= rows[-1] < 20


def test_a_scale_joins_prices_where_there_are_not() -> None:
    scale = Scale.of([Candle(0, 500, 10_000, 1, 51)], 7)
    rows = [scale.row(price) for price in range(10_000, 0, -1)]
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (0, 6)
