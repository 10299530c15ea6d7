"""The rows of the open orders, of the positions and of the log."""

from datetime import UTC

import pytest

from matchbox_tui.engine import MAX_PRICE, Side
from matchbox_tui.tui.cells import wrapped
from matchbox_tui.tui.order_rows import MEDIUM, WIDE, OrderHead, OrderRow, log_rows, order_rows
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import DARK, Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.position_rows import PositionHead, PositionRow, position_rows
from matchbox_tui.tui.queue_places import STEPS, Places
from tests.tui.cockpit import TRADER, desk_on, fold
from tests.tui.venue import SECOND, LocalVenue

WIDTHS = [33, 44, MEDIUM, 55, WIDE, 90]


def text(row: Row, width: int) -> str:
    return "".join(segment.text for segment in row.paint(width, Ink(DARK)))


def drawn(price: int, width: int) -> str:
    row = OrderRow(123456, "RAIN", Side.SELL, 5, 5, price, ahead="12,400", age="59m")
    return text(row, width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("price", [50, 123_456])
def test_a_price_stands_alone_and_is_whole(price: int, width: int) -> None:
    words = drawn(price, width).split()
    assert words[4] == f"{price:,}"
    assert ("59m" in words) is (price == 50 or width > 33)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_price_that_does_not_fit_is_shortened_and_never_cut(width: int) -> None:
    assert drawn(MAX_PRICE, width).split()[4] in ("1.00T", "1,000,000,000,000")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_place_in_the_queue_and_the_age_stand_under_their_names(width: int) -> None:
    head, row = text(OrderHead(3), width), drawn(50, width)
    assert len(head) == width
    for name, value in (("ahead", "12,400"), ("age", "59m")):
        assert head.index(name) + len(name) == row.index(value) + len(value)


def test_the_head_names_the_selected_order() -> None:
    assert "▸ orders ─ #123456 ─" in text(OrderHead(3, 123456), 33).replace("──", "─")


def test_the_market_and_the_id_are_shown_where_there_is_room() -> None:
    assert "RAIN" not in drawn(50, MEDIUM - 1)
    assert "RAIN" in drawn(50, MEDIUM)
    assert "#123456" in drawn(50, WIDE)


def test_an_order_shows_how_much_stands_before_it_and_for_how_long_it_has_waited() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 70, 48)
    venue.order(Side.BUY, 5, 48, TRADER)
    venue.order(Side.BUY, 9, 48)
    desk = desk_on(venue)
    places = Places()
    venue.time += 64 * SECOND
    (row,) = order_rows(desk, 5, places)
    assert isinstance(row, OrderRow)
    assert (row.ahead, row.age) == ("70", "1m")
    venue.order(Side.SELL, 30, 48)
    fold(desk.model, venue)
    (row,) = order_rows(desk, 5, places)
    assert isinstance(row, OrderRow)
    assert row.ahead == "40"


def test_deep_in_a_long_queue_there_are_at_least_so_many_ahead() -> None:
    venue = LocalVenue()
    for trader in ("", TRADER, ""):
        for _ in range(1 if trader else STEPS + 5):
            venue.order(Side.BUY, 1, 48, trader)
    (row,) = order_rows(desk_on(venue), 5, Places())
    assert isinstance(row, OrderRow)
    assert row.ahead == f"{STEPS}+"


def test_only_the_orders_that_are_shown_are_looked_up() -> None:
    venue = LocalVenue()
    for price in range(1, 40):
        venue.order(Side.BUY, 1, price, TRADER)
    places = Places()
    assert len(order_rows(desk_on(venue), 7, places)) == 7
    assert len(places) == 7


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_not_known_yet_says_how_far_it_came(width: int) -> None:
    row = OrderRow(0, "RAIN", Side.BUY, 5, 5, 50, True, "in doubt")
    assert "?" in text(row, width)
    assert len(text(row, width)) <= width


def test_a_position_shows_what_it_made_and_what_it_would_make() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 10, 50)
    venue.order(Side.BUY, 10, 50, TRADER)
    venue.order(Side.BUY, 9, 53)
    venue.order(Side.SELL, 4, 53, TRADER)
    venue.order(Side.SELL, 1, 53)
    (row,) = position_rows(desk_on(venue))
    assert row == PositionRow("RAIN", 6, 50_000, 12_000, 18_000)
    assert text(row, 33).split() == ["RAIN", "+6", "50.00", "+12", "+18"]


def test_the_columns_of_the_positions_stand_under_their_names() -> None:
    row = PositionRow("RAIN", -1200, 51_850, -38_500, 37_000)
    for width, names in (
        (33, ("avg", "real", "open")),
        (60, ("average", "realised", "unrealised")),
    ):
        head, line = text(PositionHead(), width), text(row, width)
        for name, value in zip(names, ("51.85", "-38.50", "+37"), strict=True):
            assert head.index(f" {name} ") + 1 + len(name) == line.index(value) + len(value), name


def test_a_position_without_a_price_to_value_it_says_so() -> None:
    assert text(PositionRow("RAIN", 5, 50_000, 0, None), 60).endswith("no price")
    assert text(PositionRow("RAIN", 5, 50_000, 0, None), 33).endswith("?")


@pytest.mark.parametrize("width", [26, 33, 40, 120])
def test_a_command_in_the_log_is_told_to_its_end(width: int) -> None:
    desk = desk_on(LocalVenue())
    command = "matchbox buy 10 40 --market NEWMELAN --trader 'a very long name'"
    desk.say("first")
    desk.say(command, Tone.TWIN)
    rows = [text(row, width) for row in log_rows(desk, width, 20, UTC)]
    assert rows[-1].split()[1:] == ["·", "first"]
    assert all(len(row) == width for row in rows)
    assert " ".join(row[12:].strip() for row in rows[:-1]) == command
    assert [row[1:9].strip() for row in rows[:-1]] == ["00:00:00"] + [""] * (len(rows) - 2)


def test_what_has_no_blanks_is_broken_behind_slashes_or_where_the_line_ends() -> None:
    assert wrapped("ab cdefghijk", 4, 9) == ["ab", "cdef", "ghij", "k"]
    assert wrapped("日本語の市場", 5, 9) == ["日本", "語の", "市場"]
    assert wrapped("at unix:///tmp/market/server.sock", 14, 9) == [
        "at",
        "unix:///tmp/",
        "market/",
        "server.sock",
    ]
    assert wrapped("a b c d", 1, 2) == ["a", "b c d"]
    assert wrapped("a b", 0, 9) == ["a b"]
    assert wrapped("", 4, 9) == [""]
