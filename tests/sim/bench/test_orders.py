"""The orders of a benchmark do what a rate is to be measured of: they match, and don't pile up."""

import msgspec

from matchbox_tui.engine import Exchange, NewOrder, OrderAccepted, TradeExecuted
from sim.bench.orders import make_orders, make_pairs


def played(orders: list[NewOrder], exchange: Exchange) -> tuple[int, int]:
    """How many were accepted, and how many fills they made."""
    accepted = fills = 0
    for order in orders:
        for event in exchange.apply(order):
            accepted += isinstance(event, OrderAccepted)
            fills += isinstance(event, TradeExecuted)
    return accepted, fills


def numbered(orders: list[NewOrder], first: int = 1) -> list[NewOrder]:
    return [msgspec.structs.replace(order, order_id=first + n) for n, order in enumerate(orders)]


def test_most_orders_match_and_the_book_stays_small() -> None:
    exchange = Exchange()
    accepted, fills = played(numbered(make_orders(5000, 1)), exchange)
    assert accepted == 5000
    assert fills > 2500
    assert len(exchange.orders) < 500


def test_orders_are_drawn_from_the_seed() -> None:
    def drawn(seed: int) -> list[tuple[str, int, int]]:
        return [(order.side, order.price, order.qty) for order in make_orders(50, seed)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_pair_is_a_fill_whatever_rests() -> None:
    for seed in range(20):
        exchange = Exchange()
        played(numbered(make_orders(31, seed)), exchange)
        assert played(numbered(make_pairs(100), 1000), exchange) == (200, 100)
