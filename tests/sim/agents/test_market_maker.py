"""The market maker: two sides around a fair price, a lean, and quotes that follow."""

import pytest

from matchbox_tui.engine import CancelAll, CancelOrder, Market, NewOrder, Side
from tests.sim.agents.pit import Pit

BUY, SELL = Side.BUY, Side.SELL


def test_it_quotes_both_sides_around_the_opening_price() -> None:
    pit = Pit("market-maker", opening=40, half_spread=2, levels=3, step=2, qty=25)
    actions = pit.act()
    assert len(actions) == 6
    assert all(isinstance(a, NewOrder) and a.post_only and a.qty == 25 for a in actions)
    assert pit.prices(BUY) == [34, 36, 38]
    assert pit.prices(SELL) == [42, 44, 46]


def test_it_rests_while_nothing_moves() -> None:
    pit = Pit("market-maker")
    pit.act()
    assert [action for _ in range(20) for action in pit.go()] == []


def test_it_requotes_when_the_middle_moves_and_keeps_what_fits() -> None:
    pit = Pit("market-maker", levels=3, memory=1, half_spread=1)
    pit.act()
    ids = {order.price: order.id for order in pit.own}
    assert sorted(ids) == [47, 48, 49, 51, 52, 53]
    # Somebody buys all up to 52 and bids 51: the middle is 52, and so is the last trade.
    pit.crowd(BUY, 52, 100, rests=False)
    pit.quotes(51, 53)
    actions = pit.act()
    cancelled = {action.order_id for action in actions if isinstance(action, CancelOrder)}
    assert cancelled == {ids[47], ids[48], ids[53]}
    # It is short of 100, for which it leans up by less than a tick.
    assert pit.prices(BUY) == [49, 50, 51]
    assert pit.prices(SELL) == [54, 55, 56]
    # What was right stays, with its place in the queue.
    assert pit.sight.book.order(ids[49]) is not None


def test_its_fair_price_follows_the_middle_as_slowly_as_its_memory_says() -> None:
    def looks(memory: int) -> int:
        pit = Pit("market-maker", memory=memory, qty=1, levels=1)
        pit.act()
        pit.crowd(BUY, 60, 10**6)
        pit.crowd(SELL, 64, 10**6)
        pit.wash(62, 1)
        for number in range(200):
            if max(pit.prices(BUY), default=0) >= 60:
                return number
            pit.go()
        raise AssertionError("it never followed")

    assert looks(1) < looks(4) < looks(16)


def test_it_learns_from_the_last_trade_where_nobody_else_quotes() -> None:
    pit = Pit("market-maker", memory=2, lean=10**6)
    pit.act()
    assert max(pit.prices(BUY)) == 49
    for _ in range(30):
        pit.crowd(BUY, pit.prices(SELL)[0], 5, rests=False)
        pit.go()
    assert max(pit.prices(BUY)) > 52


@pytest.mark.parametrize(("held", "best"), [(0, (49, 51)), (50, (47, 50)), (-50, (50, 53))])
def test_it_leans_against_its_position(held: int, best: tuple[int, int]) -> None:
    """One tick for 50 contracts; its memory is so long that a trade moves it by a trace only."""
    pit = Pit("market-maker", levels=2, qty=50, lean=50, memory=1000)
    pit.act()
    if held > 0:
        pit.crowd(SELL, 49, held, rests=False)
    elif held < 0:
        pit.crowd(BUY, 51, -held, rests=False)
    assert pit.held == held
    for _ in range(3):
        pit.go()
    assert (max(pit.prices(BUY)), min(pit.prices(SELL))) == best


def test_its_lean_brings_it_back() -> None:
    """Whoever trades at random takes from the side that it would rather be taken from."""
    pit = Pit("market-maker", levels=5, qty=50, lean=50, memory=4)
    for _ in range(5):
        pit.go()
        pit.crowd(SELL, 1, 120, rests=False)
    assert pit.held == 600
    low = max(pit.prices(BUY), default=0)
    pit.go()
    assert min(pit.prices(SELL)) < 46
    assert max(pit.prices(BUY), default=0) <= low


