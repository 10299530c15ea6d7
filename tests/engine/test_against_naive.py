"""The engine and the naive model get the same commands and must tell the same events."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    Event,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    MarketStatus,
    NewOrder,
    Order,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    decode_events,
    encode_events,
)
from sim.naive import NaiveExchange
from tests.engine.ledger import Ledger, check
from tests.engine.workload import BAD, MARKETS, SYMBOLS, TRADERS

bad = st.sampled_from(BAD)
ids = st.one_of(*[st.integers(1, 30)] * 4, bad)
prices = st.one_of(*[st.sampled_from([8, 9, 10, 10, 12, 14])] * 5, bad)
qtys = st.one_of(*[st.integers(1, 9)] * 5, st.just(10**12), bad)
traders = st.sampled_from(TRADERS)
symbols = st.sampled_from(("MAIN", "MAIN", "MAIN", *SYMBOLS))
times = st.one_of(st.integers(0, 40), st.integers(0, 40), bad)

orders = st.builds(
    NewOrder,
    order_id=ids,
    market=symbols,
    side=st.sampled_from(Side),
    type=st.sampled_from([OrderType.LIMIT] * 4 + [OrderType.MARKET]),
    price=prices,
    qty=qtys,
    timestamp=times,
    trader=traders,
    time_in_force=st.sampled_from(TimeInForce),
    expires_at=st.one_of(st.just(0), st.just(0), st.integers(1, 60)),
    post_only=st.sampled_from([False, False, False, True]),
    reduce_only=st.sampled_from([False, False, False, True]),
    self_trade_prevention=st.sampled_from(SelfTradePrevention),
)
lively_orders = st.builds(
    NewOrder,
    order_id=st.integers(1, 30),
    side=st.sampled_from(Side),
    type=st.sampled_from([OrderType.LIMIT] * 9 + [OrderType.MARKET]),
    price=st.integers(8, 10),
    qty=st.integers(1, 9),
    trader=st.sampled_from(["ann", "ann", "bob", ""]),
    time_in_force=st.sampled_from([TimeInForce.GTC] * 3 + [TimeInForce.IOC, TimeInForce.FOK]),
    post_only=st.sampled_from([False] * 5 + [True]),
    self_trade_prevention=st.sampled_from(SelfTradePrevention),
)
good_till_dates = st.builds(
    NewOrder,
    order_id=st.integers(1, 30),
    side=st.sampled_from(Side),
    price=st.integers(8, 12),
    qty=st.integers(1, 9),
    time_in_force=st.just(TimeInForce.GTD),
    expires_at=st.integers(1, 40),
    trader=traders,
)
reducing_orders = st.builds(
    NewOrder,
    order_id=st.integers(1, 30),
    side=st.sampled_from(Side),
    price=st.integers(8, 12),
    qty=st.integers(1, 30),
    time_in_force=st.sampled_from([TimeInForce.IOC, TimeInForce.FOK]),
    reduce_only=st.just(True),
    trader=traders,
)
markets = st.builds(
    Market,
    symbol=st.sampled_from(["NEW", "MAIN", "", " ", "a\nb", "x" * 65]),
    min_price=st.sampled_from([1, 1, 5, 0]),
    max_price=st.sampled_from([None, 20, 4, 10**12 + 1]),
    tick=st.sampled_from([1, 1, 2, 0, 10**13]),
    status=st.sampled_from([MarketStatus.OPEN] * 3 + [MarketStatus.HALTED]),
)


class TwoExchanges(RuleBasedStateMachine):
    """Every command goes to both; `copy` stands for a node that loaded a snapshot."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange = Exchange(MARKETS)
        self.naive = NaiveExchange(MARKETS)
        self.copy = Exchange(MARKETS)
        self.ledger = Ledger()
        self.journal: list[Event] = []

    def send(self, command: Command) -> None:
        events = self.exchange.apply(command)
        assert events == self.naive.apply(command)
        assert events
        assert {event.seq for event in events} == {self.exchange.seq}
        assert self.copy.apply(command) == events
        assert decode_events(encode_events(events)) == events
        self.ledger.read(events)
        self.journal.extend(events)

    def open_order(self, which: int) -> Order:
        orders = self.exchange.orders
        return orders[sorted(orders)[which % len(orders)]]

    @rule(command=st.one_of(orders, good_till_dates, reducing_orders))
    def new_order(self, command: NewOrder) -> None:
        self.send(command)

    @rule(command=lively_orders)
    def lively_order(self, command: NewOrder) -> None:
        self.send(command)

    @rule(commands=st.lists(lively_orders, min_size=2, max_size=6))
    def several_lively_orders(self, commands: list[NewOrder]) -> None:
        for command in commands:
            self.send(command)

    @rule(
        order_id=ids,
        price=st.one_of(st.none(), prices),
        qty=st.one_of(st.none(), qtys),
        timestamp=times,
    )
    def replace(self, **fields: Any) -> None:
        self.send(ReplaceOrder(**fields))

    @precondition(lambda self: self.exchange.orders)
    @rule(
        which=st.integers(0, 30),
        price=st.one_of(st.none(), st.integers(-1, 1)),
        qty=st.one_of(st.none(), st.integers(-4, 4)),
    )
    def replace_an_open_order(self, which: int, price: int | None, qty: int | None) -> None:
        """By a little, so that it often keeps its price or its size."""
        order = self.open_order(which)
        self.send(
            ReplaceOrder(
                order_id=order.id,
                price=None if price is None else order.price + price,
                qty=None if qty is None else order.qty + qty,
            )
        )

    @precondition(lambda self: self.exchange.orders)
    @rule(which=st.integers(0, 30))
    def cancel_an_open_order(self, which: int) -> None:
        self.send(CancelOrder(self.open_order(which).id))

    @precondition(lambda self: self.exchange.next_expiry)
    @rule(early=st.integers(0, 1))
    def expire_what_is_next(self, early: int) -> None:
        self.send(ExpireOrders((self.exchange.next_expiry or 0) - early))

    @rule(order_id=ids, timestamp=times)
    def cancel(self, **fields: Any) -> None:
        self.send(CancelOrder(**fields))

    @rule(trader=traders, market=st.one_of(st.none(), symbols))
    def cancel_all(self, **fields: Any) -> None:
        self.send(CancelAll(**fields))

    @rule(now=times)
    def expire(self, now: int) -> None:
        self.send(ExpireOrders(now))

    @rule(market=markets)
    def create_market(self, market: Market) -> None:
        self.send(CreateMarket(market))

    @rule(market=symbols)
    def halt_and_resume(self, market: str) -> None:
        self.send(HaltMarket(market))
        self.send(NewOrder(order_id=31, market=market, side=Side.BUY, price=8, qty=1))
        self.send(ReplaceOrder(order_id=1, qty=1))
        self.send(ResumeMarket(market))

    @rule(order_id=ids)
    def malformed(self, order_id: int) -> None:
        self.send(Malformed("{", order_id=order_id))

    @rule()
    def load_the_copy_from_a_dump(self) -> None:
        self.copy = Exchange.load(self.exchange.dump())
        assert self.copy.state_hash() == self.exchange.state_hash()

    @invariant()
    def all_is_sound(self) -> None:
        check(self.exchange, self.ledger)
        for symbol, book in self.exchange.books.items():
            plain = self.naive.books[symbol]
            assert book.sequence == plain.sequence
            assert book.market == plain.market
            for side in Side:
                assert [(o.id, o.price, o.leaves_qty) for o in book.queue(side)] == [
                    (o.asked.order_id, o.price, o.leaves) for o in plain.queue(side)
                ]
        assert {
            (trader, market): held for trader, market, held in self.exchange.positions.items()
        } == self.naive.positions

    def teardown(self) -> None:
        replayed = Exchange(MARKETS)
        replayed.replay(self.journal)
        assert replayed.state_hash() == self.exchange.state_hash()
        assert self.copy.state_hash() == self.exchange.state_hash()


TwoExchanges.TestCase.settings = settings(
    max_examples=300,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestTwoExchanges = TwoExchanges.TestCase
