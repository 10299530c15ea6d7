"""The ladder's rows: what each one says, and how it is drawn."""

from matchbox_tui.engine import DEFAULT_MARKET, Side
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.ladder_edges import ladder_foot
from matchbox_tui.tui.ladder_rows import LadderRow
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
