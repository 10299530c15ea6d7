"""A market's own measures, by hand and against a reckoning that looks at every moment."""

import math
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import (
    CancelOrder,
    CreateMarket,
    HaltMarket,
    Market,
    NewOrder,
    ResumeMarket,
    Side,
    TradeExecuted,
)
from tests.sim.measuring.told import START, Day, sample


def test_a_spread_counts_for_as_long_as_it_stood() -> None:
    day = Day("RAIN")
    day.at(100, "buy", 40, 1)
    day.at(200, "sell", 50, 1)
    day.at(800, "sell", 42, 1)
    # 10 ticks for 600 ns, 2 ticks for 400; nothing counts before both sides are there.
    values = day.measured(1200).values
    assert values["spread_median"] == 10
    assert values["spread_p99"] == 10
    day.at(900, "buy", 41, 1)
    # Now 10 ticks for 600 of 3000 ns.
    assert day.measured(3200).values["spread_median"] == 1
    assert day.measured(3200).values["quoted"] == 3000 * 100 / 3100


def test_a_book_that_nobody_quotes_has_no_spread_and_no_price() -> None:
    day = Day("RAIN")
    day.at(100, "buy", 40)
    values = day.measured(1000).values
    for name in ("spread_median", "spread_p99", "depth_median", "price_last", "price_drop_max"):
        assert values[name] is None, name
    assert values["quoted"] == 0


def test_the_largest_fall_and_what_was_made_up() -> None:
    day = Day("RAIN")
    for time, price in enumerate([50, 60, 55, 58, 30, 52, 70, 61]):
        day.at(time * 10, "sell", price, trader="a")
        day.at(time * 10, "buy", price, trader="b")
    values = day.measured(1000).values
    assert (values["price_first"], values["price_last"]) == (50, 61)
    assert (values["price_min"], values["price_max"]) == (30, 70)
    assert values["price_drop_max"] == 30
    assert values["price_rise_max"] == 40
    # 61 is beyond the peak of 60 before the trough of 30.
    assert values["price_recovered"] == 31 * 100 / 30


def test_without_a_fall_there_is_nothing_to_make_up() -> None:
    day = Day("RAIN")
    for price in (50, 51):
        day.at(price, "sell", price, trader="a")
        day.at(price, "buy", price, trader="b")
    values = day.measured(1000).values
    assert values["price_drop_max"] == 0
    assert values["price_recovered"] is None


def test_halts_are_added_up_and_one_that_lasts_counts_to_the_end() -> None:
    day = Day("RAIN")
    ms = 1_000_000
    day.then(10 * ms, HaltMarket, "RAIN")
    day.then(30 * ms, ResumeMarket, "RAIN")
    day.then(90 * ms, HaltMarket, "RAIN")
    found = day.measured(100 * ms)
    assert found.values["halted_ms"] == 30
    assert found.markets[0].halts == [(10 * ms, 30 * ms), (90 * ms, 100 * ms)]


def test_each_market_has_its_own_and_the_plain_name_is_the_first_ones() -> None:
    day = Day("RAIN", "SNOW")
    for market, price in (("RAIN", 30), ("SNOW", 70)):
        day.at(10, "sell", price, 2, market=market, trader="a")
        day.at(20, "buy", price, 2, market=market, trader="b")
    day.at(30, "buy", 69, 1, market="SNOW", trader="b")
    values = day.measured(100).values
    assert (values["RAIN.price_last"], values["SNOW.price_last"]) == (30, 70)
    assert values["price_last"] == 30
    assert (values["orders"], values["RAIN.orders"], values["SNOW.orders"]) == (5, 2, 3)
    assert values["volume"] == 4
    assert day.measured(100, markets=("SNOW", "RAIN")).values["price_last"] == 70
    assert [one.symbol for one in day.measured(100).markets] == ["RAIN", "SNOW"]


def test_a_market_that_opens_later_has_as_many_columns() -> None:
    day = Day()
    day.at(400, "buy", 40)
    day.commit(CreateMarket(Market.prediction("RAIN"), START + 450))
    day.at(500, "buy", 40, market="RAIN")
    found = day.measured(1000)
    assert [one.symbol for one in found.markets] == ["MAIN", "RAIN"]
    for market, time in zip(found.markets, (400, 500), strict=True):
        assert len(market.best_bid) == len(market.bids) == len(found.grid)
        quoted = [at for at, bid in zip(found.grid, market.best_bid, strict=True) if bid == 40]
        assert quoted[0] == time
        assert market.best_bid.count(None) == len(found.grid) - len(quoted)


orders = st.tuples(
    st.integers(0, 4),
    st.sampled_from(list(Side)),
    st.integers(46, 54),
    st.integers(1, 9),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(orders, max_size=40), st.integers(1, 50))
def test_the_fold_finds_what_a_look_at_every_moment_finds(
    sent: Sequence[tuple[int, Side, int, int]], after: int
) -> None:
    day, time = Day("RAIN"), 0
    seen: list[tuple[int, int | None, int | None, int]] = []
    prices: list[int] = []
    for number, (wait, side, price, qty) in enumerate(sent):
        time += wait
        if number % 5 == 4:
            events = day.commit(CancelOrder(number, START + time))
        else:
            order: NewOrder = day.order(
                side, price, qty, market="RAIN", timestamp=START + time, trader=f"t{number % 3}"
            )
            events = day.commit(order)
        prices += [event.price for event in events if isinstance(event, TradeExecuted)]
        book = day.exchange.book("RAIN")
        bid, ask = book.best_bid, book.best_ask
        near = 0
        if bid is not None and ask is not None:
            near = sum(
                order.leaves_qty
                for one in Side
                for order in book.queue(one)
                if abs(order.price - (bid + ask) / 2) <= 5
            )
        seen.append((time, bid, ask, near))
    end = time + after
    values = day.measured(end).values

    def standing(moment: float) -> tuple[int | None, int | None, int]:
        rows = [row[1:] for row in seen if row[0] <= moment]
        return rows[-1] if rows else (None, None, 0)

    spreads, depths = [], []
    for moment in range(end):
        bid, ask, _ = standing(moment)
        if bid is not None and ask is not None:
            spreads.append(ask - bid)
    for moment in range(1, end + 1):
        bid, ask, near = standing(moment)
        if bid is not None and ask is not None:
            depths.append(near)
    assert values["spread_median"] == rank(spreads, 0.5)
    assert values["spread_p99"] == rank(spreads, 0.99)
    assert values["depth_median"] == rank(depths, 0.5)
    drops = [
        early - late for n, early in enumerate(prices) for late in prices[n + 1 :] if early > late
    ]
    assert values["price_drop_max"] == (max(drops, default=0) if prices else None)
    assert values["price_min"] == min(prices, default=None)
    assert values["trades"] == len(prices)


def rank(values: Sequence[int], share: float) -> int | None:
    return sorted(values)[math.ceil(len(values) * share) - 1] if values else None


def test_a_command_took_effect_between_the_samples_around_its_commit() -> None:
    day = Day("RAIN")
    day.at(0, "buy", 40)
    # Sent at 100, committed after the sample at 600: it waited.
    day.at(100, "sell", 44)
    # Its sender made the time up.
    day.at(10**15, "sell", 41)
    samples = [sample(50, 2), sample(600, 2), sample(800, 3), sample(1000, 4)]
    values = day.measured(1000, samples=samples).values
    # From 600 on, not from 100; and 1 tick from 1000 on, not from never on.
    assert values["quoted"] == 40
    assert values["spread_median"] == 4
