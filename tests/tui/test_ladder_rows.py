"""The ladder's rows: what each one says, and how it is drawn."""

from dataclasses import replace

from matchbox_tui.engine import DEFAULT_MARKET, Side
from matchbox_tui.store import ClusterStatus
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.ladder_edges import LadderHead, ladder_foot
from matchbox_tui.tui.ladder_rows import Columns, Half, LadderRow
from matchbox_tui.tui.ladder_view import ladder_rows
from matchbox_tui.tui.palette import DARK, Ink
from tests.tui.cockpit import TRADER, desk_on, fold, hand_of
from tests.tui.venue import LocalVenue

INK = Ink(DARK)


def rows(desk: Desk, height: int = 17, width: int = 44) -> dict[int | None, LadderRow]:
    desk.settle_view(height, width)
    return {row.price: row for row in ladder_rows(desk, width)}


def drawn(row: LadderRow, width: int = 44) -> str:
    return "".join(segment.text for segment in row.paint(width, INK))


def market() -> LocalVenue:
    venue = LocalVenue()
    venue.order(Side.BUY, 120, 49)
    venue.order(Side.BUY, 25, 48, TRADER)
    venue.order(Side.SELL, 80, 51)
    return venue


def test_bids_stand_left_of_the_price_and_asks_right() -> None:
    shown = rows(desk_on(market()))
    assert drawn(shown[49]).split("49")[0].split()[-2:] == ["120", "▸"]
    assert drawn(shown[51]).split("51")[1].split()[0] == "80"
    assert drawn(shown[50]).split() == ["50"]


def test_every_row_has_the_width_of_the_ladder() -> None:
    for width in (20, 44, 60, 120):
        for row in rows(desk_on(market()), width=width).values():
            assert len(drawn(row, width)) <= width


def test_own_orders_are_marked_in_their_row() -> None:
    row = rows(desk_on(market()))[48]
    assert row.bid.mine == 25
    assert drawn(row).split()[0] == "◆25<0"


def test_the_last_trade_is_marked_with_its_direction() -> None:
    venue = market()
    venue.order(Side.BUY, 5, 51)
    venue.order(Side.SELL, 5, 49)
    shown = rows(desk_on(venue))
    assert shown[49].last == -1
    assert "▼" in drawn(shown[49])
    assert shown[51].last is None


def test_what_is_prepared_shows_as_a_draft_in_its_column() -> None:
    desk = desk_on(market())
    desk.settle_view(17, 44)
    hand_of(desk).order(Side.SELL)
    desk.move(3)
    row = rows(desk)[52]
    assert row.ask.draft == 10
    assert drawn(row).split()[-1] == "+10"


def test_what_is_sent_and_not_known_yet_shows_as_a_question() -> None:
    desk = desk_on(market())
    desk.settle_view(17, 44)
    hand = hand_of(desk)
    hand.order(Side.BUY)
    assert len(hand.enter()) == 1
    assert drawn(rows(desk)[49]).split()[0] == "?10"


def test_the_biggest_level_has_the_longest_bar() -> None:
    shown = rows(desk_on(market()))
    assert shown[49].bid.bar > shown[51].ask.bar > shown[48].bid.bar > 0


def test_prices_of_twelve_digits_are_shown_whole() -> None:
    venue = LocalVenue(())
    venue.order(Side.SELL, 10**12, 10**12, market=DEFAULT_MARKET)
    shown = rows(desk_on(venue, DEFAULT_MARKET))
    assert "1,000,000,000,000" in drawn(shown[10**12])
    assert "1.00T" in drawn(shown[10**12])


def test_thousands_of_levels_cost_no_more_than_the_rows_shown() -> None:
    venue = LocalVenue(())
    for price in range(1, 3001):
        venue.order(Side.BUY, 1, price, market=DEFAULT_MARKET)
        venue.order(Side.SELL, 1, 6001 - price, market=DEFAULT_MARKET)
    desk = desk_on(venue, DEFAULT_MARKET)
    looked_at: list[int] = []
    levels = desk.book.bids.levels if desk.book is not None else None
    assert levels is not None
    plain = type(levels).__getitem__

    class Watched(type(levels)):  # type: ignore[misc]  # the type is known only here
        def __getitem__(self, price: int) -> object:
            looked_at.append(price)
            return plain(self, price)

    assert desk.book is not None
    desk.book.bids.levels = Watched(levels)
    assert len(rows(desk)) == 17
    assert len(looked_at) <= 2 * 17


