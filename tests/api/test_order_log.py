"""What the gateway says of each order, against what the engine did with it."""

from dataclasses import dataclass

import msgspec
import pytest

from matchbox_tui.api.answers import OrderStatus
from matchbox_tui.api.order_log import OrderLog, OrderRecord
from matchbox_tui.engine import (
    CancelOrder,
    Event,
    Exchange,
    Market,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)
from tests.engine.workload import MARKETS, Workload


@dataclass
class Life:
    """An order's life told in the plainest way: its total, its trades, and how it ended."""

    order: NewOrder
    total: int
    traded: int = 0
    end: OrderStatus | None = None
    reason: str = ""


class Lives:
    """The lives of all orders by id; the last one under an id that was used again."""

    def __init__(self) -> None:
        self.of: dict[int, Life] = {}

    def read(self, event: Event) -> None:
        match event:
            case OrderAccepted():
                self.of[event.order_id] = Life(event.order, event.order.qty)
            case OrderRejected() if event.order is not None and event.order_id not in self.of:
                life = Life(event.order, event.order.qty)
                life.end, life.reason = OrderStatus.REJECTED, event.reason
                self.of[event.order_id] = life
            case TradeExecuted():
                self.of[event.maker_order_id].traded += event.qty
                self.of[event.taker_order_id].traded += event.qty
            case OrderReplaced():
                self.of[event.order_id].total = event.qty
            case OrderCancelled():
                self._end(event.order_id, OrderStatus.CANCELLED, event.reason)
            case OrderExpired():
                self._end(event.order_id, OrderStatus.EXPIRED, event.reason)
            case _:
                pass

    def _end(self, order_id: int, status: OrderStatus, reason: str) -> None:
        self.of[order_id].end, self.of[order_id].reason = status, reason


def check(log: OrderLog, lives: Lives, exchange: Exchange) -> None:
    """Open orders are what the exchange has, the others what became of them."""
    assert len(log) == len(lives.of)
    for order_id, life in lives.of.items():
        record = log.get(order_id)
        assert record is not None
        told = record.answer()
        open_order = exchange.orders.get(order_id)
        assert (told.id, told.market, told.trader) == (
            order_id,
            life.order.market,
            life.order.trader,
        )
        if open_order is not None:
            assert told.status is OrderStatus.OPEN
            assert (told.price, told.qty, told.cum_qty, told.leaves_qty) == (
                open_order.price,
                open_order.qty,
                open_order.cum_qty,
                open_order.leaves_qty,
            )
            assert told.reason is msgspec.UNSET
            continue
        filled = life.end is None
        assert told.status is (OrderStatus.FILLED if filled else life.end), (life, told)
        assert (told.qty, told.cum_qty, told.leaves_qty) == (life.total, life.traded, 0)
        assert told.reason == (life.reason or msgspec.UNSET)
        if filled:
            assert life.traded == life.total


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ids", [60, 2000])
def test_every_order_is_told_as_the_engine_left_it(seed: int, ids: int) -> None:
    exchange, log, lives = Exchange(MARKETS), OrderLog(), Lives()
    for number, command in enumerate(Workload(seed, ids).commands(3000)):
        for event in exchange.apply(command):
            log.fold(event)
            lives.read(event)
        if number % 50 == 0:
            check(log, lives, exchange)
    check(log, lives, exchange)
    assert {record.status for record in log.after(-(2**63))} == set(OrderStatus) - {
        OrderStatus.PENDING,
        OrderStatus.UNKNOWN,
    }


@pytest.mark.parametrize("seed", range(4))
async def test_a_log_that_begins_with_the_open_orders_goes_on_right(seed: int) -> None:
    exchange, lives = Exchange(MARKETS), Lives()
    commands = list(Workload(seed, 400).commands(4000))
    for command in commands[:2000]:
        for event in exchange.apply(command):
            lives.read(event)
    log = OrderLog()
    await log.load(exchange)
    # Those that had ended are not known, so the others are all that can be told of.
    lives.of = {order_id: lives.of[order_id] for order_id in exchange.orders}
    check(log, lives, exchange)
    assert len(log) > 5
    for command in commands[2000:]:
        for event in exchange.apply(command):
            log.fold(event)
            lives.read(event)
    check(log, lives, exchange)


def limit(order_id: int, side: Side, price: int, qty: int, **more: object) -> NewOrder:
    return NewOrder(**{"order_id": order_id, "side": side, "price": price, "qty": qty, **more})  # type: ignore[arg-type]


def told(log: OrderLog, order_id: int) -> tuple[str, int, int, int, int, str]:
    record = log.get(order_id)
    assert record is not None
    return (
        record.status.value,
        record.price,
        record.qty,
        record.cum_qty,
        record.leaves_qty,
        record.reason,
    )


def folded(*commands: NewOrder | ReplaceOrder | CancelOrder, kept: int = 100) -> OrderLog:
    exchange, log = Exchange([Market("MAIN")]), OrderLog(kept)
    for command in commands:
        for event in exchange.apply(command):
            log.fold(event)
    return log


def test_a_replace_that_keeps_its_place_and_one_that_trades() -> None:
    log = folded(
        limit(1, Side.BUY, 50, 10),
        limit(2, Side.SELL, 60, 30),
        ReplaceOrder(order_id=1, qty=7),
        ReplaceOrder(order_id=1, qty=20, price=61),
    )
    assert told(log, 1) == ("filled", 61, 20, 20, 0, "")
    assert told(log, 2) == ("open", 60, 30, 20, 10, "")


