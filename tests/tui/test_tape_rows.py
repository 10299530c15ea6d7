"""The tape's rows."""

from collections import deque
from datetime import UTC

import pytest

from matchbox_tui.engine import DEFAULT_MARKET, MAX_PRICE, CreateMarket, Side
from matchbox_tui.store import ClusterStatus, Replica
from matchbox_tui.tui.lead import Handover
from matchbox_tui.tui.operator import Fault
from matchbox_tui.tui.palette import DARK, Ink
from matchbox_tui.tui.recovery import Recovery
from matchbox_tui.tui.tape_rows import HandoverRow, TapeHead, TapeRow, handover_row, tape_rows
from tests.tui.cockpit import TRADER, desk_on
from tests.tui.venue import RAIN, SECOND, SNOW, LocalVenue

INK = Ink(DARK)


def drawn(row: TapeHead | TapeRow | HandoverRow, width: int = 40) -> str:
    return "".join(segment.text for segment in row.paint(width, INK))


def test_a_print_tells_time_side_quantity_and_price() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 10, 51)
    venue.order(Side.BUY, 4, 51)
    venue.order(Side.BUY, 8, 49)
    venue.order(Side.SELL, 3, 49)
    desk = desk_on(venue)
    sold, bought = (drawn(row) for row in tape_rows(desk, 10, UTC)[1:])
    assert bought.split() == ["00:00:02", "4", "▲", "51"]
    assert sold.split() == ["00:00:04", "49", "▼", "3"]
    assert bought.index("▲") < bought.index("51")
    assert sold.index("▼") > sold.index("49")


@pytest.mark.parametrize("width", [31, 33, 36, 44, 80])
@pytest.mark.parametrize("price", [50, 1_250, 123_456, MAX_PRICE])
def test_a_print_is_never_cut(price: int, width: int) -> None:
    digits = len(f"{price:,}")
    for bought in (True, False):
        row = TapeRow("16:12:21", bought, 99_999, price, digits)
        words = drawn(row, width).split()
        assert len(drawn(row, width).rstrip()) <= width
        assert "99,999" in words
        assert ("▲" if bought else "▼") in words
        assert {f"{price:,}", "1.00T", "123k"} & set(words)
        assert words[0] in ("16:12:21", "16:12")
        head = drawn(TapeHead(digits), width)
        name, sign = ("buys", "▲") if bought else ("sells", "▼")
        assert abs(head.index(name) - drawn(row, width).index(sign)) <= 3


def test_own_fills_are_marked_whoever_took() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 10, 51, TRADER)
    venue.order(Side.BUY, 4, 51)
    venue.order(Side.SELL, 9, 50)
    venue.order(Side.BUY, 9, 50, TRADER)
    bought, sold = (drawn(row, 44) for row in tape_rows(desk_on(venue), 10, UTC)[1:])
    assert bought.startswith("◆")
    assert bought.endswith(" bought")
    assert sold.startswith("◆")
    assert sold.endswith(" sold")


def test_a_rule_stands_where_the_lead_changed() -> None:
    venue = LocalVenue()
    venue.order(Side.SELL, 10, 51)
    venue.order(Side.BUY, 4, 51)
    venue.epoch = 8
    venue.order(Side.BUY, 4, 51)
    desk = desk_on(venue)
    desk.model.leaders[8] = "node-3"
    newest, rule, oldest = tape_rows(desk, 10, UTC)[1:]
    assert isinstance(newest, TapeRow)
    assert isinstance(oldest, TapeRow)
    assert "epoch 7 → 8 · node-3" in drawn(rule)
    assert len(drawn(rule)) == 40


def test_the_rule_tells_how_long_nobody_led_at_most() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 4, 51)
    live, history = desk_on(venue), desk_on(venue)
    live.model.fold(venue.entries[-1], 5 * SECOND)
    venue.epoch = 8
    venue.order(Side.BUY, 4, 51)
    live.model.leaders[8] = "node-2"
    live.model.fold(venue.entries[-1], 5 * SECOND + 84_000_000)
    history.model.fold(venue.entries[-1])
    rule, unknown = (tape_rows(desk, 1, UTC)[1] for desk in (live, history))
    assert "epoch 7 → 8 · node-2 · ≤ 84 ms " in drawn(rule)
    assert drawn(unknown).split("─")[2] == " epoch 7 → 8 "