def test_what_lies_beyond_the_window_is_told_below() -> None:
    venue = LocalVenue(())
    venue.order(Side.BUY, 1, 50, market=DEFAULT_MARKET)
    venue.order(Side.BUY, 1, 10, market=DEFAULT_MARKET)
    venue.order(Side.SELL, 1, 10**6, market=DEFAULT_MARKET)
    desk = desk_on(venue, DEFAULT_MARKET)
    desk.settle_view(17, 44)
    foot = ladder_foot(desk)
    assert foot.below == "▼ 1 level"
    assert foot.above == "▲ ask 1,000,000"
    assert foot.middle == "spread 999,950 · mid 500,025"


def test_an_idle_market_gives_equal_rows() -> None:
    venue = market()
    desk = desk_on(venue)
    before = rows(desk)
    fold(desk.model, venue)
    assert rows(desk) == before


def test_the_place_of_the_first_own_order_stands_beside_it() -> None:
    venue = market()
    venue.order(Side.BUY, 10, 49, TRADER)
    venue.order(Side.BUY, 3, 49)
    venue.order(Side.BUY, 4, 49, TRADER)
    row = rows(desk_on(venue))[49]
    assert (row.bid.mine, row.bid.ahead) == (14, 120)
    assert drawn(row).split()[0] == "◆14<120"


def test_a_place_that_does_not_fit_is_left_out_and_never_cut() -> None:
    half = Half(qty=900_000, mine=1250, ahead=12_400)
    for width in range(1, 90):
        row = LadderRow(Columns.of(width, 99), 50, half)
        text = drawn(row, width)
        assert "<" not in text or "◆1,250<12,400 " in text
    assert "◆1,250<12,400" in drawn(LadderRow(Columns.of(60, 99), 50, half))
    assert "◆1,250 " in drawn(LadderRow(Columns.of(44, 99), 50, half))


def test_draft_and_own_order_stand_together_where_there_is_room() -> None:
    row = LadderRow(Columns.of(60, 99), 50, Half(qty=40, mine=25, ahead=15, draft=10))
    assert drawn(row, 60).split()[:2] == ["+10", "◆25<15"]
    narrow = LadderRow(Columns.of(26, 99), 50, Half(qty=40, mine=25, ahead=15, draft=10))
    assert drawn(narrow, 26).split()[0] == "+10"


def test_every_cell_of_a_row_is_in_its_column() -> None:
    for width in range(1, 130):
        columns = Columns.of(width, 99, 500)
        full = Half(400, 999, 10, 12_345, 0, 0)
        row = LadderRow(columns, 50, full, full, volume=1234, volume_bar=999, cursor=True)
        text = drawn(row, width)
        if width >= columns.asks + columns.side:
            assert len(text) == width
            assert text[columns.pad + columns.side :].startswith(" ▸ ")


def test_a_press_is_on_the_side_whose_column_it_hits() -> None:
    columns = Columns.of(60, 99)
    text = drawn(LadderRow(columns, 50, Half(qty=1, mine=7), Half(qty=2, mine=8)), 60)
    hit = {columns.side_at(x): text[x] for x in range(60)}
    assert set(hit) == {Side.BUY, Side.SELL, None}
    assert columns.side_at(text.index("7")) is columns.side_at(text.index("1")) is Side.BUY
    assert columns.side_at(text.index("2")) is columns.side_at(text.index("8")) is Side.SELL
    assert columns.side_at(text.index("50")) is None
    assert columns.side_at(59) is None


def grouped(desk: Desk, times: int) -> dict[int | None, LadderRow]:
    rows(desk)
    for _ in range(times):
        desk.regroup(coarser=True)
    return rows(desk)


def test_groups_have_bids_rounded_down_and_asks_up() -> None:
    desk = desk_on(market())
    rows(desk)
    desk.pick(70)
    shown = grouped(desk, 3)
    assert shown[40].bid.qty == 145
    assert shown[60].ask.qty == 80
    assert shown[40].bid.mine == 25
    assert shown[50].bid.qty == shown[50].ask.qty == 0


