"""Positions and cash: integers, whatever their size, that sum to zero in each market."""

import msgspec

from matchbox_tui.engine import Exchange, Market, Position, SelfTradePrevention, State
from tests.engine.build import buy, exchange, sell, trades


def test_who_never_traded_holds_nothing() -> None:
    venue = exchange(buy(1, trader="ann"))
    assert venue.position("ann") == Position(0, 0)
    assert list(venue.positions.items()) == []


def test_the_buyer_gets_contracts_and_the_seller_cash() -> None:
    venue = exchange(sell(1, 50, 10, trader="bob"), buy(2, 55, 4, trader="ann"))
    assert venue.position("ann") == Position(4, -200)
    assert venue.position("bob") == Position(-4, 200)


def test_a_taker_that_sells_gets_the_bid_s_price() -> None:
    venue = exchange(buy(1, 50, 10, trader="bob"), sell(2, 45, 4, trader="ann"))
    assert venue.position("ann") == Position(-4, 200)
    assert venue.position("bob") == Position(4, -200)


def test_buying_low_and_selling_high_leaves_the_profit_as_cash() -> None:
    venue = exchange(
        sell(1, 40, 10, trader="bob"),
        buy(2, 40, 10, trader="ann"),
        buy(3, 60, 10, trader="cy"),
        sell(4, 60, 10, trader="ann"),
    )
    assert venue.position("ann") == Position(0, 200)


def test_positions_are_kept_by_market() -> None:
    venue = Exchange([Market("A"), Market("B")])
    venue.apply(sell(1, 50, 10, trader="bob", market="A"))
    venue.apply(buy(2, 50, 10, trader="ann", market="A"))
    assert venue.position("ann", "A") == Position(10, -500)
    assert venue.position("ann", "B") == Position()


def test_a_trade_with_oneself_leaves_nothing() -> None:
    venue = exchange(sell(1, 50, 10, trader="ann"))
    mode = SelfTradePrevention.NONE
    assert trades(venue.apply(buy(2, 50, 10, trader="ann", self_trade_prevention=mode)))
    assert venue.position("ann") == Position(0, 0)


def test_anonymous_orders_have_a_position_too_so_that_the_sum_is_zero() -> None:
    venue = exchange(sell(1, 50, 10), buy(2, 50, 10, trader="ann"))
    assert venue.position("") == Position(-10, 500)


def test_sums_beyond_64_bits_survive_json_and_a_snapshot() -> None:
    top = 10**12
    venue = exchange(
        *[sell(n, top, top, trader="bob") for n in range(1, 4)],
        *[buy(n, top, top, trader="ann") for n in range(4, 7)],
    )
    assert venue.position("ann") == Position(3 * top, -3 * top * top)
    state = msgspec.json.decode(msgspec.json.encode(venue.dump()), type=State)
    again = Exchange.load(state)
    assert again.position("bob") == Position(-3 * top, 3 * top * top)
    assert again.state_hash() == venue.state_hash()


def test_level_totals_beyond_the_bound_of_one_order_survive_json() -> None:
    top = 10**12
    venue = exchange(*[buy(n, top, top) for n in range(1, 6)])
    shown = venue.book().snapshot()
    assert shown.bids[0].qty == 5 * top
    assert msgspec.json.decode(msgspec.json.encode(shown), type=type(shown)) == shown


def test_everybody_who_ever_traded_is_named_once() -> None:
    venue = exchange(
        sell(1, 40, 10, trader="bob"), buy(2, 40, 4, trader="ann"), buy(3, 40, 6, trader="ann")
    )
    assert sorted(venue.positions.holders()) == [("ann", "MAIN"), ("bob", "MAIN")]