def test_at_its_most_it_quotes_only_the_side_that_brings_it_back() -> None:
    pit = Pit("market-maker", max_position=100, qty=50, levels=3, lean=1000)
    pit.go()
    pit.crowd(SELL, 1, 100, rests=False)
    assert pit.held == 100
    pit.go()
    assert pit.prices(BUY) == []
    assert len(pit.prices(SELL)) == 3
    pit.crowd(BUY, 99, 150, rests=False)
    pit.go()
    assert len(pit.prices(BUY)) == 3
    pit.crowd(BUY, 99, 50, rests=False)
    assert pit.held == -100
    pit.go()
    assert pit.prices(SELL) == []
    assert len(pit.prices(BUY)) == 3


def test_a_quote_is_renewed_once_half_of_it_is_gone() -> None:
    pit = Pit("market-maker", qty=50, levels=1, lean=10**6, memory=1000)
    pit.act()
    pit.crowd(SELL, 49, 50, rests=False)
    pit.go()
    ((bid, price),) = [(order.id, order.price) for order in pit.own if order.side is BUY]
    pit.crowd(SELL, price, 24, rests=False)
    assert pit.go() == []
    pit.crowd(SELL, price, 1, rests=False)
    first, second = pit.go()
    assert first == CancelOrder(bid)
    assert isinstance(second, NewOrder)
    assert (second.side, second.price, second.qty) == (BUY, price, 50)


def test_it_never_takes() -> None:
    pit = Pit("market-maker", opening=50, memory=1000)
    pit.quotes(60, 61)
    pit.act()
    assert pit.prices(SELL)[0] == 61
    assert pit.held == 0
    pit = Pit("market-maker", opening=50, memory=1000)
    pit.quotes(30, 31)
    pit.act()
    assert pit.prices(BUY)[-1] == 30
    assert pit.held == 0


@pytest.mark.parametrize("opening", [1, 2, 98, 99])
def test_at_the_edge_it_quotes_what_the_market_takes(opening: int) -> None:
    pit = Pit("market-maker", opening=opening, levels=5)
    actions = pit.act()
    prices = [action.price for action in actions if isinstance(action, NewOrder)]
    assert all(1 <= price <= 99 for price in prices)
    bids, asks = pit.prices(BUY), pit.prices(SELL)
    assert len(prices) == len(bids) + len(asks) < 10
    assert bids[-1] < asks[0]


def test_a_tick_of_five_is_respected() -> None:
    pit = Pit(
        "market-maker", Market("ODD", min_price=10, max_price=90, tick=5), opening=52, levels=2
    )
    pit.act()
    assert pit.prices(BUY) == [40, 45]
    assert pit.prices(SELL) == [60, 65]


def test_in_a_halt_it_withdraws_all_once_and_comes_back_after_it() -> None:
    pit = Pit("market-maker")
    pit.act()
    pit.halt()
    assert pit.act() == [CancelAll("ann", "RAIN")]
    assert [action for _ in range(5) for action in pit.go()] == []
    pit.resume()
    assert len(pit.act()) == 10


@pytest.mark.parametrize(
    ("side", "imbalance", "window", "best_bid"),
    [
        (BUY, 0, 8, 49),
        (BUY, 2_000, 8, 50),
        (BUY, 2_000, 4, 49),
        (SELL, 2_000, 8, 47),
    ],
)
def test_it_leans_with_what_rests_in_the_book_where_it_is_asked_to(
    side: Side, imbalance: int, window: int, best_bid: int
) -> None:
    """Nine of ten contracts on one side move it by 8/10 of two ticks, if it looks deep enough."""
    pit = Pit("market-maker", imbalance=imbalance, window=window, levels=1, qty=50)
    pit.act()
    pit.crowd(side, 49 - 5 if side is BUY else 51 + 5, 400)
    pit.act()
    assert max(pit.prices(BUY)) == best_bid
    assert min(pit.prices(SELL)) - best_bid in (2, 3)


def test_it_looks_at_its_own_interval_give_or_take_a_quarter() -> None:
    pit = Pit("market-maker", every=1_000_000)
    waits = [pit.agent.wait() for _ in range(2_000)]
    assert 750_000 <= min(waits) < 760_000
    assert 1_240_000 < max(waits) <= 1_250_000