def test_both_sides_of_a_group_that_touch_stand_in_one_row() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 7, 50)
    venue.order(Side.BUY, 5, 53)
    venue.order(Side.SELL, 9, 55)
    venue.order(Side.SELL, 2, 60)
    desk = desk_on(venue)
    rows(desk)
    desk.move_to_best(Side.SELL)
    shown = grouped(desk, 3)
    row = shown[50]
    assert (row.bid.qty, row.ask.qty) == (12, 0)
    assert shown[60 if 60 in shown else 55].ask.qty == 11


def test_the_price_at_the_cursor_is_the_price_that_an_order_gets() -> None:
    desk = desk_on(market())
    shown = grouped(desk, 3)
    (row,) = [row for row in shown.values() if row.cursor]
    assert row.price == desk.price == 49
    desk.move(1)
    (row,) = [row for row in rows(desk).values() if row.cursor]
    assert row.price == desk.price == 50
    desk.move(-1)
    (row,) = [row for row in rows(desk).values() if row.cursor]
    assert row.price == desk.price == 40


def test_the_last_trade_stands_in_the_row_it_took_from() -> None:
    venue = market()
    venue.order(Side.BUY, 5, 51)
    desk = desk_on(venue)
    rows(desk)
    desk.move(9)
    assert grouped(desk, 3)[60].last == 0
    venue.order(Side.SELL, 5, 49)
    fold(desk.model, venue)
    assert rows(desk)[40].last == -1


def test_depth_up_to_each_price() -> None:
    venue = market()
    venue.order(Side.BUY, 10, 45)
    desk = desk_on(venue)
    rows(desk)
    desk.accumulate()
    shown = rows(desk, width=160)
    assert [shown[price].bid.qty for price in (49, 48, 47, 45)] == [120, 145, 0, 155]
    assert shown[49].bid.bar < shown[48].bid.bar == shown[47].bid.bar < shown[45].bid.bar
    assert shown[52].ask.bar == shown[51].ask.bar > 0
    assert shown[50].bid.bar == shown[50].ask.bar == 0
    desk.accumulate()
    assert rows(desk)[48].bid.qty == 25


def test_depth_counts_what_lies_out_of_sight() -> None:
    venue = LocalVenue(())
    venue.order(Side.BUY, 7, 500, market=DEFAULT_MARKET)
    venue.order(Side.BUY, 5, 20, market=DEFAULT_MARKET)
    venue.order(Side.SELL, 4, 600, market=DEFAULT_MARKET)
    venue.order(Side.SELL, 3, 900, market=DEFAULT_MARKET)
    desk = desk_on(venue, DEFAULT_MARKET)
    rows(desk)
    desk.accumulate()
    assert desk.gaze is not None
    desk.gaze.go(20)
    assert rows(desk)[20].bid.qty == 12
    desk.gaze.go(900)
    assert rows(desk)[900].ask.qty == 7


def test_volume_stands_at_the_right_where_there_is_room() -> None:
    venue = market()
    venue.order(Side.BUY, 5, 51)
    venue.order(Side.SELL, 20, 49)
    desk = desk_on(venue)
    shown = rows(desk, width=60)
    assert (shown[51].volume, shown[49].volume, shown[50].volume) == (5, 20, 0)
    assert drawn(shown[49], 60).split()[-2:] == ["20", "████"]
    assert shown[51].volume_bar < shown[49].volume_bar
    assert drawn(rows(desk, width=44)[49]).split()[-1] == "▼"


def test_the_row_of_the_cursor_is_raised_all_over_and_glows_where_there_was_a_trade() -> None:
    columns = Columns.of(60, 99, 100)
    half = Half(20, 4, 5, 3)
    row = LadderRow(columns, 50, half, half, last=1, cursor=True, volume=5, volume_bar=9)
    grounds = [s.style.bgcolor for s in row.paint(60, INK) if s.style]
    assert set(grounds) == {INK.raised.bgcolor}
    lit = [s for s in replace(row, heat=2).paint(60, INK) if s.style not in row_styles(row)]
    assert "".join(s.text for s in lit).split() == ["50", "▲"]


