"""A state as plain values: dumped, hashed, stored as JSON and loaded again."""

import msgspec
import pytest

from matchbox_tui.engine import (
    BookPart,
    CancelAll,
    Command,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Market,
    Part,
    PositionsPart,
    ReplaceOrder,
    SelfTradePrevention,
    Side,
    State,
    TimeInForce,
    decode_command,
    dump_parts,
    load_part,
    state,
)
from tests.engine.build import buy, cancel, exchange, kinds, queue, sell, trades
from tests.engine.ledger import check_books
from tests.engine.workload import MARKETS, Workload


def busy() -> Exchange:
    venue = Exchange([Market("B", title="t", max_price=99), Market("A", tick=5)])
    for command in (
        buy(1, 50, 10, market="B", trader="ann", client_order_id="c"),
        buy(2, 50, 10, market="B", trader="bob"),
        buy(3, 49, 10, market="B", time_in_force=TimeInForce.GTD, expires_at=99),
        sell(4, 60, 10, market="A", trader="ann"),
        sell(5, 50, 4, market="B", trader="cy"),
        ReplaceOrder(order_id=1, qty=8),
        ReplaceOrder(order_id=4, price=65, qty=12),
        HaltMarket("A"),
    ):
        venue.apply(command)
    return venue


def through_json(venue: Exchange) -> Exchange:
    return Exchange.load(msgspec.json.decode(msgspec.json.encode(venue.dump()), type=State))


def test_a_loaded_state_is_the_dumped_one() -> None:
    venue = busy()
    again = through_json(venue)
    assert again.dump() == venue.dump()
    assert again.state_hash() == venue.state_hash()
    assert again.seq == venue.seq
    assert again.markets == venue.markets
    assert again.next_expiry == 99
    assert again.position("ann", "B") == venue.position("ann", "B")
    assert queue(again.book("B"), Side.BUY) == [(1, 4), (2, 10), (3, 10)]
    order = again.book("B").order(1)
    assert order is not None
    assert (order.qty, order.cum_qty, order.client_order_id) == (8, 4, "c")
    check_books(again)


def test_a_loaded_state_goes_on_as_the_dumped_one() -> None:
    venue, again = busy(), through_json(busy())
    for command in (
        sell(9, 49, 15, market="B", trader="bob", self_trade_prevention=SelfTradePrevention.NONE),
        ReplaceOrder(order_id=2, qty=3),
        ExpireOrders(99),
        CancelAll(trader="ann"),
        cancel(2),
    ):
        assert again.apply(command) == venue.apply(command)
        assert again.state_hash() == venue.state_hash()


@pytest.mark.parametrize("seed", [11, 12])
def test_a_state_loaded_at_any_time_goes_on_the_same(seed: int) -> None:
    venue = again = Exchange(MARKETS)
    for n, command in enumerate(Workload(seed).commands(1500)):
        if n % 50 == 0:
            again = through_json(venue)
        assert again.apply(command) == venue.apply(command)
    assert again.state_hash() == venue.state_hash()


def test_a_dump_does_not_change_when_the_exchange_goes_on() -> None:
    venue = busy()
    state = venue.dump()
    digest = state.digest()
    venue.apply(cancel(1))
    assert state.digest() == digest != venue.state_hash()


def test_an_empty_exchange_can_be_dumped_and_loaded() -> None:
    assert through_json(Exchange()).state_hash() == Exchange().state_hash()
    assert Exchange.load(Exchange(()).dump()).markets == ()


BASE: list[Command] = [buy(1, 50, 10, trader="ann"), buy(2, 50, 10, trader="bob")]


@pytest.mark.parametrize(
    "commands",
    [
        BASE[:1],
        [BASE[1], BASE[0]],
        [buy(1, 50, 11, trader="ann"), BASE[1]],
        [buy(1, 51, 10, trader="ann"), BASE[1]],
        [buy(1, 50, 10, trader="cy"), BASE[1]],
        [buy(1, 50, 10, trader="ann", timestamp=1), BASE[1]],
        [buy(1, 50, 10, trader="ann", post_only=True), BASE[1]],
        [buy(3, 50, 10, trader="ann"), BASE[1]],
        [*BASE, cancel(9)],
        [*BASE, HaltMarket("MAIN")],
        [*BASE, sell(3, 50, 1)],
    ],
)
def test_states_that_differ_have_different_hashes(commands: list[Command]) -> None:
    assert exchange(*commands).state_hash() != exchange(*BASE).state_hash()


def test_the_way_to_a_position_does_not_matter_but_the_position_does() -> None:
    one = exchange(sell(1, 50, 2), buy(2, 50, 2, trader="ann"))
    two = exchange(sell(1, 50, 2), buy(2, 50, 2, trader="bob"))
    assert one.state_hash() != two.state_hash()


def test_a_hash_is_the_same_however_the_orders_were_spelled() -> None:
    short = b'{"id":1,"side":"buy","price":50,"qty":10}'
    long = short[:-1] + b',"market":"MAIN","trader":"","type":"limit","time_in_force":"GTC"}'
    hashes = {exchange(decode_command(raw)).state_hash() for raw in (short, long)}
    assert len(hashes) == 1


def test_a_hash_is_the_same_in_every_run() -> None:
    """A change here means that no old snapshot can be compared any more: raise its version."""
    assert exchange(*BASE).state_hash() == "f6615dcfa62e911e38f53e4b6dcf2882e5c0bd2b"


def test_a_loaded_queue_fills_in_the_same_order() -> None:
    again = through_json(busy())
    events = again.apply(sell(9, 49, 24, market="B"))
    assert trades(events) == [(1, 50, 4), (2, 50, 10), (3, 49, 10)]
    assert kinds(events)[-1] == "trade.executed"


def through_parts(venue: Exchange) -> Exchange:
    again = Exchange(())
    again.seq = venue.seq
    for part in dump_parts(venue):
        load_part(again, msgspec.json.decode(msgspec.json.encode(part), type=Part))
    return again


def test_a_state_goes_in_parts_and_comes_back_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PART_SIZE", 2)
    venue = busy()
    positions, *books = dump_parts(venue)
    assert [len(part.orders) for part in books if isinstance(part, BookPart)] == [2, 1, 1]
    assert isinstance(positions, PositionsPart)
    again = through_parts(venue)
    assert again.dump() == venue.dump()
    assert again.next_expiry == 99
    check_books(again)


def test_parts_of_random_states_hold_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "PART_SIZE", 7)
    for seed in range(20):
        venue = Exchange(MARKETS)
        for command in Workload(seed).commands(300):
            venue.apply(command)
        again = through_parts(venue)
        assert again.state_hash() == venue.state_hash()
        check_books(again)


def test_an_order_that_is_in_two_parts_is_refused() -> None:
    _, part, *_ = dump_parts(busy())
    again = Exchange(())
    load_part(again, part)
    with pytest.raises(ValueError, match="order 1 is there twice"):
        load_part(again, part)