def test_a_replace_below_what_was_filled_ends_the_order() -> None:
    log = folded(
        limit(1, Side.BUY, 50, 10), limit(2, Side.SELL, 50, 6), ReplaceOrder(order_id=1, qty=5)
    )
    assert told(log, 1) == ("cancelled", 50, 10, 6, 0, "replaced_below_filled")


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        (SelfTradePrevention.CANCEL_TAKER, "open", "cancelled"),
        (SelfTradePrevention.CANCEL_MAKER, "cancelled", "open"),
        (SelfTradePrevention.CANCEL_BOTH, "cancelled", "cancelled"),
        (SelfTradePrevention.NONE, "filled", "filled"),
    ],
)
def test_orders_of_one_trader_that_meet(mode: SelfTradePrevention, maker: str, taker: str) -> None:
    log = folded(
        limit(1, Side.BUY, 50, 10, trader="ann"),
        limit(2, Side.SELL, 50, 10, trader="ann", self_trade_prevention=mode),
    )
    assert (told(log, 1)[0], told(log, 2)[0]) == (maker, taker)


def test_an_id_that_is_used_again_and_one_that_is_used_twice() -> None:
    log = folded(
        limit(1, Side.BUY, 50, 10),
        limit(1, Side.BUY, 40, 99),
        CancelOrder(1),
        limit(1, Side.SELL, 70, 3),
        limit(2, Side.SELL, 70, 3, time_in_force=TimeInForce.IOC),
        limit(2, Side.SELL, 80, 4),
    )
    assert told(log, 1) == ("open", 70, 3, 0, 3, "")
    assert told(log, 2) == ("open", 80, 4, 0, 4, "")
    assert [record.order.order_id for record in log.after(0)] == [1, 2]


def test_the_oldest_that_ended_are_forgotten_and_open_ones_never() -> None:
    commands: list[NewOrder | CancelOrder] = [limit(1, Side.BUY, 10, 1)]
    for order_id in range(2, 302):
        commands += [limit(order_id, Side.BUY, 50, 1), CancelOrder(order_id)]
    # Used again: its first end must not take the second life away.
    commands.append(limit(299, Side.BUY, 20, 5))
    log = folded(*commands, kept=100)
    assert len(log) == 101
    assert log.get(201) is None
    assert told(log, 1)[0] == "open"
    for order_id in range(302, 420):
        for event in _lived(order_id):
            log.fold(event)
    assert told(log, 299) == ("open", 20, 5, 0, 5, "")
    assert len(log) == 102


def _lived(order_id: int) -> list[Event]:
    exchange = Exchange()
    order = limit(order_id, Side.BUY, 50, 1, time_in_force=TimeInForce.IOC)
    return exchange.apply(order)


def test_an_acknowledged_order_is_pending_until_the_journal_tells() -> None:
    log, exchange = OrderLog(), Exchange()
    log.expect(limit(1, Side.BUY, 50, 10))
    assert told(log, 1) == ("pending", 50, 10, 0, 10, "")
    for event in exchange.apply(limit(1, Side.BUY, 50, 10)):
        log.fold(event)
    # The acknowledgement may be read later than the journal.
    log.expect(limit(1, Side.BUY, 50, 10))
    assert told(log, 1) == ("open", 50, 10, 0, 10, "")


def test_a_pending_order_that_is_refused() -> None:
    log, exchange = OrderLog(), Exchange()
    log.expect(limit(1, Side.BUY, 0, 10))
    for event in exchange.apply(limit(1, Side.BUY, 0, 10)):
        log.fold(event)
    assert told(log, 1) == ("rejected", 0, 10, 0, 0, "invalid_price")


def test_acknowledged_orders_that_the_store_lost_are_forgotten_once_later_ones_happened() -> None:
    log, exchange = OrderLog(), Exchange()
    for order_id in (1, 2, 3, 5):
        log.expect(limit(order_id, Side.BUY, 50, 1))
    # An order of somebody else says nothing of those: it may have been queued before them.
    for event in exchange.apply(limit(4, Side.BUY, 50, 1)):
        log.fold(event)
    assert len(log) == 5
    for event in exchange.apply(limit(3, Side.BUY, 50, 1)):
        log.fold(event)
    assert log.get(1) is None
    assert log.get(2) is None
    assert [told(log, order_id)[0] for order_id in (3, 4, 5)] == ["open", "open", "pending"]


def test_lost_orders_are_forgotten_too_where_the_journal_is_quicker_than_the_acknowledgement() -> (
    None
):
    log = OrderLog()
    log.expect(limit(1, Side.BUY, 50, 1))
    for event in Exchange().apply(limit(2, Side.BUY, 50, 1)):
        log.fold(event)
    assert told(log, 1)[0] == "pending"
    log.expect(limit(2, Side.BUY, 50, 1))
    assert log.get(1) is None
    assert told(log, 2)[0] == "open"


def test_a_record_of_an_order_that_only_waits() -> None:
    record = OrderRecord.of(limit(1, Side.BUY, 50, 10), OrderStatus.PENDING)
    assert msgspec.json.decode(msgspec.json.encode(record.answer())) == {
        "id": 1,
        "market": "MAIN",
        "side": "buy",
        "type": "limit",
        "price": 50,
        "qty": 10,
        "cum_qty": 0,
        "leaves_qty": 10,
        "status": "pending",
        "trader": "",
        "client_order_id": "",
        "time_in_force": "GTC",
        "timestamp": 0,
    }
