"""The spoofer, a demonstration: what it shows it never means, and what it means is small."""

from matchbox_tui.engine import CancelAll, NewOrder, Side, TradeExecuted
from sim.agents import Dice, Hire, Sight
from sim.agents.spoofer import Spoofer, SpooferParameters
from tests.sim.agents.pit import AGENT, SECOND, Pit

BUY, SELL = Side.BUY, Side.SELL
MS = 1_000_000


def shown(**parameters: int) -> tuple[Pit, Side]:
    """Between its first orders and the next look; and the side of the one that it means."""
    pit = Pit("spoofer", **{"qty": 400, "layers": 3, "away": 4, "real_qty": 10, **parameters})
    pit.quotes(45, 55)
    pit.go()
    (real,) = [order.side for order in pit.own if order.qty == 10]
    return pit, real


def test_it_shows_much_on_one_side_and_means_little_on_the_other() -> None:
    seen = set()
    for seed in range(1, 9):
        pit = Pit("spoofer", seed=seed, qty=400, layers=3, away=4, real_qty=10)
        pit.quotes(45, 55)
        assert len(pit.go()) == 4
        orders = {(order.side, order.price, order.qty) for order in pit.own}
        selling = {(BUY, price, 400) for price in (41, 40, 39)} | {(SELL, 54, 10)}
        buying = {(SELL, price, 400) for price in (59, 60, 61)} | {(BUY, 46, 10)}
        assert orders in (selling, buying)
        seen.add(SELL if orders == selling else BUY)
    assert seen == {BUY, SELL}


def test_nothing_of_it_takes() -> None:
    pit, _ = shown()
    assert pit.tape.trades == 0
    assert all(order.post_only for order in pit.own)


def test_it_joins_a_spread_of_one_tick() -> None:
    pit = Pit("spoofer")
    pit.quotes(49, 50)
    pit.go()
    real = next(order for order in pit.own if order.qty == 10)
    assert real.price == (50 if real.side is SELL else 49)


def test_once_its_small_order_is_filled_the_large_ones_are_gone() -> None:
    pit, real = shown()
    assert pit.go() == []
    pit.crowd(real.opposite, 54 if real is SELL else 46, 10, rests=False)
    assert abs(pit.held) == 10
    assert pit.go() == [CancelAll(AGENT, "RAIN")]
    assert pit.own == []


def test_the_large_orders_flee_when_the_price_comes_near() -> None:
    for wanted in (BUY, SELL):
        for seed in range(1, 20):
            pit = Pit("spoofer", seed=seed, away=4, danger=1, real_qty=10)
            bids = {price: pit.crowd(BUY, price, 50) for price in (45, 44, 43, 42)}
            asks = {price: pit.crowd(SELL, price, 50) for price in (55, 56, 57, 58)}
            pit.go()
            if pit.prices(wanted.opposite)[0] in (46, 54):
                break
        else:
            raise AssertionError("it never did the other side")
        large = BUY if 54 in pit.prices(SELL) else SELL
        levels = bids if large is BUY else asks
        ordered = sorted(levels, reverse=large is BUY)
        for price in ordered[:2]:
            pit.withdraw(levels[price])
            assert pit.go() == []
        # The best price is one tick away from the nearest large order now.
        pit.withdraw(levels[ordered[2]])
        assert pit.go() == [CancelAll(AGENT, "RAIN")]


def test_they_flee_when_nobody_stands_before_them() -> None:
    pit = Pit("spoofer")
    bid, ask = pit.crowd(BUY, 45, 100), pit.crowd(SELL, 55, 100)
    pit.go()
    pit.withdraw(bid)
    pit.withdraw(ask)
    assert pit.go() == [CancelAll(AGENT, "RAIN")]


def test_with_nothing_left_to_withdraw_it_sends_nothing() -> None:
    pit, _ = shown()
    pit.crowd(BUY, 99, 10**5, rests=False)
    pit.crowd(SELL, 1, 10**5, rests=False)
    assert pit.own == []
    assert pit.go() == []
    assert pit.agent.wait() != SpooferParameters().every


def test_time_ends_it() -> None:
    pit, _ = shown(hold=SECOND, every=100 * MS)
    assert pit.agent.wait() == 100 * MS
    for _ in range(9):
        assert pit.go() == []
    assert pit.go() == [CancelAll(AGENT, "RAIN")]


def test_it_rests_between_attempts_and_gets_rid_of_what_it_got() -> None:
    pit, real = shown(rest=5 * SECOND)
    pit.crowd(real.opposite, 54 if real is SELL else 46, 10, rests=False)
    pit.go()
    waits = [pit.agent.wait() for _ in range(2_000)]
    assert 4.7 < sum(waits) / len(waits) / SECOND < 5.3
    actions = pit.go()
    (again,) = [a for a in actions if isinstance(a, NewOrder) and a.qty == 10]
    assert again.side is real.opposite


def test_in_a_calm_market_it_is_never_hit_where_it_did_not_mean_it() -> None:
    pit = Pit("spoofer", rest=100 * MS, hold=SECOND, real_qty=10)
    large: set[int] = set()
    attempts = 0
    for price in range(30, 46):
        pit.crowd(BUY, price, 500)
        pit.crowd(SELL, 100 - price, 500)
    for number in range(3_000):
        attempts += len(pit.go()) > 1
        large |= {order.id for order in pit.own if order.qty == 400}
        side = BUY if number % 3 else SELL
        best = pit.sight.best_ask if side is BUY else pit.sight.best_bid
        assert best is not None
        for event in pit.exchange.apply(
            NewOrder(
                order_id=10**6 + number, market="RAIN", side=side, price=best, qty=1, trader="x"
            )
        ):
            if isinstance(event, TradeExecuted):
                assert event.maker_order_id not in large
    assert attempts > 50
    assert len(large) == 3 * attempts


def test_it_stays_out_of_a_market_without_two_sides_or_room_or_that_is_halted() -> None:
    one_sided = Pit("spoofer")
    one_sided.crowd(BUY, 45, 10)
    assert one_sided.go() == []
    halted, _ = shown()
    halted.halt()
    assert halted.go() == [CancelAll(AGENT, "RAIN")]
    assert [action for _ in range(5) for action in halted.go()] == []
    for seed in range(1, 9):
        edge = Pit("spoofer", seed=seed, away=3)
        edge.quotes(2, 98)
        assert edge.go() == []


def test_a_market_maker_that_trusts_the_book_bids_it_more() -> None:
    """What spoofing is for, and what its victim sees."""

    def best_bid_after(imbalance: int) -> int:
        pit = Pit("market-maker", imbalance=imbalance, levels=1, qty=50)
        hire = Hire("eve", "RAIN", Dice(3), 50, lambda now: 50)
        spoofer = Spoofer(hire, SpooferParameters(qty=400, layers=3, away=3))
        pit.act()
        window = Sight(pit.exchange, "RAIN", "eve", pit.tape)
        for action in spoofer.act(window):
            assert isinstance(action, NewOrder)
            pit.crowd(action.side, action.price, action.qty)
        # These dice let it show bids: it means to sell.
        assert max(pit.sight.book.bids.levels) == 49
        assert pit.sight.book.depth_at(BUY, 46) == 400
        pit.act()
        return max(pit.prices(BUY))

    # The small order alone lets everybody bid less.
    assert best_bid_after(0) == 48
    assert best_bid_after(2_000) == 49
