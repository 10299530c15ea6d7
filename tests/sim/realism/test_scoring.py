"""Markets of which it is known what they are like, and what the scorecard says of them."""

from collections.abc import Sequence

import pytest

from matchbox_tui.engine import Market, OrderBook
from sim.realism import FACTS, Finding
from sim.realism.scoring import _FIGURES, TRADES, Series, score_market
from sim.realism.tape import MarketTape
from tests.sim.realism import series
from tests.sim.realism.series import tape

MANY = 8_000
STEP = 1_000_000


def found(market: MarketTape) -> dict[str, Finding]:
    return {one.name: one for one in score_market(market, STEP).findings}


def held(market: MarketTape) -> dict[str, bool | None]:
    return {name: one.ok for name, one in found(market).items()}


def test_a_market_of_pure_chance_is_told_from_a_real_one() -> None:
    coins = series.coins(60_000)
    said = held(tape(series.normal(MANY), signs=coins, waits=series.poisson(60_000)))
    assert said["returns_autocorrelation"] is True
    lacking = {name for name, ok in said.items() if ok is False}
    assert lacking == {
        *("returns_kurtosis", "returns_tail", "volatility_clustering", "volatility_memory"),
        *("trade_waits", "trade_waits_memory", "order_waits", "sign_correlation", "sign_memory"),
    }


def test_returns_that_foretell_the_next_ones_are_not_like_real_ones() -> None:
    for phi in (0.5, -0.5):
        said = found(tape(series.autoregressive(MANY, phi)))["returns_autocorrelation"]
        assert said.ok is False
        assert said.figure == pytest.approx(0.25, abs=0.04)
        first = float(said.words.partition(" at lag 1")[0].rpartition(" ")[2])
        assert first == pytest.approx(phi, abs=0.03)
    # The bounce of prices at the shortest lag is not held against a market.
    bounce = [late - 0.4 * early for early, late in zip(*two(series.normal(MANY)), strict=True)]
    assert found(tape(bounce))["returns_autocorrelation"].ok is True


