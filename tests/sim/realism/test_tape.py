"""What the tapes keep of a run that was told by hand."""

from collections.abc import Sequence

from matchbox_tui.engine import CancelAll, ReplaceOrder
from sim.measuring import JournalFold
from sim.realism.tape import MOST_MARKETS, NOBODY, MarketTape, Tapes
from tests.sim.measuring.told import START, Day


def watched(day: Day, end: int, markets: Sequence[str] = ()) -> list[MarketTape]:
    evidence = day.evidence(end)
    tapes = Tapes(START, end, markets)
    fold = JournalFold(evidence, tapes)
    for entry in evidence.journal():
        fold.read(entry)
    fold.finish()
    assert not fold.problem
    return list(tapes.tapes())


def test_the_quotes_of_every_column() -> None:
    day = Day("RAIN")
    day.at(2, "buy", 40, 7)
    day.at(5, "sell", 43, 9)
    day.at(8, "buy", 41, 1)
    (rain,) = watched(day, 10)
    # At the end of each ns, before what happens after it.
    assert list(rain.middles) == [*[NOBODY] * 4, 83, 83, 83, 84, 84, 84]
    assert rain.quoted == {3: 3, 2: 2}
    assert sum(rain.touches) == 3 * (7 + 9) + 3 * (1 + 9)
    assert rain.profile[:3] == [3 * 16 + 3 * 10, 3 * 7, 0]


def test_a_taker_of_many_orders_is_one_trade_at_the_quotes_before_it() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 43, 1)
    day.at(1, "sell", 45, 1)
    day.at(2, "buy", 40, 5)
    day.at(4, "buy", 45, 2)
    day.at(6, "sell", 50, 2)
    day.at(7, "sell", 40, 1)
    (rain,) = watched(day, 10)
    assert list(rain.signs) == [1, -1]
    assert list(rain.before) == [83, 90]
    assert list(rain.spreads) == [3, 10]
    assert list(rain.trade_times) == [4, 7]
    assert list(rain.counts) == [0, 0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert list(rain.order_times) == [1, 1, 2, 4, 6, 7]


def test_a_trade_without_a_quote_on_the_other_side_has_no_spread() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 43, 1)
    day.at(2, "buy", 43, 1)
    (rain,) = watched(day, 5)
    assert list(rain.signs) == [1]
    assert list(rain.before) == list(rain.spreads) == [NOBODY]
    assert rain.quoted == {}


def test_an_order_that_is_changed_may_take() -> None:
    day = Day("RAIN")
    day.at(1, "sell", 43, 1)
    day.at(1, "buy", 40, 1)
    day.commit(ReplaceOrder(order_id=2, qty=1, price=43, timestamp=START + 3))
    (rain,) = watched(day, 5)
    assert list(rain.signs) == [1]
    assert len(rain.order_times) == 2
    assert list(rain.middles) == [83, 83, NOBODY, NOBODY, NOBODY]


def test_cancelling_in_all_markets_at_once_moves_them_all() -> None:
    day = Day("RAIN", "SNOW")
    for market in ("RAIN", "SNOW"):
        day.at(1, "buy", 40, market=market, trader="ann")
        day.at(1, "sell", 44, market=market, trader="bob")
    day.commit(CancelAll("ann", timestamp=START + 3))
    for one in watched(day, 4):
        assert list(one.middles) == [84, 84, NOBODY, NOBODY], one.symbol


def test_the_named_markets_are_kept_or_else_the_first_few() -> None:
    symbols = [f"M{n}" for n in range(MOST_MARKETS + 2)]
    day = Day(*symbols)
    for symbol in reversed(symbols):
        day.at(1, "buy", 40, market=symbol)
    assert [one.symbol for one in watched(day, 5)] == symbols[:1:-1]
    assert [one.symbol for one in watched(day, 5, ("M1", "M0"))] == ["M1", "M0"]
    assert len(watched(day, 5, symbols)) == MOST_MARKETS


def test_times_that_a_sender_made_up_stay_within_the_run() -> None:
    day = Day("RAIN")
    day.at(-5000, "buy", 40)
    day.at(10**15, "buy", 40)
    (rain,) = watched(day, 100)
    assert list(rain.order_times) == [0, 100]


def test_a_long_run_has_no_more_columns_than_a_short_one() -> None:
    day = Day("RAIN")
    day.at(1, "buy", 40)
    day.at(2, "sell", 44)
    (rain,) = watched(day, 10**13)
    assert len(rain.middles) == len(rain.counts) <= 1 << 16
    assert len(rain.touches) <= 2 << 12
    assert rain.middles[-1] == 84
