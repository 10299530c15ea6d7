"""The flow of a benchmark does what it says it will do, wherever else it is played."""

from collections import Counter

from matchbox_tui.engine import Exchange, TradeExecuted
from sim.bench.flow import MARKET, PERSON, Flow

WANTED = 20_000


def test_another_exchange_makes_as_many_events_of_it() -> None:
    flow, exchange = Flow(), Exchange([MARKET])
    kinds: Counter[str] = Counter()
    made = 0
    while made < WANTED:
        commands, promised = flow.take(100)
        told = [event for command in commands for event in exchange.apply(command)]
        assert len(told) == promised
        kinds.update(type(event).__name__ for event in told)
        made += promised
    assert exchange.state_hash() == flow.exchange.state_hash()
    # All of it is work: nothing is asked for that can't be done.
    assert not [kind for kind in kinds if kind.endswith("Rejected")]
    assert kinds["TradeExecuted"] > WANTED // 50
    assert kinds["OrderCancelled"] > WANTED // 50


def test_it_makes_what_is_asked_for_or_barely_more() -> None:
    flow = Flow()
    for asked in (1, 7, 100, 900):
        commands, made = flow.take(asked)
        assert commands
        # An order that takes may meet several.
        assert asked <= made < asked + 30


def test_the_book_stays_as_large_and_the_person_keeps_some_orders() -> None:
    flow = Flow()
    for _ in range(300):
        flow.take(100)
    assert 100 < len(flow.exchange.orders) < 1000
    assert list(flow.exchange.orders_of(PERSON))
    book = flow.exchange.book(MARKET.symbol)
    assert len(book.snapshot().bids) > 10
    assert len(book.snapshot().asks) > 10


def test_trades_move_the_price() -> None:
    flow, exchange = Flow(), Exchange([MARKET])
    prices = set()
    for _ in range(200):
        for command in flow.take(100)[0]:
            prices |= {
                event.price for event in exchange.apply(command) if isinstance(event, TradeExecuted)
            }
    assert len(prices) > 3