def two(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    return values[:-1], values[1:]


def test_heavy_tails_without_memory() -> None:
    said = held(tape(series.student(MANY)))
    assert said["returns_kurtosis"] is True
    assert said["returns_tail"] is True
    assert said["returns_aggregation"] is True
    assert said["volatility_clustering"] is False


def test_volatility_that_clusters() -> None:
    said = held(tape(series.agitated(MANY)))
    assert said["returns_autocorrelation"] is True
    assert said["returns_kurtosis"] is True
    assert said["volatility_clustering"] is True
    assert said["volatility_memory"] is True
    soon_forgotten = held(tape(series.agitated(MANY, lasts=0.8)))
    assert soon_forgotten["volatility_clustering"] is True
    assert soon_forgotten["volatility_memory"] is False


def test_moves_that_go_with_trading() -> None:
    returns = series.agitated(MANY)
    busy = [TRADES, *(int(TRADES + abs(one)) for one in returns)]
    assert held(tape(returns, counts=busy))["volume_volatility"] is True
    idle = [TRADES, *(TRADES + n % 7 for n in range(MANY))]
    assert held(tape(returns, counts=idle))["volume_volatility"] is False


def test_bursts_and_long_memory_of_the_takers() -> None:
    made = tape(signs=series.split_orders(60_000), waits=series.bursts(60_000))
    said = held(made)
    for name in ("trade_waits", "trade_waits_memory", "order_waits"):
        assert said[name] is True, name
    assert said["sign_correlation"] is True
    assert said["sign_memory"] is True


def test_returns_are_taken_over_so_many_trades_on_average() -> None:
    made = tape(series.normal(MANY), counts=[5] * (MANY + 1))
    assert Series(made, STEP).width == TRADES // 5
    assert score_market(made, STEP).interval == STEP * TRADES // 5
    # The sums of five neighbours, from the end of the first interval on.
    middles = made.middles
    assert Series(made, STEP)._intervals[0][:2] == [
        (middles[9] - middles[4]) / 2,
        (middles[14] - middles[9]) / 2,
    ]
    assert set(Series(made, STEP)._intervals[1]) == {25.0}


def test_intervals_at_whose_ends_nobody_quoted_are_left_out() -> None:
    made = tape([1.0, 2.0, 3.0, 4.0])
    made.middles[2] = -1
    assert Series(made, STEP)._intervals[0] == [1.0, 4.0]


def test_the_spread_beside_what_trades_move() -> None:
    made = tape()
    made.before.extend(200 + 2 * (n % 2) for n in range(5000))
    made.spreads.extend([3] * 5000)
    # Each trade moves the middle by a tick.
    assert found(made)["spread_volatility"].figure == 3.0
    assert found(made)["spread_volatility"].ok is True
    made.spreads[:] = type(made.spreads)("q", [5] * 5000)
    assert found(made)["spread_volatility"].ok is False


def test_the_spread_over_time() -> None:
    made = tape()
    made.touches.extend([1] * 1000)
    made.quoted.update({1: 980, 2: 0, 30: 20})
    said = found(made)["spread_tail"]
    assert said.figure == pytest.approx(30 / 1.58, rel=0.01)
    assert said.ok is True
    assert "mean 1.58 ticks; 98 % of the time the least there is, 98 % at most" in said.words
    made.quoted.clear()
    made.quoted.update({2: 500, 3: 500})
    assert found(made)["spread_tail"].ok is False


def test_depth_at_the_best_price_and_behind_it() -> None:
    made = tape()
    made.touches.extend(series.poisson(4000))
    made.quoted[1] = 1
    made.profile[0], made.profile[3] = 1000, 1800
    said = found(made)
    assert said["depth_touch"].figure == pytest.approx(1, abs=0.1)
    assert said["depth_touch"].ok is True
    assert said["depth_hump"].figure == 1.8
    assert said["depth_hump"].words.endswith("(3 behind the best price)")
    made.touches[:] = [90, 110] * 1000
    made.profile[0] = 5000
    said = found(made)
    assert said["depth_touch"].ok is False
    assert said["depth_hump"].ok is False


def test_too_little_is_said_instead_of_a_figure() -> None:
    nothing = found(tape())
    assert list(nothing) == list(FACTS)
    for one in nothing.values():
        assert (one.figure, one.ok) == (None, None)
        assert one.words.startswith("too little to tell: ")
    assert nothing["trade_waits"].words.endswith("0 trades, of which it takes 2,000")
    few = found(tape(series.normal(1999)))
    assert few["returns_kurtosis"].words.endswith("1,999 returns, of which it takes 2,000")
    assert found(tape(series.normal(2000)))["returns_kurtosis"].figure is not None
    still = found(tape([0.0] * MANY))
    assert still["returns_kurtosis"].words.endswith("the price never moved")
    short = found(tape(signs=series.coins(49_999), waits=series.poisson(49_999)))
    assert short["sign_correlation"].figure is not None
    assert short["sign_memory"].figure is None
    plain = found(tape(series.normal(MANY)))["returns_aggregation"]
    assert plain.words.endswith("returns are nearly normal to begin with")


def test_orders_at_the_same_moment_are_one() -> None:
    made = MarketTape(OrderBook(Market("RAIN")), 0)
    made.order_times.extend(n // 10 * 5 for n in range(30_000))
    # Ten at a time, five ns apart: perfectly even.
    assert found(made)["order_waits"].figure == 0.0


def test_every_fact_is_computed_has_limits_and_a_source() -> None:
    assert list(_FIGURES) == list(FACTS)
    for name, fact in FACTS.items():
        assert fact.name == name
        assert "(19" in fact.source or "(20" in fact.source
        assert fact.least is not None or fact.most is not None
        for limit, beyond in ((fact.least, -0.01), (fact.most, 0.01)):
            assert limit is None or fact.like(limit), name
            assert limit is None or not fact.like(limit + beyond), name
        assert fact.wanted[0] in "<>0123456789"


def test_the_same_series_give_the_same_findings() -> None:
    def once() -> object:
        return score_market(
            tape(series.agitated(MANY), signs=series.coins(60_000), waits=series.bursts(60_000)),
            STEP,
        )

    assert once() == once()