def row_styles(row: LadderRow) -> list[object]:
    return [segment.style for segment in row.paint(60, INK)]


def test_blanks_cost_no_segments_of_their_own() -> None:
    columns = Columns.of(60, 99, 100)
    assert len(LadderRow(columns, 50).paint(60, INK)) <= 5
    bid = LadderRow(columns, 49, bid=Half(20, 4))
    assert [s.text.split() for s in bid.paint(60, INK)[:3]] == [["██"], ["20"], ["49"]]


def test_a_trade_that_was_just_seen_is_lit_in_its_row_only() -> None:
    venue = market()
    desk = desk_on(venue)
    desk.model.observed(ClusterStatus("node-2", 7, venue.exchange.seq, 0, ()), venue.time)
    before = rows(desk)
    venue.order(Side.BUY, 5, 51)
    fold(desk.model, venue)
    shown = rows(desk)
    assert {price for price, row in shown.items() if row.heat} == {51}
    ground = INK.plain.bgcolor
    lit = [s for s in shown[51].paint(44, INK) if s.style and s.style.bgcolor != ground]
    assert "".join(segment.text for segment in lit).split() == ["51", "◆"]
    venue.time += 700_000_000
    faded = rows(desk)
    assert [price for price in faded if faded[price] != shown[price]] == [51]
    assert 0 < faded[51].heat < shown[51].heat
    assert before[50] == shown[50]


def test_head_and_foot_say_what_a_row_is() -> None:
    desk = desk_on(market())
    grouped(desk, 3)
    columns = Columns.of(44, 99)
    head = "".join(segment.text for segment in LadderHead(columns, 10, True).paint(44, INK))
    assert "Σ bids" in head
    assert "by 10" in head
    assert "asks Σ" in head
    assert ladder_foot(desk).middle == "spread 2 · mid 50"


def test_the_mid_has_its_half() -> None:
    venue = market()
    venue.order(Side.BUY, 1, 50)
    desk = desk_on(venue)
    rows(desk)
    assert ladder_foot(desk).middle == "spread 1 · mid 50.5"


def test_levels_out_of_sight_are_counted_by_groups_as_well() -> None:
    venue = LocalVenue(())
    for price in (9, 10, 19, 500, 521, 990, 1011):
        venue.order(Side.BUY if price <= 500 else Side.SELL, 1, price, market=DEFAULT_MARKET)
    desk = desk_on(venue, DEFAULT_MARKET)
    desk.settle_view(11, 44)
    for _ in range(3):
        desk.regroup(coarser=True)
    desk.settle_view(11, 44)
    assert desk.gaze is not None
    window = desk.gaze.window
    assert window.group == 10
    assert window.shows(500)
    assert window.shows(521, Side.SELL)
    bids = sum(1 for price in (9, 10, 19, 500) if window.row(price) >= window.rows)
    asks = sum(1 for price in (521, 990, 1011) if window.row(price, Side.SELL) < 0)
    foot = ladder_foot(desk)
    assert (foot.below, foot.above) == (f"▼ {bids} levels", f"▲ {asks} levels")


def test_in_a_group_the_place_is_that_of_the_order_at_the_best_price() -> None:
    venue = LocalVenue()
    venue.order(Side.BUY, 4, 46, TRADER)
    venue.order(Side.BUY, 30, 48)
    venue.order(Side.BUY, 5, 48, TRADER)
    desk = desk_on(venue)
    rows(desk)
    desk.pick(70)
    row = grouped(desk, 3)[40]
    assert (row.bid.mine, row.bid.ahead) == (9, 30)


def test_what_a_group_at_the_edge_holds_is_not_out_of_sight() -> None:
    for side, edge in ((Side.BUY, 345), (Side.SELL, 335)):
        venue = LocalVenue(())
        for price in (edge, 500 if side is Side.BUY else 100):
            venue.order(side, 1, price, market=DEFAULT_MARKET)
        desk = desk_on(venue, DEFAULT_MARKET)
        desk.settle_view(1, 44)
        assert desk.gaze is not None
        desk.gaze.go(340)
        desk.gaze.regroup(10)
        foot = ladder_foot(desk)
        told = foot.above if side is Side.BUY else foot.below
        assert told == ("▲ 1 level" if side is Side.BUY else "▼ 1 level")
