"""Volume at price."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.engine import Market, Side
from matchbox_tui.tui.volume import PRICES_KEPT, Volume
from matchbox_tui.tui.window import Window
from tests.tui.venue import RAIN

trades = st.lists(
    st.tuples(st.integers(1, 99), st.sampled_from(Side), st.integers(1, 500)), max_size=50
)


def test_what_was_lifted_counts_in_the_asks_row_and_what_was_hit_in_the_bids() -> None:
    volume = Volume()
    volume.traded(48, Side.SELL, 30)
    volume.traded(52, Side.BUY, 12)
    volume.traded(52, Side.BUY, 5)
    window = Window.of(RAIN, 11, 50).regrouped(10, 50, Side.BUY)
    shown = {window.price(row): qty for row, qty in enumerate(volume.rows(window)) if qty}
    assert shown == {40: 30, 60: 17}
    fine = Window.of(RAIN, 11, 50)
    shown = {fine.price(row): qty for row, qty in enumerate(volume.rows(fine)) if qty}
    assert shown == {48: 30, 52: 17}


@given(trades, trades, st.sampled_from((1, 2, 5, 10, 50)))
def test_no_contract_is_lost_by_grouping(
    before: list[tuple[int, Side, int]], after: list[tuple[int, Side, int]], group: int
) -> None:
    volume = Volume()
    window = Window.of(RAIN, 120).regrouped(group, 50, Side.BUY)
    for trade in before:
        volume.traded(*trade)
    volume.rows(window)
    for trade in after:
        volume.traded(*trade)
    assert sum(volume.rows(window)) == sum(qty for _, _, qty in (*before, *after))


def test_of_very_many_prices_those_that_traded_last_are_kept() -> None:
    volume = Volume()
    last = PRICES_KEPT + 100
    volume.traded(1, Side.BUY, 3)
    for price in range(2, last + 1):
        volume.traded(price, Side.BUY, 2)
        if price == PRICES_KEPT:
            volume.traded(1, Side.SELL, 4)
    window = Window.of(Market("MAIN"), last + 1, last // 2)
    shown = {window.price(row): qty for row, qty in enumerate(volume.rows(window)) if qty}
    assert len(shown) == PRICES_KEPT
    assert shown[1] == 7
    assert shown[last] == 2
    assert 2 not in shown
