"""The naive model begins where a snapshot stands, and goes on as the engine does."""

import pytest

from matchbox_tui.engine import Exchange, Side, dump_parts
from sim.naive import NaiveExchange
from tests.engine.workload import MARKETS, Workload


@pytest.mark.parametrize("seed", range(4))
def test_it_goes_on_from_a_snapshot_as_the_engine_does(seed: int) -> None:
    exchange = Exchange(MARKETS)
    for command in Workload(seed, 400, 12).commands(1200):
        exchange.apply(command)
    naive = NaiveExchange(())
    for part in dump_parts(exchange):
        naive.restore(part)
    naive.seq = exchange.seq
    for command in Workload(seed + 9, 400, 12).commands(1200):
        assert naive.apply(command) == exchange.apply(command)
    assert list(naive.books) == list(exchange.books)
    for symbol, book in exchange.books.items():
        plain = naive.books[symbol]
        assert (plain.market, plain.sequence) == (book.market, book.sequence)
        for side in Side:
            assert [(o.asked.order_id, o.price, o.qty, o.leaves) for o in plain.queue(side)] == [
                (o.id, o.price, o.qty, o.leaves_qty) for o in book.queue(side)
            ]
    held = {(who, where): position for who, where, position in exchange.positions.items()}
    assert naive.positions == held


def test_a_book_larger_than_a_part_is_restored_in_order() -> None:
    exchange = Exchange()
    for command in Workload(1, 100_000, 40).commands(4000):
        exchange.apply(command)
    parts = list(dump_parts(exchange))
    assert len(parts) > 2
    naive = NaiveExchange(())
    for part in parts:
        naive.restore(part)
    book = exchange.book()
    for side in Side:
        assert [o.asked.order_id for o in naive.books["MAIN"].queue(side)] == [
            order.id for order in book.queue(side)
        ]