def test_a_journal_that_is_read_anew_tells_no_times() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 4, 51)
    venue.epoch = 8
    venue.order(Side.BUY, 4, 51)
    venue.epoch = 9
    venue.order(Side.BUY, 4, 51)
    model = desk_on(venue).model
    model.attach(Replica())
    model.observed(ClusterStatus("node-1", 8, venue.entries[-2].seq, 0, ()), 5 * SECOND)
    for entry in venue.entries:
        model.source.apply(entry)  # type: ignore[attr-defined]  # a replica in tests
        model.fold(entry, 5 * SECOND)
    assert model.tape("RAIN") == deque([Handover(7, 8), Handover(8, 9)])


def test_where_the_lead_was_ended_from_here_it_is_told_to_the_millisecond() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 4, 51)
    model = desk_on(venue).model
    model.leaders[8] = "node-2"
    killed = Recovery(Fault.KILL, "node-1", "", 7, model.source.seq, 5 * SECOND)
    model.recoveries.begin(killed)
    venue.epoch = 8
    venue.order(Side.BUY, 4, 51)
    model.recoveries.folded(venue.entries[-1], 5 * SECOND + 84_000_000)
    model.fold(venue.entries[-1], 5 * SECOND + 84_100_000)
    (rule,) = model.tape("RAIN")
    assert rule == Handover(7, 8, 84_000_000, exact=True)
    assert drawn(handover_row(rule, "node-2"))[2:36] == " epoch 7 → 8 · node-2 · 84 ms ────"


def test_a_rule_without_times_or_room_says_less_and_never_breaks() -> None:
    venue = LocalVenue(())
    venue.commit([CreateMarket(SNOW, 0)])
    desk = desk_on(venue, "SNOW")
    venue.epoch = 8
    venue.commit([CreateMarket(RAIN, 0)])
    desk.model.source.apply(venue.entries[-1])  # type: ignore[attr-defined]  # a replica in tests
    desk.model.fold(venue.entries[-1])
    assert drawn(tape_rows(desk, 1, UTC)[1]).split("─")[2] == " epoch 7 → 8 "
    row = HandoverRow(7, 8, "a-rather-long-name", "≤ 84 ms")
    for width in range(1, 60):
        assert len(drawn(row, width)) == width


def test_the_rule_gives_up_its_duration_first_and_the_leaders_name_last() -> None:
    row = HandoverRow(7, 8, "a-rather-long-name", "≤ 84 ms")
    for width, words in (
        (47, "epoch 7 → 8 · a-rather-long-name · ≤ 84 ms"),
        (46, "epoch 7→8 · a-rather-long-name · ≤84ms"),
        (43, "epoch 7→8 · a-rather-long-name · ≤84ms"),
        (42, "7→8 · a-rather-long-name · ≤84ms"),
        (37, "7→8 · a-rather-long-name · ≤84ms"),
        (36, "7 → 8 · a-rather-long-name"),
        (31, "7 → 8 · a-rather-long-name"),
        (30, "7 → 8 · a-rather-long-na…"),
        (16, "7 → 8 · a-…"),
        (15, "7 → 8"),
        (10, "7 → 8"),
    ):
        assert drawn(row, width).strip("─") == f" {words} ", width


def test_a_leaders_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in drawn(HandoverRow(1, 2, "\x1b[2Jnode"))


def test_only_the_rows_that_fit_are_made() -> None:
    venue = LocalVenue()
    for _ in range(30):
        venue.order(Side.SELL, 1, 51)
        venue.order(Side.BUY, 1, 51)
    assert len(tape_rows(desk_on(venue), 7, UTC)) == 1 + 7
    assert tape_rows(desk_on(venue), 0, UTC) == [TapeHead(3)]


def test_prices_of_any_size_are_shown_whole() -> None:
    venue = LocalVenue(())
    for price in (10**12, 7):
        venue.order(Side.SELL, 1, price, market=DEFAULT_MARKET)
        venue.order(Side.BUY, 1, price, market=DEFAULT_MARKET)
    rows = tape_rows(desk_on(venue, DEFAULT_MARKET), 9, UTC)[1:]
    small, large = (drawn(row, 50) for row in rows)
    assert "1,000,000,000,000" in large
    assert small.rstrip().endswith("7")
    assert small.rindex("7") == large.rindex("0")
